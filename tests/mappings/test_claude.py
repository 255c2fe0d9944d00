from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jq
import pytest
import yaml

from portsync.demo.data import day_of
from portsync.demo.query import Query, parse_query
from portsync.demo.records import View, records_of
from portsync.demo.users import DEFAULT_USERS

ROOT = Path(__file__).parents[2]
MAPPING: dict[str, Any] = yaml.safe_load((ROOT / "mappings" / "claude.yaml").read_text())
RESOURCES: list[dict[str, Any]] = MAPPING["resources"]
VIEWS = (View.MESSAGES, View.MESSAGES_BY_USER, View.MESSAGES_BY_MODEL, View.COST, View.CLAUDE_CODE)
BLUEPRINTS = (
    "claude_usage_record",
    "claude_user_activity",
    "claude_model_usage",
    "claude_cost_record",
    "claude_code_analytics",
)
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
}
each_resource = pytest.mark.parametrize("resource", RESOURCES, ids=BLUEPRINTS)
each_resource_and_view = pytest.mark.parametrize(
    ("resource", "view"), list(zip(RESOURCES, VIEWS, strict=True)), ids=BLUEPRINTS
)


def entity(resource: dict[str, Any]) -> dict[str, Any]:
    mappings: dict[str, Any] = resource["port"]["entity"]["mappings"]
    return mappings


def blueprint(resource: dict[str, Any]) -> dict[str, Any]:
    name = json.loads(entity(resource)["blueprint"])  # a constant of JQ is a JSON string
    loaded: dict[str, Any] = json.loads((ROOT / "blueprints" / "claude" / f"{name}.json").read_text())
    return loaded


def test_the_file_maps_the_five_blueprints_in_order() -> None:
    assert tuple(blueprint(resource)["identifier"] for resource in RESOURCES) == BLUEPRINTS
    assert {path.stem for path in (ROOT / "blueprints" / "claude").glob("*.json")} == set(BLUEPRINTS)


def test_the_file_connects_to_anthropic_and_sets_oceans_switches() -> None:
    source = {key: value for key, value in MAPPING["source"].items() if key != "hints"}
    assert {**{key: value for key, value in MAPPING.items() if key != "resources"}, "source": source} == {
        "source": {
            "base_url": "${ANTHROPIC_BASE_URL:https://api.anthropic.com}",
            "auth": {"type": "bearer", "token": "${ANTHROPIC_API_KEY}"},
            "headers": {"anthropic-version": "2023-06-01"},
            "pagination": {"type": "none"},
        },
        "createMissingRelatedEntities": True,
        "deleteDependentEntities": False,
        "enableMergeEntity": True,
    }


@each_resource
def test_every_mapped_property_and_relation_is_one_of_the_blueprint(resource: dict[str, Any]) -> None:
    assert entity(resource)["properties"].keys() <= blueprint(resource)["schema"]["properties"].keys()
    assert entity(resource).get("relations", {}).keys() == blueprint(resource)["relations"].keys()


@each_resource
def test_every_required_property_is_mapped(resource: dict[str, Any]) -> None:
    assert set(blueprint(resource)["schema"]["required"]) <= entity(resource)["properties"].keys()


@each_resource
def test_entities_that_left_the_window_are_kept(resource: dict[str, Any]) -> None:
    assert resource["selector"]["delete_stale"] is False


def test_a_users_day_relates_to_the_user_by_address() -> None:
    users_day = RESOURCES[BLUEPRINTS.index("claude_user_activity")]

    assert entity(users_day)["relations"] == {"user": ".user_email"}
    assert blueprint(users_day)["relations"]["user"]["target"] == "_user"


@each_resource_and_view
def test_the_request_asks_the_sample_source_for_the_last_thirty_days(resource: dict[str, Any], view: View) -> None:
    noon = datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC).timestamp()
    program, replaced = re.subn(r"\bnow\b", str(noon), resource["selector"]["body"])
    body = jq.compile(program).input_value(None).text().encode()

    assert replaced == 2
    assert resource["selector"]["method"] == "POST"
    assert parse_query(body, path=resource["kind"]) == Query(view, date(2026, 10, 23), date(2026, 11, 22))


@each_resource_and_view
def test_every_expression_gives_a_value_of_the_blueprints_type(resource: dict[str, Any], view: View) -> None:
    properties = blueprint(resource)["schema"]["properties"]
    records = records_of(day_of(date(2026, 11, 18), seed=1, users=DEFAULT_USERS), view)
    data = jq.compile(resource["selector"]["data_path"]).input_value({"data": records}).first()

    assert data == records != []
    for record in data:
        for name, expression in entity(resource)["properties"].items():
            value = jq.compile(expression).input_value(record).first()
            assert type(value) in TYPES[properties[name]["type"]], name
        for text in ("identifier", "title", "blueprint"):
            assert jq.compile(entity(resource)[text]).input_value(record).first(), text
        assert record["date"] in jq.compile(entity(resource)["identifier"]).input_value(record).first()
