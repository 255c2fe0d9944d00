"""Several pieces of work at once, each of which gives items: bounded, so that what waits does not grow."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from portsync.lanes import Lane, end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

A = TypeVar("A")
B = TypeVar("B")


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
    lane: Lane[B] = Lane(workers)
    turn = asyncio.Lock()

    async def worker() -> None:
        while True:
            async with turn:
                try:
                    given = await anext(inputs)
                except StopAsyncIteration:
                    return
            await lane.fill(work(given))

    tasks = [lane.start(worker()) for _ in range(workers)]
    try:
        under_way = workers
        while under_way:
            if (found := await lane.get()) is None:
                under_way -= 1
            else:
                yield found[0]
    finally:
        await end(tasks)


async def _in_order(
    inputs: AsyncGenerator[A], work: Callable[[A], AsyncGenerator[B]], workers: int
) -> AsyncGenerator[B]:
    lanes: Lane[Lane[B]] = Lane(workers)
    tasks: list[asyncio.Task[None]] = []

    async def begin() -> None:
        async for given in inputs:
            lane: Lane[B] = Lane(_IN_LANE)
            await lanes.put(lane)
            tasks[:] = [task for task in tasks if not task.done()]
            tasks.append(lane.start(lane.fill(work(given))))

    beginning = lanes.start(begin())
    try:
        while (lane := await lanes.get()) is not None:
            while (found := await lane[0].get()) is not None:
                yield found[0]
    finally:
        await end([beginning])
        await end(tasks)
