"""The gates that all who take part in the cluster's runs stand in, each in his turn."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from portsync.cluster.limits import Limits
from portsync.transport.limiter import Budget, ClosedError, Gate
from portsync.transport.quotas import Quota
from portsync.transport.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from portsync.flow import Json

_MOST_GATES = 10_000
"""More than any cluster has sources; a gate that nobody stands in makes way for a new one."""
_REMEMBERED = 1000


class Gates:
    """One gate for each server and its credentials. Each question takes who asks, and what he says."""

    def __init__(
        self, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]], random: Callable[[], float]
    ) -> None:
        """`clock` is in epoch seconds."""
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._gates: dict[Limits, Gate] = {}
        self._inside: dict[str, Counter[Limits]] = {}
        """How many requests of whom are under way."""
        self._gone: deque[str] = deque(maxlen=_REMEMBERED)

    async def enter(self, who: str, said: Json) -> Json:
        """How long each of those waited who may begin now, at least one and at most `wanted`; or for how long nobody
        may."""
        limits = Limits(*said["limits"])
        gate = self._gate(limits)
        inside = self._take_in(who, limits, said["told"])
        granted: list[float] = []
        while not granted or (len(granted) < said["wanted"] and gate.is_open):
            try:
                waited_s = await gate.enter()
            except ClosedError as error:
                return _closed(error)
            if self._inside.get(who) is not inside:
                gate.leave()  # he was lost meanwhile, though another one may have his name by now
                return None
            inside[limits] += 1
            granted.append(waited_s)
        return {"granted": granted}

    async def tell(self, who: str, said: Json) -> Json:
        """Take in what answers said, and which requests have ended."""
        self._take_in(who, Limits(*said["limits"]), said["told"])

    async def opened(self, who: str, said: Json) -> Json:
        """How long it took until the server did not ask to wait any more."""
        limits = Limits(*said["limits"])
        self._take_in(who, limits, said["told"])
        try:
            return {"waited_s": await self._gate(limits).opened()}
        except ClosedError as error:
            return _closed(error)

    def met(self, who: str) -> None:
        """Somebody is there, who may have the name of one who is gone."""
        if who in self._gone:
            self._gone.remove(who)

    def lost(self, who: str) -> None:
        """Somebody is gone: what he had under way is not any more, and what he may still say does not count."""
        if who not in self._gone:
            self._gone.append(who)
        for limits, count in self._inside.pop(who, Counter()).items():
            for _ in range(count):
                self._gate(limits).leave()

    def _take_in(self, who: str, limits: Limits, told: Json) -> Counter[Limits]:
        """Do as somebody said. What he has under way, by gates."""
        gate = self._gate(limits)
        gate.heed(Quota(*quota) for quota in told["quotas"])
        if told["close_s"] is not None:
            gate.close(told["close_s"])
        inside: Counter[Limits] = Counter() if who in self._gone else self._inside.setdefault(who, Counter())
        # Who was thought to be gone has nothing more to leave.
        for _ in range(min(told["left"], inside[limits])):
            inside[limits] -= 1
            gate.leave()
        return inside

    def _gate(self, limits: Limits) -> Gate:
        gate = self._gates.get(limits)
        if gate is None:
            if len(self._gates) >= _MOST_GATES:
                self._gates = {limits: gate for limits, gate in self._gates.items() if not gate.is_idle}
            policy = RetryPolicy(1, limits.max_wait, self._clock, self._sleep, self._random)
            budget = None if limits.requests is None else Budget(limits.requests, limits.per)
            gate = self._gates[limits] = Gate(policy, limits.concurrency, budget)
        return gate


def told(left: int = 0, quotas: Iterable[Quota] = (), close_s: float | None = None) -> Json:
    """What answers and ends of requests say, as it goes to `Gates`."""
    listed = [[quota.name, quota.left, quota.resets_in] for quota in quotas]
    return {"left": left, "quotas": listed, "close_s": close_s}


def _closed(error: ClosedError) -> Json:
    return {"closed_s": error.wait_s, "waited_s": error.waited_s}
