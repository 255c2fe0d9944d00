"""mappings/claude-admin.yaml against every shape that the Admin API documents, from a real server into the local Port.

The sums are made here, from the answers, with decimals and without JQ.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Asked, LocalPort, Run, Source

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples" / "anthropic"
KEY = "sk-ant-admin01-invented-key"
MORNING = datetime(2026, 11, 20, 9, 30, tzinfo=UTC).timestamp()
ORG = "5e0c7a91-6d2b-4f38-8c15-91ab40d7e2f6"
WHICH_PAGE = ("page", "after_id")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def documented() -> list[dict[str, Any]]:
    responses = sample("_manifest")["responses"]
    assert isinstance(responses, list)
    return responses


def admin_api(asked: Asked) -> Any:
    """Answers as the manifest says; the sizes of pages are the samples' own."""
    if asked.headers.get("x-api-key") != KEY or "anthropic-version" not in asked.headers:
        return Response((SAMPLES / "error.401.invalid_key.json").read_bytes(), 401)
    query: dict[str, list[str]] = defaultdict(list)
    for name, value in asked.query:
        query[name].append(value)
    for response in documented():
        wanted = {
            name: value if isinstance(value, list) else [str(value)]
            for name, value in response.get("query", {}).items()
            if name != "limit"
        }
        given = {name: values for name, values in query.items() if name != "limit"}
        if asked.method == "GET" and response["path"] == asked.path and wanted == given:
            return sample(response["file"].removesuffix(".json"))
    if asked.path.endswith("/claude_code"):
        return {"data": [], "has_more": False, "next_page": None}
    return Response((SAMPLES / "error.404.json").read_bytes(), 404)


@pytest.fixture
def env(source: Source, local_port: LocalPort, port_env: dict[str, str]) -> dict[str, str]:
    source.answer = admin_api
    for path in (ROOT / "blueprints" / "claude").glob("*.json"):
        assert local_port.api("POST", "/blueprints", json.loads(path.read_text()))["ok"]
    own = {"ANTHROPIC_BASE_URL": source.url, "ANTHROPIC_ADMIN_KEY": KEY, "CLAUDE_DAYS": "4"}
    return {**port_env, **own}


@pytest.fixture
def sync(portsync: Callable[..., Run], env: dict[str, str]) -> Callable[[], Run]:
    return lambda: portsync("sync", (ROOT / "mappings" / "claude-admin.yaml").read_text(), env=env, at=MORNING)


def buckets(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Day and row of every result of a report, over both pages."""
    for page in (f"{name}.page1", f"{name}.page2") if (SAMPLES / f"{name}.page1.json").exists() else (name,):
        for bucket in sample(page)["data"]:
            for row in bucket["results"]:
                yield bucket["starting_at"][:10], row


def written(row: dict[str, Any]) -> int:
    kinds = row["cache_creation"]
    return int(kinds["ephemeral_5m_input_tokens"] + kinds["ephemeral_1h_input_tokens"])


TOKENS: dict[str, Callable[[dict[str, Any]], int]] = {
    "input": lambda row: int(row["uncached_input_tokens"]),
    "output": lambda row: int(row["output_tokens"]),
    "cache_read": lambda row: int(row["cache_read_input_tokens"]),
    "cache_write": written,
}


def tokens(name: str, key: Callable[[str, dict[str, Any]], str | None]) -> dict[str, dict[str, int]]:
    """The sums of each kind of token, by key; rows without a key are left out."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(TOKENS, 0))
    for day, row in buckets(name):
        if (place := key(day, row)) is not None:
            for kind, count in TOKENS.items():
                found[place][kind] += count(row)
    return dict(found)


def dollars(name: str, key: Callable[[str, dict[str, Any]], str | None]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for day, row in buckets(name):
        if (place := key(day, row)) is not None:
            found[place] += Decimal(row["amount"]) / 100
    return dict(found)


def held_tokens(port: LocalPort, blueprint: str, prefix: str = "") -> dict[str, dict[str, int]]:
    return {
        name: {kind: entity["properties"][f"{prefix}{kind}_tokens"] for kind in TOKENS}
        for name, entity in port.entities(blueprint).items()
    }


def held_dollars(port: LocalPort, blueprint: str, name: str) -> dict[str, Decimal]:
    """To a ten-thousandth of a cent, which is what the mapping rounds to."""
    found = {key: entity["properties"].get(name) for key, entity in port.entities(blueprint).items()}
    return {key: Decimal(str(value)) for key, value in found.items() if value is not None}


def rounded(values: dict[str, Decimal]) -> dict[str, Decimal]:
    return {key: value.quantize(Decimal("0.000001"), ROUND_HALF_UP) for key, value in values.items()}


def test_every_report_is_read_whole_and_every_entity_accepted(sync: Callable[[], Run]) -> None:
    run = sync()
    assert run.exit_code == 0, run.err
    assert {resource["verdict"] for resource in run.report["resources"]} == {"complete"}
    assert [resource["field_errors"] for resource in run.report["resources"]] == [0] * 7


def test_tokens_of_each_day(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    expected = tokens("usage_report_messages.by_model_and_api_key", lambda day, _: f"{ORG}@{day}")
    assert held_tokens(local_port, "claude_usage_record", "total_") == expected
    assert expected == tokens("usage_report_messages.ungrouped", lambda day, _: f"{ORG}@{day}")
    assert f"{ORG}@2026-11-18" not in expected, "a day without usage is no entity"


def test_tokens_of_each_model(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    expected = tokens("usage_report_messages.by_model", lambda day, row: row["model"] and f"{row['model']}@{day}")
    assert held_tokens(local_port, "claude_model_usage") == expected


def test_tokens_of_each_user_and_what_belongs_to_nobody_make_those_of_the_models(
    sync: Callable[[], Run], local_port: LocalPort
) -> None:
    sync()
    name = "usage_report_messages.by_account_and_model"
    held = held_tokens(local_port, "claude_user_activity")
    assert held == tokens(name, lambda day, row: row["account_id"] and f"{row['account_id']}@{day}")
    nobody = tokens(name, lambda _, row: None if row["account_id"] else "nobody")["nobody"]
    models = held_tokens(local_port, "claude_model_usage")
    for kind in TOKENS:
        of_users = sum(one[kind] for one in held.values())
        assert of_users + nobody[kind] == sum(one[kind] for one in models.values())


def test_costs_to_the_cent_and_below(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    days = dollars("cost_report.ungrouped", lambda day, _: day)
    assert rounded(days) == {
        key.split("@")[-1]: value
        for key, value in rounded(held_dollars(local_port, "claude_usage_record", "total_cost_usd")).items()
    }
    records = rounded(held_dollars(local_port, "claude_cost_record", "total_cost_usd"))
    assert {key.split("@")[-1]: value for key, value in records.items()} == rounded(days)
    models = dollars("cost_report.by_description", lambda day, row: row["model"] and f"{row['model']}@{day}")
    held = held_dollars(local_port, "claude_model_usage", "cost_usd")
    assert rounded(held) == rounded(models)


def test_a_cost_is_broken_down_by_what_it_is_for(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    expected = dollars("cost_report.by_description", lambda day, row: f"{day} {row['description']}")
    held = {
        f"{key.split('@')[-1]} {name}": Decimal(str(value))
        for key, entity in local_port.entities("claude_cost_record").items()
        for name, value in entity["properties"]["cost_breakdown"].items()
    }
    assert rounded(held) == rounded(expected)


def test_users_have_their_addresses_where_the_organization_still_has_them(
    sync: Callable[[], Run], local_port: LocalPort
) -> None:
    sync()
    people = {user["id"]: user["email"] for page in (1, 2) for user in sample(f"users.page{page}")["data"]}
    for entity in local_port.entities("claude_user_activity").values():
        assert entity["properties"]["user_email"] == people.get(entity["properties"]["user_id"])


def test_claude_code_is_summed_over_all_rows_and_pages_of_a_day(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    rows = [
        row
        for name in ("2026-11-17", "2026-11-19.page1", "2026-11-19.page2")
        for row in sample(f"usage_report_claude_code.{name}")["data"]
    ]
    held = local_port.entities("claude_code_analytics")
    assert {key.split("@")[-1] for key in held} == {"2026-11-17", "2026-11-19"}
    for key, entity in held.items():
        own = [row for row in rows if row["date"].startswith(key.split("@")[-1])]
        core = [row["core_metrics"] for row in own]
        people = {row["actor"]["email_address"] for row in own if "email_address" in row["actor"]}
        cost = sum(Decimal(str(m["estimated_cost"]["amount"])) for row in own for m in row["model_breakdown"]) / 100
        properties = entity["properties"]
        assert properties["total_sessions"] == sum(one["num_sessions"] for one in core)
        assert properties["total_lines_edited"] == sum(
            one["lines_of_code"]["added"] + one["lines_of_code"]["removed"] for one in core
        )
        assert properties["total_commits"] == sum(one["commits_by_claude_code"] for one in core)
        assert properties["total_pull_requests"] == sum(one["pull_requests_by_claude_code"] for one in core)
        assert properties["active_users"] == len(people)
        assert sum(Decimal(str(m["estimated_cost_usd"])) for m in properties["breakdown"].values()) == cost


def test_what_the_api_does_not_say_is_left_empty(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    for blueprint in ("claude_usage_record", "claude_user_activity", "claude_model_usage"):
        for entity in local_port.entities(blueprint).values():
            for name in (
                "total_requests",
                "successful_requests",
                "failed_requests",
                "success_rate",
                "average_tokens_per_request",
            ):
                assert entity["properties"].get(name) is None, (blueprint, name)


def test_a_second_run_sends_nothing(sync: Callable[[], Run]) -> None:
    first, second = sync(), sync()
    assert second.exit_code == 0
    assert second.report["totals"]["created"] + second.report["totals"]["updated"] == 0
    assert second.report["totals"]["unchanged"] == first.report["totals"]["created"] + first.report["totals"]["updated"]


def test_a_wrong_key_ends_with_three_and_writes_nothing(
    sync: Callable[[], Run], env: dict[str, str], local_port: LocalPort
) -> None:
    env["ANTHROPIC_ADMIN_KEY"] = "sk-ant-admin01-of-somebody-else"
    run = sync()
    assert run.exit_code == 3
    assert "somebody-else" not in run.out + run.err
    assert local_port.entities("claude_usage_record") == {}
