"""An OpenAPI document, with several endpoints and relations between what they give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from starlette.responses import JSONResponse, Response

from portsync.authoring.discover.openapi import credentials_of, endpoints_of
from portsync.authoring.discover.openapi_document import base_url_of, followed, schema_of
from tests.authoring.discover import apis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.authoring.discover.conftest import Proposed
    from tests.conftest import Asked, Source

USERS = [{"id": f"u-{i:03}", "name": f"Person {i}", "state": ("active", "gone")[i % 2]} for i in range(12)]
PROJECTS = [
    {
        "id": f"p-{i}",
        "title": f"Project {i}",
        "owner_id": USERS[i % 5]["id"],
        "member_ids": [USERS[i]["id"], USERS[0]["id"]],
        "former_user_id": USERS[i]["id"] if i else "u-gone",
    }
    for i in range(7)
]
TASKS = {
    project["id"]: [
        {"id": i, "summary": f"Task {i} of {project['id']}", "assignee": {"id": USERS[i]["id"]}} for i in range(3)
    ]
    for project in PROJECTS
}


def array_of(name: str, key: str | None = None) -> dict[str, Any]:
    array = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    schema = array if key is None else {"type": "object", "properties": {key: array}}
    return {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}


PAGED = [{"name": "page", "in": "query"}, {"name": "per_page", "in": "query"}]
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Company", "version": "1"},
    "servers": [{"url": "/api/v1"}],
    "components": {
        "schemas": {
            "User": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "What people call her."},
                    "state": {"type": "string", "enum": ["active", "gone", "invited"]},
                },
            },
            "Project": {"allOf": [{"$ref": "#/components/schemas/User"}, {"type": "object", "properties": {}}]},
            "Task": {"type": "object"},
        }
    },
    "paths": {
        "/users": {"get": {"parameters": PAGED, "responses": array_of("User", "users")}},
        "/users/{id}": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/User"}}}}
                }
            }
        },
        "/projects": {"get": {"responses": array_of("Project")}, "post": {"responses": {"201": {"description": ""}}}},
        "/projects/{project_id}/tasks": {"get": {"responses": array_of("Task")}},
        "/reports": {"post": {"operationId": "createReport", "responses": array_of("Task")}},
        "/search": {
            "get": {"parameters": [{"name": "q", "in": "query", "required": True}], "responses": array_of("Task")}
        },
        "/health": {"get": {"responses": {"200": {"content": {"text/plain": {}}}}}},
    },
}


def company(asked: Asked) -> Any:
    path = asked.path.removeprefix("/api/v1")
    query = dict(asked.query)
    if asked.method != "GET":
        return Response("{}", 500)
    if asked.path == "/openapi.json":
        return JSONResponse(DOCUMENT)
    if path == "/users":
        page, size = int(query.get("page", 1)), int(query.get("per_page", 5))
        return {"users": USERS[(page - 1) * size : page * size]}
    if path == "/projects":
        return PROJECTS
    if path.endswith("/tasks"):
        return TASKS[path.split("/")[2]]
    return Response('{"message": "Not Found"}', 404)


def test_endpoints_and_their_relations_come_into_the_catalog(
    source: Source, discover: Callable[..., Proposed], in_port: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    source.answer = company
    proposed = discover(f"{source.url}/openapi.json")

    assert proposed.run.exit_code == 0, proposed.run.err
    assert [one["kind"] for one in proposed.found["resources"]] == [
        "/users",
        "/projects",
        "/projects/{project_id}/tasks",
    ]
    assert {asked.method for asked in source.asked} == {"GET"}

    tasks = in_port(proposed, "task")
    assert {(task["properties"]["summary"], task["relations"]["project"]) for task in tasks.values()} == {
        (task["summary"], project) for project, held in TASKS.items() for task in held
    }
    assert {task["relations"]["assignee_relation"] for task in tasks.values()} == {user["id"] for user in USERS[:3]}


def test_the_other_entities_of_the_document_are_there_too(
    source: Source, discover: Callable[..., Proposed], in_port: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    source.answer = company
    proposed = discover(f"{source.url}/openapi.json")
    projects = in_port(proposed, "project")

    assert {name: one["relations"] for name, one in projects.items()} == {
        project["id"]: {"owner": project["owner_id"], "members": project["member_ids"]} for project in PROJECTS
    }
    users = next(one for one in proposed.found["resources"] if one["kind"] == "/users")
    assert users["pagination"]["value"]["type"] == "page"
    assert users["properties"]["state"]["value"]["enum"] == ["active", "gone", "invited"]
    assert users["properties"]["name"]["value"]["description"] == "What people call her."


def test_what_is_not_asked_is_said(source: Source, discover: Callable[..., Proposed]) -> None:
    source.answer = company
    found = discover(f"{source.url}/openapi.json").found

    left_out = {one["name"]: one["reason"] for one in found["left_out"]}
    assert left_out == {
        "POST /reports": "a POST may change something, and the document does not say that this one only reads",
        "GET /search": "it wants the query parameter `q`, and the document gives no example of it",
    }
    assert not any(asked.path.endswith(("/reports", "/search", "/health")) for asked in source.asked)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_document_on_disk_is_asked_where_the_user_says(
    form: str, source: Source, discover: Callable[..., Proposed], tmp_path: Path
) -> None:
    source.answer = company
    file = tmp_path / f"company.{form}"
    file.write_text(json.dumps(DOCUMENT) if form == "json" else yaml.safe_dump(DOCUMENT), encoding="utf-8")

    unnamed = discover(str(file))
    assert unnamed.run.exit_code == 3
    assert "foreign-origin" in unnamed.run.err
    assert source.asked == []

    proposed = discover(str(file), "--base-url", f"{source.url}/api/v1", "--kind", "/projects")
    assert [one["kind"] for one in proposed.found["resources"]] == ["/projects"]


def test_a_document_whose_server_is_elsewhere_is_not_followed(
    source: Source, discover: Callable[..., Proposed]
) -> None:
    source.answer = lambda _: {**DOCUMENT, "servers": [{"url": "https://elsewhere.example/v1"}]}
    proposed = discover(f"{source.url}/openapi.json", "--auth-env", "KEY", env={"KEY": "a-secret-key"})

    assert proposed.run.exit_code == 3
    assert "--base-url https://elsewhere.example/v1" in proposed.run.err
    assert len(source.asked) == 1


def test_a_bare_url_that_answers_404_leads_to_the_usual_places(
    source: Source, discover: Callable[..., Proposed]
) -> None:
    source.answer = company
    proposed = discover(source.url)

    assert [asked.path for asked in source.asked][:2] == ["/", "/openapi.json"]
    assert len(proposed.found["resources"]) == 3


def test_links_in_the_root_answer_are_followed_within_the_source(
    source: Source, discover: Callable[..., Proposed]
) -> None:
    root = {
        "repositories_url": f"{source.url}/repos{{?page,per_page}}",
        "one_url": f"{source.url}/repos/{{owner}}",
        "elsewhere": "https://elsewhere.example/things",
        "docs": f"{source.url}/docs",
    }
    held = apis.repositories(7)
    source.answer = apis.at_paths({"/": lambda _: root, "/repos": apis.github(source.url, held)})
    proposed = discover(source.url)

    assert [one["kind"] for one in proposed.found["resources"]] == ["/repos"]
    assert {asked.path for asked in source.asked} == {"/", "/repos"}


def test_swagger_2_is_read_as_well() -> None:
    document = {
        "swagger": "2.0",
        "host": "api.example.com",
        "basePath": "/v2",
        "schemes": ["https"],
        "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "definitions": {"Pet": {"type": "object", "properties": {"id": {"type": "integer"}}}},
        "paths": {
            "/pets": {
                "get": {"responses": {"200": {"schema": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}}}}
            },
            "/pets/{id}": {"get": {"responses": {"200": {"schema": {"$ref": "#/definitions/Pet"}}}}},
        },
    }
    endpoints, left_out = endpoints_of(document)

    assert base_url_of(document, None) == "https://api.example.com/v2"
    assert [str(one) for one in endpoints] == ["GET /pets"]
    assert endpoints[0].schema == {"type": "object", "properties": {"id": {"type": "integer"}}}
    assert left_out == []
    assert credentials_of(document) == "the document asks for a key: --auth-env NAME --auth-as header:X-Key"


@pytest.mark.parametrize(
    ("servers", "at", "expected"),
    [
        ([{"url": "/v1"}], "https://a.example/docs/openapi.json", "https://a.example/v1"),
        (
            [{"url": "https://b.example/{stage}", "variables": {"stage": {"default": "live"}}}],
            None,
            "https://b.example/live",
        ),
        ([], "https://a.example/openapi.json", "https://a.example"),
        ([{"url": "/v1"}], None, None),
        ([{"url": "http://[oops"}], "https://a.example/x", None),
    ],
)
def test_the_server_of_a_document_is_read_as_openapi_says(servers: Any, at: str | None, expected: str | None) -> None:
    assert base_url_of({"openapi": "3.1.0", "servers": servers, "paths": {}}, at) == expected


def test_references_that_lead_in_a_circle_or_nowhere_end() -> None:
    document = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}, "deep": {"properties": {"deep": {"$ref": "#/deep"}}}}

    assert followed(document["a"], document) == {}
    assert followed({"$ref": "https://elsewhere.example/x"}, document) == {}
    assert followed({"$ref": "#/nowhere/at/all"}, document) == {}
    assert schema_of({"$ref": "#/deep"}, document)["type"] == "object"
