"""The wish to stop: Ctrl-C or SIGTERM, as a value that the line can look at and wait for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from portsync.errors import Problem, StoppedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable

T = TypeVar("T")


class Stop:
    """Set once, by a signal's number; stays set."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.signal: int | None = None

    def request(self, signal: int) -> None:
        """Ask the run to end: nothing new is begun, what is under way is brought to its end."""
        if self.signal is None:
            self.signal = signal
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

    async def until(self, items: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """Give `items` until they end or the stop is requested; what is then awaited is cancelled."""
        waiting = asyncio.ensure_future(self._event.wait())
        try:
            while not self.is_requested:
                following = asyncio.ensure_future(anext(items, None))
                await asyncio.wait({following, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
                    return
                item = following.result()
                if item is None:
                    return
                yield item
        finally:
            waiting.cancel()
