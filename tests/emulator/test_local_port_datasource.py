"""How Port's Ocean framework finds what it wrote: port_api.md sections 3.8 and 2.6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import SimpleNamespace

    import httpx

PATH = "/blueprints/entities/datasource-entities"
MINE = {"datasource_prefix": "port-ocean/demo/", "datasource_suffix": "/me/exporter"}


def write(port: httpx.Client, agent: str, *identifiers: str, blueprint: str = "workspace") -> None:
    body = {"entities": [{"identifier": name} for name in identifiers]}
    path = f"/blueprints/{blueprint}/entities/bulk?upsert=true"
    assert port.post(path, json=body, headers={"user-agent": agent}).status_code == 200


def found(port: httpx.Client, **more: Any) -> list[str]:
    entities = port.post(PATH, json={**MINE, **more}).raise_for_status().json()["entities"]
    return [f"{each['blueprint']}/{each['identifier']}" for each in entities]


def test_what_an_integration_wrote_is_found_whatever_its_version(records: httpx.Client) -> None:
    records.post("/blueprints", json={"identifier": "other", "title": "Other", "schema": {"properties": {}}})
    write(records, "port-ocean/demo/0.1/me/exporter", "a")
    write(records, "port-ocean/demo/0.2/me/exporter", "b")
    write(records, "port-ocean/demo/0.2/me/exporter", "a", blueprint="other")
    for agent in ("port-ocean/demo/0.1/you/exporter", "port-ocean/Demo/0.1/me/exporter", "port-ocean/demo/0.1/me"):
        write(records, agent, agent)
    assert found(records) == ["other/a", "workspace/a", "workspace/b"]


def test_before_leaves_out_what_was_written_since(records: httpx.Client, clock: SimpleNamespace) -> None:
    write(records, "port-ocean/demo/0.1/me/exporter", "old", "kept")
    clock.now += 60
    write(records, "port-ocean/demo/0.1/me/exporter", "kept")
    assert found(records, before="2025-01-01T13:59:30+02:00") == []
    assert found(records, before="2025-01-01T13:00:30+01:00") == ["workspace/old"]


def test_pages_follow_one_another_across_blueprints_and_deletions(records: httpx.Client) -> None:
    records.post("/blueprints", json={"identifier": "other", "title": "Other", "schema": {"properties": {}}})
    write(records, "port-ocean/demo/0.1/me/exporter", "b", "c", "d")
    write(records, "port-ocean/demo/0.1/me/exporter", "z", blueprint="other")
    first = records.post(PATH, json={**MINE, "limit": 2}).json()
    assert [each["identifier"] for each in first["entities"]] == ["z", "b"]
    records.delete("/blueprints/workspace/entities/b")
    second = records.post(PATH, json={**MINE, "limit": 2, "from": first["next"]}).json()
    assert [each["identifier"] for each in second["entities"]] == ["c", "d"]
    assert "next" not in second


@pytest.mark.parametrize(
    "change", [{"limit": 0}, {"limit": 5001}, {"before": "now"}, {"from": "x"}, {"from": "W10="}, {"from": "é"}]
)
def test_what_breaks_the_schema_is_refused(change: dict[str, Any], records: httpx.Client) -> None:
    answer = records.post(PATH, json={**MINE, **change})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
