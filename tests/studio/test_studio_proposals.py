"""What is proposed, from what was seen and from what the source says when it is asked; nothing is taken by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import JSONResponse

from portsync.mapping.loader import parse
from portsync.studio.paging_hints import paging_hint
from portsync.studio.proposals import draft, propose, records_in, schema_of
from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Asked, Source
    from tests.studio.conftest import Studio

PEOPLE = [
    {"id": n, "login": f"l{n}", "name": "A", "mail": f"l{n}@a.test", "made": "2026-01-01T00:00:00Z",
     "api_key": "hidden-key",
     "site": "https://a.test/x", "team": {"slug": "ops", "token": "hidden-token"}, "tags": ["a"], "parts": [{"x": 1}]}
    for n in range(1, 24)
]  # fmt: skip


def paged(asked: Asked) -> Any:
    """Ten people at a time, for who has the token."""
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return JSONResponse({}, 401)
    page = int(dict(asked.query).get("page", "1"))
    return {"data": PEOPLE[10 * (page - 1) : 10 * page], "page": page, "total": len(PEOPLE)}


def test_what_is_found_out_can_be_written_and_reads_everything(
    studio: Studio, source: Source, things: Callable[..., str], tmp_path: Path
) -> None:
    source.answer = paged
    text = things(selector="method: GET")

    answer = studio.post("/api/find-out", text=text)
    found = answer.json()
    parts = {name: found[name] for name in ("data_path", "pagination", "query_params", "entity")}
    written = studio.ask("/api/proposed", text=text, **parts)["text"]
    view = studio.ask_source(written)["view"]

    assert answer.status_code == 200, answer.text
    assert not any(secret in answer.text for secret in (TOKEN, "hidden-key", "hidden-token"))
    assert found["requests"] == len([one for one in source.asked if one.path == "/things"]) - len(view["answers"])
    assert (found["data_path"], found["pagination"]["type"]) == (".data", "page")
    assert all(reason for _, _, _, reason in found["rows"])
    (resource,) = parse(written, tmp_path / "m.yaml", {"SRC_TOKEN": "x"}).file.resources
    assert resource.selector.pagination is not None
    assert len(view["records"]) == 20
    assert all(record["entities"] for record in view["records"])


def test_a_source_that_refuses_gives_no_proposal_but_the_reason(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    source.answer = lambda _: JSONResponse({"message": f"no: {TOKEN}"}, 403)

    answer = studio.post("/api/find-out", text=things())

    assert answer.status_code == 422
    assert "403" in answer.text
    assert TOKEN not in answer.text


def test_an_entity_is_proposed_from_records_without_what_is_secret() -> None:
    found = propose(PEOPLE, "/v1/people")

    assert found is not None
    assert found.entity["identifier"] == ".id"
    assert found.entity["title"] == ".name"
    assert set(found.entity["properties"]) == {"login", "mail", "made", "site", "tags", "team_slug"}
    assert all(reason for _, _, reason in found.reasons)


@pytest.mark.parametrize("records", [[], ["a", "b"], [1], [{"a": 1}, "b"]])
def test_nothing_is_proposed_from_what_has_no_fields(records: list[Any]) -> None:
    assert propose(records, "/x") is None


def test_an_identifier_has_to_be_there_and_different_in_every_record() -> None:
    assert propose([{"id": 1, "slug": "a"}, {"id": 1, "slug": "b"}], "/x").entity["identifier"] == ".slug"  # type: ignore[union-attr]
    assert propose([{"id": "a b"}, {"id": "c d"}], "/x").reasons[0][2].startswith("a guess")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ([{"a": 1}], ["."]),
        ({"data": [{"a": 1}], "tags": ["x", "y"]}, [".data", ".tags"]),
        ({"result": {"odd key": [{}]}}, ['.result."odd key"']),
        ({"a": 1}, []),
        (None, []),
    ],
)
def test_the_lists_of_an_answer_are_where_records_may_be(body: Any, paths: list[str]) -> None:
    assert [one.data_path for one in records_in(body)] == paths


@pytest.mark.parametrize(
    ("values", "schema"),
    [
        (["2026-01-01T00:00:00Z"], {"type": "string", "format": "date-time"}),
        (["https://a.test"], {"type": "string", "format": "url"}),
        (["https://a.test", "b"], {"type": "string"}),
        ([1, 2.5], {"type": "number"}),
        ([True, 1], None),
        ([], None),
        ([[1]], {"type": "array"}),
        ([[{}]], None),
    ],
)
def test_a_type_is_one_that_takes_every_value(values: list[Any], schema: dict[str, Any] | None) -> None:
    assert schema_of(values) == schema


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        ([], {"link": '<https://a.test/?page=2>; rel="next"'}, "header_link"),
        ({"next": "https://a.test/?p=2"}, {}, "next_link"),
        ({"_links": {"next": {"href": "/x"}}}, {}, "next_link"),
        ({"_links": {"self": {"href": "/x"}}}, {}, None),
        ({"meta": {"next_cursor": "abc"}}, {}, "cursor"),
        ({"meta": {"next_cursor": None}}, {}, None),
        ({"total": 50, "offset": 0}, {}, "offset"),
        ({"total": 50}, {}, "page"),
        ({"total": 10}, {}, None),
        ([], {"link": '<https://a.test/>; rel="prev"'}, None),
    ],
)
def test_pages_behind_the_first_are_noticed(body: Any, headers: dict[str, str], kind: str | None) -> None:
    hint = paging_hint(body, headers, 10)

    assert (None if hint is None else hint.config["type"]) == kind


def test_a_blueprint_takes_what_the_mapping_gives(studio: Studio, source: Source, things: Callable[..., str]) -> None:
    source.answer = paged
    text = things(properties="made: .made\n          relations: {owner: .mail, teams: '[.team.slug]'}")
    studio.ask_source(text)
    mine = json.dumps({"identifier": "thing", "title": "Mine", "schema": {"properties": {"made": {"type": "string"}}}})

    drafts = studio.ask("/api/drafts", text=text, blueprints={"thing": mine})["blueprints"]

    thing = json.loads(drafts["thing"])
    assert thing["title"] == "Mine"
    assert thing["schema"]["properties"] == {"made": {"type": "string"}}
    assert {name: (one["target"], one["many"]) for name, one in thing["relations"].items()} == {
        "owner": ("_user", False),
        "teams": ("team", True),
    }
    assert json.loads(drafts["team"])["schema"]["properties"] == {}
    assert draft("x", [], [])["schema"]["properties"] == {}
