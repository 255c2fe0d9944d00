"""What the slices of a run have in common in PostgreSQL: whose an entity is, what is put aside, who may still write."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from portsync.errors import StateLostError
from portsync.flow import Entity, Fate
from portsync.state.catalog import Accepted, Catalog
from portsync.state.place import StatePlace
from portsync.state.seen import Conflict, SeenEntities, key_of
from portsync.state.slice_book import SliceBook
from portsync.state.slice_page import ClaimedEntities, SlicePage
from portsync.state.store import joined_state
from tests.postgres import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from portsync.state.seen import OnConflict, Sorted

__all__ = ["fresh_postgres", "postgres"]


def entity(identifier: str, content: object = 0, *, chain: str = "org=a", record: int = 1) -> Entity:
    body = f'{{"identifier": "{identifier}", "content": "{content}"}}'.encode()
    return Entity("b", identifier, body, blake2b(body, digest_size=16).digest(), 1, record, chain)


def accepted(*entities: Entity, fate: Fate = Fate.CREATED) -> list[Accepted]:
    return [Accepted("r#1", one.blueprint, one.identifier, one.digest, fate) for one in entities]


@dataclass
class Run:
    """A run, as its coordinator and its workers have it."""

    place: StatePlace
    stack: ExitStack
    catalog: Catalog
    book: SliceBook

    def connection(self) -> Connection:
        """One more connection, such as a worker has."""
        return self.stack.enter_context(joined_state(self.place))

    def page(self, number: int) -> SlicePage:
        """The page of a new attempt at this slice, at a worker of its own."""
        return SlicePage(self.connection(), self.catalog.id, self.catalog.run, number)

    def next(self) -> Run:
        """The run after this one, begun by somebody else."""
        return begun(self.place, self.stack)


def begun(place: StatePlace, stack: ExitStack) -> Run:
    connection = stack.enter_context(joined_state(place))
    catalog = Catalog(connection, "me", "merge")
    return Run(place, stack, catalog, SliceBook(connection, catalog.id, catalog.run))


@pytest.fixture
def run(fresh_postgres: str) -> Iterator[Run]:
    with ExitStack() as stack:
        yield begun(StatePlace(url=fresh_postgres), stack)


def sort(page: SlicePage, *entities: Entity, resource: int = 0, on_conflict: OnConflict = "report") -> Sorted:
    """What a slice makes of a page that nothing came before."""
    with ClaimedEntities(SeenEntities(on_conflict), page, resource, on_conflict) as claimed:
        return claimed.sort(entities)


def names(entities: Sequence[Entity]) -> list[str]:
    return [one.identifier for one in entities]


# Whose an entity is


def test_what_another_slice_gave_already_is_a_duplicate(run: Run) -> None:
    first, second = run.page(run.book.new()), run.page(run.book.new())

    assert names(sort(first, entity("a"), entity("b")).to_send) == ["a", "b"]
    found = sort(second, entity("b", chain="org=z"), entity("c"))

    assert names(found.to_send) == ["c"]
    assert (found.duplicates, found.conflicts, found.dropped) == (1, (), 0)


def test_what_another_slice_gave_with_other_content_is_a_conflict_and_the_first_one_counts(run: Run) -> None:
    first, second = run.page(run.book.new()), run.page(run.book.new())
    sort(first, entity("a", "old", chain="org=a", record=7))

    found = sort(second, entity("a", "new", chain="org=z", record=3), entity("c"))

    assert names(found.to_send) == ["c"]
    assert found.conflicts == (Conflict("a", "b", "org=a, page 1, record 7", "org=z, page 1, record 3"),)
    assert (found.duplicates, found.dropped, found.failures) == (0, 1, ())


def test_a_conflict_between_slices_is_a_failure_where_the_mapping_says_so(run: Run) -> None:
    first, second = run.page(run.book.new()), run.page(run.book.new())
    sort(first, entity("a", "old", record=7), on_conflict="fail")

    found = sort(second, entity("a", "new"), entity("c"), on_conflict="fail")

    assert names(found.to_send) == ["c"]
    (failure,) = found.failures
    assert (failure.code, failure.identifier) == ("conflict", "a")
    assert "org=a, page 1, record 7" in failure.message
    assert (found.duplicates, found.dropped, found.conflicts) == (0, 0, ())


def test_conflicts_and_duplicates_within_a_slice_add_up_with_those_between_slices(run: Run) -> None:
    first, second = run.page(run.book.new()), run.page(run.book.new())
    sort(first, entity("a"), entity("b", "theirs"))

    found = sort(second, entity("a"), entity("b", "ours"), entity("c"), entity("c"), entity("d", 1), entity("d", 2))

    assert names(found.to_send) == ["c", "d"]
    assert found.duplicates == 2
    assert [conflict.identifier for conflict in found.conflicts] == ["d", "b"]
    assert found.dropped == 1


def test_a_slice_says_something_else_of_its_own_entity_later_on_and_others_are_compared_with_that(run: Run) -> None:
    first, second = run.page(run.book.new()), run.page(run.book.new())
    with ClaimedEntities(SeenEntities("report"), first, 0, "report") as claimed:
        claimed.sort([entity("a", "old")])
        later = claimed.sort([entity("a", "new")])

    assert names(later.to_send) == ["a"]
    assert sort(second, entity("a", "new")).duplicates == 1
    assert len(sort(second, entity("a", "old")).conflicts) == 1


def test_the_same_identifier_of_another_resource_or_another_mapping_is_somebody_elses_matter(run: Run) -> None:
    other_catalog = Catalog(run.connection(), "other", "merge")
    other_book = SliceBook(run.connection(), other_catalog.id, other_catalog.run)
    sort(run.page(run.book.new()), entity("a"))

    assert names(sort(run.page(run.book.new()), entity("a", "new"), resource=1).to_send) == ["a"]
    assert sort(run.page(run.book.new()), entity("a", "new"), resource=1).duplicates == 1
    page = SlicePage(run.connection(), other_catalog.id, other_catalog.run, other_book.new())
    assert names(sort(page, entity("a", "new")).to_send) == ["a"]


def test_the_second_attempt_at_a_slice_gets_what_the_first_one_claimed(run: Run) -> None:
    number, other = run.book.new(), run.page(run.book.new())
    first = run.page(number)
    sort(first, entity("a"), entity("b"))
    second = run.page(number)

    assert (first.attempt, second.attempt) == (1, 2)
    assert names(sort(second, entity("a"), entity("b", "changed meanwhile")).to_send) == ["a", "b"]
    assert sort(other, entity("b", "changed meanwhile")).duplicates == 1


def test_a_name_that_postgresql_cannot_hold_is_claimed_all_the_same(run: Run) -> None:
    first, second = run.page(run.book.new()), run.page(run.book.new())
    sort(first, entity("a", "old", chain="org=a\0b"))

    (conflict,) = sort(second, entity("a", "new")).conflicts
    assert conflict.first_place == "org=ab, page 1, record 1"


def test_nothing_is_asked_for_a_page_without_entities(run: Run) -> None:
    page = run.page(run.book.new())
    run.book.clear()

    assert page.claim(0, []) == {}
    page.spool("letter", [])


def test_slices_that_claim_the_same_entities_in_any_order_never_wait_for_each_other_for_ever(run: Run) -> None:
    workers, rounds, size = 4, 60, 40
    keys = [f"e{i}" for i in range(60)]
    together = threading.Barrier(workers)
    pages = [[run.page(run.book.new()) for _ in range(3)] for _ in range(workers)]

    def claims(worker: int) -> list[tuple[int, str]]:
        chance = random.Random(worker)
        ours = []
        for number in range(rounds):
            page = pages[worker][number % 3]
            some = [entity(f"{number} {name}") for name in chance.sample(keys, size)]
            together.wait(30)
            theirs = page.claim(0, some)
            ours += [(number, one.identifier) for one in some if key_of(one) not in theirs]
        return ours

    with ThreadPoolExecutor(workers) as pool:
        found = [one for ours in pool.map(claims, range(workers)) for one in ours]

    assert len(found) == len(set(found)), "an entity was given to two slices"
    assert len(found) > rounds * size


# Who may write


def test_an_attempt_that_another_one_took_the_place_of_can_neither_claim_nor_put_aside(run: Run) -> None:
    number = run.book.new()
    zombie, page = run.page(number), run.page(number)

    for write in (lambda: zombie.claim(0, [entity("a")]), lambda: zombie.spool("letter", [b"x"])):
        with pytest.raises(StateLostError) as caught:
            write()
        assert caught.value.problems[0].code == "superseded"

    assert list(run.book.spooled(number)) == []
    assert names(sort(run.page(run.book.new()), entity("a")).to_send) == ["a"], "it was claimed in vain"
    page.spool("letter", [b"y"])


def test_what_port_accepted_of_an_attempt_that_was_given_up_is_not_written_down(run: Run) -> None:
    number = run.book.new()
    connection = run.connection()
    zombie = SlicePage(connection, run.catalog.id, run.catalog.run, number)
    catalog = Catalog(connection, "me", "merge", joined=run.catalog.run, noted=zombie.note)
    catalog.changed("r#1", "b", [entity("a", "old")])
    second = run.page(number)
    catalog.accept(accepted(entity("a", "old")))

    with pytest.raises(StateLostError) as caught:
        catalog.close()

    assert caught.value.problems[0].code == "superseded"
    connection.commit()  # another slice of the same worker goes on
    run.catalog.refresh()
    assert run.catalog.known("b", ["a"]) == set()
    assert second.accepted_before == {}
    assert run.page(number).accepted_before == {}


def test_a_new_attempt_does_not_begin_while_the_one_before_it_still_writes(run: Run) -> None:
    """Otherwise what the old one puts aside would come after the new one had cleared its place."""
    number = run.book.new()
    connection = run.connection()
    old = SlicePage(connection, run.catalog.id, run.catalog.run, number)
    between = _Between(connection)
    between.wait_after_select()
    with ThreadPoolExecutor(2) as pool:
        spooling = pool.submit(old.spool, "letter", [b"old"])
        assert between.reached.wait(10)
        attempt = pool.submit(run.page, number)
        with pytest.raises(TimeoutError):
            attempt.result(0.3)
        between.go_on.set()
        spooling.result(10)
        attempt.result(10).spool("letter", [b"new"])

    assert list(run.book.spooled(number)) == [("letter", b"new")]


def test_a_run_does_not_begin_while_one_of_the_old_run_claims_something(run: Run) -> None:
    """Otherwise a slice of the new run would find its entity to be that of a slice which nobody does."""
    number = run.book.new()
    connection = run.connection()
    old = SlicePage(connection, run.catalog.id, run.catalog.run, number)
    between = _Between(connection)
    between.wait_after_select()
    with ThreadPoolExecutor(2) as pool:
        claiming = pool.submit(old.claim, 0, [entity("a")])
        assert between.reached.wait(10)
        beginning = pool.submit(run.next)
        with pytest.raises(TimeoutError):
            beginning.result(0.3)
        between.go_on.set()
        claiming.result(10)
        new = beginning.result(10)

    assert names(sort(new.page([new.book.new() for _ in range(3)][-1]), entity("a", "new")).to_send) == ["a"]


class _Between:
    """Holds a connection up after the first thing that it reads, as a busy machine does."""

    def __init__(self, connection: Connection) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self._connection = connection

    def wait_after_select(self) -> None:
        @event.listens_for(self._connection, "after_cursor_execute")
        def _hold_up(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("SELECT") and not self.reached.is_set():
                self.reached.set()
                assert self.go_on.wait(10)


def test_whoever_works_on_for_a_run_that_is_over_can_write_nothing_into_the_next_one(run: Run) -> None:
    old = run.page(run.book.new())
    new = run.next()
    assert new.book.new() == 1, "the slices of both have the same numbers"

    for write in (lambda: old.claim(0, [entity("a")]), lambda: old.spool("letter", [b"x"])):
        with pytest.raises(StateLostError) as caught:
            write()
        assert caught.value.problems[0].code == "superseded"
    with pytest.raises(StateLostError):
        run.page(1)
    assert list(new.book.spooled(1)) == []
    assert names(sort(new.page(1), entity("a")).to_send) == ["a"]


def test_a_slice_that_is_closed_or_dropped_is_done_by_nobody_any_more(run: Run) -> None:
    closed, dropped = run.book.new(), run.book.new()
    pages = run.page(closed), run.page(dropped)
    run.book.close(closed)
    with pytest.raises(StateLostError):
        pages[0].spool("letter", [b"x"])
    pages[1].spool("letter", [b"x"])
    run.book.clear()
    with pytest.raises(StateLostError):
        pages[1].spool("letter", [b"x"])
    for number in (closed, dropped, 99):
        with pytest.raises(StateLostError):
            run.page(number)


def test_another_mappings_run_drops_nothing_of_this_one(run: Run) -> None:
    page = run.page(number := run.book.new())
    page.spool("letter", [b"x"])
    other = Catalog(run.connection(), "other", "merge")
    SliceBook(run.connection(), other.id, other.run)

    page.spool("letter", [b"y"])
    assert list(run.book.spooled(number)) == [("letter", b"x"), ("letter", b"y")]


# What was accepted, and what was put aside


def attempted(run: Run, number: int) -> tuple[SlicePage, Catalog]:
    """One more attempt at a slice, and the catalog that it writes to."""
    connection = run.connection()
    page = SlicePage(connection, run.catalog.id, run.catalog.run, number)
    return page, Catalog(connection, "me", "merge", joined=run.catalog.run, noted=page.note)


def test_what_port_accepted_is_counted_over_all_attempts(run: Run) -> None:
    number = run.book.new()
    for i in range(3):
        page, catalog = attempted(run, number)
        assert page.accepted_before == ({} if i == 0 else {"b": {"created": i, "updated": 2 * i}})
        some = [entity(f"{name}{i}") for name in "abcd"]
        catalog.changed("r#1", "b", some)
        catalog.accept([*accepted(some[0]), *accepted(*some[1:3], fate=Fate.UPDATED)])
        catalog.accept(replace(one, fate=None) for one in accepted(some[3]))
        catalog.close()


def test_what_port_accepted_is_counted_if_and_only_if_the_state_has_it(run: Run) -> None:
    page, catalog = attempted(run, number := run.book.new())
    some = [entity(f"e{i}") for i in range(500)]
    catalog.changed("r#1", "b", some)
    with joined_state(run.place) as watching:
        watcher = Catalog(watching, "me", "merge", joined=run.catalog.run)
        catalog.accept(accepted(*some[:499]))
        assert watcher.known("b", names(some)) == set()
        watching.rollback()
        catalog.accept(accepted(some[499]))
        assert watcher.known("b", names(some)) == set(names(some))
    assert page.accepted_before == {}
    assert run.page(number).accepted_before == {"b": {"created": 500}}


def test_spooled_pieces_come_back_in_their_order_however_many_there_are(run: Run) -> None:
    page, other = run.page(number := run.book.new()), run.page(run.book.new())
    page.spool("held", [str(i).encode() for i in range(450)])
    other.spool("held", [b"not ours"])
    page.spool("letter", [b"\0\xff", b""])

    found = run.book.spooled(number)
    first = next(found)
    run.book.new()  # the coordinator does other things meanwhile
    rest = list(found)

    assert [first, *rest] == [*(("held", str(i).encode()) for i in range(450)), ("letter", b"\0\xff"), ("letter", b"")]


def test_a_new_attempt_begins_with_nothing_put_aside(run: Run) -> None:
    number = run.book.new()
    run.page(number).spool("held", [b"1", b"2", b"3"])
    run.page(number).spool("held", [b"new"])

    assert list(run.book.spooled(number)) == [("held", b"new")]
