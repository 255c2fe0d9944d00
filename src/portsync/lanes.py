"""Items on their way from the tasks that make them to the one that takes them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Coroutine, Iterable

T = TypeVar("T")


class Lane(Generic[T]):
    """A queue in which at most `room` items wait, and from which a taker learns when a task that fills it has ended."""

    def __init__(self, room: int) -> None:
        self._queue: asyncio.Queue[tuple[T] | asyncio.Task[None]] = asyncio.Queue()
        self._room = asyncio.Semaphore(room)

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """A task whose end `get` tells of. It needs no room in order to end."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._queue.put_nowait)
        return task

    async def put(self, item: T) -> None:
        await self._room.acquire()
        self._queue.put_nowait((item,))

    async def fill(self, items: AsyncGenerator[T]) -> None:
        """Put all of `items`."""
        async with aclosing(items):
            async for item in items:
                await self.put(item)

    async def get(self) -> tuple[T] | None:
        """The next item, or None where a task has ended, be it that it was cancelled; raises what the task raised."""
        found = await self._queue.get()
        if isinstance(found, asyncio.Task):
            if not found.cancelled():
                found.result()
            return None
        self._room.release()
        return found


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel `tasks` and wait until they have ended, however they do."""
    found = list(tasks)
    for task in found:
        task.cancel()
    await asyncio.gather(*found, return_exceptions=True)


async def first_of(*waits: Awaitable[object]) -> None:
    """Return when one of them has ended; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
