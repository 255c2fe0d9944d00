"""Blueprints: their life, their request schema, and what a change may not do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

BODY: dict[str, Any] = {
    "identifier": "thing",
    "title": "Thing",
    "schema": {"properties": {"size": {"type": "number"}, "at": {"type": "string", "format": "date-time"}}},
}


def with_property(schema: dict[str, Any], name: str = "p") -> dict[str, Any]:
    return {**BODY, "schema": {"properties": {name: schema}}}


def with_relation(relation: dict[str, Any]) -> dict[str, Any]:
    return {**BODY, "relations": {"r": relation}}


def test_a_blueprint_is_created_read_listed_and_deleted(port: httpx.Client) -> None:
    created = port.post("/blueprints?create_catalog_page=false", json=BODY)
    assert created.status_code == 201
    blueprint = created.json()["blueprint"]
    assert blueprint["schema"]["properties"] == BODY["schema"]["properties"]
    assert blueprint["createdAt"] == "2025-01-01T12:00:00.000Z"
    assert port.get("/blueprints/thing").json() == {"ok": True, "blueprint": blueprint}
    listed = port.get("/blueprints").json()["blueprints"]
    assert [each["identifier"] for each in listed] == ["_team", "_user", "thing"]
    assert port.delete("/blueprints/thing").json() == {"ok": True}
    assert port.get("/blueprints/thing").status_code == 404


def test_a_second_creation_is_a_conflict(port: httpx.Client) -> None:
    port.post("/blueprints", json=BODY)
    answer = port.post("/blueprints", json=BODY)
    assert (answer.status_code, answer.json()["error"]) == (409, "identifier_taken")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"identifier": "thing", "title": "Thing"}, "\"body\" must have required property 'schema'"),
        ({**BODY, "identifier": "a b"}, '"body.identifier" must match pattern'),
        ({**BODY, "identifier": "a=b"}, '"body.identifier" must match pattern'),
        ({**BODY, "identifier": "é" * 101}, '"body.identifier" must match pattern'),
        ({**BODY, "title": ""}, '"body.title" must NOT have fewer than 1 characters'),
        ({**BODY, "description": "x" * 201}, '"body.description" must NOT have more than 200'),
        ({**BODY, "schema": {"properties": {}, "more": 1}}, "must NOT have additional properties (more)"),
        (with_property({}), "\"body.schema.properties.p\" must have required property 'type'"),
        (with_property({"type": "integer"}), '"body.schema.properties.p.type" must be equal to one of'),
        (with_property({"type": "string", "format": "date"}), ".p.format"),
        (with_property({"type": "string", "pattern": "("}), '.p.pattern" must match format "regex"'),
        (with_property({"type": "string"}, "a b"), '"body.schema.properties" must match pattern'),
        ({**BODY, "calculationProperties": {"c": {"type": "number"}}}, "property 'calculation'"),
        ({**BODY, "mirrorProperties": {"m": {"path": "a.b", "x": 1}}}, "additional properties (x)"),
        ({**BODY, "ownership": {"type": "Mine"}}, '"body.ownership.type"'),
        (with_relation({"many": True}), "\"body.relations.r\" must have required property 'target'"),
        (with_relation({"target": "thing", "required": True, "many": True}), "both required and many"),
    ],
)
def test_what_the_request_schema_forbids_is_named_with_its_place(
    port: httpx.Client, body: dict[str, Any], place: str
) -> None:
    answer = port.post("/blueprints", json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert place in answer.json()["message"]


@pytest.mark.parametrize("identifier", ["größe", "a@b_c.d+e:f\\g-h", "x/y", "日本"])
def test_letters_of_any_script_make_an_identifier(port: httpx.Client, identifier: str) -> None:
    assert port.post("/blueprints", json={**BODY, "identifier": identifier}).status_code == 201
    escaped = identifier.replace("/", "%2F").replace("+", "%2B").replace("\\", "%5C")
    assert port.get(f"/blueprints/{escaped}").json()["blueprint"]["identifier"] == identifier


def test_a_relation_needs_its_target_unless_it_is_the_blueprint_itself(port: httpx.Client) -> None:
    assert port.post("/blueprints", json=with_relation({"target": "nowhere"})).status_code == 404
    assert port.post("/blueprints", json=with_relation({"target": "thing"})).status_code == 201
    patch = {"relations": {"r": {"target": "nowhere"}}}
    assert port.patch("/blueprints/thing", json=patch).status_code == 404


def test_the_status_for_a_missing_target_can_be_switched(local_port: Callable[..., httpx.Client]) -> None:
    port = local_port(guesses=Guesses(missing_target_status=422))
    assert port.post("/blueprints", json=with_relation({"target": "nowhere"})).status_code == 422


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("size", {"type": "string"}),
        ("at", {"type": "string"}),
        ("at", {"type": "string", "format": "url"}),
        ("size", {"type": "number", "format": "timer"}),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_property_keeps_its_type_and_format(
    port: httpx.Client, method: str, name: str, schema: dict[str, Any]
) -> None:
    port.post("/blueprints", json=BODY)
    properties = {**BODY["schema"]["properties"], name: schema}
    answer = port.request(method, "/blueprints/thing", json={**BODY, "schema": {"properties": properties}})
    assert (answer.status_code, answer.json()["error"]) == (422, "forbidden_format_change")
    assert answer.json()["details"] == {"property": name}
    assert port.get("/blueprints/thing").json()["blueprint"]["schema"]["properties"] == (BODY["schema"]["properties"])


def test_patch_keeps_what_was_not_sent_and_put_resets_it(port: httpx.Client) -> None:
    port.post("/blueprints", json={**with_relation({"target": "_user"}), "icon": "Star"})
    patched = port.patch("/blueprints/thing", json={"title": "New"}).json()["blueprint"]
    assert (patched["title"], patched["icon"], list(patched["relations"])) == ("New", "Star", ["r"])
    put = port.put("/blueprints/thing", json={"title": "Newer", "schema": BODY["schema"]})
    assert put.status_code == 200
    assert "icon" not in put.json()["blueprint"]
    assert put.json()["blueprint"]["relations"] == {}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_change_needs_the_blueprint_and_its_own_name(port: httpx.Client, method: str) -> None:
    assert port.request(method, "/blueprints/thing", json=BODY).status_code == 404
    port.post("/blueprints", json=BODY)
    renamed = port.request(method, "/blueprints/thing", json={**BODY, "identifier": "other"})
    assert renamed.status_code == 422


def test_a_removed_property_takes_its_data_along(port: httpx.Client) -> None:
    port.post("/blueprints", json={**BODY, "relations": {"r": {"target": "_user"}}})
    entity = {"identifier": "e", "properties": {"size": 1}, "relations": {"r": "ann@example.com"}}
    port.post("/blueprints/thing/entities", json=entity)
    port.patch("/blueprints/thing", json={"schema": {"properties": {}}, "relations": {}})
    read = port.get("/blueprints/thing/entities/e").json()["entity"]
    assert (read["properties"], read["relations"]) == ({}, {})
    # The user no longer has a dependent either.
    assert port.delete("/blueprints/_user/entities/ann@example.com").status_code == 200


def test_a_new_property_counts_from_the_next_write(port: httpx.Client) -> None:
    port.post("/blueprints", json=BODY)
    entity = {"identifier": "e", "properties": {"late": "x"}}
    assert port.post("/blueprints/thing/entities", json=entity).status_code == 422
    properties = {**BODY["schema"]["properties"], "late": {"type": "string"}}
    port.patch("/blueprints/thing", json={"schema": {"properties": properties}})
    assert port.post("/blueprints/thing/entities", json=entity).status_code == 201


def test_a_blueprint_with_entities_or_relations_to_it_stays(records: httpx.Client) -> None:
    answer = records.delete("/blueprints/workspace")
    assert (answer.status_code, answer.json()["error"]) == (403, "has_dependents")
    entity = {"identifier": "e", "properties": {"day": "2025-01-01T00:00:00Z"}}
    records.post("/blueprints/record/entities", json=entity)
    assert records.delete("/blueprints/record").status_code == 403
    records.delete("/blueprints/record/entities/e")
    assert records.delete("/blueprints/record").status_code == 200
    assert records.delete("/blueprints/workspace").status_code == 200


@pytest.mark.parametrize("identifier", ["_user", "_team"])
def test_system_blueprints_can_be_extended_but_not_deleted(port: httpx.Client, identifier: str) -> None:
    answer = port.delete(f"/blueprints/{identifier}")
    assert (answer.status_code, answer.json()["error"]) == (403, "protected_resource")
    schema = port.get(f"/blueprints/{identifier}").json()["blueprint"]["schema"]
    schema["properties"]["office"] = {"type": "string"}
    assert port.patch(f"/blueprints/{identifier}", json={"schema": schema}).status_code == 200


def long(length: int) -> str:
    return "x" * length


BORDERS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"identifier": long(100)}, {"identifier": long(101)}, '"body.identifier"'),
    ({"title": long(1)}, {"title": ""}, '"body.title"'),
    ({"title": long(100)}, {"title": long(101)}, '"body.title"'),
    ({"description": long(200)}, {"description": long(201)}, '"body.description"'),
    (with_property({"type": "string"}, long(100)), with_property({"type": "string"}, long(101)), "properties"),
    (
        with_property({"type": "string", "title": long(100)}),
        with_property({"type": "string", "title": long(101)}),
        '.p.title"',
    ),
    (
        with_relation({"target": "_user", "title": long(100)}),
        with_relation({"target": "_user", "title": long(101)}),
        '.r.title"',
    ),
    ({"relations": {long(100): {"target": "_user"}}}, {"relations": {long(101): {"target": "_user"}}}, "relations"),
    (
        {"calculationProperties": {long(100): {"type": "string", "calculation": "1", "title": long(100)}}},
        {"calculationProperties": {"c": {"type": "string", "calculation": "1", "title": long(101)}}},
        '.c.title"',
    ),
    (
        {"calculationProperties": {"c": {"type": "string", "calculation": "1"}}},
        {"calculationProperties": {long(101): {"type": "string", "calculation": "1"}}},
        "calculationProperties",
    ),
    (
        {
            **with_relation({"target": "_user"}),
            "mirrorProperties": {long(100): {"path": "r.$title", "title": long(100)}},
        },
        {**with_relation({"target": "_user"}), "mirrorProperties": {"m": {"path": "r.$title", "title": long(101)}}},
        '.m.title"',
    ),
    (with_relation({"target": "_user", "many": True}), with_relation({"target": "_user", "many": 1}), '.r.many"'),
    (
        with_relation({"target": "_user", "required": True}),
        with_relation({"target": "_user", "required": True, "many": True}),
        "both required and many",
    ),
    ({"ownership": {"type": "Direct"}}, {"ownership": {"type": "Direct", "title": long(101)}}, '.ownership.title"'),
    ({"ownership": {"type": "Inherited", "path": "r"}}, {"ownership": {"type": "Inherited"}}, "property 'path'"),
    ({"changelogDestination": {"type": "KAFKA"}}, {"changelogDestination": {"type": "MAIL"}}, "changelogDestination"),
    (
        {"changelogDestination": {"type": "WEBHOOK", "url": "https://a.example", "agent": True}},
        {"changelogDestination": {"type": "WEBHOOK"}},
        "property 'url'",
    ),
    (
        {"changelogDestination": {"type": "KAFKA"}},
        {"changelogDestination": {"type": "KAFKA", "url": "https://a.example"}},
        "additional properties (url)",
    ),
    (
        {"calculationProperties": {"c": {"type": "string", "calculation": "1", "colors": {"1": "lime"}}}},
        {"calculationProperties": {"c": {"type": "string", "calculation": "1", "colors": {"1": "mauve"}}}},
        '.colors.1"',
    ),
    (
        {"calculationProperties": {"c": {"type": "string", "calculation": "1", "colorized": True}}},
        {"calculationProperties": {"c": {"type": "string", "calculation": "1", "more": True}}},
        "additional properties (more)",
    ),
    (
        {"calculationProperties": {"c": {"type": "array", "calculation": "[]", "items": {"type": "string"}}}},
        {"calculationProperties": {"c": {"calculation": "[]"}}},
        "required property 'type'",
    ),
    (
        with_property({"type": "object", "spec": "open-api"}),
        with_property({"type": "object", "spec": "close-api"}),
        '.p.spec"',
    ),
    (
        with_property(
            {"type": "string", "specAuthentication": {"clientId": "", "authorizationUrl": "", "tokenUrl": ""}}
        ),
        with_property({"type": "string", "specAuthentication": {"clientId": "", "authorizationUrl": ""}}),
        "property 'tokenUrl'",
    ),
    (
        with_property({"type": "string", "enum": ["a"], "enumColors": {"a": "bronze"}}),
        with_property({"type": "string", "enum": ["a"], "enumColors": {"a": "steel"}}),
        '.enumColors.a"',
    ),
    (with_property({"type": "array", "minItems": 0}), with_property({"type": "array", "minItems": -1}), '.minItems"'),
    (
        with_property({"type": "string", "maxLength": 0}),
        with_property({"type": "string", "maxLength": -1}),
        '.maxLength"',
    ),
    (with_property({"type": "string", "extra": 1}), with_property({"extra": 1}), "required property 'type'"),
]


@pytest.mark.parametrize(("within", "beyond", "place"), BORDERS)
def test_a_limit_is_taken_and_one_beyond_it_is_not(
    port: httpx.Client, within: dict[str, Any], beyond: dict[str, Any], place: str
) -> None:
    refused = port.post("/blueprints", json={**BODY, **beyond})
    assert (refused.status_code, refused.json()["error"]) == (422, "invalid_request")
    assert place in refused.json()["message"]
    taken = port.post("/blueprints", json={**BODY, **within})
    assert taken.status_code == 201, taken.text


@pytest.mark.parametrize("name", ["a", "A9@_=\\-", "0"])
@pytest.mark.parametrize("section", ["schema", "relations", "calculationProperties", "mirrorProperties"])
def test_every_section_takes_the_same_names(port: httpx.Client, section: str, name: str) -> None:
    def body(of: str) -> dict[str, Any]:
        bodies: dict[str, dict[str, Any]] = {
            "schema": {"schema": {"properties": {of: {"type": "string"}}}},
            "relations": {"relations": {of: {"target": "_user"}}},
            "calculationProperties": {"calculationProperties": {of: {"type": "string", "calculation": "1"}}},
            "mirrorProperties": {**with_relation({"target": "_user"}), "mirrorProperties": {of: {"path": "r.$title"}}},
        }
        return bodies[section]

    for wrong in ("", "a b", "a.b", "é", "a\n"):
        assert port.post("/blueprints", json={**BODY, **body(wrong)}).status_code == 422
    assert port.post("/blueprints", json={**BODY, **body(name)}).status_code == 201


@pytest.mark.parametrize("kind", ["string", "number", "boolean", "object", "array"])
def test_each_type_makes_a_property_and_a_calculation(port: httpx.Client, kind: str) -> None:
    calculations = {"c": {"type": kind, "calculation": "null"}}
    body = {**with_property({"type": kind}), "calculationProperties": calculations}
    created = port.post("/blueprints", json=body).json()["blueprint"]
    assert (created["schema"]["properties"], created["calculationProperties"]) == ({"p": {"type": kind}}, calculations)


@pytest.mark.parametrize(
    "form",
    [
        "date-time", "url", "email", "idn-email", "ipv4", "ipv6", "markdown", "yaml", "user", "blueprints", "team",
        "timer", "proto", "labeled-url",
    ],
)  # fmt: skip
def test_each_format_makes_a_property(port: httpx.Client, form: str) -> None:
    assert port.post("/blueprints", json=with_property({"type": "string", "format": form})).status_code == 201


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "PUT"])
def test_a_blueprint_that_is_not_there_is_not_found(port: httpx.Client, method: str) -> None:
    answer = port.request(method, "/blueprints/none", json=None if method in ("GET", "DELETE") else BODY)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
