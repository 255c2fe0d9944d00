"""What one integration gave to Port: what has to be sent, what was taken, what is no longer there."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from portsync.flow import Entity
from portsync.state.catalog import Accepted, Catalog
from portsync.state.place import StatePlace
from portsync.state.store import opened_state

if TYPE_CHECKING:
    from collections.abc import Iterator


def entity(identifier: str, content: object = 0, blueprint: str = "b") -> Entity:
    body = f'{{"identifier": "{identifier}", "content": "{content}"}}'.encode()
    return Entity(blueprint, identifier, body, blake2b(body, digest_size=16).digest(), 1, 1)


def accepted(resource: str, *entities: Entity) -> list[Accepted]:
    return [Accepted(resource, one.blueprint, one.identifier, one.digest) for one in entities]


def names(entities: list[Entity]) -> list[str]:
    return [one.identifier for one in entities]


def unseen(catalog: Catalog, blueprint: str = "b") -> list[str]:
    return [one for some in catalog.unseen(blueprint) for one in some]


@contextmanager
def run_of(place: StatePlace, name: str = "me", manner: str = "merge", *, is_dry: bool = False) -> Iterator[Catalog]:
    """One run over a state that other runs may have left something in."""
    with opened_state(place) as connection:
        catalog = Catalog(connection, name, manner, is_dry=is_dry)
        yield catalog
        catalog.close()


def given(catalog: Catalog, *entities: Entity, resource: str = "r") -> list[str]:
    """Give entities and have all that is sent accepted. Returns what was sent."""
    changed = catalog.changed(resource, entities[0].blueprint, entities)
    catalog.accept(accepted(resource, *changed))
    return names(changed)


def test_what_was_accepted_is_not_sent_again_until_it_changes(place: StatePlace) -> None:
    a, b = entity("a"), entity("b")
    with run_of(place) as catalog:
        assert given(catalog, a, b) == ["a", "b"]
        assert given(catalog, a, b) == []
    with run_of(place) as catalog:
        assert given(catalog, a, entity("b", "new"), entity("c")) == ["b", "c"]
    with run_of(place) as catalog:
        assert given(catalog, a, b, entity("c")) == ["b"]


def test_all_of_them_count_as_changed_where_that_is_asked_for(place: StatePlace) -> None:
    with run_of(place) as catalog:
        given(catalog, entity("a"))
        assert names(catalog.changed("r", "b", [entity("a")], all_count=True)) == ["a"]


def test_what_was_sent_and_not_accepted_is_sent_again(place: StatePlace) -> None:
    """A crash between the two leaves it open what Port has, also where Port had something before."""
    with run_of(place) as catalog:
        given(catalog, entity("old"))
    with opened_state(place) as connection:
        catalog = Catalog(connection, "me", "merge")
        assert names(catalog.changed("r", "b", [entity("old", "new"), entity("fresh")])) == ["old", "fresh"]
    with run_of(place) as catalog:
        assert catalog.known("b", ["old", "fresh"]) == set()
        assert given(catalog, entity("old"), entity("fresh")) == ["old", "fresh"]


def test_what_a_crash_may_have_left_in_port_is_stale_when_it_is_gone(place: StatePlace) -> None:
    with opened_state(place) as connection:
        Catalog(connection, "me", "merge").changed("r", "b", [entity("sent")])
    with run_of(place) as catalog:
        assert unseen(catalog) == ["sent"]


def test_what_is_kept_back_is_written_down_before_anything_is_asked(place: StatePlace) -> None:
    with run_of(place) as catalog:
        given(catalog, entity("a"))
        assert catalog.known("b", ["a", "z"]) == {"a"}
        given(catalog, entity("c"))
        catalog.compared(5.0)
    with opened_state(place) as connection:
        assert Catalog(connection, "me", "merge").known("b", ["a", "c"]) == {"a", "c"}


def test_many_are_written_down_without_being_asked(place: StatePlace) -> None:
    """So that a crash does not lose a whole run's acceptances."""
    many = [entity(f"e{number:04}") for number in range(1200)]
    with opened_state(place) as connection:
        catalog = Catalog(connection, "me", "merge")
        catalog.changed("r", "b", many)
        catalog.accept(accepted("r", *many[:600]))
        catalog.accept(accepted("r", *many[600:700]))
    with run_of(place) as catalog:
        assert len(catalog.known("b", names(many))) == 600
        assert names(catalog.changed("r", "b", many)) == names(many[600:])


def test_what_the_run_did_not_give_is_unseen(place: StatePlace) -> None:
    with run_of(place) as catalog:
        given(catalog, entity("a"), entity("b"), entity("c"))
        given(catalog, entity("o", blueprint="other"))
        assert unseen(catalog) == []
    with run_of(place) as catalog:
        given(catalog, entity("b"), entity("d"))
        assert (unseen(catalog), catalog.unseen_count("b"), catalog.seen_count("b")) == (["a", "c"], 2, 2)
        assert catalog.not_seen("b", ["a", "b", "x"]) == ["a", "x"]
        assert (unseen(catalog, "other"), catalog.seen_count("other")) == (["o"], 0)
        assert catalog.blueprints() == {"b", "other"}
        assert unseen(catalog, "never heard of") == []


def test_an_unchanged_one_counts_as_given(place: StatePlace) -> None:
    with run_of(place) as catalog:
        given(catalog, entity("a"))
    with run_of(place) as catalog:
        assert given(catalog, entity("a")) == []
        assert (unseen(catalog), catalog.seen_count("b")) == ([], 1)


def test_what_was_read_may_be_forgotten_meanwhile(place: StatePlace) -> None:
    many = [entity(f"e{number:04}") for number in range(1700)]
    with run_of(place) as catalog:
        given(catalog, *many)
    with run_of(place) as catalog:
        read: list[str] = []
        for some in catalog.unseen("b"):
            read += some
            catalog.forget("b", some[::2])
        assert read == names(many)
        assert catalog.unseen_count("b") == 850


def test_what_is_forgotten_is_sent_again_and_not_stale(place: StatePlace) -> None:
    with run_of(place) as catalog:
        given(catalog, entity("a"), resource="r1")
        given(catalog, entity("a", "more"), entity("b"), resource="r2")
    with run_of(place) as catalog:
        catalog.forget("b", ["a"])
        assert unseen(catalog) == ["b"]
        assert given(catalog, entity("a"), resource="r1") == ["a"]


def test_a_second_resource_that_gives_it_keeps_an_entity(place: StatePlace) -> None:
    with run_of(place) as catalog:
        given(catalog, entity("a"), resource="r1")
        given(catalog, entity("a", "more"), resource="r2")
        assert catalog.seen_count("b") == 1
    with run_of(place) as catalog:
        given(catalog, entity("a", "more"), resource="r2")
        assert unseen(catalog) == []


def test_the_later_of_two_resources_is_sent_again_when_the_earlier_one_wrote_over_it(place: StatePlace) -> None:
    for _ in range(2):
        with run_of(place) as catalog:
            given(catalog, entity("a"), entity("z"), resource="r1")
            given(catalog, entity("a", "more"), entity("z", "more"), resource="r2")
    with run_of(place) as catalog:
        assert given(catalog, entity("a", "new"), entity("z"), resource="r1") == ["a"]
        assert given(catalog, entity("a", "more"), entity("z", "more"), resource="r2") == ["a"]
    with run_of(place) as catalog:
        assert given(catalog, entity("a", "new"), entity("z"), resource="r1") == []
        assert given(catalog, entity("a", "more"), entity("z", "more"), resource="r2") == []


def test_the_earlier_of_two_resources_is_not_sent_again_when_the_later_one_changes(place: StatePlace) -> None:
    """It would write over it."""
    with run_of(place) as catalog:
        given(catalog, entity("a"), resource="r1")
        given(catalog, entity("a", "more"), resource="r2")
    for content in ("new", "newer"):
        with run_of(place) as catalog:
            assert given(catalog, entity("a"), resource="r1") == []
            assert given(catalog, entity("a", content), resource="r2") == ["a"]


def test_what_others_point_to_is_not_stale_and_not_given(place: StatePlace) -> None:
    with run_of(place) as catalog:
        catalog.related("b", ["made", "both"])
        given(catalog, entity("both"))
        assert (catalog.seen_count("b"), unseen(catalog)) == (1, [])
        assert catalog.known("b", ["made", "both"]) == {"both"}
    with run_of(place) as catalog:
        catalog.related("b", ["both"])
        assert (catalog.seen_count("b"), unseen(catalog)) == (0, ["made"])


def test_what_port_has_from_us_and_the_state_did_not_know_is_stale(place: StatePlace) -> None:
    with run_of(place) as catalog:
        given(catalog, entity("a"))
        catalog.found("b", ["a", "lost"])
        assert unseen(catalog) == ["lost"]
        assert given(catalog, entity("lost")) == ["lost"]
        assert unseen(catalog) == []


def test_what_a_search_chose_is_given(place: StatePlace) -> None:
    with run_of(place) as catalog:
        catalog.given("b", "r", ["chosen"])
        assert (catalog.seen_count("b"), unseen(catalog)) == (1, [])
        assert catalog.known("b", ["chosen"]) == set()
    with run_of(place) as catalog:
        assert unseen(catalog) == ["chosen"]


def test_samples_are_the_first_and_the_last_that_port_accepted(place: StatePlace) -> None:
    many = [entity(f"e{number:02}") for number in range(50)]
    with run_of(place) as catalog:
        assert catalog.samples("b") == []
        given(catalog, *many)
        catalog.changed("r", "b", [entity("a sent one"), entity("z sent one")])
        catalog.related("b", ["a made one"])
        assert catalog.samples("b") == names(many[:10] + many[-10:])


def test_a_dry_run_sees_what_it_writes_and_leaves_nothing(place: StatePlace) -> None:
    with run_of(place) as catalog:
        given(catalog, entity("a"))
        catalog.compared(3.0)
    for _ in range(2):
        with run_of(place, is_dry=True) as catalog:
            assert catalog.run == 2
            assert given(catalog, entity("a", "new"), entity("b")) == ["a", "b"]
            assert given(catalog, entity("a", "new"), entity("b")) == []
            catalog.forget("b", ["a"])
            catalog.compared(4.0)
    with run_of(place, "somebody", is_dry=True) as catalog:
        given(catalog, entity("a"))
    with run_of(place) as catalog:
        assert (catalog.run, catalog.compared_at) == (2, 3.0)
        assert given(catalog, entity("a"), entity("b")) == ["b"]


def test_when_all_was_compared_is_remembered_as_long_as_it_is_sent_in_that_manner(place: StatePlace) -> None:
    with run_of(place, manner="merge") as catalog:
        assert catalog.compared_at is None
        catalog.compared(7.5)
    with run_of(place, manner="merge") as catalog:
        assert catalog.compared_at == 7.5
    for _ in range(2):
        with run_of(place, manner="override") as catalog:
            assert catalog.compared_at is None
    with run_of(place, manner="override") as catalog:
        catalog.compared(9.0)
    with run_of(place, manner="override") as catalog:
        assert (catalog.compared_at, catalog.run) == (9.0, 6)


def test_integrations_do_not_see_each_other(place: StatePlace) -> None:
    with run_of(place, "one") as catalog:
        given(catalog, entity("a"))
        catalog.compared(1.0)
    with run_of(place, "two") as catalog:
        assert (catalog.run, catalog.compared_at, catalog.blueprints()) == (1, None, set())
        assert given(catalog, entity("a"), entity("b")) == ["a", "b"]
        catalog.forget("b", ["a"])
    with run_of(place, "one") as catalog:
        assert catalog.run == 2
        assert (given(catalog, entity("a")), unseen(catalog)) == ([], [])


@pytest.mark.parametrize("identifier", ["'", '"', "\\", "ä", "\U0001f600", "a/b=c+d@e:f", "x" * 1000])
def test_identifiers_are_kept_as_they_are(place: StatePlace, identifier: str) -> None:
    one = entity(identifier)
    with run_of(place) as catalog:
        assert given(catalog, one) == [identifier]
        assert given(catalog, one) == []
        assert catalog.known("b", [identifier]) == {identifier}
    with run_of(place) as catalog:
        assert unseen(catalog) == [identifier]


def test_the_order_of_the_unseen_is_one_in_which_none_is_left_out(place: StatePlace) -> None:
    """Pieces are told apart by their last identifier, so the database has to compare texts in one way throughout."""
    mixed = [f"{letter}{number}" for number in range(120) for letter in ("a", "A", "ä", "-", "_", "é", "Z", "z")]
    with run_of(place) as catalog:
        given(catalog, *map(entity, mixed))
    with run_of(place) as catalog:
        assert sorted(unseen(catalog)) == sorted(mixed)


def test_a_page_is_looked_up_without_reading_the_whole_table_also_in_a_first_run(fresh_postgres: str) -> None:
    """PostgreSQL knows nothing of a table that was just filled, and keeps plans that it made while it was empty."""
    place = StatePlace(url=fresh_postgres)
    numbers = range(12_000)
    with opened_state(place) as connection:
        # Whether its statistics come meanwhile is chance.
        connection.execute(text("ALTER TABLE portsync_entities SET (autovacuum_enabled = false)"))
        connection.commit()
        catalog = Catalog(connection, "me", "")
        for first in numbers[::100]:
            given(catalog, *(entity(f"e{number}") for number in range(first, first + 100)))
        catalog.close()
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        connection.commit()
        read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'portsync_entities'"
        assert connection.execute(text(read)).scalar_one() < 15 * len(numbers)
