"""The gate: never too many, never too early, in order, and no longer than needed."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.transport.limiter import Budget, ClosedError, Gate
from portsync.transport.quotas import Quota
from portsync.transport.retry import RetryPolicy
from tests.transport.virtual_time import NOW, VirtualTime

if TYPE_CHECKING:
    from collections.abc import Sequence


def gate_of(
    time: VirtualTime, *, concurrency: int | None = None, budget: Budget | None = None, max_wait: float = 60
) -> Gate:
    return Gate(RetryPolicy(5, max_wait, time.clock, time.sleep, lambda: 1.0), concurrency, budget)


@dataclass(frozen=True)
class Visit:
    """Somebody who comes to the gate, and stays for a while once he is in. Seconds; `at` counts from the start."""

    at: float
    stays: float = 0.0


def walk(time: VirtualTime, gate: Gate, visits: Sequence[Visit]) -> list[tuple[int, float]]:
    """Who began when, in the order in which they did, in seconds from the start."""
    began: list[tuple[int, float]] = []

    async def visit(number: int, visit: Visit) -> None:
        await time.until(NOW + visit.at)
        waited = await gate.enter()
        began.append((number, time.elapsed))
        assert waited == time.elapsed - visit.at
        await time.until(time.now + visit.stays)
        gate.leave()

    async def all_of_them() -> None:
        await asyncio.gather(*(visit(number, one) for number, one in enumerate(visits)))

    time.run(all_of_them())
    return began


def earliest(visits: Sequence[Visit], concurrency: int | None, budget: Budget | None) -> list[float]:
    """When each may begin at the earliest, if nobody overtakes: the definition, without any waiting."""
    began: list[float] = []
    ends: list[float] = []
    for visit in visits:
        moment = max([visit.at, *began[-1:]])
        if budget is not None and len(began) >= budget.requests:
            moment = max(moment, began[-budget.requests] + budget.per)
        if concurrency is not None and len(ends) >= concurrency:
            moment = max(moment, heapq.heappop(ends))
        began.append(moment)
        heapq.heappush(ends, moment + visit.stays)
    return began


quarters = st.integers(0, 40).map(lambda quarter: quarter / 4)


@given(
    gaps=st.lists(quarters, min_size=1, max_size=25),
    stays=quarters,
    concurrency=st.none() | st.integers(1, 5),
    budget=st.none() | st.builds(Budget, st.integers(1, 6), st.integers(1, 60).map(lambda quarter: quarter / 4)),
)
@settings(deadline=None, max_examples=150)
def test_whatever_the_arrivals_each_begins_in_order_and_at_the_earliest_moment_that_the_limits_allow(
    gaps: list[float], stays: float, concurrency: int | None, budget: Budget | None
) -> None:
    time = VirtualTime()
    visits = [Visit(sum(gaps[: i + 1]), stays) for i in range(len(gaps))]

    began = walk(time, gate_of(time, concurrency=concurrency, budget=budget), visits)

    moments = [moment for _, moment in began]
    assert [number for number, _ in began] == list(range(len(visits)))
    assert moments == earliest(visits, concurrency, budget)
    if budget is not None:
        for first, later in zip(moments, moments[budget.requests :], strict=False):
            assert later - first >= budget.per, "more than the budget in one window"


@given(
    arrivals=st.lists(quarters, min_size=1, max_size=20),
    closures=st.lists(st.tuples(quarters, st.integers(1, 40).map(lambda quarter: quarter / 4)), max_size=5),
    budget=st.none() | st.builds(Budget, st.integers(1, 6), st.integers(1, 40).map(lambda quarter: quarter / 4)),
)
@settings(deadline=None, max_examples=100)
def test_nobody_begins_while_the_gate_is_closed_and_everybody_begins_in_the_end(
    arrivals: list[float], closures: list[tuple[float, float]], budget: Budget | None
) -> None:
    time = VirtualTime()
    gate = gate_of(time, concurrency=2, budget=budget)
    began: list[float] = []

    async def come(at: float) -> None:
        await time.until(NOW + at)
        await gate.enter()
        began.append(time.elapsed)
        gate.leave()

    async def shut(at: float, seconds: float) -> None:
        await time.until(NOW + at)
        gate.close(seconds)

    async def all_of_them() -> None:
        await asyncio.gather(*(come(at) for at in arrivals), *(shut(*closure) for closure in closures))

    time.run(all_of_them())

    assert len(began) == len(arrivals)
    for at, seconds in closures:
        assert not [moment for moment in began if at < moment < at + seconds]


def test_ten_in_a_minute_are_let_in_at_once_and_the_eleventh_waits_for_the_first_ones_minute() -> None:
    time = VirtualTime()

    began = walk(time, gate_of(time, budget=Budget(10, 60)), [Visit(second) for second in range(12)])

    assert [moment for _, moment in began] == [*range(10), 60, 61]


def test_who_comes_at_the_moment_of_an_opening_does_not_overtake_those_who_wait_for_it() -> None:
    time = VirtualTime()

    began = walk(time, gate_of(time, budget=Budget(3, 12)), [*[Visit(0)] * 3, Visit(2), Visit(12)])

    assert began == [(0, 0), (1, 0), (2, 0), (3, 12), (4, 12)]


def test_the_window_moves_so_that_no_two_bursts_meet_at_its_edge() -> None:
    time = VirtualTime()
    visits = [Visit(0), *[Visit(59)] * 9, *[Visit(60)] * 10]

    began = walk(time, gate_of(time, budget=Budget(10, 60)), visits)

    assert [moment for _, moment in began] == [0, *[59] * 9, 60, *[119] * 9]


def test_a_budget_is_waited_for_longer_than_max_wait_because_it_is_the_users_own() -> None:
    time = VirtualTime()

    began = walk(time, gate_of(time, budget=Budget(1, 3600), max_wait=5), [Visit(0), Visit(0), Visit(0)])

    assert [moment for _, moment in began] == [0, 3600, 7200]


def test_a_gate_that_is_closed_lets_nobody_in_before_its_moment_and_all_after_it() -> None:
    time = VirtualTime()
    gate = gate_of(time)
    gate.close(30)

    began = walk(time, gate, [Visit(0), Visit(10), Visit(30), Visit(31)])

    assert [moment for _, moment in began] == [30, 30, 30, 31]
    assert time.slept == [30], "one sleep for all who wait"


def test_of_two_closures_the_longer_one_counts() -> None:
    time = VirtualTime()
    gate = gate_of(time)
    gate.close(30)
    gate.close(10)

    assert walk(time, gate, [Visit(0)]) == [(0, 30)]


def test_a_closure_that_grows_while_somebody_waits_is_waited_for_to_its_end() -> None:
    time = VirtualTime()
    gate = gate_of(time)
    gate.close(10)

    async def grow() -> None:
        await time.until(NOW + 5)
        gate.close(20)

    async def both() -> float:
        waited, _ = await asyncio.gather(gate.enter(), grow())
        return waited

    assert time.run(both()) == 25


@pytest.mark.parametrize("seconds", [60.25, 3600, 1e18])
def test_a_gate_that_is_closed_for_too_long_turns_everybody_away_at_once(seconds: float) -> None:
    time = VirtualTime()
    gate = gate_of(time, max_wait=60)
    gate.close(seconds)

    with pytest.raises(ClosedError) as error:
        time.run(gate.enter())

    assert (error.value.wait_s, error.value.waited_s) == (seconds, 0)
    assert time.slept == []


def test_a_closure_and_a_budget_both_hold() -> None:
    time = VirtualTime()
    gate = gate_of(time, budget=Budget(1, 10))

    async def twice() -> list[float]:
        first = await gate.enter()
        gate.close(30)
        return [first, await gate.enter(), await gate.enter()]

    assert time.run(twice()) == [0, 30, 10]


def test_those_who_wait_already_are_turned_away_at_once_too() -> None:
    time = VirtualTime()
    gate = gate_of(time, concurrency=1, max_wait=60)

    async def come() -> float:
        try:
            return await gate.enter()
        except ClosedError as error:
            assert time.elapsed == 10
            return -error.waited_s

    async def shut() -> float:
        await time.until(NOW + 10)
        gate.close(1000)
        return 0.0

    async def all_of_them() -> list[float]:
        return list(await asyncio.gather(come(), come(), come(), shut()))

    assert time.run(all_of_them()) == [0, -10, -10, 0]


def test_a_gate_opens_for_those_who_come_when_the_rest_of_the_closure_is_short_enough() -> None:
    time = VirtualTime()
    gate = gate_of(time, max_wait=60)
    gate.close(100)

    assert walk(time, gate, [Visit(40), Visit(99)]) == [(0, 100), (1, 100)]


def test_somebody_who_gives_up_leaves_his_place_to_the_next() -> None:
    time = VirtualTime()
    gate = gate_of(time, concurrency=1)

    async def waiting() -> list[bool]:
        await gate.enter()
        second, third = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait({second})
        gate.leave()
        await third
        return [second.cancelled(), third.done()]

    assert time.run(waiting()) == [True, True]


def test_somebody_who_gives_up_at_the_moment_of_his_turn_gives_it_back() -> None:
    time = VirtualTime()
    gate = gate_of(time, concurrency=1)

    async def waiting() -> float:
        await gate.enter()
        second = asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        gate.leave()  # it is his turn now,
        second.cancel()  # and he does not know yet
        with contextlib.suppress(asyncio.CancelledError):
            await second
        return await gate.enter()

    assert time.run(waiting()) == 0


def test_somebody_who_has_given_up_is_passed_over_before_he_knows() -> None:
    time = VirtualTime()
    gate = gate_of(time, concurrency=1)

    async def waiting() -> float:
        await gate.enter()
        second, third = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        second.cancel()
        gate.leave()
        return await third

    assert time.run(waiting()) == 0


def test_somebody_who_has_given_up_is_not_turned_away_besides() -> None:
    time = VirtualTime()
    gate = gate_of(time, concurrency=1)

    async def waiting() -> bool:
        await gate.enter()
        second = asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        second.cancel()
        gate.close(1000)
        await asyncio.wait({second})
        return second.cancelled()

    assert time.run(waiting())


def test_nobody_sleeps_for_those_who_have_given_up() -> None:
    time = VirtualTime()
    gate = gate_of(time)
    gate.close(30)

    async def waiting() -> int:
        alone = asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        alone.cancel()
        await asyncio.wait({alone})
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert time.run(waiting()) == 2, "the one who waits and the driver of the clock, and no alarm"


def test_a_clock_that_is_set_back_does_not_make_the_wait_longer() -> None:
    time = VirtualTime()
    gate = gate_of(time, budget=Budget(1, 10))

    async def waiting() -> list[float]:
        await gate.enter()
        time.now -= 3600
        return [await gate.enter(), await gate.enter()]

    assert time.run(waiting()) == [10, 10]


def test_a_sleep_that_ends_too_early_does_not_lead_to_another_one() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    gate = Gate(RetryPolicy(5, 60, lambda: NOW, sleep, lambda: 1.0))
    gate.close(30)

    assert asyncio.run(gate.enter()) == 30
    assert slept == [30]


def quota(left: int | None, resets_in: float, name: str = "q") -> Quota:
    return Quota(name, left, resets_in)


def after(time: VirtualTime, quotas: Sequence[Quota], *, under_way: int = 1, max_wait: float = 600) -> Gate:
    """A gate where an answer that said so has come in, while as many requests were under way."""
    gate = gate_of(time, max_wait=max_wait)

    async def hear() -> None:
        for _ in range(under_way):
            await gate.enter()
        gate.heed(quotas)
        for _ in range(under_way):
            gate.leave()

    asyncio.run(hear())
    return gate


def test_as_many_as_the_server_still_takes_are_let_in_and_the_others_wait_for_its_reset() -> None:
    time = VirtualTime()

    began = walk(time, after(time, [quota(2, 50)]), [Visit(0)] * 4)

    assert [moment for _, moment in began] == [0, 0, 50, 50]


def test_none_left_closes_the_gate_before_a_429_comes() -> None:
    time = VirtualTime()

    assert walk(time, after(time, [quota(0, 50)]), [Visit(0)]) == [(0, 50)]


def test_requests_that_are_under_way_use_up_what_is_left() -> None:
    time = VirtualTime()

    began = walk(time, after(time, [quota(5, 50)], under_way=4), [Visit(0)] * 3)

    assert [moment for _, moment in began] == [0, 0, 50]


def test_what_is_left_within_a_window_only_becomes_less() -> None:
    time = VirtualTime()

    began = walk(time, after(time, [quota(1, 50), quota(20, 50)]), [Visit(0), Visit(0)])

    assert [moment for _, moment in began] == [0, 50]


def test_a_new_window_brings_a_new_count() -> None:
    time = VirtualTime()
    gate = after(time, [quota(0, 10)])
    time.now += 10

    async def hear() -> None:
        await gate.enter()
        gate.heed([quota(2, 10)])
        gate.leave()

    time.run(hear())

    assert [moment for _, moment in walk(time, gate, [Visit(10)] * 3)] == [10, 10, 20]


def test_windows_of_a_second_are_told_apart() -> None:
    time = VirtualTime()
    gate = after(time, [quota(0, 1)])

    async def hear() -> list[float]:
        waits = [await gate.enter()]
        gate.heed([quota(1, 1)])
        gate.leave()
        return [*waits, await gate.enter(), await gate.enter()]

    assert time.run(hear()) == [1, 0, 1]


def test_a_server_whose_window_moves_along_is_believed_again_a_moment_later() -> None:
    time = VirtualTime()
    gate = after(time, [quota(1, 10)])
    time.now += 3

    async def hear() -> None:
        await gate.enter()
        gate.heed([quota(9, 10)])
        gate.leave()

    time.run(hear())

    assert [moment for _, moment in walk(time, gate, [Visit(3)] * 3)] == [3, 3, 3]


def test_a_late_answer_in_whole_seconds_does_not_make_the_window_longer() -> None:
    time = VirtualTime()
    gate = after(time, [quota(5, 10)])
    time.now += 2.5

    async def hear() -> None:
        await gate.enter()
        gate.heed([quota(1, 9)])  # the server gave it at 1.9 s, when 8.1 s were left
        gate.leave()

    time.run(hear())

    assert [moment for _, moment in walk(time, gate, [Visit(2.5)] * 2)] == [2.5, 10]


def test_of_several_limits_the_strictest_rules() -> None:
    time = VirtualTime()
    said = [quota(9, 5, "a"), quota(0, 20, "b"), quota(1, 90, "c"), quota(None, 500, "d")]

    began = walk(time, after(time, said), [Visit(0), Visit(0)])

    assert [moment for _, moment in began] == [20, 90]


def test_a_reset_that_is_too_far_away_turns_everybody_away() -> None:
    time = VirtualTime()
    gate = after(time, [quota(1, 3600)], max_wait=120)

    async def twice() -> float:
        await gate.enter()
        with pytest.raises(ClosedError) as error:
            await gate.enter()
        return error.value.wait_s

    assert time.run(twice()) == 3600


def test_headers_cannot_raise_the_budget() -> None:
    time = VirtualTime()
    gate = gate_of(time, budget=Budget(2, 60))

    async def hear() -> list[float]:
        waits = []
        for _ in range(4):
            waits.append(await gate.enter())
            gate.heed([quota(1000, 60)])
            gate.leave()
        return waits

    assert time.run(hear()) == [0, 0, 60, 0]


def test_names_that_a_server_makes_up_do_not_fill_the_memory() -> None:
    time = VirtualTime()
    gate = after(time, [quota(5, 50, f"made-up-{number}") for number in range(10_000)])

    assert len(gate._allowances) <= 20
