"""mappings/claude-analytics.yaml against the shapes of the analytics endpoints, from a real server into the local Port.

The sums are made here, from the answers, with decimals and without JQ.
"""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from tests.mappings.test_claude_admin import (
    KEY,
    MORNING,
    ORG,
    ROOT,
    SAMPLES,
    TOKENS,
    admin_api,
    held_dollars,
    held_tokens,
    rounded,
    sample,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Asked, LocalPort, Run, Source

BETA = "analytics-usage-cost-2026-08-24"
ANALYTICS = "/v1/organizations/analytics/"
ADA = "user_01FixtureAdaAAAAAAAAAAAA"
MAPPING = (ROOT / "mappings" / "claude-analytics.yaml").read_text(encoding="utf-8")


def analytics_api(asked: Asked) -> Any:
    """The Admin API whose analytics endpoints are asked for with the header of their beta."""
    if asked.path.startswith(ANALYTICS) and asked.headers.get("anthropic-beta") != BETA:
        return Response((SAMPLES / "error.404.json").read_bytes(), 404)
    return admin_api(asked)


@pytest.fixture
def env(source: Source, local_port: LocalPort, port_env: dict[str, str]) -> dict[str, str]:
    source.answer = analytics_api
    for path in (ROOT / "blueprints" / "claude").glob("*.json"):
        assert local_port.api("POST", "/blueprints", json.loads(path.read_text()))["ok"]
    own = {"ANTHROPIC_BASE_URL": source.url, "ANTHROPIC_ADMIN_KEY": KEY, "CLAUDE_DAYS": "4"}
    return {**port_env, **own}


@pytest.fixture
def sync(portsync: Callable[..., Run], env: dict[str, str]) -> Callable[[], Run]:
    return lambda: portsync("sync", MAPPING, env=env, at=MORNING)


def rows(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Day and row of a report, over all its pages."""
    for page in (f"{name}.page1", f"{name}.page2") if (SAMPLES / f"{name}.page1.json").exists() else (name,):
        for row in sample(page)["data"]:
            yield row["starting_at"][:10], row


def who(row: dict[str, Any]) -> str:
    actor = row["group"]["actor"]
    found = actor.get("user_id") or actor["api_key_id"]
    assert isinstance(found, str)
    return found


def tokens(name: str, key: Callable[[str, dict[str, Any]], str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(TOKENS, 0))
    for day, row in rows(name):
        for kind, count in TOKENS.items():
            found[key(day, row)][kind] += count(row["usage"])
    return dict(found)


def requests(name: str, key: Callable[[str, dict[str, Any]], str]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for day, row in rows(name):
        found[key(day, row)] += row["usage"]["requests"]
    return dict(found)


def dollars(name: str, key: Callable[[str, dict[str, Any]], str]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for day, row in rows(name):
        found[key(day, row)] += Decimal(row["cost"]["amount"]) / 100
    return rounded(found)


def held(port: LocalPort, blueprint: str, name: str) -> dict[str, Any]:
    return {key: entity["properties"].get(name) for key, entity in port.entities(blueprint).items()}


def of_day(day: str, _: dict[str, Any]) -> str:
    return f"{ORG}@{day}"


def of_model(day: str, row: dict[str, Any]) -> str:
    return f"{row['group']['model']}@{day}"


def of_actor(day: str, row: dict[str, Any]) -> str:
    return f"{who(row)}@{day}"


def test_every_report_is_read_whole_and_every_entity_accepted(sync: Callable[[], Run]) -> None:
    run = sync()
    assert run.exit_code == 0, run.err
    assert {resource["verdict"] for resource in run.report["resources"]} == {"complete"}
    assert [resource["field_errors"] for resource in run.report["resources"]] == [0] * 9


def test_the_requests_say_what_the_documentation_asks_for(sync: Callable[[], Run], source: Source) -> None:
    sync()
    asked = [one for one in source.asked if one.path.startswith(ANALYTICS)]
    assert {one.method for one in asked} == {"GET"}
    for one in asked:
        query = dict(one.query)
        assert query["time_bucket_width"] == "1d"
        assert (query["order_by"], query["order"], query["limit"]) == ("time", "asc", "1000")
        groups = [value for name, value in one.query if name == "group_by[]"]
        if groups != ["actor", "model"]:
            assert (query["starting_at"], query["ending_at"]) == ("2026-11-16T00:00:00Z", "2026-11-20T00:00:00Z")
    assert "anthropic-beta" not in next(one for one in source.asked if "claude_code" in one.path).headers


@pytest.mark.parametrize(("days", "windows"), [("31", 1), ("32", 2), ("90", 3)])
def test_no_request_asks_for_more_than_31_days(
    sync: Callable[[], Run], source: Source, env: dict[str, str], days: str, windows: int
) -> None:
    source.answer = lambda asked: (
        sample("organizations_me") if asked.path.endswith("/me") else {"data": [], "has_more": False, "next_page": None}
    )
    env["CLAUDE_DAYS"] = days
    assert sync().exit_code == 0
    ungrouped = [
        dict(one.query) for one in source.asked if one.path == f"{ANALYTICS}cost" and "group_by[]" not in str(one.query)
    ]
    assert len(ungrouped) == windows
    spans = sorted((one["starting_at"], one["ending_at"]) for one in ungrouped)
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]], "no day is left out or asked for twice"
    assert spans[-1][1] == "2026-11-20T00:00:00Z"


def test_requests_tokens_and_cost_of_each_day(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    total = "beta_analytics_usage.daily_total"
    assert held(local_port, "claude_usage_record", "total_requests") == requests(total, of_day)
    assert held_tokens(local_port, "claude_usage_record", "total_") == tokens(total, of_day)
    expected = dollars("beta_analytics_cost.daily_total", of_day)
    assert rounded(held_dollars(local_port, "claude_usage_record", "total_cost_usd")) == expected
    assert f"{ORG}@2026-11-18" not in expected, "a day without usage is no entity"


def test_what_a_day_is_made_of(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    name = "beta_analytics_usage.daily_by_model_and_api_key"
    keys: dict[str, set[str]] = defaultdict(set)
    models: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    inside: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for day, row in rows(name):
        group, usage = row["group"], row["usage"]
        keys[day] |= {group["api_key_id"]} - {None}
        models[day][group["model"]] += sum(count(usage) for count in TOKENS.values())
        parts = {"requests": usage["requests"], "input_tokens": usage["uncached_input_tokens"]}
        for part, value in {**parts, "output_tokens": usage["output_tokens"]}.items():
            inside[day][group["model"]][part] += value
    assert set(models) == {"2026-11-16", "2026-11-17", "2026-11-19"}
    for key, entity in local_port.entities("claude_usage_record").items():
        day, properties = key.split("@")[-1], entity["properties"]
        assert properties["active_api_keys"] == len(keys[day])
        assert properties["most_used_model"] == max(models[day], key=lambda model, day=day: models[day][model])  # type: ignore[misc]
        assert properties["model_breakdown"] == inside[day]


def test_requests_tokens_and_cost_of_each_model(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    name = "beta_analytics_usage.daily_by_model"
    assert held(local_port, "claude_model_usage", "total_requests") == requests(name, of_model)
    assert held_tokens(local_port, "claude_model_usage") == tokens(name, of_model)
    expected = dollars("beta_analytics_cost.daily_by_model", of_model)
    assert rounded(held_dollars(local_port, "claude_model_usage", "cost_usd")) == expected


def test_requests_tokens_and_cost_of_each_person_and_key(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    name = "beta_analytics_usage.daily_by_actor"
    assert held(local_port, "claude_user_activity", "total_requests") == requests(name, of_actor)
    assert held_tokens(local_port, "claude_user_activity") == tokens(name, of_actor)
    expected = dollars("beta_analytics_cost.daily_by_actor", of_actor)
    assert rounded(held_dollars(local_port, "claude_user_activity", "cost_usd")) == expected


def test_the_parts_make_the_whole(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    whole = held(local_port, "claude_usage_record", "total_requests")
    for blueprint in ("claude_user_activity", "claude_model_usage"):
        parts = held(local_port, blueprint, "total_requests")
        assert sum(parts.values()) == sum(whole.values()) > 0
    costs = held_dollars(local_port, "claude_usage_record", "total_cost_usd")
    assert sum(costs.values()) == sum(held_dollars(local_port, "claude_cost_record", "total_cost_usd").values())
    for blueprint in ("claude_user_activity", "claude_model_usage"):
        shares = held_dollars(local_port, blueprint, "cost_usd")
        # Each part is rounded on its own.
        assert abs(sum(shares.values(), Decimal()) - sum(costs.values(), Decimal())) <= Decimal("0.0000005") * len(
            shares
        )


def test_a_cost_is_broken_down_by_what_it_is_for(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()

    def what(day: str, row: dict[str, Any]) -> str:
        group = row["group"]
        return f"{day} {group['model']}: {group['token_type'] or group['cost_type']}"

    broken_down = {
        f"{key.split('@')[-1]} {name}": Decimal(str(value))
        for key, entity in local_port.entities("claude_cost_record").items()
        for name, value in entity["properties"]["cost_breakdown"].items()
    }
    assert rounded(broken_down) == dollars("beta_analytics_cost.daily_by_model_and_types", what)
    assert "2026-11-16 claude-sonnet-5: web_search" in broken_down


def test_a_person_has_the_address_and_a_key_its_name(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    entities = local_port.entities("claude_user_activity")
    ada = entities[f"{ADA}@2026-11-16"]
    assert ada["properties"]["user_email"] == "ada.quill@example.com"
    assert ada["title"] == "ada.quill@example.com - 2026-11-16"
    key = entities["apikey_01FixtureCiAAAAAAAAAAAA@2026-11-16"]
    assert key["properties"].get("user_email") is None
    assert key["title"] == "ci pipeline key - 2026-11-16"


def test_which_requests_succeeded_is_left_empty(sync: Callable[[], Run], local_port: LocalPort) -> None:
    sync()
    for blueprint in ("claude_usage_record", "claude_user_activity", "claude_model_usage"):
        for name in ("successful_requests", "failed_requests", "success_rate"):
            assert set(held(local_port, blueprint, name).values()) == {None}


def test_days_models_people_and_costs_have_the_names_that_the_older_reports_give_them(
    sync: Callable[[], Run], local_port: LocalPort, portsync: Callable[..., Run], env: dict[str, str]
) -> None:
    """Who changes from claude-admin.yaml to this mapping keeps each entity, and has none twice."""
    older = portsync("sync", (ROOT / "mappings" / "claude-admin.yaml").read_text(), env=env, at=MORNING)
    assert older.exit_code == 0
    before = {name: set(local_port.entities(name)) for name in ("claude_usage_record", "claude_model_usage")}
    people = set(local_port.entities("claude_user_activity"))
    code = local_port.entities("claude_code_analytics")
    assert sync().exit_code == 0
    assert {name: set(local_port.entities(name)) for name in before} == before
    assert people < set(local_port.entities("claude_user_activity"))
    held_code = local_port.entities("claude_code_analytics")
    assert {key: one["properties"] for key, one in held_code.items()} == {
        key: one["properties"] for key, one in code.items()
    }


def test_a_second_run_sends_nothing(sync: Callable[[], Run]) -> None:
    first, second = sync(), sync()
    assert second.exit_code == 0
    assert second.report["totals"]["created"] + second.report["totals"]["updated"] == 0
    assert second.report["totals"]["unchanged"] == first.report["totals"]["created"] + first.report["totals"]["updated"]


def test_what_belongs_to_nobody_is_one_entity_of_a_day_over_all_rows_and_pages(
    sync: Callable[[], Run], source: Source, local_port: LocalPort
) -> None:
    """The API may give several rows without an actor for one day, and a page may end between them."""
    day = {"starting_at": "2026-11-19T00:00:00Z", "ending_at": "2026-11-20T00:00:00Z"}
    pages = [sample(f"beta_analytics_usage.by_actor_and_model.2026-11-19.page{number}") for number in (1, 2)]
    costs = [sample(f"beta_analytics_cost.daily_by_actor.page{number}") for number in (1, 2)]
    for row in (pages[0]["data"][-1], pages[1]["data"][0], costs[0]["data"][-1], costs[1]["data"][0]):
        row["group"]["actor"] = None
        row.update(day)

    def answer(asked: Asked) -> Any:
        query = dict(asked.query)
        groups = [value for name, value in asked.query if name == "group_by[]"]
        if groups == ["actor"]:
            return costs["page" in query]
        is_of_the_day = query.get("starting_at") == day["starting_at"]
        return pages["page" in query] if groups == ["actor", "model"] and is_of_the_day else analytics_api(asked)

    source.answer = answer
    assert sync().exit_code == 0
    nobody = {k: v["properties"] for k, v in local_port.entities("claude_user_activity").items() if "unatt" in k}
    (found,) = nobody.values()
    usage = [row["usage"] for page in pages for row in page["data"] if row["group"]["actor"] is None]
    amounts = [Decimal(row["cost"]["amount"]) for page in costs for row in page["data"] if not row["group"]["actor"]]
    assert len(usage) == len(amounts) == 2
    assert found["total_requests"] == sum(one["requests"] for one in usage)
    assert found["input_tokens"] == sum(one["uncached_input_tokens"] for one in usage)
    assert Decimal(str(found["cost_usd"])) == rounded({"": sum(amounts, Decimal()) / 100})[""]


@pytest.mark.parametrize(("status", "advice"), [(400, "claude-admin.yaml"), (404, "claude-admin.yaml")])
def test_without_the_beta_the_mapping_that_needs_none_is_named(
    sync: Callable[[], Run], source: Source, local_port: LocalPort, status: int, advice: str
) -> None:
    def answer(asked: Asked) -> Any:
        if not asked.path.startswith(ANALYTICS):
            return admin_api(asked)
        error = {"type": "invalid_request_error", "message": "no"}
        return Response(json.dumps({"type": "error", "error": error, "request_id": "req_1"}), status)

    source.answer = answer
    run = sync()
    assert run.exit_code in (1, 3)
    assert advice in run.err + run.out
    assert local_port.entities("claude_user_activity") == {}


def test_a_wrong_key_ends_with_three_and_writes_nothing(
    sync: Callable[[], Run], env: dict[str, str], local_port: LocalPort
) -> None:
    env["ANTHROPIC_ADMIN_KEY"] = "sk-ant-admin01-of-somebody-else"
    run = sync()
    assert run.exit_code == 3
    assert "somebody-else" not in run.out + run.err
    assert local_port.entities("claude_usage_record") == {}
