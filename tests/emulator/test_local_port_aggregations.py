"""Aggregation properties: numbers of connected entities, compared with what is counted by hand."""

from __future__ import annotations

import statistics
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.emulator.app import create_app
from portsync.emulator.guesses import Guesses
from tests.emulator.conftest import NOON, InProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEAM = {"identifier": "squad", "title": "Squad", "schema": {"properties": {}}}
SERVICE = {
    "identifier": "service",
    "title": "Service",
    "schema": {"properties": {}},
    "relations": {"squad": {"target": "squad"}, "parent": {"target": "service"}},
}
ISSUE = {
    "identifier": "issue",
    "title": "Issue",
    "schema": {
        "properties": {
            "points": {"type": "number"},
            "status": {"type": "string"},
            "at": {"type": "string", "format": "date-time"},
        }
    },
    "relations": {"service": {"target": "service"}, "also": {"target": "service", "many": True}},
    "calculationProperties": {"double": {"type": "number", "calculation": ".properties.points * 2"}},
}
UNITS = {"hour": 3600, "day": 86400, "week": 7 * 86400, "month": 30 * 86400}


def aggregating(target: str, spec: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"aggregationProperties": {"n": {"title": "N", "target": target, "calculationSpec": spec, **more}}}


def by_property(func: str, **more: Any) -> dict[str, Any]:
    return {"calculationBy": "property", "func": func, "property": "points", **more}


COUNT = {"calculationBy": "entities", "func": "count"}
DIRECT = {"pathFilter": [{"path": ["service"], "fromBlueprint": "issue"}]}


def fill(port: httpx.Client, issues: list[dict[str, Any]], services: int = 3) -> httpx.Client:
    for body in (TEAM, SERVICE, ISSUE):
        assert port.post("/blueprints", json=body).status_code == 201
    port.post("/blueprints/squad/entities", json={"identifier": "q"})
    made = [{"identifier": f"s{number}", "relations": {"squad": "q"}} for number in range(services)]
    port.post("/blueprints/service/entities/bulk", json={"entities": made}).raise_for_status()
    for start in range(0, len(issues), 20):
        some = issues[start : start + 20]
        answer = port.post("/blueprints/issue/entities/bulk", json={"entities": some})
        assert answer.status_code == 200, answer.text
    return port


def numbers(port: httpx.Client, blueprint: str, body: dict[str, Any]) -> dict[str, Any]:
    """The aggregation `n` of each of the blueprint's entities."""
    answer = port.patch(f"/blueprints/{blueprint}", json=body)
    assert answer.status_code == 200, answer.text
    found = port.get(f"/blueprints/{blueprint}/entities").json()["entities"]
    return {each["identifier"]: each["properties"]["n"] for each in found}


def issue(number: int, service: str | None, **properties: Any) -> dict[str, Any]:
    return {"identifier": f"i{number}", "properties": properties, "relations": {"service": service}}


ISSUES = [
    issue(1, "s0", points=1, status="OPEN", at="2025-01-01T00:00:00Z"),
    issue(2, "s0", points=4, status="OPEN", at="2025-01-15T00:00:00Z"),
    issue(3, "s0", points=10, status="DONE", at="2025-01-02T01:00:00+01:00"),
    issue(4, "s1", status="OPEN", at="2025-01-01T00:00:00Z"),
    issue(5, None, points=100),
]


@pytest.mark.parametrize(
    ("spec", "of_s0", "of_s1", "of_s2"),
    [
        (COUNT, 3, 1, 0),
        (by_property("sum"), 15, None, None),
        (by_property("min"), 1, None, None),
        (by_property("max"), 10, None, None),
        (by_property("median"), 4, None, None),
        (by_property("average", averageOf="total"), 5, None, None),
        (by_property("average", averageOf="week", measureTimeBy="at"), 5, 0, 0),
        (by_property("average", averageOf="day", measureTimeBy="at"), 1, 0, 0),
        (by_property("average", averageOf="month", measureTimeBy="$createdAt"), 15, 0, 0),
        ({"calculationBy": "entities", "func": "average", "averageOf": "week", "measureTimeBy": "at"}, 1, 1, 0),
        ({"calculationBy": "entities", "func": "average", "averageOf": "month"}, 3, 1, 0),
        ({"calculationBy": "entities", "func": "average", "averageOf": "total"}, 3, 1, 0),
        ({**by_property("sum"), "property": "double"}, 30, None, None),
    ],
)
def test_each_function_counts_what_is_connected(
    port: httpx.Client, spec: dict[str, Any], of_s0: float, of_s1: float, of_s2: float
) -> None:
    found = numbers(fill(port, ISSUES), "service", aggregating("issue", spec))
    assert found == {"s0": of_s0, "s1": of_s1, "s2": of_s2}


def test_the_sum_of_nothing_can_be_nought(local_port: Callable[..., httpx.Client]) -> None:
    port = fill(local_port(guesses=Guesses(sum_of_nothing=0)), ISSUES)
    assert numbers(port, "service", aggregating("issue", by_property("sum"))) == {"s0": 15, "s1": 0, "s2": 0}


def test_a_query_says_which_of_them_count(port: httpx.Client) -> None:
    query = {"combinator": "and", "rules": [{"property": "status", "operator": "=", "value": "OPEN"}]}
    found = numbers(fill(port, ISSUES), "service", aggregating("issue", COUNT, query=query))
    assert found == {"s0": 2, "s1": 1, "s2": 0}
    query["rules"] = [{"property": "double", "operator": ">", "value": 2}]
    assert numbers(port, "service", aggregating("issue", COUNT, query=query)) == {"s0": 2, "s1": 0, "s2": 0}


def test_connections_lead_over_other_blueprints_in_both_directions(port: httpx.Client) -> None:
    fill(port, ISSUES)
    assert numbers(port, "squad", aggregating("issue", COUNT)) == {"q": 4}
    assert numbers(port, "issue", aggregating("squad", COUNT)) == {"i1": 1, "i2": 1, "i3": 1, "i4": 1, "i5": 0}


def test_an_entity_that_is_connected_twice_counts_once(port: httpx.Client) -> None:
    twice = {"identifier": "i1", "relations": {"service": "s0", "also": ["s0", "s1"]}}
    found = numbers(fill(port, [twice]), "squad", aggregating("issue", COUNT))
    assert found == {"q": 1}


def test_a_path_says_which_connections_count(port: httpx.Client) -> None:
    both = {"identifier": "i1", "relations": {"service": "s0", "also": ["s1", "s2"]}}
    fill(port, [both])
    assert numbers(port, "service", aggregating("issue", COUNT)) == {"s0": 1, "s1": 1, "s2": 1}
    assert numbers(port, "service", aggregating("issue", COUNT, **DIRECT)) == {"s0": 1, "s1": 0, "s2": 0}
    long = {"pathFilter": [{"path": ["also", "squad"], "fromBlueprint": "issue"}]}
    assert numbers(port, "squad", aggregating("issue", COUNT, **long)) == {"q": 1}
    forwards = {"pathFilter": [{"path": ["also"]}]}
    assert numbers(port, "issue", aggregating("service", COUNT, **forwards)) == {"i1": 2}


def test_a_relation_to_its_own_blueprint_is_followed_in_circles_and_nobody_counts_itself(port: httpx.Client) -> None:
    fill(port, [issue(1, "s0"), issue(2, "s1")])
    for child, parent in (("s0", "s1"), ("s1", "s2"), ("s2", "s0")):
        port.patch(f"/blueprints/service/entities/{child}", json={"relations": {"parent": parent}})
    assert numbers(port, "service", aggregating("service", COUNT)) == {"s0": 2, "s1": 2, "s2": 2}
    assert numbers(port, "service", aggregating("issue", COUNT)) == {"s0": 2, "s1": 2, "s2": 2}


def test_a_write_elsewhere_changes_the_number_at_once(port: httpx.Client) -> None:
    fill(port, ISSUES)
    assert numbers(port, "service", aggregating("issue", COUNT))["s2"] == 0
    port.post("/blueprints/issue/entities", json=issue(9, "s2", points=1))
    assert port.get("/blueprints/service/entities/s2").json()["entity"]["properties"]["n"] == 1
    port.delete("/blueprints/issue/entities/i9")
    assert port.get("/blueprints/service/entities/s2").json()["entity"]["properties"]["n"] == 0


def test_a_range_of_time_moves_on_without_a_write(port: httpx.Client, clock: Any) -> None:
    rule = {"property": "at", "operator": "between", "value": {"preset": "lastWeek"}}
    fill(port, ISSUES)
    recent = aggregating("issue", COUNT, query={"combinator": "and", "rules": [rule]})
    assert numbers(port, "service", recent) == {"s0": 1, "s1": 1, "s2": 0}
    clock.now += 30 * 86400
    found = port.get("/blueprints/service/entities", headers=_token(port)).json()["entities"]
    assert {each["properties"]["n"] for each in found} == {0}


def _token(port: httpx.Client) -> dict[str, str]:
    """A new token, for the old one has run out."""
    keys = {"clientId": "id", "clientSecret": "secret"}
    return {"authorization": f"Bearer {port.post('/auth/access_token', json=keys).json()['accessToken']}"}


def test_they_are_searched_left_out_and_refused_in_writes(port: httpx.Client) -> None:
    numbers(fill(port, ISSUES), "service", aggregating("issue", COUNT))
    query = {"combinator": "and", "rules": [{"property": "n", "operator": ">=", "value": 1}]}
    answer = port.post("/blueprints/service/entities/search", json={"query": query}).json()
    assert [each["identifier"] for each in answer["entities"]] == ["s0", "s1"]
    read = port.get("/blueprints/service/entities/s0?exclude_calculated_properties=true").json()["entity"]
    assert read["properties"] == {}
    refused = port.post("/blueprints/service/entities", json={"identifier": "x", "properties": {"n": 1}})
    assert (refused.status_code, refused.json()["error"]) == (422, "blueprint_schema_mismatch")


def naive(issues: list[tuple[int, float | None, int]], service: int, func: str, unit: str | None) -> float | None:
    """What the API has to answer, counted in the plainest way."""
    mine = [(points, at) for of, points, at in issues if of == service and points is not None]
    values = [points for points, _ in mine]
    if func == "average" and unit != "total":
        if not mine:
            return 0
        seconds = max(at for _, at in mine) - min(at for _, at in mine)
        return sum(values) / (int(seconds / UNITS[unit or ""]) + 1)
    if not values:
        return None
    functions: dict[str, Callable[[list[float]], float]] = {
        "sum": sum, "min": min, "max": max, "median": statistics.median, "average": statistics.mean,
    }  # fmt: skip
    return functions[func](values)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.none() | st.integers(-1000, 1000) | st.integers(-4000, 4000).map(lambda value: value / 8),
            st.integers(0, 120 * 86400),
        ),
        max_size=40,
    ),
    st.sampled_from(["sum", "min", "max", "median", "average"]),
    st.sampled_from(["hour", "day", "week", "month", "total"]),
)
def test_any_numbers_come_to_what_they_come_to_by_hand(
    issues: list[tuple[int, float | None, int]], func: str, unit: str
) -> None:
    start = int(NOON) - 200 * 86400
    sent = [
        issue(
            number,
            f"s{of}",
            at=datetime.fromtimestamp(start + at).astimezone().isoformat(),
            **({} if points is None else {"points": points}),
        )
        for number, (of, points, at) in enumerate(issues)
    ]
    app = create_app(client_id="id", client_secret="secret", clock=lambda: NOON)
    with httpx.Client(transport=InProcess(app), base_url="http://port.test/v1") as port:
        port.headers.update(_token(port))
        fill(port, sent)
        more = {"averageOf": unit, "measureTimeBy": "at"} if func == "average" else {}
        found = numbers(port, "service", aggregating("issue", by_property(func, **more)))
    expected = {f"s{service}": naive(issues, service, func, unit) for service in range(3)}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        (aggregating("none", COUNT), 404, 'target blueprint "none"'),
        (aggregating("_team", COUNT), 422, '"body.aggregationProperties.n.target" must be connected'),
        (aggregating("issue", {**by_property("sum"), "property": "none"}), 422, "n.calculationSpec.property"),
        (aggregating("issue", {**by_property("sum"), "property": "status"}), 422, "of type number"),
        (aggregating("issue", by_property("average", averageOf="day", measureTimeBy="status")), 422, "measureTimeBy"),
        (aggregating("issue", by_property("average", averageOf="day", measureTimeBy="none")), 422, "measureTimeBy"),
        (aggregating("issue", by_property("average")), 422, "required property 'averageOf'"),
        (aggregating("issue", by_property("average", averageOf="year")), 422, "averageOf"),
        (aggregating("issue", by_property("sum", averageOf="day")), 422, "additional properties (averageOf)"),
        (aggregating("issue", by_property("count")), 422, "func"),
        (aggregating("issue", {"calculationBy": "property", "func": "sum"}), 422, "required property 'property'"),
        (aggregating("issue", {"calculationBy": "entities", "func": "sum"}), 422, "func"),
        (aggregating("issue", {**COUNT, "property": "points"}), 422, "additional properties (property)"),
        (aggregating("issue", {**COUNT, "calculationBy": "rows"}), 422, "calculationBy"),
        (aggregating("issue", {"func": "count"}), 422, "required property 'calculationBy'"),
        (aggregating("issue", COUNT, query={"combinator": "xor", "rules": []}), 422, "n.query.combinator"),
        (aggregating("issue", COUNT, query={"combinator": "and"}), 422, "required property 'rules'"),
        (aggregating("issue", COUNT, pathFilter=[{"path": []}]), 422, "fewer than 1 items"),
        (aggregating("issue", COUNT, pathFilter=[{"path": ["squad"]}]), 422, "n.pathFilter.0.path"),
        (aggregating("issue", COUNT, pathFilter=[{"path": ["service"]}]), 422, "n.pathFilter.0.path"),
        (aggregating("issue", COUNT, pathFilter=[{"path": ["service"], "fromBlueprint": "squad"}]), 422, "pathFilter"),
        (aggregating("issue", COUNT, pathFilter=[*DIRECT["pathFilter"]] * 2), 422, "more than 1 items"),
        (aggregating("issue", COUNT, type="string"), 422, "n.type"),
        (aggregating("issue", COUNT, more=1), 422, "additional properties (more)"),
        ({"aggregationProperties": {"n": {"target": "issue", "calculationSpec": COUNT}}}, 422, "property 'title'"),
        ({"aggregationProperties": {"n": {"title": "N", "calculationSpec": COUNT}}}, 422, "property 'target'"),
        ({"aggregationProperties": {"n": {"title": "N", "target": "issue"}}}, 422, "property 'calculationSpec'"),
    ],
)
def test_what_cannot_be_aggregated_is_refused_with_its_place(
    port: httpx.Client, body: dict[str, Any], status: int, place: str
) -> None:
    answer = fill(port, []).patch("/blueprints/service", json=body)
    assert answer.status_code == status
    assert place in answer.json()["message"]
    assert port.get("/blueprints/service").json()["blueprint"]["aggregationProperties"] == {}
