"""A stop ends the waiting, and so does a run that makes no progress."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from portsync.stop import StalledError, Stop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


async def two_and_silence(closed: list[bool]) -> AsyncGenerator[int]:
    try:
        yield 1
        yield 2
        await asyncio.Event().wait()
    finally:
        closed.append(True)


def read(beats: Callable[[], int], patience_s: float, *, stop_at: int | None = None) -> tuple[list[int], list[bool]]:
    """What of `two_and_silence` came, and whether it was closed; the stop is requested at item `stop_at`."""
    found: list[int] = []
    closed: list[bool] = []

    async def run() -> None:
        stop = Stop()
        async with aclosing(stop.until(two_and_silence(closed), beats, patience_s)) as items:
            async for item in items:
                found.append(item)
                if item == stop_at:
                    stop.request(2)
        assert len(asyncio.all_tasks()) == 2  # this one, and wait_for's

    asyncio.run(asyncio.wait_for(run(), 5))
    return found, closed


def test_silence_ends_the_reading_and_what_was_under_way() -> None:
    closed: list[bool] = []

    async def run() -> None:
        async with aclosing(Stop().until(two_and_silence(closed), lambda: 0, 0.01)) as items:
            async for _ in items:
                pass

    with pytest.raises(StalledError):
        asyncio.run(asyncio.wait_for(run(), 5))
    assert closed == [True]


def test_progress_that_is_no_item_counts() -> None:
    counts = iter([*range(8), *[8] * 100])
    seen: list[int] = []

    def beats() -> int:
        seen.append(next(counts))
        return seen[-1]

    with pytest.raises(StalledError):
        read(beats, 0.01)
    assert seen.count(8) == 2


def test_a_stop_ends_the_reading_after_what_is_there() -> None:
    assert read(lambda: 0, 60, stop_at=1) in (([1], [True]), ([1, 2], [True]))
    assert read(lambda: 0, 60, stop_at=2) == ([1, 2], [True])


def test_it_is_no_stall_that_nobody_takes_the_next_item() -> None:
    async def run() -> list[int]:
        async def three() -> AsyncGenerator[int]:
            for number in range(3):
                yield number

        found = []
        async with aclosing(Stop().until(three(), lambda: 0, 0.001)) as items:
            async for item in items:
                found.append(item)
                for _ in range(3):
                    await asyncio.sleep(0.005)
        return found

    assert asyncio.run(run()) == [0, 1, 2]
