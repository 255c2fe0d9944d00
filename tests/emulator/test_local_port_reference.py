"""What Port's API reference says of reading, deleting and searching, one row for each statement; the id of a row has
the section first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.instants import stamp
from tests.emulator.conftest import NOON

if TYPE_CHECKING:
    import httpx

# Hours from the moment of the search, 2025-01-01T12:00:00Z, and the presets that take in a moment that far away.
AWAY: dict[int, set[str]] = {
    -366 * 24: set(),
    -364 * 24: {"last12Months"},
    -179 * 24: {"last12Months", "last6Months"},
    -89 * 24: {"last12Months", "last6Months", "last3Months"},
    -29 * 24: {"last12Months", "last6Months", "last3Months", "lastMonth"},
    -13 * 24: {"last12Months", "last6Months", "last3Months", "lastMonth", "last2Weeks"},
    -6 * 24: {"last12Months", "last6Months", "last3Months", "lastMonth", "last2Weeks", "lastWeek"},
    -23: {"last12Months", "last6Months", "last3Months", "lastMonth", "last2Weeks", "lastWeek", "lastDay", "yesterday"},
    -1: {"last12Months", "last6Months", "last3Months", "lastMonth", "last2Weeks", "lastWeek", "lastDay", "today"},
    1: {"today"},
    13: {"tomorrow"},
    37: set(),
}
PRESETS = sorted(set().union(*AWAY.values()))


@pytest.mark.parametrize("operator", ["between", "=", "notBetween"])
@pytest.mark.parametrize("preset", PRESETS, ids=[f"5-preset-{preset}" for preset in PRESETS])
def test_a_preset_is_a_range_of_time(records: httpx.Client, preset: str, operator: str) -> None:
    days = {f"h{hours:+}": stamp(NOON + hours * 3600) for hours in AWAY}
    entities = [{"identifier": identifier, "properties": {"day": day}} for identifier, day in days.items()]
    records.post("/blueprints/record/entities/bulk", json={"entities": entities}).raise_for_status()
    rule = {"property": "day", "operator": operator, "value": {"preset": preset}}

    answer = records.post("/blueprints/record/entities/search", json={"query": {"combinator": "and", "rules": [rule]}})

    within = {f"h{hours:+}" for hours, presets in AWAY.items() if preset in presets}
    found = {each["identifier"] for each in answer.json()["entities"]}
    assert found == (within if operator != "notBetween" else days.keys() - within)


META = {
    "$identifier": "a", "$title": "Alpha", "$icon": "Star", "$blueprint": "record",
    "$createdBy": "id", "$updatedBy": "id",
    "$createdAt": "2025-01-01T12:00:00Z", "$updatedAt": "2025-01-01T12:00:00Z",
    "$datasource": "portsync/claude/1.0/main/exporter",
}  # fmt: skip


@pytest.fixture
def filled(records: httpx.Client) -> httpx.Client:
    entity = {
        "identifier": "a",
        "title": "Alpha",
        "icon": "Star",
        "team": ["Blue", "Red"],
        "properties": {"day": "2025-01-01T00:00:00Z", "cost": 1},
        "relations": {"user": "ann@example.com"},
    }
    records.post("/blueprints/record/entities", json=entity).raise_for_status()
    child = {"identifier": "b", "properties": {"day": "2025-01-01T00:00:00Z"}, "relations": {"parent": "a"}}
    records.post("/blueprints/record/entities", json=child).raise_for_status()
    records.post("/blueprints/workspace/entities", json={"identifier": "w"}).raise_for_status()
    return records


def wide(port: httpx.Client, *rules: dict[str, Any]) -> list[str]:
    answer = port.post("/entities/search", json={"combinator": "and", "rules": list(rules)})
    assert answer.status_code == 200, answer.text
    return [each["identifier"] for each in answer.json()["entities"]]


@pytest.mark.parametrize("name", META, ids=[f"5-meta-{name}" for name in META])
def test_a_meta_property_is_searched_by(filled: httpx.Client, name: str) -> None:
    value = META[name]
    is_a = {"property": "$identifier", "operator": "=", "value": "a"}

    assert wide(filled, is_a, {"property": name, "operator": "=", "value": value}) == ["a"]
    assert wide(filled, is_a, {"property": name, "operator": "!=", "value": value}) == []
    assert wide(filled, is_a, {"property": name, "operator": "in", "value": ["x", value]}) == ["a"]
    assert wide(filled, is_a, {"property": name, "operator": "isEmpty"}) == []
    assert "a" not in wide(filled, {"property": name, "operator": "=", "value": f"{value}x"})


SEARCH = "/blueprints/record/entities/search"
DELETE_MANY = "/blueprints/record/bulk/entities/delete"
WIDE = "/entities/search"
NO_RULES: dict[str, Any] = {"combinator": "and", "rules": []}
BAD_OPERATOR = {"combinator": "and", "rules": [{"property": "x", "operator": "~", "value": 1}]}
READ = "GET /blueprints/record/entities"
DELETE = "DELETE /blueprints/record/entities"
PARTS = {"properties": {"cost": 1}, "relations": {"user": "ann@example.com"}}
ALL = {"matchingBlueprints": ["_user", "record", "workspace"], "failedBlueprints": []}
# Section and what it is about, the request and its body, the status, and the code or what is beside the entities.
ROWS: list[tuple[str, str, Any, int, Any]] = [
    ("3.5-one", f"{READ}/a?include=identifier", None, 200, {"entity": {"identifier": "a"}}),
    ("3.5-absent", f"{READ}/gone", None, 404, "not_found"),
    ("3.5-all", READ, None, 200, {}),
    ("3.5-partial-results", f"{READ}?allow_partial_results=true", None, 200, {}),
    ("3.5-count", f"{READ}-count", None, 200, {"count": 2}),
    ("3.5-paths", f"{READ}/a?include=properties.cost&include=relations.user", None, 200, {"entity": PARTS}),
    ("3.7-one", f"{DELETE}/b", None, 200, {}),
    ("3.7-absent", f"{DELETE}/gone", None, 404, "not_found"),
    ("3.7-dependents", f"{DELETE}/a", None, 403, "has_dependents"),
    ("3.7-with-dependents", f"{DELETE}/a?delete_dependents=true", None, 200, {}),
    ("3.7-bulk", f"POST {DELETE_MANY}", {"entities": ["b", "gone"]}, 200, {"deletedEntities": ["b"]}),
    ("3.7-bulk-dependents", f"POST {DELETE_MANY}", {"entities": ["a", "b"]}, 403, "has_dependents"),
    ("3.7-bulk-none", f"POST {DELETE_MANY}", {"entities": []}, 422, "invalid_request"),
    ("3.7-bulk-too-many", f"POST {DELETE_MANY}", {"entities": ["x"] * 101}, 422, "invalid_request"),
    ("3.7-bulk-closed", f"POST {DELETE_MANY}", {"entities": ["b"], "more": 1}, 422, "invalid_request"),
    ("3.8-wide", f"POST {WIDE}", NO_RULES, 200, ALL),
    ("3.8-wide-is-not-paged", f"POST {WIDE}", {**NO_RULES, "limit": 1}, 422, "invalid_request"),
    ("3.8-wide-bad-operator", f"POST {WIDE}", BAD_OPERATOR, 422, "invalid_request"),
    ("3.8-all-keys-optional", f"POST {SEARCH}", {}, 200, {}),
    ("3.8-limit", f"POST {SEARCH}", {"limit": 1000}, 200, {}),
    ("3.8-limit-too-large", f"POST {SEARCH}", {"limit": 1001}, 422, "invalid_request"),
    ("3.8-limit-too-small", f"POST {SEARCH}", {"limit": 0}, 422, "invalid_request"),
    ("3.8-closed", f"POST {SEARCH}", {"page": 1}, 422, "invalid_request"),
    ("3.8-no-blueprint", "POST /blueprints/gone/entities/search", {}, 404, "not_found"),
    ("5-no-rules", f"POST {SEARCH}", {"query": NO_RULES}, 200, {}),
    ("5-no-combinator", f"POST {SEARCH}", {"query": {"rules": []}}, 422, "invalid_request"),
]


@pytest.mark.parametrize(
    ("request_", "body", "status", "said"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_a_route_answers_as_the_reference_says(
    filled: httpx.Client, request_: str, body: Any, status: int, said: Any
) -> None:
    method, path = request_.split(" ")
    answer = filled.request(method, path, json=body)

    assert answer.status_code == status
    shown = answer.json()
    if status != 200:
        assert (shown["ok"], shown["error"]) == (False, said)
    else:
        assert {key: value for key, value in shown.items() if key != "entities"} == {"ok": True, **said}
