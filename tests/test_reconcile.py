"""The deletion rule: what is gone from the source is deleted, and never anything else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from portsync.port.holdings import Relation
from portsync.reconcile import BlueprintRun, DeletionRule, Refused, dependents_first, refusal
from tests.several import resource, things

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run
    from tests.several import Several


def run_of(**facts: Any) -> BlueprintRun:
    return BlueprintRun(**{"blueprint": "b", "is_complete": True, "faults": 0, "given": 10, "created": 0, **facts})


def rule_of(**said: Any) -> DeletionRule:
    return DeletionRule(**{"threshold": 0.3, **said})


@pytest.mark.parametrize(
    ("facts", "stale", "said", "expected"),
    [
        ({}, 1, {}, None),
        ({"given": 7}, 3, {}, None),
        ({"given": 6}, 4, {}, Refused.THRESHOLD),
        ({"given": 69}, 31, {}, Refused.THRESHOLD),
        ({"given": 9}, 1, {"threshold": 0.1}, None),
        ({"given": 3}, 7, {"threshold": 0.7}, None),
        ({"given": 10**6}, 1, {"threshold": 0}, Refused.THRESHOLD),
        ({"given": 1}, 10**6, {"threshold": 1}, None),
        ({"given": 107, "created": 100}, 3, {}, None),
        ({"given": 106, "created": 100}, 4, {}, Refused.THRESHOLD),
        ({"given": 5, "created": 5}, 1, {"threshold": 0.99}, Refused.THRESHOLD),
        ({"is_complete": False}, 1, {"threshold": 1}, Refused.INCOMPLETE),
        ({"faults": 1}, 1, {"threshold": 1}, Refused.REJECTED),
        ({"given": 0}, 1, {"threshold": 1}, Refused.EMPTY),
        ({"given": 0}, 1, {"threshold": 1, "allows_empty": True}, None),
        ({"given": 0}, 1, {"threshold": 0.99, "allows_empty": True}, Refused.THRESHOLD),
        ({"given": 0, "is_complete": False}, 1, {"threshold": 1, "allows_empty": True}, Refused.INCOMPLETE),
        ({"given": 0, "faults": 1}, 1, {"threshold": 1, "allows_empty": True}, Refused.REJECTED),
        ({"given": 0, "is_complete": False, "faults": 1}, 1, {"is_off": True}, Refused.NO_DELETE),
        ({}, 1, {"is_off": True, "threshold": 1}, Refused.NO_DELETE),
    ],
    ids=str,
)
def test_the_rule_says_why_nothing_is_deleted(
    facts: dict[str, Any], stale: int, said: dict[str, Any], expected: Refused | None
) -> None:
    assert refusal(run_of(**facts), stale, rule_of(**said)) is expected


@pytest.mark.parametrize(
    ("pointing", "expected"),
    [
        ({}, "abc"),
        ({"a": "b", "b": "c"}, "abc"),
        ({"c": "b", "b": "a"}, "cba"),
        ({"b": "a"}, "bac"),
        ({"a": "a", "c": "a"}, "cab"),
        ({"b": "elsewhere"}, "abc"),
    ],
    ids=str,
)
def test_blueprints_come_before_those_that_they_point_to(pointing: dict[str, str], expected: str) -> None:
    relations = {name: {"r": Relation(target, is_required=False)} for name, target in pointing.items()}

    assert dependents_first("abc", relations) == list(expected)


def test_blueprints_that_point_to_each_other_all_have_a_place() -> None:
    relations = {a: {"r": Relation(b, is_required=False)} for a, b in ("ab", "bc", "ca")}

    assert sorted(dependents_first("abc", relations)) == ["a", "b", "c"]


Expected = tuple[str, int, int, str | None]
"""Of one blueprint: how many were stale, how many were deleted, and why not all."""


@dataclass(frozen=True)
class Row:
    """A second run over a source that has changed since the first, which gave ten things."""

    name: str
    change: Callable[[Several], None]
    deletions: list[Expected]
    gone: set[str] = field(default_factory=set)
    exit_code: int = 0
    options: tuple[str, ...] = ()
    begin: Callable[[Several], None] = lambda _: None
    """What is different before the first run already."""


def give(*records: dict[str, Any], path: str = "/things") -> Callable[[Several], None]:
    def change(several: Several) -> None:
        several.records[path] = list(records)

    return change


def answer(status: int, path: str = "/things") -> Callable[[Several], None]:
    def change(several: Several) -> None:
        several.records[path] = Response("{}", status)

    return change


def both(*changes: Callable[[Several], None]) -> Callable[[Several], None]:
    def change(several: Several) -> None:
        for one in changes:
            one(several)

    return change


def second_resource(blueprint: str = "thing", **parts: Any) -> Callable[[Several], None]:
    """Another resource, which gives the things m0 and m1."""

    def begin(several: Several) -> None:
        several.define("other")
        several.resources.append(resource("/more", blueprint, **parts))
        several.records["/more"] = [{"id": "m0", "size": 0}, {"id": "m1", "size": 1}]

    return begin


def select(index: int = 0, **selector: Any) -> Callable[[Several], None]:
    def change(several: Several) -> None:
        several.resources[index]["selector"] |= selector

    return change


def switch(**switches: Any) -> Callable[[Several], None]:
    def change(several: Several) -> None:
        several.switches |= switches

    return change


def by_hand(blueprint: str, identifier: str, **parts: Any) -> Callable[[Several], None]:
    def change(several: Several) -> None:
        several.by_hand(blueprint, identifier, **parts)

    return change


COMPUTED = '.kind // "other"'
TWO_GONE = give(*things(2, 10))
BAD = {"id": "t5", "size": "a word, where a number is due"}

ROWS = [
    Row("nothing is gone", give(*things(0, 10)), []),
    Row("two are gone", TWO_GONE, [("thing", 2, 2, None)], {"t0", "t1"}),
    Row("three are gone, as many as the threshold allows", give(*things(3, 10)), [("thing", 3, 3, None)],
        {"t0", "t1", "t2"}),
    Row("four are gone", give(*things(4, 10)), [("thing", 4, 0, "threshold")], exit_code=1),
    Row("four are gone, and twenty are new", give(*things(4, 30)), [("thing", 4, 0, "threshold")], exit_code=1),
    Row("the threshold of the file", both(give(*things(4, 10)), switch(entityDeletionThreshold=0.4)),
        [("thing", 4, 4, None)], {"t0", "t1", "t2", "t3"}),
    Row("a threshold of nothing", both(give(*things(1, 10)), switch(entityDeletionThreshold=0)),
        [("thing", 1, 0, "threshold")], exit_code=1),
    Row("a threshold of everything", both(give(*things(9, 10)), switch(entityDeletionThreshold=1)),
        [("thing", 9, 9, None)], {f"t{i}" for i in range(9)}),
    Row("--max-delete above the file's", give(*things(5, 10)), [("thing", 5, 5, None)], {f"t{i}" for i in range(5)},
        options=("--max-delete", "0.5")),
    Row("--max-delete below the file's", TWO_GONE, [("thing", 2, 0, "threshold")], exit_code=1,
        options=("--max-delete", "0.1")),
    Row("--no-delete", TWO_GONE, [("thing", 2, 0, "no-delete")], options=("--no-delete",)),
    Row("nothing comes", give(), [("thing", 10, 0, "empty")], exit_code=1),
    Row("nothing comes, whatever the threshold", give(), [("thing", 10, 0, "empty")], exit_code=1,
        options=("--max-delete", "1")),
    Row("nothing comes, which is allowed, but not all may go", give(), [("thing", 10, 0, "threshold")], exit_code=1,
        options=("--allow-empty",)),
    Row("nothing comes, and all may go", give(), [("thing", 10, 10, None)], {f"t{i}" for i in range(10)},
        options=("--allow-empty", "--max-delete", "1")),
    Row("a page that is no list of records", answer(200), [("thing", 10, 0, "incomplete")], exit_code=1,
        options=("--allow-empty", "--max-delete", "1")),
    Row("a source that fails", answer(500), [("thing", 10, 0, "incomplete")], exit_code=1,
        options=("--allow-empty", "--max-delete", "1")),
    Row("a source that refuses us", answer(401), [("thing", 10, 0, "incomplete")], exit_code=3,
        options=("--allow-empty", "--max-delete", "1")),
    Row("a resource that is skipped", both(answer(404), select(on_status={"404": "skip"})),
        [("thing", 10, 0, "incomplete")], exit_code=1, options=("--allow-empty", "--max-delete", "1")),
    Row("a status that means nothing there", both(answer(404), select(on_status={"404": "empty"})),
        [("thing", 10, 0, "empty")], exit_code=1, options=("--max-delete", "1")),
    Row("one of two resources fails", both(TWO_GONE, answer(500, "/more")), [("thing", 4, 0, "incomplete")],
        exit_code=1, options=("--max-delete", "1"), begin=second_resource()),
    Row("another blueprint's resource fails", both(TWO_GONE, answer(500, "/more")),
        [("thing", 2, 2, None), ("other", 2, 0, "incomplete")], {"t0", "t1"}, exit_code=1,
        begin=second_resource("other")),
    Row("a resource that can give any blueprint fails", both(TWO_GONE, answer(500, "/more")),
        [("thing", 2, 0, "incomplete"), ("other", 2, 0, "incomplete")], exit_code=1, options=("--max-delete", "1"),
        begin=second_resource(COMPUTED)),
    Row("a resource that can give any blueprint is whole", TWO_GONE, [("thing", 2, 2, None)], {"t0", "t1"},
        begin=second_resource(COMPUTED)),
    Row("--kind leaves out one of two resources", TWO_GONE, [], begin=second_resource(),
        options=("--kind", "/things")),
    Row("--kind leaves out a resource that can give any blueprint", TWO_GONE, [], begin=second_resource(COMPUTED),
        options=("--kind", "/things")),
    Row("--kind asks for all resources of a blueprint", TWO_GONE, [("thing", 2, 2, None)], {"t0", "t1"},
        begin=second_resource("other"), options=("--kind", "/things")),
    Row("history is kept", both(TWO_GONE, select(delete_stale=False)), []),
    Row("one of two resources keeps history", both(TWO_GONE, select(1, delete_stale=False)), [],
        begin=second_resource()),
    Row("another blueprint's history is kept", both(TWO_GONE, select(1, delete_stale=False), give(path="/more")),
        [("thing", 2, 2, None)], {"t0", "t1"}, begin=second_resource("other")),
    Row("Port rejects one", give(*things(2, 5), BAD, *things(6, 10)), [("thing", 2, 0, "rejected")], exit_code=1),
    Row("a record has no identifier", give(*things(2, 10), {"id": None}), [("thing", 2, 0, "rejected")], exit_code=1),
    Row("a record of the other resource has no identifier", both(TWO_GONE, give({"id": None}, path="/more")),
        [("thing", 4, 0, "rejected")], exit_code=1, options=("--max-delete", "1"), begin=second_resource()),
    Row("a record of another blueprint has no identifier", both(TWO_GONE, give({"id": None}, path="/more")),
        [("thing", 2, 2, None), ("other", 2, 0, "rejected")], {"t0", "t1"}, exit_code=1,
        begin=second_resource("other")),
    Row("Port rejects one of another blueprint", both(TWO_GONE, give({"id": "m0", "size": "x"}, path="/more")),
        [("thing", 2, 2, None), ("other", 1, 0, "rejected")], {"t0", "t1"}, exit_code=1,
        begin=second_resource("other")),
    Row("somebody else wrote one over", both(by_hand("thing", "t0"), TWO_GONE), [("thing", 1, 1, None)], {"t1"}),
    Row("somebody else's, all along", TWO_GONE, [("thing", 2, 2, None)], {"t0", "t1"},
        begin=by_hand("thing", "theirs")),
    Row("one of them was deleted by hand", both(TWO_GONE, lambda s: s.delete_by_hand("thing", "t1")),
        [("thing", 1, 1, None)], {"t0", "t1"}),
    Row("one moved to the other resource", both(TWO_GONE, give({"id": "t0"}, {"id": "m0"}, {"id": "m1"}, path="/more")),
        [("thing", 1, 1, None)], {"t1"}, begin=second_resource()),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("is_compared", [False, True], ids=["by the state", "by Port"])
def test_a_second_run_deletes_what_the_rule_allows(row: Row, several: Several, *, is_compared: bool) -> None:
    several.records["/things"] = things(0, 10)
    row.begin(several)
    assert several.sync().exit_code == 0
    before = several.left()
    row.change(several)

    run = several.sync(*row.options, env={"PORTSYNC_COMPARE_EVERY": "0" if is_compared else "never"})

    found = {d["blueprint"]: (d["stale"], d["deleted"], d["refused"]) for d in run.report["deletions"]}
    assert found == {blueprint: tuple(rest) for blueprint, *rest in row.deletions}
    assert before - several.left() == row.gone
    assert run.exit_code == row.exit_code
    assert run.report["totals"]["deleted"] == sum(deleted for _, _, deleted, _ in row.deletions)


def tree(**parents: str | None) -> list[dict[str, Any]]:
    """Records of things, each with the thing that it belongs to."""
    return [{"id": name, "size": 0, "of": parent} for name, parent in parents.items()]


@pytest.fixture
def family(several: Several) -> Several:
    """Things that point to things (`of`) and to parts (`by`), parts that point to things; all may be deleted."""
    several.blueprint("part")
    several.blueprint("thing", of="thing", by="part")
    several.blueprint("part", of="thing")
    several.resources = [
        resource("/things", "thing", relations={"of": ".of", "by": ".by"}),
        resource("/parts", "part", relations={"of": ".of"}),
    ]
    several.switches |= {"entityDeletionThreshold": 1}
    several.records |= {"/things": [{"id": "stays"}], "/parts": [{"id": "stays"}]}
    return several


@dataclass(frozen=True)
class Kin:
    """Entities that were there in the first run, besides one of each blueprint that stays, and then no longer."""

    name: str
    things: list[dict[str, Any]]
    parts: list[dict[str, Any]] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    """Those of them that are kept, because others depend on them."""


KIN = [
    Kin("a child that sorts before its parent", tree(a="b", b=None)),
    Kin("a child that sorts after its parent", tree(a=None, b="a")),
    Kin("a long chain, the last one first", tree(**{f"t{i:02}": f"t{i + 1:02}" for i in range(30)}, t30=None)),
    Kin("a long chain, the first one first", tree(t00=None, **{f"t{i + 1:02}": f"t{i:02}" for i in range(30)})),
    Kin("parts of things", tree(a=None), [{"id": f"p{i}", "of": "a"} for i in range(150)]),
    Kin("things by parts", [{"id": "a", "by": "p"}], [{"id": "p"}]),
    Kin("a chain to and fro between two blueprints",
        [{"id": "t1", "by": "p1"}, {"id": "t2", "by": "p2"}, {"id": "t3", "by": "p3"}, {"id": "t4"}],
        [{"id": "p1", "of": "t2"}, {"id": "p2", "of": "t3"}, {"id": "p3", "of": "t4"}]),
    Kin("one that points to itself", tree(a="a")),
    Kin("two that point to each other", tree(a="b", b="a"), kept=("a", "b")),
    Kin("two of two blueprints that point to each other", [{"id": "a", "by": "p"}], [{"id": "p", "of": "a"}],
        kept=("a", "p")),
    Kin("a circle, and what hangs on it", tree(a="b", b="a", c="a", d="c"), kept=("a", "b")),
    Kin("what a circle hangs on", [{"id": "a", "of": "b", "by": "p"}, {"id": "b", "of": "a"}], [{"id": "p"}],
        kept=("a", "b", "p")),
]  # fmt: skip


@pytest.mark.parametrize("kin", KIN, ids=lambda kin: kin.name)
def test_dependents_that_are_stale_themselves_are_deleted_first(kin: Kin, family: Several) -> None:
    family.records["/things"] += kin.things
    family.records["/parts"] += kin.parts
    assert family.sync().report["totals"]["created"] == len(kin.things) + len(kin.parts) + 2
    stale = {name: family.left(name) - {"stays"} for name in ("thing", "part") if family.left(name) != {"stays"}}
    family.records |= {"/things": [{"id": "stays"}], "/parts": [{"id": "stays"}]}

    run = family.sync()

    left = {name: family.left(name) - {"stays"} for name in ("thing", "part")}
    assert sorted(left["thing"] | left["part"]) == sorted(kin.kept)
    assert {d["blueprint"]: (d["stale"], d["deleted"]) for d in run.report["deletions"]} == {
        name: (len(some), len(some - left[name])) for name, some in stale.items()
    }
    refused = {d["blueprint"]: d["refused"] for d in run.report["deletions"]}
    assert refused == {name: "dependents" if left[name] else None for name in stale}
    assert sorted(p["identifier"] for p in run.report["problems"] if p["code"] == "dependents") == sorted(kin.kept)
    assert run.exit_code == (1 if kin.kept else 0)


def test_what_others_depend_on_is_kept_and_named_and_the_rest_deleted(family: Several) -> None:
    family.records["/things"] = [{"id": f"t{i:03}"} for i in range(250)]
    family.sync()
    family.by_hand("part", "theirs", relations={"of": "t123"})
    family.records["/things"] = [{"id": "t000"}]

    run = family.sync()
    again = family.sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 249, "deleted": 248, "refused": "dependents"}]
    assert again.report["deletions"] == [{"blueprint": "thing", "stale": 1, "deleted": 0, "refused": "dependents"}]
    assert family.left() == {"t000", "t123"}
    assert (run.exit_code, [p["identifier"] for p in run.report["problems"]]) == (1, ["t123"])
    family.delete_by_hand("part", "theirs")
    assert family.sync().exit_code == 0
    assert family.left() == {"t000"}


def test_delete_dependent_entities_deletes_them_along(family: Several) -> None:
    family.records["/things"] = [{"id": f"t{i}"} for i in range(5)]
    family.sync()
    family.by_hand("part", "theirs", relations={"of": "t3"})
    family.records["/things"] = [{"id": "t0"}]
    family.switches["deleteDependentEntities"] = True

    run = family.sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 4, "deleted": 4, "refused": None}]
    assert run.exit_code == 0
    assert (family.left(), family.left("part")) == ({"t0"}, {"stays"})


def test_delete_dependent_entities_counts_a_stale_one_that_went_along(family: Several) -> None:
    family.records["/things"] += tree(a="b", b="a", c="a")
    family.sync()
    family.records["/things"] = [{"id": "stays"}]
    family.switches["deleteDependentEntities"] = True

    run = family.sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 3, "deleted": 3, "refused": None}]
    assert family.left() == {"stays"}


def test_what_an_entity_of_the_run_points_to_is_not_stale(family: Several) -> None:
    """Port made it on our behalf, or keeps it for us: deleting it would break the relation that was just written."""
    family.records["/parts"] = [{"id": "p", "of": "made"}]
    family.sync()
    assert family.left() == {"stays", "made"}

    run = family.sync(env={"PORTSYNC_COMPARE_EVERY": "0"})

    assert (run.report["deletions"], run.exit_code) == ([], 0)
    assert family.left() == {"stays", "made"}


def test_what_port_made_for_a_relation_goes_when_nothing_points_to_it_any_more(family: Several) -> None:
    family.records["/parts"] = [{"id": "p", "of": "made"}]
    family.sync()
    family.records["/parts"] = [{"id": "p", "of": None}]

    run = family.sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 1, "deleted": 1, "refused": None}]
    assert family.left() == {"stays"}


DELETE = "/v1/blueprints/thing/bulk/entities/delete"


def test_a_port_that_does_not_delete_is_said(several: Several) -> None:
    several.records["/things"] = things(0, 10)
    several.sync()
    several.records["/things"] = things(2, 10)
    several.port.script({"path": DELETE, "status": 500, "times": None})

    run = several.sync()
    several.port.script()
    again = several.sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 2, "deleted": 0, "refused": "port"}]
    assert (run.exit_code, run.codes) == (1, ["deletion-failed"])
    assert again.report["deletions"] == [{"blueprint": "thing", "stale": 2, "deleted": 2, "refused": None}]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_deletion_whose_answer_is_lost_is_counted_all_the_same(several: Several, when: str) -> None:
    several.records["/things"] = things(0, 10)
    several.sync()
    several.records["/things"] = things(2, 10)
    several.port.script({"path": DELETE, "cut": when})

    run = several.sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 2, "deleted": 2, "refused": None}]
    assert (run.exit_code, several.left()) == (0, {f"t{i}" for i in range(2, 10)})


def test_an_answer_that_is_not_ports_is_not_taken_for_a_deletion(several: Several) -> None:
    several.records["/things"] = things(0, 10)
    several.sync()
    several.records["/things"] = things(2, 10)
    several.port.script({"path": DELETE, "body": "<p>a proxy</p>", "times": None})

    run = several.sync()

    several.port.script()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 2, "deleted": 0, "refused": "port"}]
    assert (run.exit_code, several.left()) == (1, {f"t{i}" for i in range(10)})
    assert several.sync().report["deletions"] == [{"blueprint": "thing", "stale": 2, "deleted": 2, "refused": None}]


def two_mappings(several: Several, *, blueprints: tuple[str, str], env: dict[str, str], **records: Any) -> Run:
    """Two mapping files in one command."""
    several.records |= {f"/{name}": some for name, some in records.items()}
    paths = []
    for name, blueprint in zip(("one", "two"), blueprints, strict=True):
        path = several.folder / f"{name}.yaml"
        path.write_text(several.mapping([resource(f"/{name}", blueprint)]))
        paths.append(str(path))
    return several.portsync("sync", None, *paths, env={**several.env, **env})


@pytest.mark.parametrize(
    ("blueprints", "env", "expected"),
    [
        (("thing", "other"), {}, [[("thing", 2, 2, None)], [("other", 1, 1, None)]]),
        (("thing", "thing"), {}, [[("thing", 2, 2, None)], [("thing", 1, 1, None)]]),
        (("thing", "other"), {"PORTSYNC_IDENTIFIER": "me"}, [[("thing", 2, 2, None)], [("other", 1, 1, None)]]),
        (("thing", "thing"), {"PORTSYNC_IDENTIFIER": "me"},
         [[("thing", 2, 0, "incomplete")], [("thing", 11, 0, "incomplete")]]),
    ],
    ids=["two blueprints", "one blueprint, of each its own", "two blueprints, one name", "one blueprint, one name"],
)  # fmt: skip
def test_two_mappings_delete_only_what_is_theirs_alone(
    several: Several, blueprints: tuple[str, str], env: dict[str, str], expected: list[list[Expected]]
) -> None:
    several.define("other")
    second = [{"id": f"m{i}"} for i in range(10)]
    two_mappings(several, blueprints=blueprints, env=env, one=things(0, 10), two=second)
    run = two_mappings(several, blueprints=blueprints, env=env, one=things(2, 10), two=second[1:])

    assert [
        [(d["blueprint"], d["stale"], d["deleted"], d["refused"]) for d in one["deletions"]]
        for one in run.report["runs"]
    ] == expected
    gone = {"t0", "t1", "m0"} if "incomplete" not in str(expected) else set()
    assert several.left() | several.left("other") == {f"{a}{i}" for a in "tm" for i in range(10)} - gone


def test_a_mapping_does_not_miss_what_another_one_of_its_name_gave_in_a_run_of_its_own(several: Several) -> None:
    several.define("other")
    several.env["PORTSYNC_IDENTIFIER"] = "me"
    several.records |= {"/things": things(0, 10), "/others": [{"id": f"o{i}"} for i in range(10)]}
    one, other = several.mapping([resource("/things", "thing")]), several.mapping([resource("/others", "other")])
    for every in ("never", "0"):
        for text in (one, other, one):
            run = several.portsync("sync", text, env={**several.env, "PORTSYNC_COMPARE_EVERY": every})
            assert (run.exit_code, run.report["deletions"]) == (0, [])

    assert (len(several.left()), len(several.left("other"))) == (10, 10)
