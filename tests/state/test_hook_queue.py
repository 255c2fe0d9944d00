"""The row of live events: order, bound, deliveries; and what they touched, as a run is told of it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from portsync.state.catalog import Catalog
from portsync.state.hook_queue import Event, HookQueue, Taken
from portsync.state.hook_store import HookStore
from portsync.state.store import opened_state
from portsync.state.touched import LeftAlone, touch
from portsync.under_way import UnderWay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.state.place import StatePlace


@pytest.fixture
def store(place: StatePlace) -> Iterator[HookStore]:
    with closing(HookStore(place)) as opened:
        yield opened


def an_event(body: bytes = b"{}", delivery: str | None = None, at: float = 0.0, mapping: str = "m") -> Event:
    return Event(mapping, "h", delivery, at, body)


def test_events_come_back_in_their_order_and_only_those_of_the_mapping(store: HookStore) -> None:
    queue = HookQueue(store, 100)
    for number in range(5):
        assert queue.put(an_event(b"%d" % number, at=number)) is Taken.QUEUED
        queue.put(an_event(b"other", mapping="n"))
    assert [event.body for event in queue.first("m", 3)] == [b"0", b"1", b"2"]
    assert (queue.depth("m"), queue.oldest("m")) == (5, 0.0)
    queue.done(queue.first("m", 3), (), "c", ())
    assert [event.body for event in queue.first("m", 9)] == [b"3", b"4"]
    assert (queue.depth("n"), queue.oldest("none")) == (5, None)


def test_an_id_is_never_given_twice(store: HookStore) -> None:
    queue = HookQueue(store, 100)
    queue.put(an_event())
    (first,) = queue.first("m", 1)
    queue.done([first], (), "c", ())
    queue.put(an_event())
    assert queue.first("m", 1)[0].id > first.id
    assert not queue.waits_until("m", first.id)


def test_large_bodies_are_taken_a_few_at_a_time_but_one_always(store: HookStore) -> None:
    queue = HookQueue(store, 100)
    for _ in range(3):
        queue.put(an_event(b"x" * (3 << 20)))
    assert len(queue.first("m", 100)) == 1


def test_when_the_row_is_full_nothing_is_taken_and_the_delivery_may_come_again(store: HookStore) -> None:
    queue = HookQueue(store, 1)
    assert queue.put(an_event(delivery="a")) is Taken.QUEUED
    assert queue.put(an_event(delivery="b")) is Taken.FULL
    queue.done(queue.first("m", 1), (), "c", ())
    assert queue.put(an_event(delivery="b")) is Taken.QUEUED
    assert queue.put(an_event(delivery="a")) is Taken.DUPLICATE


def test_a_delivery_is_known_for_a_day_unless_it_failed(store: HookStore) -> None:
    queue = HookQueue(store, 100)
    queue.put(an_event(delivery="a", at=0.0))
    queue.put(an_event(delivery="b", at=1.0))
    events = queue.first("m", 9)
    queue.done(events, [event for event in events if event.delivery == "b"], "c", ())
    assert queue.put(an_event(delivery="a", at=2.0)) is Taken.DUPLICATE
    assert queue.put(an_event(delivery="b", at=3.0)) is Taken.QUEUED
    assert queue.put(an_event(delivery="c", at=86401.0)) is Taken.QUEUED
    assert queue.put(an_event(delivery="a", at=86402.0)) is Taken.QUEUED


def test_a_run_takes_over_what_is_settled_and_leaves_alone_what_is_not(store: HookStore, place: StatePlace) -> None:
    touch(store, "c", [("thing", "ada"), ("thing", "bob")])
    touch(store, "other", [("thing", "zoe")])
    queue = HookQueue(store, 9)
    queue.done((), (), "c", [("thing", "ada")])
    left_alone = LeftAlone(store, "c", UnderWay())
    with opened_state(place) as connection:
        catalog = Catalog(connection, "c", "manner")
        left_alone.begin(catalog, is_dry=False)
        # Nothing is known of it, but that Port has it: where the source does not give it, it is stale.
        assert [list(some) for some in catalog.unseen("thing")] == [["ada"]]
    assert left_alone.among("thing", ["ada", "bob", "zoe"]) == {"bob"}
    touch(store, "c", [("thing", "ada")])
    assert left_alone.among("thing", ["ada", "bob", "zoe"]) == {"ada", "bob"}


def test_a_plan_takes_nothing_over(store: HookStore, place: StatePlace) -> None:
    touch(store, "c", [("thing", "ada")])
    HookQueue(store, 9).done((), (), "c", [("thing", "ada")])
    for is_dry in (True, False):
        with opened_state(place) as connection:
            catalog = Catalog(connection, "c", "manner", is_dry=is_dry)
            LeftAlone(store, "c", UnderWay()).begin(catalog, is_dry=is_dry)
            assert [list(some) for some in catalog.unseen("thing")] == [["ada"]]
