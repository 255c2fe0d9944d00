"""Mirror properties: values of related entities, read through one relation or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

NUMBER = {"type": "number"}
BLUEPRINTS: list[dict[str, Any]] = [
    {
        "identifier": "domain",
        "title": "Domain",
        "schema": {"properties": {"members": {"type": "array"}, "budget": NUMBER}},
        "calculationProperties": {"twice": {"type": "number", "calculation": ".properties.budget * 2"}},
    },
    {
        "identifier": "system",
        "title": "System",
        "schema": {"properties": {"tier": {"type": "string"}}},
        "relations": {"domain": {"target": "domain"}},
        "mirrorProperties": {"budget": {"path": "domain.budget"}},
    },
    {
        "identifier": "service",
        "title": "Service",
        "schema": {"properties": {"name": {"type": "string"}}},
        "relations": {"system": {"target": "system"}, "used_by": {"target": "system", "many": True}},
        "mirrorProperties": {
            "tier": {"path": "system.tier"},
            "system_name": {"path": "system.$title"},
            "system_id": {"path": "system.$identifier"},
            "made": {"path": "system.$createdAt"},
            "members": {"path": "system.domain.members"},
            "twice": {"path": "system.domain.twice"},
            "budget": {"path": "system.budget"},
            "users": {"path": "used_by.$title"},
            "domains": {"path": "used_by.domain.$identifier"},
        },
        "calculationProperties": {"shout": {"type": "string", "calculation": '.properties.tier + "!"'}},
    },
]
ENTITIES: dict[str, list[dict[str, Any]]] = {
    "domain": [{"identifier": "d", "properties": {"members": ["ann", "bob"], "budget": 4}}],
    "system": [
        {"identifier": "s", "title": "S", "properties": {"tier": "gold"}, "relations": {"domain": "d"}},
        {"identifier": "t", "title": "T", "relations": {"domain": "d"}},
        {"identifier": "u", "properties": {"tier": "tin"}},
    ],
    "service": [
        {"identifier": "a", "relations": {"system": "s", "used_by": ["t", "s", "u"]}},
        {"identifier": "b", "relations": {"system": "u", "used_by": ["u"]}},
        {"identifier": "c", "properties": {"name": "c"}},
    ],
}
NOTHING = dict.fromkeys(
    ["tier", "system_name", "system_id", "made", "members", "twice", "budget", "users", "domains", "shout"]
)
MADE = "2025-01-01T12:00:00.000Z"
WHOLE = {
    "a": {
        "tier": "gold",
        "system_name": "S",
        "system_id": "s",
        "made": MADE,
        "members": ["ann", "bob"],
        "twice": 8,
        "budget": 4,
        "users": ["T", "S"],
        "domains": ["d"],
        "shout": "gold!",
    },
    "b": {**NOTHING, "tier": "tin", "system_id": "u", "made": MADE, "shout": "tin!"},
    "c": {**NOTHING, "name": "c", "shout": "!"},
}


def fill(port: httpx.Client) -> httpx.Client:
    for body in BLUEPRINTS:
        answer = port.post("/blueprints", json=body)
        assert answer.status_code == 201, answer.text
    for blueprint, entities in ENTITIES.items():
        assert port.post(f"/blueprints/{blueprint}/entities/bulk", json={"entities": entities}).status_code == 200
    return port


@pytest.fixture
def services(port: httpx.Client) -> httpx.Client:
    return fill(port)


def test_every_way_of_reading_shows_the_values_of_related_entities(services: httpx.Client) -> None:
    listed = services.get("/blueprints/service/entities").json()["entities"]
    assert {each["identifier"]: each["properties"] for each in listed} == WHOLE
    searched = services.post("/blueprints/service/entities/search", json={}).json()["entities"]
    assert {each["identifier"]: each["properties"] for each in searched} == WHOLE
    everywhere = services.post("/entities/search", json={"combinator": "and", "rules": []}).json()["entities"]
    assert {each["identifier"]: each["properties"] for each in everywhere if each["blueprint"] == "service"} == WHOLE
    for identifier, properties in WHOLE.items():
        read = services.get(f"/blueprints/service/entities/{identifier}").json()["entity"]
        assert read["properties"] == properties


def test_what_a_write_answers_has_them_too(services: httpx.Client) -> None:
    body = {"identifier": "n", "relations": {"system": "s"}}
    made = services.post("/blueprints/service/entities", json=body).json()["entity"]
    assert made["properties"]["tier"] == "gold"


def test_they_can_be_left_out_and_are_not_stored(services: httpx.Client) -> None:
    read = services.get("/blueprints/service/entities/a?exclude_calculated_properties=true").json()["entity"]
    assert read["properties"] == {}


@pytest.mark.parametrize("name", ["tier", "users", "shout"])
def test_they_cannot_be_written(services: httpx.Client, name: str) -> None:
    answer = services.post("/blueprints/service/entities", json={"identifier": "x", "properties": {name: "v"}})
    assert (answer.status_code, answer.json()["error"]) == (422, "blueprint_schema_mismatch")


def test_they_follow_what_they_mirror(services: httpx.Client) -> None:
    services.patch("/blueprints/system/entities/s", json={"properties": {"tier": "lead"}})
    read = services.get("/blueprints/service/entities/a").json()["entity"]["properties"]
    assert (read["tier"], read["shout"]) == ("lead", "lead!")


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"property": "tier", "operator": "=", "value": "gold"}, ["a"]),
        ({"property": "twice", "operator": ">", "value": 7}, ["a"]),
        ({"property": "users", "operator": "contains", "value": "T"}, ["a"]),
        ({"property": "shout", "operator": "=", "value": "tin!"}, ["b"]),
        ({"property": "tier", "operator": "isEmpty"}, ["c"]),
    ],
)
def test_they_can_be_searched(services: httpx.Client, rule: dict[str, Any], found: list[str]) -> None:
    query = {"combinator": "and", "rules": [rule]}
    for params in ({}, {"exclude_calculated_properties": "true"}):
        answer = services.post("/blueprints/service/entities/search", json={"query": query}, params=params)
        assert [each["identifier"] for each in answer.json()["entities"]] == found
    of_service = {"property": "$blueprint", "operator": "=", "value": "service"}
    everywhere = services.post("/entities/search", json={"combinator": "and", "rules": [rule, of_service]})
    assert [each["identifier"] for each in everywhere.json()["entities"]] == found


def test_the_page_shows_them(services: httpx.Client) -> None:
    table = services.get("http://127.0.0.1:8710/blueprints/service?col=tier&col=users")
    assert "gold" in table.text
    assert "tin" in table.text


def test_a_mirror_of_many_without_a_value_can_be_an_empty_list(local_port: Callable[..., httpx.Client]) -> None:
    port = fill(local_port(guesses=Guesses(empty_mirror_is_null=False)))
    assert port.get("/blueprints/service/entities/b").json()["entity"]["properties"]["users"] == []


def test_blueprints_that_mirror_each_other_in_a_circle_come_to_an_end(port: httpx.Client) -> None:
    one = {
        "identifier": "one",
        "title": "One",
        "schema": {"properties": {"p": {"type": "string"}}},
        "relations": {"next": {"target": "one"}},
        "mirrorProperties": {"m": {"path": "next.m"}},
    }
    assert port.post("/blueprints", json=one).status_code == 201
    port.post("/blueprints/one/entities", json={"identifier": "e", "relations": {"next": "e"}})
    assert port.get("/blueprints/one/entities/e").json()["entity"]["properties"] == {"m": None}


@pytest.mark.parametrize(
    "path", ["tier", "system", "system.none", "none.tier", "system.domain.none", "system.$none", "system..tier", "."]
)
def test_a_path_that_leads_nowhere_is_refused(services: httpx.Client, path: str) -> None:
    mirrors = {**BLUEPRINTS[2]["mirrorProperties"], "new": {"path": path}}
    answer = services.patch("/blueprints/service", json={"mirrorProperties": mirrors})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert '"body.mirrorProperties.new.path"' in answer.json()["message"]


def test_a_change_does_not_ask_again_what_it_leaves_as_it_is(services: httpx.Client) -> None:
    assert services.patch("/blueprints/system", json={"schema": {"properties": {}}}).status_code == 200
    assert services.patch("/blueprints/service", json={"title": "New"}).status_code == 200
    assert services.get("/blueprints/service/entities/a").json()["entity"]["properties"]["tier"] is None
