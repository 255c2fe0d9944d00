"""Calculation properties: evaluated on reading, never stored, never in the way of a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

ENTITIES = "/blueprints/usage/entities"


def create(port: httpx.Client, calculation: str) -> None:
    body = {
        "identifier": "usage",
        "title": "Usage",
        "schema": {"properties": {"total": {"type": "number"}, "failed": {"type": "number"}}},
        "calculationProperties": {"rate": {"type": "number", "calculation": calculation}},
    }
    assert port.post("/blueprints", json=body).status_code == 201
    entity = {"identifier": "e", "properties": {"total": 4, "failed": 1}}
    assert port.post(ENTITIES, json=entity).status_code == 201


@pytest.mark.parametrize(
    ("calculation", "value"),
    [
        (".properties | (.total - .failed) / .total", 0.75),
        (".identifier + .blueprint", "eusage"),
        (".properties.none / 5", None),
        ("empty", None),
        ("not jq at (", None),
    ],
)
def test_a_read_shows_the_result_or_null(port: httpx.Client, calculation: str, value: Any) -> None:
    create(port, calculation)
    shown = {"total": 4, "failed": 1, "rate": value}
    query = {"combinator": "and", "rules": [{"property": "$blueprint", "operator": "=", "value": "usage"}]}
    assert port.get(f"{ENTITIES}/e").json()["entity"]["properties"] == shown
    assert port.get(ENTITIES).json()["entities"][0]["properties"] == shown
    assert port.post(f"{ENTITIES}/search", json={}).json()["entities"][0]["properties"] == shown
    assert port.post("/entities/search", json=query).json()["entities"][0]["properties"] == shown


def test_calculated_values_can_be_left_out(port: httpx.Client) -> None:
    create(port, "1")
    read = port.get(f"{ENTITIES}/e?exclude_calculated_properties=true").json()["entity"]
    assert read["properties"] == {"total": 4, "failed": 1}


def test_a_changed_calculation_counts_at_once(port: httpx.Client) -> None:
    create(port, "1")
    assert port.get(f"{ENTITIES}/e").json()["entity"]["properties"]["rate"] == 1
    port.patch(
        "/blueprints/usage",
        json={"calculationProperties": {"rate": {"type": "number", "calculation": "2"}}},
    )
    assert port.get(f"{ENTITIES}/e").json()["entity"]["properties"]["rate"] == 2


def test_a_calculated_value_cannot_be_written(port: httpx.Client) -> None:
    create(port, "1")
    answer = port.post(ENTITIES, json={"identifier": "f", "properties": {"rate": 1}})
    assert (answer.status_code, answer.json()["error"]) == (422, "blueprint_schema_mismatch")
