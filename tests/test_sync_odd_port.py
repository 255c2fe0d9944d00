"""What a run makes of letters, states and answers of Port that are not as they should be."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LocalPort, Run, Source


def things(first: int, end: int, **changed: Any) -> list[dict[str, Any]]:
    return [{"id": f"t{i}", "size": i, **changed} for i in range(first, end)]


def test_a_letter_is_not_replayed_over_what_a_later_run_brought(
    source: Source,
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
    local_port: LocalPort,
    tmp_path: Path,
) -> None:
    letters = tmp_path / "letters.jsonl"
    options = ("--dead-letters", str(letters))
    source.answer = lambda _: {"data": [{"id": "a", "size": "not a number"}, {"id": "b", "size": "neither"}]}
    refused = portsync("sync", mapping(), *options, env=port_env)
    source.answer = lambda _: {"data": [{"id": "a", "size": 2}, {"id": "b", "size": "neither"}]}
    old = letters.read_bytes()
    portsync("sync", mapping(), *options, env=port_env)
    letters.write_bytes(old)

    replayed = portsync("replay", None, str(letters), env=port_env)

    assert refused.resource["rejected"] == 2
    assert local_port.entities("thing")["a"]["properties"]["size"] == 2
    assert "1 superseded" in replayed.out


def test_what_was_deleted_without_a_word_of_port_is_sent_again_when_it_comes_back(
    source: Source, sync: Callable[..., Run], local_port: LocalPort
) -> None:
    # Not among the first and the last in order, which are looked at in every run.
    everything = [{"id": f"t{i:03}", "size": i} for i in range(60)]
    source.answer = lambda _: {"data": everything}
    sync()
    source.answer = lambda _: {"data": [thing for thing in everything if thing["id"] != "t030"]}
    local_port.script({"path": "/v1/blueprints/thing/bulk/entities/delete", "cut": "after", "times": None})
    without_answer = sync()
    assert "t030" not in local_port.entities("thing")
    source.answer = lambda _: {"data": everything}
    run = sync()

    assert without_answer.report["deletions"][0]["refused"] == "port"
    assert (run.exit_code, run.resource["created"], run.resource["unchanged"]) == (0, 1, 59)
    assert local_port.entities("thing").keys() == {thing["id"] for thing in everything}


@pytest.mark.parametrize("left", [["portsync_version"], ["portsync_version", "portsync_catalogs"]])
def test_a_state_of_which_only_some_tables_were_made_is_completed(
    left: list[str], source: Source, sync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    source.answer = lambda _: {"data": things(0, 5)}
    sync()
    (state,) = Path(port_env["XDG_STATE_HOME"]).glob("portsync/state/*.db")
    with closing(sqlite3.connect(state)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            database.execute(f"DELETE FROM {name}" if name in left else f"DROP TABLE {name}")
        database.commit()
    after, again = sync(), sync()

    assert (after.exit_code, after.resource["unchanged"]) == (0, 5), after.err
    assert (again.exit_code, again.resource["unchanged"]) == (0, 5)


def test_a_port_that_finds_what_nobody_wrote_is_not_believed_about_what_is_ours(
    source: Source, sync: Callable[..., Run], local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": things(0, 10)}
    sync()
    source.answer = lambda _: {"data": things(1, 10)}
    found = {"ok": True, "entities": [{"identifier": "t0", "blueprint": "thing"}]}
    local_port.script(
        {"path": "/v1/blueprints/thing/entities/search", "body": json.dumps(found), "status": 200, "times": None}
    )
    run = sync()

    assert (run.exit_code, run.report["deletions"][0]["refused"]) == (1, "port")
    assert "t0" in local_port.entities("thing")


@pytest.mark.parametrize("pages", [["a", "b"], ["a", "a"], [""]])
def test_pages_of_a_search_that_repeat_themselves_come_to_an_end(
    pages: list[str], source: Source, sync: Callable[..., Run], local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": things(0, 10)}
    sync()
    source.answer = lambda _: {"data": things(1, 10)}
    for page in pages:
        entities = [{"identifier": page}] if page else []
        value = {"ok": True, "entities": entities, "next": f"after {page}"}
        local_port.script(
            {"path": "/v1/blueprints/thing/entities/search", "body": json.dumps(value), "status": 200, "times": None}
        )
    run = sync()

    assert run.exit_code == 1
    assert "t0" in local_port.entities("thing")


def test_an_answer_to_a_deletion_that_makes_no_sense_is_no_bug(
    source: Source, sync: Callable[..., Run], local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": things(0, 10)}
    sync()
    source.answer = lambda _: {"data": things(1, 10)}
    value = {"ok": True, "deletedEntities": [["t0"], {"a": 1}, None]}
    local_port.script({"path": "/v1/blueprints/thing/bulk/entities/delete", "body": json.dumps(value), "status": 200})
    run = sync()

    assert (run.exit_code, run.report["deletions"][0]["refused"]) == (1, "port")
    assert run.codes == ["deletion-failed"]
    assert "t0" in local_port.entities("thing")


def test_a_404_of_something_else_than_port_does_not_make_entities_forgotten(
    source: Source, sync: Callable[..., Run], local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": things(0, 10)}
    sync()
    source.answer = lambda _: {"data": things(1, 10)}
    path = "/v1/blueprints/thing/entities/search"
    local_port.script({"path": path, "body": "<html>nginx", "status": 404, "times": None})
    refused = sync()
    local_port.script()
    run = sync()

    assert (refused.exit_code, refused.report["deletions"][0]["refused"]) == (1, "port")
    assert (run.exit_code, run.report["totals"]["deleted"]) == (0, 1)
