"""`context`: small requests that are made once in a run, for every expression to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source


def answer(asked: Asked) -> Any:
    match asked.path:
        case "/me":
            return {"id": "acme", "big": 12345678901234567890123}
        case "/users":
            offset = int(dict(asked.query).get("offset", 0))
            return {"data": [{"id": f"u{n}", "mail": f"{n}@acme.example"} for n in range(offset, min(offset + 2, 5))]}
        case "/broken":
            return Response(status_code=500)
        case _:
            return {"data": [{"id": "t1", "owner": "u4", "size": 1}]}


CONTEXT = """
context:
  org: {path: /me}
  users:
    path: /users
    query_params: {org: '{{ $context.org.id }}'}
    data_path: .data
    index_by: .id
    pagination: {type: offset, page_size: 2}
"""


def test_lookups_are_made_once_and_paged_and_seen_by_every_expression(
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
) -> None:
    source.answer = answer
    selector = "query_params: {org: '{{ $context.org.id }}'}\nquery: $context.users[.owner] != null"
    first = mapping(selector=selector, properties="name: $context.users[.owner].mail", identifier="$context.org.big")
    second = mapping(kind="/others", identifier=".id + $context.org.id")
    text = CONTEXT + first + second[second.index("  - kind") :]

    run = portsync("sync", text, env=port_env)

    assert run.exit_code == 0
    asked = [asked.path for asked in source.asked]
    assert asked == ["/me", "/users", "/users", "/users", "/users", "/things", "/others"]
    assert all(dict(a.query)["org"] == "acme" for a in source.asked if a.path in ("/users", "/things"))
    entities = local_port.entities("thing")
    assert sorted(entities) == ["12345678901234567890123", "t1acme"]
    assert entities["12345678901234567890123"]["properties"]["name"] == "4@acme.example"
    assert run.report["lookups"]["requests"] == 5


def test_a_lookup_that_fails_stops_the_resources_that_need_it_and_no_others(
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
) -> None:
    source.answer = answer
    context = "context: {bad: {path: /broken}, org: {path: /me}}"
    needs = mapping(identifier=".id + ($context.bad | tostring)")
    fine = mapping(kind="/others", identifier=".id + $context.org.id")
    whole = mapping(kind="/wholes", identifier='.id + ($context | keys | join("."))')
    text = context + needs + fine[fine.index("  - kind") :] + whole[whole.index("  - kind") :]

    run = portsync("sync", text, env=port_env)

    assert run.exit_code == 1
    found = [(resource["verdict"], resource["reason"]) for resource in run.report["resources"]]
    assert found == [("incomplete", "context"), ("complete", None), ("incomplete", "context")]
    assert [asked.path for asked in source.asked if asked.path in ("/things", "/wholes")] == []
    assert sorted(local_port.entities("thing")) == ["t1acme"]
    assert run.report["problems"][0]["place"].startswith("context.bad: GET ")


@pytest.mark.parametrize(
    ("lookup", "expected"),
    [
        ("{path: /me}", '{"id":"acme","big":12345678901234567890123}'),
        ("{path: /me, data_path: .id}", '"acme"'),
        ("{path: /users, data_path: '.data[0:1]'}", '[{"id":"u0","mail":"0@acme.example"}]'),
        ("{path: /users, data_path: '.data[].id'}", '["u0","u1"]'),
        ("{path: /users, data_path: .data, index_by: .mail}", '["0@acme.example","1@acme.example"]'),
        ("{path: /users, data_path: '.data[2:]'}", "[]"),
    ],
)
def test_what_a_lookup_is(
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    lookup: str,
    expected: str,
) -> None:
    source.answer = answer
    shown = "$context.it"
    code = f"({shown} | keys | tojson)" if "index_by" in lookup else f"({shown} | tojson)"

    run = portsync("sync", f"context: {{it: {lookup}}}" + mapping(properties=f"name: '{code}'"), env=port_env)

    assert run.exit_code == 0
    assert local_port.entities("thing")["t1"]["properties"]["name"] == expected


@pytest.mark.parametrize(
    "lookup",
    [
        "{path: /me, data_path: .nothing}",
        "{path: /users, data_path: .nothing, index_by: .id}",
        "{path: /users, data_path: .data, index_by: .nothing}",
        "{path: /users, data_path: .data, index_by: '.id | error'}",
        "{path: '/{{ $context | .later }}'}",
    ],
)
def test_a_lookup_that_finds_nothing_is_no_empty_one(
    source: Source, port_env: dict[str, str], mapping: Callable[..., str], portsync: Callable[..., Run], lookup: str
) -> None:
    source.answer = answer

    run = portsync("sync", f"context: {{it: {lookup}}}" + mapping(properties="name: $context.it"), env=port_env)

    assert (run.exit_code, run.resource["reason"]) == (1, "context")
