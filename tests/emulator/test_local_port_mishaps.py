"""Requests over which the local Port once stumbled: each has an answer that says what is wrong, or is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from portsync.emulator.formats import STRING_FORMATS

if TYPE_CHECKING:
    import httpx

DAY = "2025-01-01T00:00:00Z"


def deep(levels: int) -> bytes:
    """A body in which so many objects lie one within the other."""
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("path", "frame"),
    [
        (
            "/blueprints/record/entities",
            b'{"identifier": "x", "properties": {"day": "2025-01-01T00:00:00Z", "extra": %s}}',
        ),
        ("/blueprints/record/entities/bulk", b'{"entities": [{"properties": {"extra": %s}}]}'),
        ("/integration", b'{"installationId": "x", "config": %s}'),
        ("/pages", b'{"identifier": "x", "pageFilters": [%s]}'),
        ("/entities/search", b'{"combinator": "and", "rules": [{"property": "p", "operator": "=", "value": %s}]}'),
    ],
)
def test_what_is_too_deep_to_be_answered_is_refused(records: httpx.Client, path: str, frame: bytes) -> None:
    answer = records.post(path, content=frame % deep(250))

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert "240 levels" in answer.json()["message"]


def test_what_is_just_not_too_deep_can_be_read_everywhere(records: httpx.Client) -> None:
    entity = orjson.loads(b'{"identifier": "x", "properties": {"day": "%s", "extra": %s}}' % (DAY.encode(), deep(238)))
    bulk = {"entities": [orjson.loads(orjson.dumps({**entity, "title": "changed"}))]}
    assert records.post("/blueprints/record/entities", json=entity).status_code == 201
    assert records.post("/blueprints/record/entities/bulk?upsert=true", json=bulk).status_code == 200

    held = records.post("/entities/search", json={"combinator": "and", "rules": []}).json()["entities"]
    assert [each["properties"] for each in held if each["identifier"] == "x"] == [entity["properties"]]
    assert records.get("http://127.0.0.1:8710/entity?blueprint=record&identifier=x").status_code == 200


@pytest.mark.parametrize(
    ("widget", "status"),
    [
        ({"type": "markdown", "id": []}, 422),
        ({"type": "links-widget", "id": 1}, 422),
        ({"type": "iframe-widget", "widgets": 5}, 201),
        ({"type": "iframe-widget", "widgets": [[1]]}, 201),
    ],
)
def test_a_widget_that_is_not_checked_cannot_break_its_page(
    port: httpx.Client, widget: dict[str, Any], status: int
) -> None:
    answer = port.post("/pages", json={"identifier": "p", "title": "P", "widgets": [widget]})

    assert answer.status_code == status, answer.text
    if status == 201:
        (held,) = port.get("/pages/p").json()["page"]["widgets"]
        assert held.items() >= widget.items()


@pytest.mark.parametrize("rule", [
    {"property": "day", "operator": {}, "value": 1},
    {"property": "day", "operator": ["="], "value": 1},
    {"property": "day", "operator": "between", "value": {"preset": []}},
])  # fmt: skip
def test_a_rule_of_odd_types_is_refused(records: httpx.Client, rule: dict[str, Any]) -> None:
    answer = records.post("/entities/search", json={"combinator": "and", "rules": [rule]})

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")


def test_a_limit_with_a_fraction_of_nothing_is_a_whole_number(records: httpx.Client) -> None:
    for number in range(3):
        entity = {"identifier": f"e{number}", "properties": {"day": DAY}}
        records.post("/blueprints/record/entities", json=entity).raise_for_status()

    page = records.post("/blueprints/record/entities/search", content=b'{"limit": 2.0}').json()
    assert [each["identifier"] for each in page["entities"]] == ["e0", "e1"]


@pytest.mark.parametrize("number", ["9" * 5000, "0", "-1", "1e1", "٣", ""])
def test_a_number_of_kinds_that_is_none_is_refused(port: httpx.Client, number: str) -> None:
    port.post("/integration", json={"installationId": "i"}).raise_for_status()

    assert port.get("/integration/i/kinds", params={"page": number}).status_code == 422
    assert port.get("/integration/i/kinds", params={"page": "0002"}).status_code == 200


@pytest.mark.parametrize("path", ["/blueprints/%0A", "/blueprints/a%0Ab/entities", "/%0D%0A"])
def test_a_line_break_in_a_path_is_a_name_like_any_other(port: httpx.Client, path: str) -> None:
    answer = port.get(path)

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert answer.headers["x-trace-id"]
    assert answer.headers["x-ratelimit-limit"]


@pytest.mark.parametrize("fault", [
    {"status": 503, "retry_after": "soon\r\nx-evil: 1"},
    {"status": 503, "retry_after": "demnächst"},
    {"status": 503, "path": "a{99999999999}"},
])  # fmt: skip
def test_a_fault_that_could_not_be_answered_with_is_refused(port: httpx.Client, fault: dict[str, Any]) -> None:
    assert port.post("http://127.0.0.1:8710/_faults", json=[fault]).status_code == 422


def test_a_status_with_a_fraction_of_nothing_is_a_status(port: httpx.Client) -> None:
    port.post("http://127.0.0.1:8710/_faults", content=b'[{"status": 503.0}]').raise_for_status()

    assert port.get("/blueprints").status_code == 503


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("day: 2025-99-99", True),
        ("!!timestamp x", True),
        ("!!int ''", True),
        ("a: &one [1]\nb: *one", True),
        ("a: &one [*one]", True),
        ("a: *none", False),
        ("a: 1\n---\nb: 2", False),
        ("[" * 100_000, False),
        ("- " * 100_000, False),
        ("a: &x [1]\n" + "b: [*x, *x]\n" * 1000, True),
    ],
)  # fmt: skip
def test_yaml_is_judged_by_its_form_and_nothing_is_built_of_it(text: str, holds: bool) -> None:
    assert STRING_FORMATS["yaml"](text) is holds


@pytest.mark.parametrize("number", ["9" * 30, "9223372036854775808", "0"])
def test_the_run_of_no_number_is_not_there(port: httpx.Client, number: str) -> None:
    assert port.get(f"http://127.0.0.1:8710/runs/{number}").status_code == 404
