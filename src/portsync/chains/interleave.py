"""Several pieces of work at once, each of which gives items: bounded, so that what waits does not grow."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

A = TypeVar("A")
B = TypeVar("B")


class _Lane(Generic[B]):
    """Items on their way, and the tasks that have ended. At most `room` items wait."""

    def __init__(self, room: int) -> None:
        self._queue: asyncio.Queue[tuple[B] | asyncio.Task[None]] = asyncio.Queue()
        self._room = asyncio.Semaphore(room)

    async def put(self, item: B) -> None:
        await self._room.acquire()
        self._queue.put_nowait((item,))

    def closed(self, task: asyncio.Task[None]) -> None:
        """Take a task that ended, for `get` to give: nothing has to wait for room in order to end."""
        self._queue.put_nowait(task)

    async def get(self) -> tuple[B] | None:
        """The next item, or None where a task has ended; raises what the task raised."""
        found = await self._queue.get()
        if isinstance(found, asyncio.Task):
            found.result()
            return None
        self._room.release()
        return found


_IN_LANE = 2
"""So many items of one piece of work may wait where order is kept."""


async def interleaved(
    inputs: AsyncGenerator[A], work: Callable[[A], AsyncGenerator[B]], workers: int, *, in_order: bool = False
) -> AsyncGenerator[B]:
    """What `work` gives for each of `inputs`, at most `workers` of them at once.

    The items come as they are made; with `in_order`, all of one input before those of the next. What `inputs` or
    `work` raises is raised here.
    """
    run = _in_order if in_order else _as_they_come
    async with aclosing(inputs), aclosing(run(inputs, work, workers)) as items:
        async for item in items:
            yield item


async def _as_they_come(
    inputs: AsyncGenerator[A], work: Callable[[A], AsyncGenerator[B]], workers: int
) -> AsyncGenerator[B]:
    lane: _Lane[B] = _Lane(workers)
    turn = asyncio.Lock()

    async def worker() -> None:
        while True:
            async with turn:
                try:
                    given = await anext(inputs)
                except StopAsyncIteration:
                    return
            await _fill(lane, work(given))

    tasks = [asyncio.create_task(worker()) for _ in range(workers)]
    for task in tasks:
        task.add_done_callback(lane.closed)
    try:
        under_way = workers
        while under_way:
            if (found := await lane.get()) is None:
                under_way -= 1
            else:
                yield found[0]
    finally:
        await _stop(tasks)


async def _in_order(
    inputs: AsyncGenerator[A], work: Callable[[A], AsyncGenerator[B]], workers: int
) -> AsyncGenerator[B]:
    lanes: _Lane[_Lane[B]] = _Lane(workers)
    tasks: list[asyncio.Task[None]] = []

    async def begin() -> None:
        async for given in inputs:
            lane: _Lane[B] = _Lane(_IN_LANE)
            await lanes.put(lane)
            tasks[:] = [task for task in tasks if not task.done()]
            tasks.append(asyncio.create_task(_fill(lane, work(given))))
            tasks[-1].add_done_callback(lane.closed)

    beginning = asyncio.create_task(begin())
    beginning.add_done_callback(lanes.closed)
    try:
        while (lane := await lanes.get()) is not None:
            while (found := await lane[0].get()) is not None:
                yield found[0]
    finally:
        await _stop([beginning])
        await _stop(tasks)


async def _fill(lane: _Lane[B], items: AsyncGenerator[B]) -> None:
    async with aclosing(items):
        async for item in items:
            await lane.put(item)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
