"""How many slices each run may have under way."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.cluster.slots import Slots
from tests.cluster.together import played


async def taken(slots: Slots, run: str, most: int) -> int:
    """How many slots the run gets at once."""
    tasks = [asyncio.create_task(slots.take(run)) for _ in range(most)]
    await asyncio.sleep(1)
    count = sum(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return count


@given(width=st.integers(1, 20), runs=st.integers(1, 50))
def test_runs_share_twice_the_width_evenly_and_each_gets_one_at_least(width: int, runs: int) -> None:
    async def go() -> list[int]:
        slots = Slots(lambda: width)
        with ExitStack() as stack:
            for run in range(runs):
                stack.enter_context(slots.wanted(str(run)))
            return [await taken(slots, str(run), 50) for run in range(runs)]

    assert set(played(go())) == {max(1, 2 * width // runs)}


def test_several_resources_of_a_run_have_its_share_together() -> None:
    async def go() -> list[int]:
        slots = Slots(lambda: 4)
        with slots.wanted("a"), slots.wanted("a"), slots.wanted("b"):
            return [await taken(slots, run, 10) for run in ("a", "b")]

    assert played(go()) == [4, 4]


def test_room_that_is_given_back_is_taken_by_who_waits_for_it() -> None:
    async def go() -> list[int]:
        slots = Slots(lambda: 1)
        with slots.wanted("a"):
            assert await taken(slots, "a", 5) == 2
            waiting = [asyncio.create_task(slots.take("a")) for _ in range(2)]
            await asyncio.sleep(1)
            counts = [sum(task.done() for task in waiting)]
            for _ in range(2):
                slots.give("a")
                await asyncio.sleep(1)
                counts.append(sum(task.done() for task in waiting))
        return counts

    assert played(go()) == [0, 1, 2]


def test_the_others_take_the_room_of_a_run_that_has_ended() -> None:
    async def go() -> int:
        slots = Slots(lambda: 4)
        with slots.wanted("a"):
            with slots.wanted("b"):
                assert await taken(slots, "a", 20) == 4
                waiting = [asyncio.create_task(slots.take("a")) for _ in range(10)]
                await asyncio.sleep(1)
                assert not any(task.done() for task in waiting)
            await asyncio.sleep(1)
            count = sum(task.done() for task in waiting)
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
        return count

    assert played(go()) == 4


def test_a_run_that_comes_later_is_not_kept_out_by_one_that_has_everything() -> None:
    async def go() -> int:
        slots = Slots(lambda: 4)
        with slots.wanted("a"):
            assert await taken(slots, "a", 20) == 8
            with slots.wanted("b"):
                return await taken(slots, "b", 20)

    assert played(go()) == 4


def test_room_for_more_workers_is_seen_with_the_next_slice_that_ends() -> None:
    async def go() -> int:
        slots = Slots(lambda: width)
        width = 1
        with slots.wanted("a"):
            await slots.take("a")
            await slots.take("a")
            waiting = [asyncio.create_task(slots.take("a")) for _ in range(20)]
            await asyncio.sleep(1)
            width = 5
            slots.give("a")
            await asyncio.sleep(1)
            count = sum(task.done() for task in waiting)
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
        return count

    assert played(go()) == 9


@given(
    width=st.integers(1, 3),
    stays=st.lists(
        st.tuples(st.sampled_from("abc"), st.floats(0.0, 3.0), st.floats(0.0, 3.0)), min_size=1, max_size=40
    ),
    cancelled=st.sets(st.integers(0, 39), max_size=10),
)
def test_nobody_starves_and_nobody_has_more_than_his_share(
    width: int, stays: list[tuple[str, float, float]], cancelled: set[int]
) -> None:
    async def go() -> None:
        slots = Slots(lambda: width)
        under_way = dict.fromkeys("abc", 0)
        came: set[int] = set()

        async def stay(number: int, run: str, at: float, seconds: float) -> None:
            await asyncio.sleep(at)
            await slots.take(run)
            came.add(number)
            under_way[run] += 1
            assert under_way[run] <= max(1, 2 * width // 3)
            try:
                await asyncio.sleep(seconds)
            finally:
                under_way[run] -= 1
                slots.give(run)

        with slots.wanted("a"), slots.wanted("b"), slots.wanted("c"):
            tasks = [asyncio.create_task(stay(number, *one)) for number, one in enumerate(stays)]
            await asyncio.sleep(1.5)
            for number in cancelled & set(range(len(tasks))):
                tasks[number].cancel()
            done, _ = await asyncio.wait(tasks)
        assert not [task.exception() for task in done if not task.cancelled() and task.exception()]
        assert came >= set(range(len(stays))) - cancelled
        assert set(under_way.values()) == {0}

    played(go())


def test_room_cannot_be_lost_by_an_error_within_the_block() -> None:
    async def go() -> int:
        slots = Slots(lambda: 2)
        with pytest.raises(KeyError), slots.wanted("a"):
            raise KeyError
        with slots.wanted("b"):
            return await taken(slots, "b", 20)

    assert played(go()) == 4
