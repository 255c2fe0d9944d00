"""The gate of a server that many ask together: who stands in it here is let in by the keeper."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from portsync.cluster.gates import told
from portsync.cluster.line import LineLostError
from portsync.transport.limiter import ClosedError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from portsync.cluster.limits import Limits
    from portsync.cluster.line import Line
    from portsync.flow import Json
    from portsync.transport.quotas import Quota

_AT_ONCE = 64
"""So many requests ask to begin with one question."""
_GATHERED_S = 0.003
"""What nobody waits for is told together."""
_LAST_WORDS_S = 5.0
"""How long the keeper is given to take in what there is to tell at the end."""
_CUT_OFF = {"closed_s": 1e9, "waited_s": 0.0}
"""For those who can ask nobody any more."""


class SharedGate:
    """Lets requests begin, as the gate of one process does, but the keeper decides. Those who come at one moment ask
    together, and what has ended is told along with that."""

    def __init__(self, limits: Limits, line: Line) -> None:
        self._limits = limits
        self._line = line
        self._waiting: deque[asyncio.Future[float]] = deque()
        self._asked = 0
        """How many of those who wait have been asked for."""
        self._left = 0
        self._close_s: float | None = None
        self._quotas: list[Quota] = []
        self._talking: set[asyncio.Task[None]] = set()
        self._telling: asyncio.TimerHandle | None = None
        self._is_gathering = False
        self._is_shut = False
        """Whether the server asked to wait since anybody was let in."""

    async def enter(self) -> float:
        """Wait until one more request may begin, and count it; the seconds that it took. Each call that returns has to
        be followed by a `leave`. Raises ClosedError."""
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if not self._is_gathering:
            self._is_gathering = True
            asyncio.get_running_loop().call_soon(self._ask)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()  # it was his turn already
            raise

    async def opened(self) -> float:
        """Wait while the server asks all to wait, as far as that is known here; the seconds that it took. Raises
        ClosedError."""
        if not (self._is_shut or self._waiting):
            return 0.0  # who learns of it from others waits when he enters
        try:
            return _waited(await self._line.ask("opened", limits=list(self._limits), told=self._told()))
        except LineLostError:
            return _waited(_CUT_OFF)

    def leave(self) -> None:
        """A request has come to its end."""
        self._left += 1
        self._tell_soon()

    def close(self, seconds: float) -> None:
        """Let nobody begin for so long: the server asked for it."""
        self._close_s = max(seconds, self._close_s or 0.0)
        self._is_shut = True
        self._tell_soon()

    def heed(self, quotas: Iterable[Quota]) -> None:
        """Take in what the answer to a request that is still under way says of the server's limits."""
        for quota in quotas:
            self._quotas.append(quota)
            self._is_shut = self._is_shut or quota.left == 0

    async def settle(self) -> None:
        """Tell the keeper what it has not been told yet. Nobody may enter after this."""
        if self._telling is not None:
            self._telling.cancel()
            self._tell()
        if self._talking:
            await asyncio.wait(self._talking, timeout=_LAST_WORDS_S)
        for talk in list(self._talking):
            talk.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)

    def _tell_soon(self) -> None:
        if self._telling is None:
            # Where some wait to be let in, it is for this that they do.
            in_s = 0.0 if self._waiting else _GATHERED_S
            self._telling = asyncio.get_running_loop().call_later(in_s, self._tell)

    def _tell(self) -> None:
        self._telling = None
        if self._left or self._close_s is not None or self._quotas:
            self._talk(self._told_alone(self._told()))

    def _ask(self) -> None:
        self._is_gathering = False
        while (wanted := min(len(self._waiting) - self._asked, _AT_ONCE)) > 0:
            self._asked += wanted
            self._talk(self._let_in(wanted, self._told()))

    def _told(self) -> Json:
        said = told(self._left, self._quotas, self._close_s)
        self._left, self._quotas, self._close_s = 0, [], None
        return said

    def _talk(self, talk: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(talk)
        self._talking.add(task)
        task.add_done_callback(self._talking.discard)

    async def _told_alone(self, said: Json) -> None:
        try:
            await self._line.ask("tell", limits=list(self._limits), told=said)
        except LineLostError:
            return  # the keeper finds out by itself who is gone

    async def _let_in(self, wanted: int, said: Json) -> None:
        """Ask for so many of those who wait, until all of them had their turn."""
        cut_off = _CUT_OFF
        try:
            while wanted:
                answer = None
                with suppress(LineLostError):
                    answer = await self._line.ask("enter", limits=list(self._limits), wanted=wanted, told=said)
                if (granted := _granted(answer)) is None:
                    cut_off = answer or _CUT_OFF
                    return
                self._is_shut = False
                said = told()
                wanted -= len(granted)
                for waited_s in granted:
                    self._admit(waited_s)
        finally:
            self._turn_away(wanted, cut_off)  # also where a bug kept them from their turn: nobody hangs

    def _admit(self, waited_s: float) -> None:
        turn = self._next()
        if turn is None:
            self.leave()  # whoever waited does not any more
        else:
            turn.set_result(waited_s)

    def _turn_away(self, count: int, answer: Json) -> None:
        for _ in range(count):
            if (turn := self._next()) is not None:
                turn.set_exception(ClosedError(answer["closed_s"], answer["waited_s"]))

    def _next(self) -> asyncio.Future[float] | None:
        """The first of those who wait and were asked for; None where he has gone."""
        turn = self._waiting.popleft()
        self._asked -= 1
        return None if turn.done() else turn


def _granted(answer: Json) -> list[float] | None:
    """How long each of those waited who may begin; None where nobody may."""
    return None if answer is None else answer.get("granted")


def _waited(answer: Json) -> float:
    if "closed_s" in answer:
        raise ClosedError(answer["closed_s"], answer["waited_s"])
    return float(answer["waited_s"])
