"""Small pages are written together: enough at a time, and none of them late."""

from __future__ import annotations

import asyncio
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.errors import Problem, StateLostError
from portsync.flow import Entity
from portsync.gathered import Gathered
from tests.cluster.together import played

if TYPE_CHECKING:
    from collections.abc import Sequence


def entities(count: int) -> list[Entity]:
    return [Entity("thing", str(number), b"{}", b"", 1, number) for number in range(count)]


def written(pages: Sequence[int], waits: Sequence[float] = (), *, write_s: float = 0.0) -> list[int]:
    """How many entities were written together, when so many seconds passed before each page."""
    found: list[int] = []

    async def write(some: Sequence[Entity]) -> None:
        found.append(len(some))
        await asyncio.sleep(write_s)

    async def go() -> None:
        async with Gathered(write) as gathered:
            for page, wait in zip_longest(pages, waits, fillvalue=0.0):
                await asyncio.sleep(wait)
                await gathered.add(entities(int(page)))

    played(go())
    return found


@pytest.mark.parametrize(
    ("pages", "together"),
    [
        ([], []),
        ([0, 0], []),
        ([2] * 120, [100, 100, 40]),
        ([1000, 1000], [1000, 1000]),
        ([99, 99, 1], [198, 1]),
        ([3], [3]),
    ],
)
def test_small_pages_are_written_together_and_large_ones_as_they_come(pages: list[int], together: list[int]) -> None:
    assert written(pages) == together


def test_what_has_come_is_not_kept_while_the_next_page_takes_its_time() -> None:
    assert written([1, 2, 3, 4], [0, 0.03, 5.0, 0]) == [3, 7]


def test_what_has_come_is_written_though_no_page_comes_any_more() -> None:
    async def go() -> list[int]:
        found: list[int] = []

        async def write(some: Sequence[Entity]) -> None:
            found.append(len(some))

        async with Gathered(write) as gathered:
            await gathered.add(entities(3))
            await asyncio.sleep(0.1)
            return list(found)

    assert played(go()) == [3]


@given(
    pages=st.lists(st.integers(0, 150), max_size=40),
    waits=st.lists(st.sampled_from([0, 0.01, 0.05, 0.2]), min_size=40, max_size=40),
    write_s=st.sampled_from([0, 0.02, 0.06, 1]),
)
@settings(deadline=None)
def test_all_that_comes_is_written_once_in_its_order_and_one_write_after_the_other(
    pages: list[int], waits: list[float], write_s: float
) -> None:
    came: list[Entity] = []
    taken: list[Entity] = []
    is_writing = False

    async def write(some: Sequence[Entity]) -> None:
        nonlocal is_writing
        assert not is_writing
        is_writing = True
        await asyncio.sleep(write_s)
        is_writing = False
        taken.extend(some)

    async def go() -> None:
        async with Gathered(write) as gathered:
            for page, wait in zip(pages, waits, strict=False):
                await asyncio.sleep(wait)
                some = entities(page)
                came.extend(some)
                await gathered.add(some)

    played(go())
    assert list(map(id, taken)) == list(map(id, came))


@pytest.mark.parametrize("wait", [0, 1.0])
@pytest.mark.parametrize("more", [0, 200])
def test_what_keeps_entities_from_being_written_is_raised(wait: float, more: int) -> None:
    async def write(_: Sequence[Entity]) -> None:
        raise StateLostError(Problem("state-lost", "gone"))

    async def go() -> None:
        async with Gathered(write) as gathered:
            await gathered.add(entities(3))
            await asyncio.sleep(wait)
            if more:
                await gathered.add(entities(more))

    with pytest.raises(StateLostError):
        played(go())


def test_nothing_is_written_after_the_block_is_cut_short() -> None:
    found: list[int] = []

    async def write(some: Sequence[Entity]) -> None:
        await asyncio.sleep(1.0)
        found.append(len(some))

    async def fail() -> None:
        async with Gathered(write) as gathered:
            await gathered.add(entities(3))
            await asyncio.sleep(0.1)
            raise ZeroDivisionError

    async def go() -> None:
        with pytest.raises(ZeroDivisionError):
            await fail()
        await asyncio.sleep(5.0)

    played(go())
    assert found == []
