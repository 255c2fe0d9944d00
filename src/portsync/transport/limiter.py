"""The gate that every request to one origin passes: so many at once, so many in a time, none while it is closed."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portsync.transport.quotas import Quota
    from portsync.transport.retry import RetryPolicy

_SAME_WINDOW_S = 2.0
"""Servers say in whole seconds when a window ends, and answers take their time; so two answers within one window
differ by so much at most."""
_MOST_ALLOWANCES = 20
"""No server keeps more limits; one that makes up a name for each answer shall not fill the memory."""


@dataclass(frozen=True, slots=True)
class Budget:
    """No more than `requests` begin in any span of `per` seconds."""

    requests: int
    per: float


class ClosedError(Exception):
    """This means that the server asked for a longer wait than anybody wants to take on."""

    def __init__(self, wait_s: float, waited_s: float) -> None:
        super().__init__("the gate is closed")
        self.wait_s = wait_s
        """Seconds until requests may begin again."""
        self.waited_s = waited_s
        """Seconds that the request waited before this was known."""


@dataclass(slots=True)
class _Allowance:
    """What is left of a server's own limit."""

    left: int
    resets_at: float


class AnyGate(Protocol):
    """What stands between requests and their server."""

    async def enter(self) -> float:
        """Wait until one more request may begin, and count it; the seconds that it took. Each call that returns has to
        be followed by a `leave`. Raises ClosedError."""
        ...

    async def opened(self) -> float:
        """Wait while the server asks all to wait, without a place in the row; the seconds that it took. Raises
        ClosedError."""
        ...

    def leave(self) -> None:
        """A request has come to its end."""
        ...

    def close(self, seconds: float) -> None:
        """Let nobody begin for so long: the server asked for it."""
        ...

    def heed(self, quotas: Iterable[Quota]) -> None:
        """Take in what the answer to a request that is still under way says of the server's limits."""
        ...


class Gate:
    """Lets requests begin, in the order in which they came. All who send to one origin share it.

    Two things hold a request back: that too many are under way, and time. Time means the budget, which is the user's
    own and waited for however long it takes, and what the server asked for, which is waited for up to `max_wait`.
    """

    def __init__(self, policy: RetryPolicy, concurrency: int | None = None, budget: Budget | None = None) -> None:
        self._policy = policy
        self._room: float = math.inf if concurrency is None else concurrency
        self._budget = budget
        self._under_way = 0
        self._begun: deque[float] = deque(maxlen=budget.requests if budget is not None else 0)
        self._closed_until = -math.inf
        self._allowances: dict[str, _Allowance] = {}
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._alarm: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None
        """One sleep for all who wait until it opens."""
        self._reached = -math.inf

    async def enter(self) -> float:
        """Wait until one more request may begin, and count it; the seconds that it took. Each call that returns has to
        be followed by a `leave`. Raises ClosedError."""
        if self._under_way < self._room and self._opens_at() == -math.inf:  # so nobody is waiting either
            self._begin()
            return 0.0
        since = self._now()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            if turn.done():
                await asyncio.sleep(0)  # who was let in just before goes first
            may_begin = await turn
        except asyncio.CancelledError:
            self._withdraw(turn)
            raise
        now = self._now()
        if not may_begin:
            raise ClosedError(self._asked_until() - now, now - since)
        return now - since

    @property
    def is_open(self) -> bool:
        """Whether one more request may begin at once."""
        return not self._waiting and self._under_way < self._room and self._opens_at() <= self._now()

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be lost with it: nobody is inside or waits, and nothing speaks of time any more."""
        now = self._now()
        ends = [allowance.resets_at for allowance in self._allowances.values()]
        if self._budget is not None and self._begun:
            ends.append(self._begun[-1] + self._budget.per)
        return not (self._under_way or self._waiting) and max([self._closed_until, *ends]) <= now

    async def opened(self) -> float:
        """Wait while the server asks all to wait, without a place in the row; the seconds that it took. Raises
        ClosedError."""
        since = now = self._now()
        while (wait_s := self._asked_until() - now) > 0:
            if wait_s > self._policy.max_wait:
                raise ClosedError(wait_s, now - since)
            if self._opening is None:
                self._opening = asyncio.create_task(self._open_at(now + wait_s))
            await asyncio.shield(self._opening)
            now = self._now()
        return now - since

    def leave(self) -> None:
        """A request has come to its end."""
        self._under_way -= 1
        if self._waiting:
            self._admit()

    def close(self, seconds: float) -> None:
        """Let nobody begin for so long: the server asked for it."""
        self._closed_until = max(self._closed_until, self._now() + seconds)
        self._admit()

    def heed(self, quotas: Iterable[Quota]) -> None:
        """Take in what the answer to a request that is still under way says of the server's limits."""
        now = self._now()
        for quota in quotas:
            if quota.left is None:
                continue
            # The server has probably not counted those that are still on their way to it.
            left = quota.left - (self._under_way - 1)
            resets_at = now + quota.resets_in
            known = self._allowances.get(quota.name)
            if known is not None and now < known.resets_at and resets_at <= known.resets_at + _SAME_WINDOW_S:
                # Answers may overtake each other; within one window what is left can only become less.
                known.left = min(known.left, left)
            elif known is not None or len(self._allowances) < _MOST_ALLOWANCES:
                self._allowances[quota.name] = _Allowance(left, resets_at)

    def _admit(self) -> None:
        """Let those begin who may, the first who came first; turn all away where it would take too long."""
        now = self._now()
        if self._asked_until() - now > self._policy.max_wait:
            for turn in self._waiting:
                if not turn.done():
                    turn.set_result(False)
            self._waiting.clear()
        while self._waiting and self._under_way < self._room:
            if (opens_at := self._opens_at()) > now:
                self._wake_at(opens_at)
                return
            turn = self._waiting.popleft()
            if not turn.done():
                self._begin()
                turn.set_result(True)
        if not self._waiting and self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _begin(self) -> None:
        self._under_way += 1
        if self._budget is not None:
            self._begun.append(self._now())
        for allowance in self._allowances.values():
            allowance.left -= 1

    def _withdraw(self, turn: asyncio.Future[bool]) -> None:
        """Forget somebody who was cancelled, be it before or after it was his turn."""
        if not turn.cancelled():
            if turn.result():
                self.leave()
            return
        if turn in self._waiting:
            self._waiting.remove(turn)
        self._admit()

    def _opens_at(self) -> float:
        """The moment from which the next request may begin, were there room; minus infinity where nothing speaks of
        time."""
        if self._budget is not None and len(self._begun) == self._budget.requests:
            return max(self._asked_until(), self._begun[0] + self._budget.per)
        return self._asked_until()

    def _asked_until(self) -> float:
        """The same, by what the server asked for alone."""
        until = self._closed_until
        for allowance in self._allowances.values():
            if allowance.left <= 0:
                until = max(until, allowance.resets_at)
        return until

    def _now(self) -> float:
        """The clock, which never goes back, nor stands behind a moment that was slept for: clocks are set back, and
        sleep may wake up a little early."""
        self._reached = max(self._policy.clock(), self._reached)
        return self._reached

    def _wake_at(self, moment: float) -> None:
        if self._alarm is None:
            self._alarm = asyncio.create_task(self._sleep_until(moment))

    async def _open_at(self, moment: float) -> None:
        await self._policy.sleep(moment - self._now())
        self._reached = max(self._reached, moment)
        self._opening = None

    async def _sleep_until(self, moment: float) -> None:
        await self._policy.sleep(moment - self._now())
        self._reached = max(self._reached, moment)
        self._alarm = None
        self._admit()
