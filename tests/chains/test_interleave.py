"""Several pieces of work at once: all of it, bounded, and in order where that is asked for."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.chains.interleave import interleaved

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

WORK = st.lists(st.integers(0, 5), max_size=12)
"""How many items each piece of work gives."""


async def numbers(count: int) -> AsyncGenerator[int]:
    for number in range(count):
        yield number


async def collected(sizes: list[int], workers: int, *, in_order: bool) -> tuple[list[tuple[int, int]], int]:
    """The items, as (piece, item), and the most pieces that were under way at once."""
    under_way = most = 0

    async def work(piece: int) -> AsyncGenerator[tuple[int, int]]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for item in range(sizes[piece]):
            # The later a piece, the sooner it is there.
            for _ in range(len(sizes) - piece):
                await asyncio.sleep(0)
            yield piece, item
        under_way -= 1

    return [item async for item in interleaved(numbers(len(sizes)), work, workers, in_order=in_order)], most


@settings(deadline=None)
@given(WORK, st.integers(1, 6))
def test_every_item_comes_once(sizes: list[int], workers: int) -> None:
    expected = [(piece, item) for piece, size in enumerate(sizes) for item in range(size)]

    found, most = asyncio.run(collected(sizes, workers, in_order=False))

    assert sorted(found) == expected
    assert most <= workers
    for piece in range(len(sizes)):
        assert [item for item in found if item[0] == piece] == [item for item in expected if item[0] == piece]


@settings(deadline=None)
@given(WORK, st.integers(1, 6))
def test_in_order_the_items_come_as_if_one_after_the_other(sizes: list[int], workers: int) -> None:
    expected = [(piece, item) for piece, size in enumerate(sizes) for item in range(size)]

    assert asyncio.run(collected(sizes, workers, in_order=True))[0] == expected


@pytest.mark.parametrize("in_order", [True, False])
def test_work_is_really_done_at_once(in_order: bool) -> None:
    async def run() -> list[int]:
        all_there = asyncio.Event()
        waiting = 0

        async def work(piece: int) -> AsyncGenerator[int]:
            nonlocal waiting
            waiting += 1
            if waiting == 5:
                all_there.set()
            await all_there.wait()
            yield piece

        return [item async for item in interleaved(numbers(5), work, 5, in_order=in_order)]

    assert sorted(asyncio.run(asyncio.wait_for(run(), 5))) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("in_order", [True, False])
def test_nothing_runs_on_when_nobody_listens(in_order: bool) -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def work(piece: int) -> AsyncGenerator[int]:
        begun.append(piece)
        try:
            while True:
                yield piece
        finally:
            ended.append(piece)

    async def run() -> None:
        async with aclosing(interleaved(numbers(1_000_000), work, 4, in_order=in_order)) as items:
            async for _ in items:
                break
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
    assert sorted(begun) == sorted(ended)
    assert len(begun) <= 6


@pytest.mark.parametrize("in_order", [True, False])
def test_what_goes_wrong_inside_is_raised(in_order: bool) -> None:
    async def work(piece: int) -> AsyncGenerator[int]:
        yield piece
        if piece == 2:
            raise ZeroDivisionError

    async def run() -> list[int]:
        return [item async for item in interleaved(numbers(50), work, 3, in_order=in_order)]

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
