"""The wish to stop: Ctrl-C or SIGTERM, as a value that the line can look at and wait for."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from portsync.errors import Problem, StoppedError
from portsync.lanes import Lane, end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

T = TypeVar("T")


@contextmanager
def unhurried() -> Iterator[None]:
    """What is done within is brought to its end, whoever wants to stop: a report that is nearly written."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class StalledError(Exception):
    """This means that nothing happened for longer than anything may take."""


class Stop:
    """Set once, by a signal's number; stays set."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._again = asyncio.Event()
        self.signal: int | None = None

    def request(self, signal: int) -> None:
        """Ask the run to end: nothing new is begun, what is under way is brought to its end. Who asks again is in a
        hurry."""
        if self.signal is None:
            self.signal = signal
        else:
            self._again.set()
        self._event.set()

    @property
    def is_requested(self) -> bool:
        return self._event.is_set()

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal ended."""
        return 128 + (self.signal or 0)

    async def wait(self) -> None:
        """Return when the stop is requested."""
        await self._event.wait()

    async def hurried(self) -> None:
        """Return when the stop is requested a second time."""
        await self._again.wait()

    async def race(self, work: Awaitable[T]) -> T:
        """The result of `work`, or StoppedError as soon as the stop is requested."""
        task = asyncio.ensure_future(work)
        waiting = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise StoppedError(Problem("interrupted", "the run was stopped", hint="run it again"), self.exit_code)
            return task.result()
        finally:
            for one in (task, waiting):
                one.cancel()

    async def until(self, items: AsyncGenerator[T], beats: Callable[[], int], patience_s: float) -> AsyncGenerator[T]:
        """Give `items` until they end or the stop is requested; what is then awaited is cancelled.

        Raises StalledError where no item comes, and `beats` does not rise, for `patience_s` seconds, although somebody
        waits for one. `beats` counts what is progress without being an item, such as the answers of a source.
        """
        lane: Lane[T] = Lane(1)
        making = lane.start(lane.fill(items))
        watch = _Watch(beats, patience_s)
        watching = asyncio.ensure_future(self._stopped_or_stalled(watch))
        watching.add_done_callback(lambda _: making.cancel())
        try:
            while (found := await watch.waiting(lane.get())) is not None:
                yield found[0]
            if watching.done():
                watching.result()
        finally:
            await end([watching, making])

    async def _stopped_or_stalled(self, watch: _Watch) -> None:
        """Return when the stop is requested. Raises StalledError."""
        while not self.is_requested:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), watch.patience_s)
            watch.look()


class _Watch:
    """The last guard against a run that hangs: each wait on the way is bounded, and this tells where one was not."""

    def __init__(self, beats: Callable[[], int], patience_s: float) -> None:
        self.patience_s = patience_s
        self._beats = beats
        self._waits = 0
        """How many waits have begun or ended; odd while somebody waits."""
        self._before = (-1, -1)

    async def waiting(self, item: Awaitable[T]) -> T:
        """The result of `item`, with a note that somebody waits for it."""
        self._waits += 1
        try:
            return await item
        finally:
            self._waits += 1

    def look(self) -> None:
        """Raises StalledError where nothing happened since the last look, although somebody waits."""
        now = (self._waits, self._beats())
        if now == self._before and self._waits % 2:
            raise StalledError
        self._before = now
