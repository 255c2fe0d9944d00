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

    from tests.conftest import LocalPort, Run, Source

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


def test_what_port_refuses_is_exit_code_4_with_its_words(
    folder: Path, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    bad = SERVICE | {
        "identifier": "other",
        "relations": {"owner": {"target": "nowhere", "required": False, "many": False}},
    }
    (folder / "z.json").write_text(json.dumps(bad), encoding="utf-8")

    run = portsync("provision", None, str(folder), env=port_env)

    assert run.exit_code == 4
    assert "blueprint other" in run.err


def test_a_folder_that_is_none_is_exit_code_2(portsync: Callable[..., Run], port_env: dict[str, str]) -> None:
    run = portsync("provision", None, "nowhere", env=port_env)

    assert run.exit_code == 2
    assert "is not a folder" in run.err


def test_a_port_that_repeats_the_credentials_does_not_get_them_into_any_output(
    folder: Path, source: Source, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    secret = port_env["PORT_CLIENT_SECRET"]
    source.answer = lambda _: Response(json.dumps({"error": "invalid", "message": f"not {secret}"}), 401)

    run = portsync("provision", None, str(folder), env={**port_env, "PORT_BASE_URL": source.url})

    assert run.exit_code == 4
    assert "not ***" in run.err
    assert secret not in run.out + run.err
