"""How many chains go into a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.cluster.sizing import Sizing

if TYPE_CHECKING:
    from collections.abc import Callable


def sizes(of_chain: Callable[[int], float], slices: int, workers: int = 1) -> list[int]:
    """The sizes of so many slices, one after the other, where the chain of each number takes `of_chain` seconds."""
    sizing, elapsed, done = Sizing(), 0.0, 0
    found = []
    for _ in range(slices):
        size = sizing.next(elapsed)
        seconds = sum(of_chain(number) for number in range(done, done + size))
        sizing.took(size, seconds)
        elapsed += seconds / workers
        done += size
        found.append(size)
    return found


seconds = st.floats(0.0, 100.0)


@given(st.lists(st.tuples(seconds, seconds, st.integers(1, 20)), max_size=30))
def test_no_slice_is_more_than_four_times_as_large_as_any_that_is_done_however_often_one_asks(
    steps: list[tuple[float, float, int]],
) -> None:
    sizing, elapsed, largest = Sizing(), 0.0, 0

    for waited_s, took_s, asked in steps:
        elapsed += waited_s
        size = [sizing.next(elapsed) for _ in range(asked)][-1]
        assert 1 <= size <= max(1, 4 * largest)
        assert size <= 10_000
        sizing.took(size, took_s)
        largest = max(largest, size)


def test_the_first_slices_have_one_chain_until_it_is_known_what_one_takes() -> None:
    sizing = Sizing()

    assert [sizing.next(elapsed) for elapsed in (0.0, 10.0, 1000.0)] == [1, 1, 1]


def test_the_first_slices_may_have_more_where_a_source_allows_more_at_once() -> None:
    sizing = Sizing(first=5)

    assert sizing.next(0.0) == 5
    sizing.took(5, 50.0)
    assert sizing.next(50.0) == 1, "it is known now that they take long"


def test_a_slice_has_no_fewer_chains_than_are_read_at_once_as_long_as_it_does_not_take_long() -> None:
    sizing = Sizing(first=5)
    sizing.took(5, 4.0)

    assert sizing.next(4.0) == 5, "they waited for the source, at the same time"
    assert Sizing().next(4.0) == 1


@given(st.floats(0.001, 1.0), st.integers(1, 16))
def test_slices_of_chains_that_are_alike_come_to_take_five_seconds_each(chain_s: float, workers: int) -> None:
    assert sizes(lambda _: chain_s, 100 + 100 * workers, workers)[-1] * chain_s == pytest.approx(
        5.0, abs=chain_s + 1e-3
    )


def test_a_slice_takes_an_eighth_of_the_time_so_far_but_a_second_at_least() -> None:
    sizing = Sizing()
    sizing.took(1000, 10.0)

    assert [sizing.next(elapsed) for elapsed in (0.0, 4.0, 8.0, 24.0, 40.0, 4000.0)] == [100, 100, 100, 300, 500, 500]


def test_chains_of_which_each_takes_minutes_go_one_by_one() -> None:
    assert set(sizes(lambda _: 90.0, 20)) == {1}


def test_chains_that_take_no_time_at_all_come_in_slices_of_ten_thousand() -> None:
    assert sizes(lambda _: 0.0, 12) == [1, 4, 16, 64, 256, 1024, 4096, *[10_000] * 5]


def test_one_slice_that_takes_twice_as_long_does_not_halve_the_next_one() -> None:
    sizing = Sizing()
    for _ in range(20):
        sizing.took(100, 5.0)
    before = sizing.next(1000.0)
    sizing.took(100, 10.0)

    assert before == 100
    assert before / 2 < sizing.next(1000.0) < before
