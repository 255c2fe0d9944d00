"""The room: never above the most, never below the least, halved by trouble, and growing again after it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.room import Room, RoomSize


async def filled(room: Room) -> int:
    """Take all that is free; how many places that were."""
    taken = 0
    while True:
        waiting = asyncio.ensure_future(room.enter())
        await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return taken
        taken += 1


def round_of(size: RoomSize, *rounds: bool | None) -> list[int]:
    """How many places there are after each round, in which all that are taken end alike and are taken again."""

    async def run() -> list[int]:
        room = Room(size)
        under_way, places = await filled(room), []
        for went_well in rounds:
            for _ in range(under_way):
                room.leave(went_well=went_well)
            places.append(room.places)
            under_way = await filled(room)
            assert under_way == room.places
        return places

    return asyncio.run(run())


sizes = st.tuples(*[st.integers(1, 40)] * 3).map(sorted).map(lambda s: RoomSize(first=s[1], least=s[0], most=s[2]))
ends = st.sampled_from([True, True, True, False, None])


@settings(deadline=None)
@given(sizes, st.lists(st.tuples(st.booleans(), ends), max_size=300))
def test_there_are_never_more_than_the_most_nor_fewer_than_the_least(
    size: RoomSize, steps: list[tuple[bool, bool | None]]
) -> None:
    """Whatever comes in whatever order: who is in was let in by a room that was large enough, and none gets lost."""

    async def run() -> None:
        room, under_way = Room(size), 0
        for enters, went_well in steps:
            if enters:
                entering = asyncio.ensure_future(room.enter())
                await asyncio.sleep(0)
                assert entering.done() == (under_way < room.places)
                if entering.done():
                    under_way += 1
                else:
                    entering.cancel()
                    await asyncio.gather(entering, return_exceptions=True)
            elif under_way:
                under_way -= 1
                room.leave(went_well=went_well)
            assert size.least <= room.places <= size.most
        for _ in range(under_way):
            room.leave(went_well=None)
        assert await filled(room) == room.places

    asyncio.run(run())


@settings(deadline=None)
@given(sizes, st.lists(st.booleans(), max_size=10))
def test_after_a_halving_it_grows_again_up_to_the_most(size: RoomSize, before: list[bool]) -> None:
    places = round_of(size, *before, False, *[True] * 2 * size.most)

    after = places[len(before)]
    assert after <= max(size.least, (places[len(before) - 1] if before else size.first) // 2)
    assert places[len(before) :][: size.most - after] == list(range(after, size.most))
    assert places[-1] == size.most


def test_a_round_of_good_ends_gains_one_place_and_a_round_of_bad_ones_loses_half() -> None:
    assert round_of(RoomSize(first=16), False, True, True, False, True, False, False) == [8, 9, 10, 5, 6, 3, 1]


def test_until_the_first_trouble_each_round_of_good_ends_doubles_the_room() -> None:
    rounds = [True, True, True, True, False, True]
    assert round_of(RoomSize(first=4, least=1, most=30), *rounds) == [8, 16, 30, 30, 15, 16]


def test_a_burst_of_trouble_is_one_trouble() -> None:
    """Eight that fail together would otherwise leave one place of 32."""

    async def run() -> list[int]:
        room = Room(RoomSize(first=32))
        assert await filled(room) == 32
        places = []
        for _ in range(32):
            room.leave(went_well=False)
            places.append(room.places)
        return places

    assert asyncio.run(run()) == [16] * 32


def test_nobody_enters_a_room_that_was_halved_until_it_has_emptied_so_far() -> None:
    async def run() -> list[bool]:
        room = Room(RoomSize(first=4, least=1, most=4))
        await filled(room)
        entering = asyncio.ensure_future(room.enter())
        entered = []
        for went_well in (False, None, None):
            room.leave(went_well=went_well)
            await asyncio.sleep(0)
            entered.append(entering.done())
        return entered

    assert asyncio.run(run()) == [False, False, True]


def test_what_does_not_fill_the_room_does_not_make_it_larger() -> None:
    async def run() -> int:
        room = Room(RoomSize(first=8))
        for _ in range(100):
            await room.enter()
            room.leave(went_well=True)
        return room.places

    assert asyncio.run(run()) == 8


@pytest.mark.parametrize("size", [RoomSize(3, 3, 3), RoomSize(1, 1, 1)])
def test_a_fixed_room_keeps_its_size(size: RoomSize) -> None:
    assert set(round_of(size, False, True, False, True, True)) == {size.first}


@pytest.mark.parametrize("leaves_first", [True, False])
def test_who_is_cancelled_at_the_moment_of_his_turn_takes_no_place_along(leaves_first: bool) -> None:
    async def run() -> bool:
        room = Room(RoomSize(1, 1, 1))
        await room.enter()
        first, second = (asyncio.ensure_future(room.enter()) for _ in range(2))
        await asyncio.sleep(0)
        if leaves_first:
            room.leave(went_well=None)
        first.cancel()
        if not leaves_first:
            room.leave(went_well=None)
        await asyncio.gather(first, return_exceptions=True)
        await asyncio.sleep(0)
        return first.cancelled() and second.done()

    assert asyncio.run(run())
