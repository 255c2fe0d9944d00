"""Blueprints into Port: in an order that it takes, idempotent, and without dropping what somebody added there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Run, Source

CLAUDE = str(shipped_folder() / "blueprints" / "claude")
TEAM = {"identifier": "team_page", "title": "Team", "schema": {"properties": {}}, "relations": {}}
SERVICE = {
    "identifier": "service",
    "title": "Service",
    "schema": {"properties": {"tier": {"type": "string"}}, "required": []},
    "relations": {"owner": {"title": "Owner", "target": "team_page", "required": False, "many": False}},
    "calculationProperties": {"loud": {"calculation": ".properties.tier | ascii_upcase", "type": "string"}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two blueprints; the one that relates to the other comes first by name."""
    path = tmp_path / "blueprints"
    path.mkdir()
    (path / "a-service.json").write_text(json.dumps(SERVICE), encoding="utf-8")
    (path / "b-team.json").write_text(json.dumps(TEAM), encoding="utf-8")
    return path


def changes(run: Run) -> dict[str, str]:
    return {line.split()[1]: line.split()[0] for line in run.out.splitlines()}


def test_blueprints_that_relate_to_each_other_are_created_in_stages(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    planned = portsync("provision", None, str(folder), "--plan", env=port_env)
    assert local_port.api("GET", "/blueprints/service")["ok"] is False

    first = portsync("provision", None, str(folder), env=port_env)
    second = portsync("provision", None, str(folder), env=port_env)

    assert changes(planned) == changes(first) == {"service": "create", "team_page": "create"}
    assert changes(second) == {"service": "unchanged", "team_page": "unchanged"}
    stored = local_port.api("GET", "/blueprints/service")["blueprint"]
    assert stored["relations"]["owner"]["target"] == "team_page"
    assert "loud" in stored["calculationProperties"]


def test_the_five_blueprints_of_claude_are_created_and_then_left_alone(
    local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    first = portsync("provision", None, CLAUDE, env=port_env)
    second = portsync("provision", None, CLAUDE, env=port_env)

    assert first.exit_code == second.exit_code == 0
    assert list(changes(first).values()) == ["create"] * 5
    assert list(changes(second).values()) == ["unchanged"] * 5
    stored = local_port.api("GET", "/blueprints/claude_user_activity")["blueprint"]
    assert stored["relations"]["user"]["target"] == "_user"


def test_a_changed_file_changes_its_section_and_keeps_what_was_added_in_port(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    portsync("provision", None, str(folder), env=port_env)
    by_hand: dict[str, Any] = {
        "properties": {"tier": {"type": "string"}, "by_hand": {"type": "number"}},
        "required": [],
    }
    local_port.api("PATCH", "/blueprints/service", {"schema": by_hand})
    changed = SERVICE | {"schema": {"properties": {"tier": {"type": "string"}, "new": {"type": "boolean"}}}}
    (folder / "a-service.json").write_text(json.dumps(changed), encoding="utf-8")

    run = portsync("provision", None, str(folder), "--format", "json", env=port_env)

    step = next(s for s in json.loads(run.out)["blueprints"] if s["identifier"] == "service")
    assert (step["change"], step["sections"]) == ("update", ["schema"])
    stored = local_port.api("GET", "/blueprints/service")["blueprint"]["schema"]["properties"]
    assert set(stored) == {"tier", "by_hand", "new"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("3", "a blueprint is a JSON object"),
        ('{"identifier": "x", "title": "X"}', "`schema` is missing"),
        ('{"identifier": "x", "title": "X", "schema": {}}', "`schema.properties` is missing"),
    ],
)
def test_a_file_that_is_no_blueprint_is_named_before_anything_is_sent(
    text: str, says: str, folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    (folder / "z.json").write_text(text, encoding="utf-8")

    run = portsync("provision", None, str(folder), env=port_env)

    assert run.exit_code == 2
    assert says in run.err
    assert "z.json" in run.err
    assert local_port.api("GET", "/blueprints/service")["ok"] is False


def required_and_many(folder: Path) -> None:
    """Let the last blueprint have a relation that Port refuses, in the second stage."""
    relation = {"owner": {"target": "team_page", "required": True, "many": True}}
    other = SERVICE | {"identifier": "other", "relations": relation}
    (folder / "z.json").write_text(json.dumps(other), encoding="utf-8")


def test_what_port_refuses_midway_is_exit_code_4_with_its_words_and_what_is_done_and_what_is_not(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    required_and_many(folder)

    run = portsync("provision", None, str(folder), env=port_env)

    assert run.exit_code == 4
    assert "must NOT be both required and many" in run.err
    assert "PATCH blueprint other" in run.err
    assert "`change relations of blueprint other` failed" in run.err
    done, waiting = run.err.split("done before it: ")[1].split("; not begun: ")
    assert done == (
        "create blueprint service; create blueprint team_page; create blueprint other; "
        "change relations of blueprint service"
    )
    assert waiting.startswith(
        "change calculationProperties of blueprint service; change calculationProperties of blueprint other\n"
    )
    stored = local_port.api("GET", "/blueprints/service")["blueprint"]
    assert stored["relations"]
    assert not stored["calculationProperties"]


def test_a_second_run_does_what_the_first_one_could_not(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    required_and_many(folder)
    portsync("provision", None, str(folder), env=port_env)
    (folder / "z.json").unlink()

    run = portsync("provision", None, str(folder), env=port_env)

    assert changes(run) == {"service": "update", "team_page": "unchanged"}
    assert local_port.api("GET", "/blueprints/service")["blueprint"]["calculationProperties"]


def test_a_port_that_goes_away_midway_is_told_with_what_is_done(
    folder: Path, source: Source, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    def answer(asked: Asked) -> Any:
        if asked.path.endswith("access_token"):
            return {"ok": True, "accessToken": "t", "expiresIn": 3600, "tokenType": "Bearer"}
        if asked.method == "GET":
            return Response(json.dumps({"ok": False, "error": "not_found"}), 404)
        if asked.body["identifier"] == "service":
            return {"ok": True, "blueprint": {}}
        # A redirect to nowhere is one of the ways in which no answer comes.
        return Response("", 307, {"location": "http://127.0.0.1:9/"})

    source.answer = answer

    run = portsync("provision", None, str(folder), env={**port_env, "PORT_BASE_URL": source.url})

    assert run.exit_code == 4
    assert "`create blueprint team_page` failed; done before it: create blueprint service; not begun:" in run.err


FORBIDDEN = {
    "type": {"properties": {"tier": {"type": "number"}}},
    "format": {"properties": {"tier": {"type": "string", "format": "url"}}},
    "both": {"properties": {"tier": {"type": "number"}, "at": {"type": "string", "format": "email"}}},
}


@pytest.mark.parametrize("schema", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_change_of_type_or_format_is_told_for_each_property_and_nothing_is_sent(
    schema: dict[str, Any], folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    held = {"properties": {"tier": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}}
    local_port.api("POST", "/blueprints", {"identifier": "service", "title": "Service", "schema": held})
    (folder / "a-service.json").write_text(json.dumps(SERVICE | {"schema": schema}), encoding="utf-8")

    runs = [portsync("provision", None, str(folder), *plan, env=port_env) for plan in ([], ["--plan"])]

    for run in runs:
        assert run.exit_code == 2
        assert run.err.count("error[forbidden-change]") == len(schema["properties"])
        assert "the property `tier` of the blueprint `service` is string in Port" in run.err
        assert "a-service.json" in run.err
    assert local_port.api("GET", "/blueprints/team_page")["ok"] is False


def test_a_property_keeps_what_port_has_of_it_beyond_the_file(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    held = {"properties": {"tier": {"type": "string", "format": "url", "title": "Tier"}}}
    local_port.api("POST", "/blueprints", {"identifier": "service", "title": "Service", "schema": held})

    run = portsync("provision", None, str(folder), env=port_env)

    assert run.exit_code == 0
    assert local_port.api("GET", "/blueprints/service")["blueprint"]["schema"]["properties"] == held["properties"]


def test_all_problems_are_told_at_once_and_nothing_is_sent(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    local_port.api(
        "POST",
        "/blueprints",
        {"identifier": "service", "title": "S", "schema": {"properties": {"tier": {"type": "array"}}}},
    )
    count = {"calculationBy": "entities", "func": "count"}
    other = TEAM | {
        "identifier": "other",
        "relations": {"a": {"target": "nowhere"}, "b": {"target": "_user"}, "c": {"target": "other"}},
        "aggregationProperties": {"n": {"title": "N", "target": "nothing", "calculationSpec": count}},
    }
    (folder / "z.json").write_text(json.dumps(other), encoding="utf-8")

    run = portsync("provision", None, str(folder), env=port_env)

    assert run.exit_code == 2
    assert run.err.count("error[") == 3
    assert "error[forbidden-change]: the property `tier`" in run.err
    assert "the relation `a` of the blueprint `other` leads to the blueprint `nowhere`" in run.err
    assert "the aggregation `n` of the blueprint `other` leads to the blueprint `nothing`" in run.err
    assert local_port.api("GET", "/blueprints/team_page")["ok"] is False


def test_a_relation_to_a_blueprint_that_is_only_in_port_is_taken(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    local_port.api("POST", "/blueprints", TEAM)
    (folder / "b-team.json").unlink()

    run = portsync("provision", None, str(folder), env=port_env)

    assert changes(run) == {"service": "create"}


def test_changes_go_in_stages_too_so_that_a_new_blueprint_may_mirror_what_a_changed_one_gets(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    portsync("provision", None, str(folder), env=port_env)
    lead = {"identifier": "lead", "title": "Lead", "schema": {"properties": {}}}
    team = TEAM | {"relations": {"lead": {"target": "lead"}}, "mirrorProperties": {"l": {"path": "lead.$title"}}}
    service = SERVICE | {"mirrorProperties": {"lead": {"path": "owner.lead.$title"}}}
    for name, blueprint in (("a-service", service), ("b-team", team), ("c-lead", lead)):
        (folder / f"{name}.json").write_text(json.dumps(blueprint), encoding="utf-8")

    first = portsync("provision", None, str(folder), env=port_env)
    second = portsync("provision", None, str(folder), env=port_env)

    assert changes(first) == {"service": "update", "team_page": "update", "lead": "create"}
    assert set(changes(second).values()) == {"unchanged"}
    assert local_port.api("GET", "/blueprints/team_page")["blueprint"]["relations"]["lead"]["target"] == "lead"


def test_an_empty_section_of_a_file_leaves_what_port_has_alone(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    portsync("provision", None, str(folder), env=port_env)
    local_port.api("PATCH", "/blueprints/team_page", {"relations": {"by_hand": {"target": "service"}}})

    run = portsync("provision", None, str(folder), env=port_env)

    assert changes(run) == {"service": "unchanged", "team_page": "unchanged"}
    assert "by_hand" in local_port.api("GET", "/blueprints/team_page")["blueprint"]["relations"]


def test_a_path_that_is_neither_a_folder_nor_a_file_is_exit_code_2(
    folder: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync("provision", None, str(folder), "nowhere", "never.json", env=port_env)

    assert run.exit_code == 2
    for name in ("nowhere", "never.json"):
        assert f"`{name}` is neither a folder nor a file" in run.err
    assert local_port.api("GET", "/blueprints/team_page")["ok"] is False


def test_a_folder_without_json_is_exit_code_2(
    tmp_path: Path, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync("provision", None, str(tmp_path), env=port_env)

    assert run.exit_code == 2
    assert "error[no-blueprints]: no *.json below" in run.err


def test_a_port_that_repeats_the_credentials_does_not_get_them_into_any_output(
    folder: Path, source: Source, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    secret = port_env["PORT_CLIENT_SECRET"]
    source.answer = lambda _: Response(json.dumps({"error": "invalid", "message": f"not {secret}"}), 401)

    run = portsync("provision", None, str(folder), env={**port_env, "PORT_BASE_URL": source.url})

    assert run.exit_code == 4
    assert "not ***" in run.err
    assert secret not in run.out + run.err
