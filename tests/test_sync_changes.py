"""What is sent to Port, and what is not: only what changed since Port last took it."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.app import create_app
from tests.conftest import NOW, PORT_SECRET, THING
from tests.several import DAY_S, resource, things

if TYPE_CHECKING:
    from tests.conftest import Asked, Run, Stage
    from tests.several import Several


def counts(run: Run) -> tuple[int, int, int]:
    """How many were created, updated and unchanged."""
    totals = run.report["totals"]
    return totals["created"], totals["updated"], totals["unchanged"]


def sizes(several: Several, blueprint: str = "thing") -> dict[str, Any]:
    return {name: one["properties"].get("size") for name, one in several.port.entities(blueprint).items()}


@pytest.fixture
def ten(several: Several) -> Several:
    """Ten things that a first run brought into Port."""
    several.records["/things"] = things(0, 10)
    assert counts(several.sync()) == (10, 0, 0)
    several.port.script()
    return several


def test_a_second_run_sends_nothing_and_a_third_what_changed(several: Several) -> None:
    several.records["/things"] = things(0, 50)
    first = several.sync()
    several.port.script()
    second = several.sync()
    written = several.port.writes()
    several.records["/things"] = [*things(0, 49), *things(49, 50, size=-1)]
    third = several.sync()

    assert counts(first) == (50, 0, 0)
    assert (second.exit_code, counts(second), second.resource["entities"], written) == (0, (0, 0, 50), 50, [])
    assert counts(third) == (0, 1, 49)
    assert [number for _, number in several.port.writes()] == [1]


def test_what_is_gone_from_the_source_is_deleted(ten: Several) -> None:
    ten.records["/things"] = things(2, 10)
    run = ten.sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 2, "deleted": 2, "refused": None}]
    assert ten.left() == {f"t{i}" for i in range(2, 10)}


def test_full_sends_everything(ten: Several) -> None:
    ten.by_hand("thing", "t3", properties={"size": 99})
    ten.records["/things"] = things(1, 10)

    run = ten.sync("--full")

    assert counts(run) == (0, 9, 0)
    assert sum(number for _, number in ten.port.writes()) == 9
    assert run.report["totals"]["deleted"] == 1
    assert sizes(ten) == {f"t{i}": i for i in range(1, 10)}
    assert counts(ten.sync()) == (0, 0, 9)


def test_full_deletes_what_only_port_knows(ten: Several) -> None:
    """Such as what a state that was lost would have told."""
    for path in (ten.folder / "state-home").rglob("*.db*"):
        path.unlink()
    ten.records["/things"] = things(1, 10)

    run = ten.sync("--full")

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 1, "deleted": 1, "refused": None}]


def test_a_day_later_everything_is_compared_and_edits_by_hand_are_healed(ten: Several) -> None:
    ten.by_hand("thing", "t3", properties={"size": 99})
    just_before = ten.sync(at=NOW + DAY_S - 1)
    assert (counts(just_before), sizes(ten)["t3"]) == ((0, 0, 10), 99)

    run = ten.sync(at=NOW + DAY_S)

    assert (counts(run), sizes(ten)["t3"]) == ((0, 1, 9), 3)
    assert [number for _, number in ten.port.writes()] == [1]
    ten.by_hand("thing", "t3", properties={"size": 99})
    assert counts(ten.sync(at=NOW + DAY_S + 1)) == (0, 0, 10)


def test_a_comparison_deletes_what_the_state_did_not_know(ten: Several) -> None:
    for path in (ten.folder / "state-home").rglob("*.db"):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("DELETE FROM portsync_entities WHERE identifier = 't0'")
            connection.commit()
    ten.records["/things"] = things(1, 10)

    soon, later = ten.sync(), ten.sync(at=NOW + DAY_S)

    assert soon.report["deletions"] == []
    assert later.report["deletions"] == [{"blueprint": "thing", "stale": 1, "deleted": 1, "refused": None}]


def test_a_comparison_that_did_not_read_all_is_made_again(ten: Several) -> None:
    ten.resources.append(resource("/more", "thing", selector={"data_path": ".nothing"}))
    ten.by_hand("thing", "t3", properties={"size": 99})
    assert ten.sync(at=NOW + DAY_S).exit_code == 1
    ten.by_hand("thing", "t3", properties={"size": 98})

    ten.sync(at=NOW + DAY_S + 1)

    assert sizes(ten)["t3"] == 3


def test_a_comparison_of_one_kind_is_not_one_of_all(ten: Several) -> None:
    ten.define("other")
    ten.resources.append(resource("/others", "other"))
    ten.records["/others"] = [{"id": "o", "size": 1}]
    ten.sync()
    ten.by_hand("other", "o", properties={"size": 2})

    ten.sync("--kind", "/things", at=NOW + DAY_S)
    assert sizes(ten, "other") == {"o": 2}
    ten.sync(at=NOW + DAY_S)

    assert sizes(ten, "other") == {"o": 1}


@pytest.mark.parametrize(
    ("every", "after_s", "is_healed"),
    [
        ("0", 0.0, True),
        ("never", 1000 * DAY_S, False),
        ("90s", 89.0, False),
        ("90s", 90.0, True),
        ("2h", 7200.0, True),
        ("1.5d", 1.4 * DAY_S, False),
    ],
)
def test_portsync_compare_every_says_how_often(ten: Several, every: str, after_s: float, *, is_healed: bool) -> None:
    ten.by_hand("thing", "t3", properties={"size": 99})

    ten.sync(env={"PORTSYNC_COMPARE_EVERY": every}, at=NOW + after_s)

    assert (sizes(ten)["t3"] == 3) is is_healed


@pytest.mark.parametrize("identifier", ["t0", "t4", "t9"])
def test_one_that_was_deleted_by_hand_is_noticed_and_comes_back(ten: Several, identifier: str) -> None:
    ten.delete_by_hand("thing", identifier)

    run = ten.sync()

    assert counts(run) == (1, 0, 9)
    assert sizes(ten) == {f"t{i}": i for i in range(10)}
    assert [number for _, number in ten.port.writes()] == [1]


def test_samples_of_many_find_that_much_is_gone_but_not_that_one_in_the_middle_is(several: Several) -> None:
    several.records["/things"] = [{"id": f"t{i:03}", "size": i} for i in range(100)]
    several.sync()
    several.delete_by_hand("thing", "t050")

    assert counts(several.sync()) == (0, 0, 100)
    several.delete_by_hand("thing", "t001")
    assert counts(several.sync()) == (2, 0, 98)
    assert len(several.left()) == 100


def test_a_blueprint_without_trouble_is_not_compared_because_of_another(ten: Several) -> None:
    ten.define("other")
    ten.resources.append(resource("/others", "other"))
    ten.records["/others"] = [{"id": f"o{i}", "size": i} for i in range(10)]
    ten.sync()
    ten.by_hand("other", "o5", properties={"size": 99})
    ten.delete_by_hand("thing", "t5")

    run = ten.sync()

    assert counts(run) == (1, 0, 19)
    assert sizes(ten, "other")["o5"] == 99


def test_a_port_that_lost_everything_gets_everything_again(ten: Several, port_stage: tuple[Stage, str]) -> None:
    port_stage[0].app = create_app(client_id="cid", client_secret=PORT_SECRET)
    assert ten.port.api("POST", "/blueprints", THING)["ok"]

    run = ten.sync()

    assert (run.exit_code, counts(run), run.report["deletions"]) == (0, (10, 0, 0), [])
    assert sizes(ten) == {f"t{i}": i for i in range(10)}
    assert counts(ten.sync()) == (0, 0, 10)


def test_without_a_state_every_run_compares(several: Several) -> None:
    several.env["PORTSYNC_STATE"] = "none"
    several.records["/things"] = things(0, 10)
    several.sync()
    several.by_hand("thing", "t3", properties={"size": 99})
    several.by_hand("thing", "theirs")
    several.records["/things"] = things(1, 10)
    several.port.script()

    run = several.sync()

    assert counts(run) == (0, 1, 8)
    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 1, "deleted": 1, "refused": None}]
    assert several.left() == {*(f"t{i}" for i in range(1, 10)), "theirs"}
    assert not list(several.folder.rglob("*.db"))


def test_other_switches_make_it_compare(ten: Several) -> None:
    """Without merge, a property by hand is one too many."""
    ten.by_hand("thing", "t3", properties={"name": "by hand"})
    ten.switches["enableMergeEntity"] = False

    run = ten.sync()

    assert counts(run) == (0, 1, 9)
    assert ten.port.entities("thing")["t3"]["properties"] == {"size": 3}


def test_merge_sends_two_records_of_one_identifier_as_port_would_merge_them(several: Several) -> None:
    several.resources = [
        resource(
            "/things",
            "thing",
            selector={"on_conflict": "last"},
            properties={"size": ".size", "name": ".name | values"},
        )
    ]
    several.records["/things"] = [{"id": "a", "size": 1, "name": "one"}, {"id": "a", "size": 2}]

    first, second = several.sync(), several.sync()

    assert (counts(first), counts(second)) == ((1, 1, 0), (0, 0, 2))
    assert several.port.entities("thing")["a"]["properties"]["size"] == 2
    assert [number for _, number in several.port.writes()] == [1]


def test_a_conflict_over_pages_arrives_in_order_and_is_unchanged_afterwards(several: Several) -> None:
    several.resources[0]["selector"] |= {"on_conflict": "last", "pagination": {"type": "page"}}
    pages = {1: things(0, 30), 2: [{"id": "t3", "size": -3}], 3: things(30, 40)}
    several.source.answer = lambda asked: {"data": pages.get(int(dict(asked.query)["page"]), [])}

    first = several.sync()
    healed = several.sync()

    assert (counts(first), sizes(several)["t3"]) == ((40, 1, 0), -3)
    assert (healed.exit_code, sizes(several)["t3"]) == (0, -3)


def test_two_resources_each_keep_their_part_of_an_entity(several: Several) -> None:
    several.resources = [
        resource("/things", "thing"),
        resource("/names", "thing", properties={"name": ".name"}),
    ]
    several.switches["enableMergeEntity"] = True
    several.records |= {"/things": things(0, 3), "/names": [{"id": "t0", "name": "zero"}]}
    several.sync()
    several.records["/things"] = [{"id": "t0", "size": 7}, *things(1, 3)]
    several.sync()
    assert counts(several.sync()) == (0, 0, 4)

    assert several.port.entities("thing")["t0"]["properties"] == {"size": 7, "name": "zero"}


def test_a_state_that_goes_away_in_a_run_ends_it_and_nothing_is_deleted(ten: Several) -> None:
    (path,) = (ten.folder / "state-home").rglob("*.db")

    def answer(asked: Asked) -> Any:
        page = int(dict(asked.query)["page"])
        if page == 2:
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.execute("DROP TABLE portsync_entities")
                connection.commit()
        return {"data": things(page * 100, page * 100 + 5) if page < 5 else []}

    ten.resources[0]["selector"] |= {"pagination": {"type": "page"}}
    ten.source.answer = answer

    run = ten.sync()

    assert run.exit_code == 1
    assert run.codes[0] == "state-lost"
    assert (run.resource["verdict"], run.resource["reason"]) == ("incomplete", "state")
    assert run.resource["entities"] == run.resource["created"] + run.resource["rejected"]
    assert run.report["deletions"] == []
    assert {f"t{i}" for i in range(10)} <= ten.left()


def test_a_state_that_another_run_holds_is_said_before_anything_is_sent(ten: Several) -> None:
    (path,) = (ten.folder / "state-home").rglob("*.db")
    with path.with_name(f"{path.name}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = ten.sync()

    assert (run.exit_code, run.codes) == (2, ["state-in-use"])
    assert ten.port.writes() == []
