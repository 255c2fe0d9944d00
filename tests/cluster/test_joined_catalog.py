"""The state of a run that many write to: who may join it, and what they do to each other's rows."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from portsync.errors import StateLostError
from portsync.flow import Entity
from portsync.state.catalog import Accepted, Catalog
from portsync.state.place import StatePlace
from portsync.state.store import joined_state
from portsync.state.tables import SCOPES
from tests.postgres import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fresh_postgres", "postgres"]


@dataclass
class State:
    """A state that several are connected to."""

    place: StatePlace
    stack: ExitStack

    def begin(self, manner: str = "merge") -> Catalog:
        """A run, begun by a coordinator of its own."""
        return Catalog(self.stack.enter_context(joined_state(self.place)), "me", manner)

    def join(self, run: int, name: str = "me", manner: str = "merge") -> Catalog:
        """A worker's part in the run with this number."""
        return Catalog(self.stack.enter_context(joined_state(self.place)), name, manner, joined=run)


@pytest.fixture
def state(fresh_postgres: str) -> Iterator[State]:
    with ExitStack() as stack:
        yield State(StatePlace(url=fresh_postgres), stack)


def entity(identifier: str, content: object = 0) -> Entity:
    body = f'{{"identifier": "{identifier}", "content": "{content}"}}'.encode()
    return Entity("b", identifier, body, blake2b(body, digest_size=16).digest(), 1, 1)


def gave(catalog: Catalog, *entities: Entity, resource: str = "r#1") -> list[str]:
    """Give entities and have all that is sent accepted; what was sent."""
    changed = catalog.changed(resource, "b", entities)
    catalog.accept(Accepted(resource, one.blueprint, one.identifier, one.digest) for one in changed)
    catalog.close()
    return [one.identifier for one in changed]


def unseen(catalog: Catalog) -> list[str]:
    catalog.refresh()
    return sorted(one for some in catalog.unseen("b") for one in some)


def test_what_one_worker_gave_the_others_and_the_coordinator_know(state: State) -> None:
    coordinator = state.begin()
    first, second = state.join(1), state.join(1)

    assert (first.id, first.run) == (coordinator.id, coordinator.run)
    assert gave(first, entity("a")) == ["a"]
    assert gave(second, entity("a"), entity("b")) == ["b"]
    coordinator.refresh()
    assert coordinator.known("b", ["a", "b", "c"]) == {"a", "b"}
    assert coordinator.seen_count("b") == 2


def test_who_joins_begins_no_run(state: State) -> None:
    assert state.begin().run == 1
    state.join(1)
    assert state.begin().run == 2


@pytest.mark.parametrize("run", [1, 3])
def test_only_the_run_that_goes_on_can_be_joined(state: State, run: int) -> None:
    state.begin()
    state.begin()

    state.join(2)
    with pytest.raises(StateLostError) as caught:
        state.join(run)
    assert caught.value.problems[0].code == "superseded"


def test_a_mapping_that_was_never_run_cannot_be_joined(state: State) -> None:
    state.begin()

    with pytest.raises(StateLostError):
        state.join(1, "another")


def test_who_joins_learns_when_all_was_compared_if_entities_were_sent_in_the_same_manner(state: State) -> None:
    coordinator = state.begin()
    coordinator.compared(17.0)

    assert state.join(1).compared_at == 17.0
    assert state.join(1, manner="replace").compared_at is None


def test_whoever_works_on_for_an_earlier_run_makes_nothing_look_stale(state: State) -> None:
    old = state.begin()
    gave(old, entity("a"), entity("gone"))
    late = state.join(1)
    new = state.begin()
    gave(new, entity("a"), entity("b"))

    gave(late, entity("a"), entity("b"))
    late.related("b", ["a", "b"])
    late.given("b", "r#1", ["a", "b"])
    late.found("b", ["a"])

    assert unseen(new) == ["gone"]
    assert new.not_seen("b", ["a", "b"]) == []
    assert gave(new, entity("a"), entity("b")) == [], "what was accepted in this run is not forgotten"


def test_whoever_works_on_for_an_earlier_run_says_nothing_of_what_port_has_now(state: State) -> None:
    late = state.begin()
    late.changed("r#1", "b", [entity("a", "old")])
    late.accept([Accepted("r#1", "b", "a", entity("a", "old").digest)])
    new = state.begin()
    assert gave(new, entity("a", "new")) == ["a"]

    late.close()

    assert gave(state.begin(), entity("a", "new")) == []


def test_what_an_earlier_resource_writes_unsettles_nothing_that_a_later_run_came_to(state: State) -> None:
    late = state.begin()
    gave(late, entity("a"), resource="r#2")
    new = state.begin()
    gave(new, entity("a"), resource="r#2")

    assert gave(late, entity("a", "late"), resource="r#1") == ["a"]

    assert gave(new, entity("a"), resource="r#2") == []


def test_scopes_that_two_make_at_one_moment_are_one(state: State) -> None:
    coordinator = state.begin()
    workers, rounds = 4, 25
    catalogs = [state.join(1) for _ in range(workers)]
    together = threading.Barrier(workers)

    def gives(worker: int) -> list[str]:
        sent = []
        for number in range(rounds):
            together.wait(30)
            sent += gave(catalogs[worker], entity(f"{number}-{worker}"), resource=f"r#{number}")
        return sent

    with ThreadPoolExecutor(workers) as pool:
        sent = [one for some in pool.map(gives, range(workers)) for one in some]

    assert len(sent) == workers * rounds
    with joined_state(state.place) as connection:
        assert connection.execute(select(func.count()).select_from(SCOPES)).scalar_one() == rounds
    coordinator.refresh()
    assert coordinator.known("b", sent) == set(sent)


def test_workers_that_point_to_and_accept_the_same_entities_never_wait_for_each_other_for_ever(state: State) -> None:
    state.begin()
    workers, rounds = 4, 40
    catalogs = [state.join(1) for _ in range(workers)]
    together = threading.Barrier(workers)
    some = [entity(f"e{number}") for number in range(60)]

    def works(worker: int) -> None:
        turned = some[worker * 15 :] + some[: worker * 15]
        turned = turned if worker % 2 else turned[::-1]
        for _ in range(rounds):
            together.wait(30)
            catalogs[worker].related("b", [one.identifier for one in turned])
            catalogs[worker].given("b", "r#2", [one.identifier for one in turned])
            catalogs[worker].accept(Accepted("r#1", "b", one.identifier, one.digest) for one in turned)
            catalogs[worker].close()

    catalogs[0].changed("r#1", "b", some)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(works, range(workers)))

    assert catalogs[0].known("b", [one.identifier for one in some]) == {one.identifier for one in some}


def test_workers_that_point_to_more_than_one_statement_holds_never_wait_for_each_other_for_ever(state: State) -> None:
    state.begin()
    workers = 3
    catalogs = [state.join(1) for _ in range(workers)]
    together = threading.Barrier(workers)
    names = [f"e{number:04}" for number in range(1500)]

    def works(worker: int) -> None:
        turned = names[worker * 500 :] + names[: worker * 500]
        for _ in range(10):
            together.wait(30)
            catalogs[worker].related("b", turned)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(works, range(workers)))

    assert catalogs[0].not_seen("b", names) == []
