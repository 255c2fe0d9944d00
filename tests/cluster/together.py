"""Those who take part in a run, each with a line to one keeper, and time that passes only when all of them wait."""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from portsync.cluster.keeper import Keeper
from portsync.cluster.line import LineLostError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from portsync.flow import Json

T = TypeVar("T")

START = 1000.0
"""When time begins, in seconds."""


class _Waiting(selectors.DefaultSelector):
    """Waits for nothing: what it would have waited has passed at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nobody for the clock"
            self.now += max(0.0, timeout)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    """An event loop in which every wait takes no time, and happens in the right order."""

    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.now


def played(work: Coroutine[None, None, T]) -> T:
    """What comes of `work`; fails where it waits for something that will never come, or leaves a task with an error."""
    faults: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: faults.append(context))
        result = runner.run(work)
    assert not faults, faults
    return result


def now() -> float:
    """Seconds since time began."""
    return asyncio.get_running_loop().time() - START


def keeper() -> Keeper:
    """A keeper whose clock is that of the running loop."""
    return Keeper(asyncio.get_running_loop().time, asyncio.sleep, lambda: 1.0)


@dataclass
class DirectLine:
    """A line to a keeper in the same process, over which everything goes as bytes. As over a wire, a question that was
    asked is answered whether or not anybody still waits for the answer."""

    keeper: Keeper
    who: str
    delay_s: float = 0.0
    """Each way."""
    asked: list[str] = field(default_factory=list)
    _cut: asyncio.Event = field(default_factory=asyncio.Event)
    _answering: set[asyncio.Task[Json]] = field(default_factory=set)

    async def ask(self, what: str, **more: Json) -> Json:
        self.asked.append(what)
        if self._cut.is_set():
            raise LineLostError
        answering = asyncio.create_task(self._answer(what, msgspec.msgpack.encode(more)))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)
        cut = asyncio.create_task(self._cut.wait())
        try:
            await asyncio.wait({answering, cut}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            cut.cancel()
        if not answering.done():
            raise LineLostError
        return msgspec.msgpack.decode(answering.result())

    def cut(self) -> None:
        """Lose the line: what is asked gets no answer any more."""
        self._cut.set()

    async def _answer(self, what: str, said: bytes) -> Json:
        await asyncio.sleep(self.delay_s)
        answer = await self.keeper.answer(self.who, what, msgspec.msgpack.decode(said))
        await asyncio.sleep(self.delay_s)
        return msgspec.msgpack.encode(answer)
