"""A plan says beforehand what the sync after it does, and writes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from tests.conftest import NOW
from tests.several import DAY_S, resource, things

if TYPE_CHECKING:
    from tests.several import Several

Act = Callable[["Several"], None]


@dataclass(frozen=True)
class Situation:
    """What was before a plan, and what it has to say: created, updated, unchanged and deleted entities."""

    name: str
    expected: tuple[int, int, int, int]
    change: Act
    """What happens between the first run and the plan."""
    begin: Act = lambda _: None
    """What is different before the first run already."""
    is_first: bool = False
    """Whether there is no run before the plan."""
    options: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    at: float = NOW
    exit_code: int = 0
    goes_along: frozenset[str] = frozenset()
    """Parts of somebody else's that Port deletes with what they depend on, without a word."""


def give(*records: dict[str, Any], path: str = "/things") -> Act:
    def change(several: Several) -> None:
        several.records[path] = list(records)

    return change


def all_of(*acts: Act) -> Act:
    def change(several: Several) -> None:
        for act in acts:
            act(several)

    return change


def nothing(_: Several) -> None:
    return


def state_is_lost(several: Several) -> None:
    for path in (several.folder / "state-home").rglob("*.db*"):
        path.unlink()


def by_hand(blueprint: str, identifier: str, **parts: Any) -> Act:
    def change(several: Several) -> None:
        several.by_hand(blueprint, identifier, **parts)

    return change


def deleted_by_hand(*identifiers: str) -> Act:
    def change(several: Several) -> None:
        for identifier in identifiers:
            several.delete_by_hand("thing", identifier)

    return change


def switch(**switches: Any) -> Act:
    def change(several: Several) -> None:
        several.switches |= switches

    return change


def selector(**parts: Any) -> Act:
    def change(several: Several) -> None:
        several.resources[0]["selector"] |= parts

    return change


def two_resources(several: Several) -> None:
    """Both give t0; the second one its name as well."""
    several.resources = [
        resource("/things", "thing"),
        resource("/names", "thing", properties={"name": ".name"}),
    ]
    several.records["/names"] = [{"id": "t0", "name": "zero"}, {"id": "n1", "name": "one"}]


def bosses(several: Several) -> None:
    several.blueprint("thing", boss="thing")
    several.resources = [resource("/things", "thing", relations={"boss": ".boss"})]
    several.switches["createMissingRelatedEntities"] = False
    several.records["/things"] = [
        {"id": "a", "boss": "b"},
        {"id": "b", "boss": "a"},
        {"id": "c", "boss": "d"},
        {"id": "d", "boss": None},
        {"id": "e", "boss": "e"},
    ]


def owners(several: Several) -> None:
    several.blueprint("thing", owner="_user")
    several.resources = [resource("/things", "thing", relations={"owner": ".owner"})]
    several.records["/things"] = [{"id": "a", "owner": "ada@acme.example"}, {"id": "b", "owner": "bob@acme.example"}]


def parts(several: Several) -> None:
    several.blueprint("part", of="thing")
    several.resources.append(resource("/parts", "part", relations={"of": ".of"}))
    several.records["/parts"] = [{"id": f"p{i}", "of": f"t{i}"} for i in range(10)]
    several.switches["entityDeletionThreshold"] = 1


def found_by_search(several: Several) -> None:
    several.by_hand("thing", "byhand", properties={"name": "the one"})
    named = {"combinator": '"and"', "rules": [{"property": '"name"', "operator": '"="', "value": ".name"}]}
    several.resources.append(resource("/found", "thing", identifier=named))
    several.records["/found"] = [{"name": "the one", "size": 1}]


CHANGED = [*things(0, 9), {"id": "t9", "size": -1}]
LATER = NOW + DAY_S + 1

SITUATIONS = [
    Situation("the first run", (10, 0, 0, 0), nothing, is_first=True),
    Situation("the first run over entities of others", (8, 1, 1, 0), nothing, is_first=True,
        begin=all_of(by_hand("thing", "t0", properties={"size": 0}), by_hand("thing", "t1", properties={"size": 5}))),
    Situation("nothing changed", (0, 0, 10, 0), nothing),
    Situation("one changed", (0, 1, 9, 0), give(*CHANGED)),
    Situation("one is new", (1, 0, 10, 0), give(*things(0, 11))),
    Situation("two are gone", (0, 0, 8, 2), give(*things(2, 10))),
    Situation("too many are gone", (0, 0, 4, 0), give(*things(6, 10)), refused={"thing": "threshold"}, exit_code=1),
    Situation("all are gone", (0, 0, 0, 0), give(), refused={"thing": "empty"}, exit_code=1),
    Situation("all may be gone", (0, 0, 0, 10), give(), options=("--allow-empty", "--max-delete", "1")),
    Situation("nothing may be deleted", (0, 0, 8, 0), give(*things(2, 10)), options=("--no-delete",),
        refused={"thing": "no-delete"}),
    Situation("the source fails", (0, 0, 0, 0), lambda s: s.records.update({"/things": Response("{}", 500)}),
        refused={"thing": "incomplete"}, exit_code=1),
    Situation("a record fails", (0, 0, 9, 0), give(*things(1, 10), {"id": None}), refused={"thing": "rejected"},
        exit_code=1),
    Situation("the state is lost", (1, 1, 7, 2),
        all_of(state_is_lost, give(*things(2, 9), *CHANGED[9:], {"id": "new"}))),
    Situation("no state is kept", (1, 1, 7, 2), give(*things(2, 9), *CHANGED[9:], {"id": "new"}),
        env={"PORTSYNC_STATE": "none"}),
    Situation("edited by hand", (0, 0, 10, 0), by_hand("thing", "t3", properties={"size": 7})),
    Situation("edited by hand, a day ago", (0, 1, 9, 0), by_hand("thing", "t3", properties={"size": 7}), at=LATER),
    Situation("a property by hand that is not ours, a day ago", (0, 0, 10, 0),
        by_hand("thing", "t3", properties={"name": "x"}), at=LATER),
    Situation("the same, and what is not ours is cleared", (0, 1, 9, 0),
        by_hand("thing", "t3", properties={"name": "x"}), begin=switch(enableMergeEntity=False), at=LATER),
    Situation("deleted by hand", (2, 0, 8, 0), deleted_by_hand("t0", "t5")),
    Situation("everything deleted by hand", (10, 0, 0, 0), deleted_by_hand(*(f"t{i}" for i in range(10)))),
    Situation("everything is sent", (0, 10, 0, 0), nothing, options=("--full",)),
    Situation("everything is sent, and two are gone", (0, 8, 0, 2), give(*things(2, 10)), options=("--full",)),
    Situation("two resources, nothing changed", (0, 0, 12, 0), nothing, begin=two_resources),
    Situation("two resources, for the first time", (11, 1, 0, 0), nothing, begin=two_resources, is_first=True),
    Situation("two resources, the earlier one changed", (0, 2, 10, 0), give({"id": "t0", "size": 5}, *things(1, 10)),
        begin=two_resources),
    Situation("two resources, the later one changed", (0, 1, 11, 0),
        give({"id": "t0", "name": "null"}, {"id": "n1", "name": "one"}, path="/names"), begin=two_resources),
    Situation("two resources, compared", (0, 0, 12, 0), nothing, begin=two_resources, at=LATER),
    Situation("conflicts, of which the last one counts", (9, 1, 0, 0), give(*CHANGED[:9], {"id": "t8", "size": -1}),
        begin=selector(on_conflict="last"), is_first=True),
    Situation("conflicts again", (0, 0, 11, 1), give(*things(0, 9), {"id": "t8", "size": 8.5}, {"id": "t8", "size": 8}),
        begin=selector(on_conflict="last")),
    Situation("conflicts over pages", (2, 1, 0, 0), nothing, is_first=True,
        begin=all_of(selector(on_conflict="last", pagination={"type": "page"}),
            lambda s: paged(s, [{"id": "a", "size": 1}, {"id": "b", "size": 1}], [{"id": "a", "size": 2}]))),
    Situation("relations among themselves", (5, 0, 0, 0), nothing, begin=bosses, is_first=True),
    Situation("relations among themselves, unchanged", (0, 0, 5, 0), nothing, begin=bosses),
    Situation("relations among themselves, compared", (0, 0, 5, 0), nothing, begin=bosses, at=LATER),
    Situation("without merge", (0, 1, 9, 0), give(*CHANGED), begin=switch(enableMergeEntity=False)),
    Situation("merge switched off", (0, 1, 9, 0), switch(enableMergeEntity=False),
        begin=by_hand("thing", "t0", properties={"name": "x"})),
    Situation("parts and what they are of are gone", (0, 0, 14, 6),
        all_of(give(*things(3, 10)), give(*({"id": f"p{i}", "of": f"t{i}"} for i in range(3, 10)), path="/parts")),
        begin=parts),
    Situation("what parts are of is gone, and they moved", (0, 3, 14, 3),
        all_of(give(*things(3, 10)), give(*({"id": f"p{i}", "of": f"t{max(i, 3)}"} for i in range(10)), path="/parts")),
        begin=parts),
    Situation("somebody else's parts depend on one", (0, 0, 18, 1),
        all_of(give(*things(2, 10)), give(*({"id": f"p{i}"} for i in range(10)), path="/parts"),
            by_hand("part", "theirs", relations={"of": "t1"})),
        begin=all_of(parts, give(*({"id": f"p{i}"} for i in range(10)), path="/parts")),
        refused={"thing": "dependents"}, exit_code=1),
    Situation("somebody else's parts go along", (0, 0, 18, 2),
        all_of(give(*things(2, 10)), give(*({"id": f"p{i}"} for i in range(10)), path="/parts"),
            by_hand("part", "theirs", relations={"of": "t1"}), switch(deleteDependentEntities=True)),
        begin=all_of(parts, give(*({"id": f"p{i}"} for i in range(10)), path="/parts")),
        goes_along=frozenset({"theirs"})),
    Situation("a search as identifier", (10, 1, 0, 0), nothing, begin=found_by_search, is_first=True),
    Situation("a search as identifier, compared", (0, 0, 11, 0), nothing, begin=found_by_search, at=LATER),
    Situation("a user is missing", (2, 0, 0, 0), nothing, begin=owners, is_first=True),
    Situation("a user is missing, compared", (0, 0, 2, 0), nothing, begin=owners, at=LATER),
    Situation("one kind alone", (0, 1, 9, 0), give(*CHANGED), begin=two_resources, options=("--kind", "/things")),
]  # fmt: skip


def paged(several: Several, *pages: list[dict[str, Any]]) -> None:
    several.source.answer = lambda asked: {
        "data": dict(enumerate(pages, start=1)).get(int(dict(asked.query)["page"]), []),
    }


def numbers(report: dict[str, Any]) -> tuple[tuple[int, int, int, int], dict[str, str]]:
    totals = report["totals"]
    counts = totals["created"], totals["updated"], totals["unchanged"], totals["deleted"]
    return counts, {d["blueprint"]: d["refused"] for d in report["deletions"] if d["refused"]}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_a_plan_says_what_the_sync_does(situation: Situation, several: Several) -> None:
    several.records["/things"] = things(0, 10)
    situation.begin(several)
    if not situation.is_first:
        assert several.sync(env=situation.env).exit_code == 0
    situation.change(several)
    state, catalog = state_of(several), catalog_of(several)
    several.port.script()

    first = several.plan(*situation.options, "--format", "json", env=situation.env, at=situation.at)
    asked = several.port.requests()
    second = several.plan(*situation.options, "--format", "json", env=situation.env, at=situation.at)
    planned = json.loads(first.out)

    assert [(r["method"], r["path"]) for r in asked if writes(r)] == []
    assert (state_of(several), catalog_of(several)) == (state, catalog)
    assert json.loads(second.out)["blueprints"] == planned["blueprints"]
    run = several.sync(*situation.options, env=situation.env, at=situation.at)
    assert numbers(planned["report"]) == numbers(run.report)
    assert numbers(run.report) == (situation.expected, situation.refused)
    assert (first.exit_code, run.exit_code) == (situation.exit_code, situation.exit_code)
    after = catalog_of(several)
    expected = planned_catalog(catalog, planned["changes"])
    assert expected == {name: {*after[name], *(situation.goes_along if name == "part" else ())} for name in after}


def writes(request: dict[str, Any]) -> bool:
    """Whether the request may have changed something in Port."""
    path = request["path"]
    return request["method"] != "GET" and not path.endswith(("/search", "/auth/access_token"))


def state_of(several: Several) -> Any:
    """All that the state says; one that says nothing yet is as good as none."""

    found = {}
    for path in sorted((several.folder / "state-home").rglob("*.db")):
        connection = sqlite3.connect(path)
        tables = ("portsync_catalogs", "portsync_scopes", "portsync_entities")
        found[path.name] = [sorted(map(repr, connection.execute(f"SELECT * FROM {name}"))) for name in tables]
        connection.close()
    return {name: tables for name, tables in found.items() if any(tables)}


def catalog_of(several: Several) -> dict[str, dict[str, Any]]:
    """All of Port's entities of the blueprints of these tests."""
    names = [b["identifier"] for b in several.port.api("GET", "/blueprints")["blueprints"]]
    return {name: several.port.entities(name) for name in names if not name.startswith("_")}


def planned_catalog(before: dict[str, dict[str, Any]], changes: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The identifiers that Port has after a plan was carried out."""
    after = {name: set(entities) for name, entities in before.items()}
    for change in changes:
        match change["action"]:
            case "create":
                assert change["identifier"] not in after[change["blueprint"]]
                after[change["blueprint"]].add(change["identifier"])
            case "delete":
                after[change["blueprint"]].remove(change["identifier"])
    return after


def test_the_changes_name_each_property_with_its_old_and_its_new_value(several: Several) -> None:
    several.blueprint("thing", boss="thing")
    several.resources = [
        resource("/things", "thing", title=".title", properties={"size": ".size"}, relations={"boss": ".boss"})
    ]
    several.records["/things"] = [{"id": "a", "size": 1, "boss": "b", "title": "A"}, *({"id": n} for n in "bcd")]
    several.sync()
    several.records["/things"] = [{"id": "a", "size": 2.5, "boss": None, "title": "A2"}, *({"id": n} for n in "bce")]

    planned = json.loads(several.plan("--format", "json").out)

    assert (planned["version"], planned["report"]["version"]) == (1, 1)
    assert planned["blueprints"] == {"thing": {"create": 1, "update": 1, "delete": 1}}
    assert planned["changes"] == [
        {"action": "update", "blueprint": "thing", "identifier": "a", "differences": [
            {"name": "title", "old": "A", "new": "A2"},
            {"name": "properties.size", "old": 1, "new": 2.5},
            {"name": "relations.boss", "old": "b", "new": None},
        ]},
        {"action": "create", "blueprint": "thing", "identifier": "e", "differences": []},
        {"action": "delete", "blueprint": "thing", "identifier": "d", "differences": []},
    ]  # fmt: skip


def test_the_text_says_the_same(several: Several) -> None:
    several.records["/things"] = things(0, 10)
    several.sync()
    several.records["/things"] = [{"id": "t1", "size": "x" * 100}, *things(2, 11)]

    plan = several.plan()

    assert plan.out.splitlines() == [
        "thing: create 1",
        "  + t10",
        "thing: update 1",
        "  ~ t1",
        f'      properties.size: 1 -> "{"x" * 58}…',
        "thing: delete 1",
        "  - t0",
        "plan: 1 to create, 1 to update, 1 to delete, 8 unchanged",
    ]


def test_the_text_says_what_is_kept_and_why(several: Several) -> None:
    several.records["/things"] = things(0, 10)
    several.sync()
    several.records["/things"] = things(5, 10)

    plan = several.plan()

    assert plan.exit_code == 1
    assert plan.out.splitlines()[-1] == (
        "plan (partial): 0 to create, 0 to update, 0 to delete, 5 unchanged, 5 kept (thing: threshold)"
    )
    assert "deletion-refused" in plan.err


def test_the_first_twenty_are_shown_or_all(several: Several) -> None:
    several.records["/things"] = things(0, 50)

    some, every = several.plan(), several.plan("--all")

    assert sum(line.startswith("  + ") for line in some.out.splitlines()) == 20
    assert "  ... and 30 more; --all shows them" in some.out
    assert sum(line.startswith("  + ") for line in every.out.splitlines()) == 50
    assert "more" not in every.out


def test_the_detailed_exit_code_tells_changes_from_none_and_from_trouble(several: Several) -> None:
    several.records["/things"] = things(0, 10)
    changes = several.plan("--detailed-exitcode")
    several.sync()
    none = several.plan("--detailed-exitcode")
    several.records["/things"] = things(6, 12)
    refused = several.plan("--detailed-exitcode")
    several.records["/things"] = things(1, 10)
    deletes = several.plan("--detailed-exitcode")

    assert (changes.exit_code, none.exit_code, refused.exit_code, deletes.exit_code) == (10, 0, 1, 10)
    assert several.plan().exit_code == 0


def test_a_plan_of_what_port_lacks_a_blueprint_for_says_it(several: Several) -> None:
    """Which is not whole: the sync could not write it either."""
    several.resources = [resource("/things", "nowhere")]
    several.records["/things"] = things(0, 3)

    plan, run = several.plan(), several.sync()

    assert (plan.exit_code, run.exit_code) == (1, 1)
    assert "the blueprint `nowhere` is not in Port" in plan.err


def test_a_plan_counts_on_the_blueprints_that_the_sync_creates_first(several: Several) -> None:
    several.resources = [resource("/things", "new")]
    several.records["/things"] = things(0, 3)
    (several.folder / "blueprints" / "m").mkdir(parents=True)
    schema = {"properties": {"size": {"type": "number"}}}
    new = {"identifier": "new", "title": "New", "schema": schema}
    (several.folder / "blueprints" / "m" / "new.json").write_text(json.dumps(new))
    env = {"PORTSYNC_INITIALIZE_RESOURCES": "true"}

    plan, run = several.plan(env=env), several.sync(env=env)

    assert plan.out.splitlines()[-1] == "plan: 3 to create, 0 to update, 0 to delete, 0 unchanged"
    assert (plan.exit_code, run.exit_code, run.resource["created"]) == (0, 0, 3)


def test_entities_of_a_circle_are_planned_once(several: Several) -> None:
    """A sync writes them twice, first without what they point to."""
    bosses(several)

    planned = json.loads(several.plan("--format", "json").out)

    assert planned["blueprints"] == {"thing": {"create": 5, "update": 0, "delete": 0}}
    assert [change["differences"] for change in planned["changes"]] == [[]] * 5
