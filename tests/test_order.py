"""Entities that point to others of the same run come after them; users whom Port does not have are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.flow import Entity
from portsync.held import HeldEntities
from portsync.relations import Target
from tests.several import resource, things

if TYPE_CHECKING:
    from tests.conftest import Asked, Run
    from tests.several import Several

NAMES = "abcdefgh"


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES + "xy"), max_size=3)))
def test_what_is_held_comes_out_once_and_after_all_that_it_waits_for(waits: dict[str, list[str]]) -> None:
    """But what waits for itself over others, and what waits for such, comes out of no round."""
    in_circle = {name for name in waits if not _ends(name, waits, ())}
    arrived: set[str] = set()
    with HeldEntities() as held:
        for number, (name, targets) in enumerate(waits.items()):
            held.add(number, entity(name), [Target("b", target) for target in targets])
        assert held.count == len(waits)
        for some in held.rounds():
            this_round = {one.identifier: index for index, one in some}
            for name, index in this_round.items():
                assert list(waits)[index] == name
                assert name not in arrived
                assert all(target in arrived or target not in waits for target in waits[name])
            arrived |= this_round.keys()
        left = [one.identifier for _, one in held.circles()]
        again = [one.identifier for _, one in held.circles()]
        assert {name for name in NAMES if held.is_held(Target("b", name))} == set(left)
    assert arrived == waits.keys() - in_circle
    assert sorted(left) == sorted(again) == sorted(in_circle)


def _ends(name: str, waits: dict[str, list[str]], above: tuple[str, ...]) -> bool:
    """Whether following what an entity waits for comes to an end."""
    return name not in above and all(_ends(target, waits, (*above, name)) for target in waits.get(name, []))


def entity(identifier: str) -> Entity:
    return Entity("b", identifier, b"{}", b"", 1, 1)


def test_one_entity_may_be_held_twice() -> None:
    """The later content of a conflict comes after the earlier one."""
    with HeldEntities() as held:
        held.add(0, replace(entity("a"), record=1), [Target("b", "z")])
        held.add(0, replace(entity("a"), record=2), [Target("b", "z")])
        assert [[one.record for _, one in some] for some in held.rounds()] == [[1, 2]]


def test_a_row_longer_than_the_rounds_is_left_as_a_circle() -> None:
    with HeldEntities() as held:
        for number in range(300):
            held.add(0, entity(f"e{number:03}"), [Target("b", f"e{number - 1:03}")])
        in_rounds = [one.identifier for some in held.rounds() for _, one in some]
        left = [one.identifier for _, one in held.circles()]
    assert in_rounds + left == [f"e{number:03}" for number in range(300)]
    assert len(in_rounds) == 200


def test_a_round_of_many_is_read_in_pieces() -> None:
    with HeldEntities() as held:
        for number in range(1700):
            held.add(number, entity(f"e{number}"), [Target("b", "z")])
        (one_round,) = [[index for index, _ in some] for some in held.rounds()]
    assert one_round == list(range(1700))


@pytest.fixture
def strict(several: Several) -> Several:
    """A Port that refuses relations to what it does not have."""
    several.switches["createMissingRelatedEntities"] = False
    return several


def whole(run: Run, created: int) -> bool:
    """Whether so many entities were created, and nothing else happened."""
    totals = run.report["totals"]
    assert run.exit_code == 0, run.report["problems"]
    return bool((totals["created"], totals["updated"], totals["rejected"]) == (created, 0, 0))


def relations(several: Several, blueprint: str, name: str) -> dict[str, Any]:
    return {one: found["relations"].get(name) for one, found in several.port.entities(blueprint).items()}


def paged(several: Several, path: str, *pages: list[dict[str, Any]]) -> None:
    """Let the source give the records of a path page by page."""

    def answer(asked: Asked) -> Any:
        if asked.path != path:
            return {"data": several.records.get(asked.path, [])}
        number = int(dict(asked.query)["page"])
        return {"data": pages[number - 1], "total": len(pages)}

    several.source.answer = answer


BY_PAGES = {"pagination": {"type": "page", "total_pages_path": ".total"}}


def test_a_resource_is_read_after_those_that_it_points_to(strict: Several) -> None:
    strict.blueprint("part", of="thing")
    strict.resources = [resource("/parts", "part", relations={"of": ".of"}), resource("/things", "thing")]
    strict.records |= {"/things": things(0, 3), "/parts": [{"id": "p", "of": "t2"}]}

    assert whole(strict.sync(), 4)
    assert relations(strict, "part", "of") == {"p": "t2"}
    assert [asked.path for asked in strict.source.asked] == ["/things", "/parts"]


def test_entities_that_point_to_others_of_their_blueprint_wait_over_pages(strict: Several) -> None:
    strict.blueprint("thing", boss="thing")
    strict.resources = [resource("/things", "thing", relations={"boss": ".boss"}, selector=BY_PAGES)]
    paged(
        strict,
        "/things",
        [{"id": "c", "boss": "b"}, {"id": "a", "boss": None}],
        [{"id": "d", "boss": "c"}, {"id": "b", "boss": "a"}],
        [{"id": "e", "boss": "d"}],
    )

    first, second = strict.sync(), strict.sync()

    assert whole(first, 5)
    assert whole(second, 0)
    assert relations(strict, "thing", "boss") == {"a": None, "b": "a", "c": "b", "d": "c", "e": "d"}


def test_one_that_points_to_itself_is_sent_at_once(strict: Several) -> None:
    strict.blueprint("thing", boss="thing")
    strict.resources = [resource("/things", "thing", relations={"boss": ".boss"})]
    strict.records["/things"] = [{"id": "a", "boss": "a"}, {"id": "b", "boss": "a"}]

    assert whole(strict.sync(), 2)
    assert relations(strict, "thing", "boss") == {"a": "a", "b": "a"}
    assert whole(strict.sync(), 0)


@pytest.mark.parametrize("makes_missing", [False, True])
def test_a_circle_in_one_blueprint_is_closed(strict: Several, *, makes_missing: bool) -> None:
    strict.switches["createMissingRelatedEntities"] = makes_missing
    strict.blueprint("thing", boss="thing", peers=["thing"])
    strict.resources = [resource("/things", "thing", relations={"boss": ".boss", "peers": ".peers"})]
    strict.records["/things"] = [
        {"id": "a", "boss": "b", "peers": ["b", "c"], "size": 1},
        {"id": "b", "boss": "c", "peers": []},
        {"id": "c", "boss": "a", "peers": ["d", "c"]},
        {"id": "d", "boss": "a", "peers": ["a", "b", "c"]},
        {"id": "e", "boss": None, "peers": None},
    ]

    first, second = strict.sync(), strict.sync()

    assert whole(first, 5)
    assert whole(second, 0)
    assert relations(strict, "thing", "boss") == {"a": "b", "b": "c", "c": "a", "d": "a", "e": None}
    assert relations(strict, "thing", "peers")["d"] == ["a", "b", "c"]
    assert strict.port.entities("thing")["a"]["properties"] == {"size": 1}


@pytest.mark.parametrize("makes_missing", [False, True])
def test_blueprints_that_point_to_each_other_are_filled(strict: Several, *, makes_missing: bool) -> None:
    """Chains to and fro as well as a circle; whichever of the two resources is read first."""
    strict.switches["createMissingRelatedEntities"] = makes_missing
    strict.blueprint("part")
    strict.blueprint("thing", by="part")
    strict.blueprint("part", of="thing")
    strict.resources = [
        resource("/things", "thing", relations={"by": ".by"}),
        resource("/parts", "part", relations={"of": ".of"}),
    ]
    strict.records |= {
        "/things": [{"id": f"t{i}", "by": f"p{i}"} for i in range(40)] + [{"id": "x", "by": "y"}],
        "/parts": [{"id": f"p{i}", "of": f"t{i + 1}" if i < 39 else None} for i in range(40)]
        + [{"id": "y", "of": "x"}],
    }

    first, second = strict.sync(), strict.sync()

    assert whole(first, 82)
    assert whole(second, 0)
    assert relations(strict, "thing", "by") == {**{f"t{i}": f"p{i}" for i in range(40)}, "x": "y"}
    assert relations(strict, "part", "of") == {**{f"p{i}": f"t{i + 1}" for i in range(39)}, "p39": None, "y": "x"}


def test_a_chain_longer_than_the_rounds_arrives_whole(strict: Several) -> None:
    strict.blueprint("thing", boss="thing")
    strict.resources = [resource("/things", "thing", relations={"boss": ".boss"})]
    strict.records["/things"] = [{"id": f"t{i:03}", "boss": f"t{i + 1:03}" if i < 229 else None} for i in range(230)]

    assert whole(strict.sync(), 230)
    assert relations(strict, "thing", "boss")["t000"] == "t001"
    assert whole(strict.sync(), 0)


def test_a_page_of_circles_is_larger_than_what_is_looked_at_at_once(strict: Several) -> None:
    strict.blueprint("thing", boss="thing")
    strict.resources = [resource("/things", "thing", relations={"boss": ".boss"})]
    strict.records["/things"] = [{"id": f"t{i}", "boss": f"t{i ^ 1}"} for i in range(2100)]

    assert whole(strict.sync(), 2100)
    assert relations(strict, "thing", "boss") == {f"t{i}": f"t{i ^ 1}" for i in range(2100)}


def test_only_what_changed_waits_and_not_for_what_port_has(strict: Several) -> None:
    strict.blueprint("thing", boss="thing")
    strict.resources = [resource("/things", "thing", relations={"boss": ".boss"})]
    strict.records["/things"] = [{"id": "b", "boss": "a"}, {"id": "a"}]
    strict.sync()
    strict.records["/things"] = [{"id": "c", "boss": "a"}, {"id": "b", "boss": "c"}, {"id": "a"}]

    run = strict.sync()

    totals = run.report["totals"]
    assert (totals["created"], totals["updated"], totals["unchanged"], run.exit_code) == (1, 1, 1, 0)
    assert relations(strict, "thing", "boss") == {"a": None, "b": "c", "c": "a"}


def test_a_required_relation_to_what_is_not_there_is_a_rejection_that_names_it(strict: Several) -> None:
    strict.blueprint("part", required=("of",), of="thing")
    strict.resources = [resource("/parts", "part", relations={"of": ".of"}), resource("/things", "thing")]
    strict.records |= {"/things": things(0, 1), "/parts": [{"id": "p", "of": "nowhere"}, {"id": "q", "of": "t0"}]}

    run = strict.sync()

    (problem,) = run.report["problems"]
    assert (run.exit_code, problem["identifier"], problem["code"]) == (1, "p", "port-rejected")
    assert "nowhere" in problem["message"]
    assert relations(strict, "part", "of") == {"q": "t0"}


def test_a_required_relation_in_a_circle_is_said_for_each(strict: Several) -> None:
    """Nobody can write such a circle one entity after the other."""
    strict.blueprint("thing", required=("boss",), boss="thing")
    strict.resources = [resource("/things", "thing", relations={"boss": ".boss"})]
    strict.records["/things"] = [{"id": "a", "boss": "b"}, {"id": "b", "boss": "a"}, {"id": "c", "boss": "c"}]

    run = strict.sync()

    assert (run.exit_code, run.resource["created"], run.resource["rejected"]) == (1, 1, 2)
    assert sorted(p["identifier"] for p in run.report["problems"]) == ["a", "b"]


def test_what_waits_for_a_rejected_one_is_sent_and_refused_in_its_own_name(strict: Several) -> None:
    strict.blueprint("thing", boss="thing")
    strict.resources = [resource("/things", "thing", relations={"boss": ".boss"})]
    strict.records["/things"] = [{"id": "b", "boss": "a"}, {"id": "a", "size": "no number"}]

    run = strict.sync()

    assert (run.exit_code, run.resource["rejected"]) == (1, 2)
    assert sorted(p["identifier"] for p in run.report["problems"]) == ["a", "b"]


def test_without_port_making_them_missing_targets_of_other_sources_are_rejections(strict: Several) -> None:
    strict.blueprint("part", of="thing")
    strict.resources = [resource("/parts", "part", relations={"of": ".of"})]
    strict.records["/parts"] = [{"id": "p", "of": "t0"}]

    assert strict.sync().resource["rejected"] == 1
    strict.by_hand("thing", "t0")
    assert strict.sync().resource["created"] == 1


def test_searches_are_passed_through_as_identifier_and_as_relation(strict: Several) -> None:
    strict.blueprint("part", of="thing")
    strict.by_hand("thing", "byhand", properties={"name": "the one"})
    named = {"combinator": '"and"', "rules": [{"property": '"name"', "operator": '"="', "value": ".name"}]}
    strict.resources = [
        resource("/things", "thing", identifier=named),
        resource("/parts", "part", relations={"of": named}),
    ]
    strict.records |= {
        "/things": [{"name": "the one", "size": 7}],
        "/parts": [{"id": "p", "name": "the one"}],
    }

    run = strict.sync()

    assert (run.exit_code, [r["updated"] for r in run.report["resources"]]) == (0, [1, 0])
    assert strict.port.entities("thing")["byhand"]["properties"] == {"name": "the one", "size": 7}
    assert relations(strict, "part", "of") == {"p": "byhand"}


def test_an_entity_that_a_search_found_is_not_stale(strict: Several) -> None:
    named = {"combinator": '"and"', "rules": [{"property": '"name"', "operator": '"="', "value": ".name"}]}
    strict.by_hand("thing", "byhand", properties={"name": "the one"})
    strict.resources = [resource("/things", "thing", identifier=named)]
    strict.records["/things"] = [{"name": "the one", "size": 7}]

    for every in ("never", "0", "never"):
        run = strict.sync(env={"PORTSYNC_COMPARE_EVERY": every})
        assert (run.report["deletions"], run.exit_code) == ([], 0)
    assert strict.left() == {"byhand"}


def test_an_entity_that_a_search_finds_waits_for_what_it_points_to(strict: Several) -> None:
    strict.blueprint("part")
    strict.blueprint("thing", by="part")
    strict.blueprint("part", of="thing")
    strict.by_hand("thing", "byhand", properties={"name": "the one"})
    named = {"combinator": '"and"', "rules": [{"property": '"name"', "operator": '"="', "value": '"the one"'}]}
    strict.resources = [
        resource("/parts", "part", relations={"of": ".of"}),
        resource("/things", "thing", identifier=named, relations={"by": '"p"'}),
    ]
    strict.records |= {"/things": [{"size": 7}], "/parts": [{"id": "p", "of": None}]}

    assert strict.sync().exit_code == 0
    assert relations(strict, "thing", "by") == {"byhand": "p"}


def test_a_search_that_finds_nothing_is_a_rejection(strict: Several) -> None:
    none = {"combinator": '"and"', "rules": [{"property": '"name"', "operator": '"="', "value": '"none"'}]}
    strict.resources = [resource("/things", "thing", identifier=none)]
    strict.records["/things"] = [{"size": 7}]

    run = strict.sync()

    assert (run.exit_code, run.resource["rejected"], run.codes) == (1, 1, ["port-rejected"])


@pytest.fixture
def owned(several: Several) -> Several:
    """Things with an owner and with watchers, who are users; Port has ada@acme.example and nobody else."""
    several.blueprint("thing", owner="_user", watchers=["_user"])
    several.resources = [resource("/things", "thing", relations={"owner": ".owner", "watchers": ".watchers"})]
    return several


ADA, BOB, EVE = "ada@acme.example", "bob@acme.example", "eve@acme.example"


def test_users_whom_port_does_not_have_are_left_out_and_counted(owned: Several) -> None:
    owned.records["/things"] = [
        {"id": "a", "owner": ADA, "watchers": [ADA]},
        {"id": "b", "owner": BOB, "watchers": [BOB, ADA, EVE], "size": 12345678901234567890},
        {"id": "c", "owner": None, "watchers": []},
        {"id": "d"},
    ]

    first, second = owned.sync(), owned.sync()

    assert (first.exit_code, first.resource["created"], first.resource["missing_users"]) == (0, 4, 3)
    assert (second.resource["unchanged"], second.resource["missing_users"]) == (4, 3)
    assert relations(owned, "thing", "owner") == {"a": ADA, "b": None, "c": None, "d": None}
    assert relations(owned, "thing", "watchers")["b"] == [ADA]


def test_a_user_who_is_invited_later_appears(owned: Several) -> None:
    owned.records["/things"] = [{"id": "b", "owner": BOB}]
    owned.sync()
    owned.by_hand("_user", BOB, properties={"status": "Active"})

    run = owned.sync()

    assert (run.resource["updated"], run.resource["missing_users"]) == (1, 0)
    assert relations(owned, "thing", "owner") == {"b": BOB}


def test_missing_users_may_be_failures(owned: Several) -> None:
    owned.switches["missing_users"] = "fail"
    owned.records["/things"] = [{"id": "a", "owner": ADA}, {"id": "b", "watchers": [ADA, BOB]}]

    run = owned.sync()

    assert (run.exit_code, run.resource["created"], run.resource["failures"]) == (1, 1, 1)
    assert (run.codes, run.report["problems"][0]["identifier"]) == (["missing-user"], "b")
    assert BOB in run.report["problems"][0]["message"]
    assert run.resource["records"] == run.resource["entities"] + run.resource["failures"]
    assert owned.left() == {"a"}


@pytest.mark.parametrize("missing_users", ["null", "fail"])
def test_a_required_user_who_is_missing_is_a_failure(several: Several, missing_users: str) -> None:
    several.blueprint("thing", required=("owner",), owner="_user")
    several.switches["missing_users"] = missing_users
    several.resources = [resource("/things", "thing", relations={"owner": ".owner"})]
    several.records["/things"] = [{"id": "a", "owner": ADA}, {"id": "b", "owner": BOB}]

    run = several.sync()

    assert (run.exit_code, run.resource["created"], run.resource["failures"]) == (1, 1, 1)
    assert "requires the relation" in run.report["problems"][0]["message"]
    assert several.left() == {"a"}


def test_a_failed_user_keeps_what_is_gone(several: Several) -> None:
    """Its blueprint's entities are not whole, so nothing of it is deleted."""
    several.blueprint("thing", required=("owner",), owner="_user")
    several.resources = [resource("/things", "thing", relations={"owner": ".owner"})]
    several.records["/things"] = [{"id": name, "owner": ADA} for name in "abcdef"]
    several.sync()
    several.records["/things"] = [{"id": name, "owner": ADA if name != "b" else BOB} for name in "bcdef"]

    run = several.sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 2, "deleted": 0, "refused": "rejected"}]
    assert several.left() == set("abcdef")


def test_teams_are_looked_up_like_users(several: Several) -> None:
    several.blueprint("thing", team_of="_team")
    several.by_hand("_team", "red")
    several.resources = [resource("/things", "thing", relations={"team_of": ".team"})]
    several.records["/things"] = [{"id": "a", "team": "red"}, {"id": "b", "team": "blue"}]

    run = several.sync()

    assert (run.exit_code, run.resource["missing_users"]) == (0, 1)
    assert relations(several, "thing", "team_of") == {"a": "red", "b": None}


def test_numbers_keep_their_digits_where_a_user_is_left_out(owned: Several) -> None:
    owned.resources = [resource("/things", "thing", properties={"size": ".size"}, relations={"owner": ".owner"})]
    owned.records["/things"] = [{"id": "a", "owner": BOB, "size": 12345678901234567890}]

    assert owned.sync().resource["missing_users"] == 1
    assert owned.port.entities("thing")["a"]["properties"]["size"] == 12345678901234567890
