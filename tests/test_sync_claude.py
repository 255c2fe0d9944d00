"""The main job: mappings/claude.yaml, from requests that are right to entities that are whole."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from portsync.blueprints import read_blueprints
from portsync.demo.records import record_counts
from portsync.demo.source import create_source
from portsync.demo.users import DEFAULT_USERS
from portsync.emulator.app import create_app
from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LocalPort, Run, Source, Stage

NOW = datetime.fromtimestamp(1_795_348_800, UTC)
MAPPING = (shipped_folder() / "mappings" / "claude.yaml").read_text(encoding="utf-8")
SAMPLES = Path(__file__).parent / "samples"
BLUEPRINTS = (
    "claude_usage_record",
    "claude_user_activity",
    "claude_model_usage",
    "claude_cost_record",
    "claude_code_analytics",
)


@pytest.fixture
def claude_port(local_port: LocalPort, port_stage: tuple[Stage, str]) -> LocalPort:
    """A local Port with the five blueprints, and the sample source's users."""
    emails = [user.email for user in DEFAULT_USERS]
    port_stage[0].app = create_app(client_id="cid", client_secret="port-secret-9c1e", users=emails)
    for blueprint in read_blueprints(shipped_folder() / "blueprints" / "claude"):
        assert local_port.api("POST", "/blueprints", blueprint)["ok"]
    return local_port


def claude_env(port_env: dict[str, str], url: str) -> dict[str, str]:
    return {**port_env, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "anthropic-key-51"}


def test_the_sample_sources_five_views_land_in_port_whole(
    claude_port: LocalPort, source_stage: tuple[Stage, str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    stage, url = source_stage
    stage.app = create_source(token="anthropic-key-51", today=NOW.date())

    run = portsync("sync", MAPPING, env=claude_env(port_env, url))

    held = list(record_counts(today=NOW.date()).values())
    assert run.exit_code == 0, run.err
    assert [r["verdict"] for r in run.report["resources"]] == ["complete"] * 5
    assert sorted(r["records"] for r in run.report["resources"]) == sorted(held)
    assert {name: len(claude_port.entities(name)) for name in BLUEPRINTS} == {
        r["blueprints"][0]: r["created"] for r in run.report["resources"]
    }
    assert run.report["totals"]["created"] == sum(held)


def test_a_second_run_that_sends_everything_updates_what_the_first_created(
    claude_port: LocalPort, source_stage: tuple[Stage, str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    stage, url = source_stage
    stage.app = create_source(token="anthropic-key-51", today=NOW.date())
    env = claude_env(port_env, url)

    first = portsync("sync", MAPPING, env=env)
    before = claude_port.entities("claude_user_activity")
    second = portsync("sync", MAPPING, "--full", env=env)

    assert first.report["totals"]["created"] == second.report["totals"]["updated"]
    assert {k: v["properties"] for k, v in before.items()} == {
        k: v["properties"] for k, v in claude_port.entities("claude_user_activity").items()
    }


@pytest.mark.usefixtures("claude_port")
def test_the_requests_are_what_the_source_document_says(
    source: Source, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    def answer(asked: Any) -> Any:
        if asked.method != "POST" or asked.headers.get("authorization") != "Bearer anthropic-key-51":
            return Response('{"type":"error","error":{"type":"authentication_error","message":"no"}}', 401)
        return {"data": []}

    source.answer = answer

    run = portsync("sync", MAPPING, env=claude_env(port_env, source.url))

    assert run.exit_code == 0
    assert [a.path.rsplit("/", 1)[-1] for a in source.asked].count("messages") == 3
    spans = {date.fromisoformat(a.body["end_date"]) - date.fromisoformat(a.body["start_date"]) for a in source.asked}
    assert {span.days for span in spans} == {30}
    assert source.asked[0].body["end_date"] == NOW.date().isoformat()
    assert sorted(json.dumps(a.body.get("group_by")) for a in source.asked) == [
        '["model_id"]',
        '["user_id"]',
        "null",
        "null",
        "null",
    ]
    assert {a.body["granularity"] for a in source.asked} == {"day"}
    assert {a.headers["anthropic-version"] for a in source.asked} == {"2023-06-01"}
    assert {a.headers["content-type"] for a in source.asked} == {"application/json"}


def test_every_mapped_property_arrives(
    claude_port: LocalPort, source: Source, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    record = {
        "organization_id": "org1",
        "organization_name": "Acme",
        "date": "2026-10-01",
        "user_id": "u1",
        "user_email": DEFAULT_USERS[0].email,
        "model_id": "claude-opus-4",
        "model_name": "Claude Opus 4",
        "total_requests": 10,
        "successful_requests": 8,
        "input_tokens": 100,
        "output_tokens": 50,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 6,
        "cost_usd": 1.25,
        "model_breakdown": {"opus": 1},
        "cost_breakdown": {"tokens": 1},
        "sessions": 3,
        "lines_of_code_edited": 40,
        "commits": 2,
        "pull_requests": 1,
        "active_users": 2,
        "breakdown": {"vscode": 3},
    }
    source.answer = lambda _: {"data": [record]}

    run = portsync("sync", MAPPING, env=claude_env(port_env, source.url))

    assert run.exit_code == 0, run.err
    common = {"record_date": "2026-10-01T00:00:00Z", "organization_id": "org1"}
    named = {**common, "organization_name": "Acme"}
    requests = {"total_requests": 10, "successful_requests": 8, "failed_requests": 2}
    tokens = {"input_tokens": 100, "output_tokens": 50, "cache_read_tokens": 5, "cache_write_tokens": 6}
    expected = {
        ("claude_usage_record", "org1@2026-10-01"): named
        | requests
        | {f"total_{name}": value for name, value in tokens.items()}
        | {"total_cost_usd": 1.25, "model_breakdown": {"opus": 1}},
        ("claude_user_activity", "u1@2026-10-01"): common
        | requests
        | tokens
        | {"user_id": "u1", "user_email": DEFAULT_USERS[0].email, "is_active": True, "cost_usd": 1.25}
        | {"model_breakdown": {"opus": 1}},
        ("claude_model_usage", "claude-opus-4@2026-10-01"): common
        | requests
        | tokens
        | {"model_id": "claude-opus-4", "model_name": "Claude Opus 4", "cost_usd": 1.25},
        ("claude_cost_record", "org1@cost@2026-10-01"): named
        | {"total_cost_usd": 1.25, "cost_breakdown": {"tokens": 1}},
        ("claude_code_analytics", "org1@code@2026-10-01"): named
        | {"total_sessions": 3, "total_lines_edited": 40, "total_commits": 2, "total_pull_requests": 1}
        | {"active_users": 2, "breakdown": {"vscode": 3}},
    }
    for (blueprint, identifier), properties in expected.items():
        assert written(claude_port, blueprint, identifier)["properties"] == properties
    entity = written(claude_port, "claude_user_activity", "u1@2026-10-01")
    assert entity["relations"] == {"user": DEFAULT_USERS[0].email}
    assert entity["title"] == f"{DEFAULT_USERS[0].email} - 2026-10-01"
    assert written(claude_port, "claude_usage_record", "org1@2026-10-01")["title"] == "Claude Usage - 2026-10-01"


def test_the_real_apis_shape_is_refused_loudly(
    claude_port: LocalPort, source: Source, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    """The real Admin API has buckets without organization_id and date: not one entity called `@` and exit 0."""
    body = (SAMPLES / "usage_report_messages.ungrouped.json").read_bytes()
    source.answer = lambda _: Response(body, media_type="application/json")

    run = portsync("sync", MAPPING, env=claude_env(port_env, source.url))

    assert run.exit_code == 1
    assert run.report["totals"]["created"] == 0
    assert {"@", "@cost@", "@code@"} == {p["identifier"] for p in run.report["problems"] if p["identifier"]}
    first = run.report["problems"][0]
    assert first["place"] == "page 1, record 1"
    assert "starting_at, ending_at, results" in first["message"]
    assert all(claude_port.entities(name) == {} for name in BLUEPRINTS)


def test_a_sync_creates_the_blueprints_that_lie_beside_the_mapping(
    local_port: LocalPort,
    source_stage: tuple[Stage, str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
    tmp_path: Path,
) -> None:
    stage, url = source_stage
    stage.app = create_source(token="anthropic-key-51", today=NOW.date())
    folder = tmp_path / "blueprints" / "m"
    folder.mkdir(parents=True)
    for path in (shipped_folder() / "blueprints" / "claude").glob("claude_cost*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    env = {**claude_env(port_env, url), "PORTSYNC_INITIALIZE_RESOURCES": "true"}

    run = portsync("sync", MAPPING, "--kind", "/v1/organizations/cost_report", env=env)

    assert run.exit_code == 0, run.err
    assert len(local_port.entities("claude_cost_record")) == 30


def written(port: LocalPort, blueprint: str, identifier: str) -> dict[str, Any]:
    """The entity without what Port calculates."""
    path = f"/blueprints/{blueprint}/entities/{identifier}?exclude_calculated_properties=true"
    entity = port.api("GET", path)["entity"]
    assert isinstance(entity, dict)
    return entity
