"""`explain`: where an entity comes from, and what a sync would do to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source


@pytest.fixture
def explain(portsync: Callable[..., Run], mapping: Callable[..., str], port_env: dict[str, str]) -> Callable[..., Run]:
    def run(identifier: str, *options: str, **parts: str) -> Run:
        return portsync("explain", mapping(**parts), identifier, *options, env=port_env)

    return run


def paged(asked: Asked) -> Any:
    page = int(dict(asked.query).get("page", "1"))
    return {"data": [{"id": f"t{page}{n}", "size": page * 10 + n} for n in (1, 2)] if page <= 3 else []}


PAGED = "{type: page, page_size: 2, until: short}"


def test_page_record_and_expression_of_each_part(explain: Callable[..., Run], source: Source) -> None:
    source.answer = paged
    found = json.loads(explain("t22", "--format", "json", pagination=PAGED).out)
    (entity,) = found["entities"]
    assert entity["place"] == "page 2, record 2"
    assert "page=2" in entity["request"]["url"]
    assert entity["record"] == {"id": "t22", "size": 22}
    parts = {part["name"]: part for part in entity["parts"]}
    assert parts["properties.size"]["expression"] == ".size"
    assert parts["properties.size"]["value"] == 22
    assert parts["properties.size"]["place"].split(":")[-2:] == ["18", "19"]
    assert set(parts) == {"identifier", "blueprint", "properties.size"}


def test_what_a_sync_would_do(explain: Callable[..., Run], sync: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}]}
    assert "Port does not have it: a sync creates it" in explain("a").out
    assert sync().exit_code == 0
    assert "Port holds it as it is: a sync sends nothing" in explain("a").out
    source.answer = lambda _: {"data": [{"id": "a", "size": 2}]}
    run = explain("a")
    assert "Port holds 1: a sync changes it" in run.out
    assert "a sync updates 1 part of it" in run.out
    assert run.exit_code == 0


def test_nothing_is_written(explain: Callable[..., Run], source: Source, local_port: LocalPort) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}]}
    explain("a")
    assert local_port.entities("thing") == {}
    assert all(request["method"] in ("GET", "POST") for request in local_port.requests())
    assert local_port.writes() == []


def test_an_entity_that_no_record_gives(explain: Callable[..., Run], sync: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "keep": True}, {"id": "b", "keep": False}]}
    query = "query: .keep"
    run = explain("b", selector=query)
    assert run.exit_code == 1
    assert "no record gives `b`: 2 were read, 1 of them left out by `query`" in run.out
    assert sync().exit_code == 0
    assert "Port holds it as thing" in explain("b", selector=query).out


def test_a_record_that_became_no_entity(explain: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "bad id", "size": 1}]}
    run = explain("bad id")
    assert run.exit_code == 1
    assert "became no entity" in run.out


def test_two_records_for_one_entity(explain: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}, {"id": "a", "size": 2}]}
    run = explain("a", "--no-port")
    assert "2 records give this entity" in run.out
    assert "page 1, record 2" in run.out


def test_a_part_whose_expression_fails(explain: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1, "name": 5}]}
    run = explain("a", "--no-port", properties="name: .name | ascii_upcase")
    assert "left out: " in run.out


def test_a_source_that_ends_midway_is_said(explain: Callable[..., Run], source: Source) -> None:
    def answer(asked: Asked) -> Any:
        return paged(asked) if dict(asked.query)["page"] == "1" else Response("no", 400)

    source.answer = answer
    run = explain("t99", "--no-port", pagination=PAGED)
    assert run.exit_code == 1
    assert "not everything was read" in run.out


def test_a_source_that_is_not_there_ends_with_three(explain: Callable[..., Run]) -> None:
    run = explain("a", "--no-port", base_url="http://127.0.0.1:1")
    assert run.exit_code == 3
    assert "error[unreachable]" in run.err


def test_wrong_credentials_for_port_end_with_four(
    explain: Callable[..., Run], source: Source, port_env: dict[str, str]
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}]}
    port_env["PORT_CLIENT_SECRET"] = "wrong-secret-wrong"
    run = explain("a")
    assert run.exit_code == 4
    assert "wrong-secret-wrong" not in run.out + run.err


def test_several_mappings_of_one_record_are_told_apart(
    portsync: Callable[..., Run], mapping: Callable[..., str], source: Source
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}]}
    text = mapping()
    first = text.index("          identifier")
    one = text[first:].replace("          ", "            ", 1)
    lines = "\n".join(f"  {line}" for line in text[first:].splitlines())
    two = lines.replace("identifier: .id", 'identifier: .id + "-more"').replace("size: .size", "twice: .size * 2")
    text = f"{text[:first]}          - {lines.lstrip()}\n          - {two.lstrip()}\n"
    assert one
    env = {"SRC_TOKEN": "source-token-7f3a", "PORTSYNC_JQ_WORKERS": "1"}
    found = json.loads(portsync("explain", text, "a-more", "--format", "json", env=env).out)
    parts = {part["name"]: part["value"] for part in found["entities"][0]["parts"]}
    assert parts["properties.twice"] == 2
