"""`preview`: what a mapping makes of the first records, seen before anything is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Run, Source

ENV = {"SRC_TOKEN": TOKEN, "PORTSYNC_JQ_WORKERS": "1"}
PAGED = "{type: page, page_size: 2, until: short}"


def paged(asked: Asked) -> Any:
    """Nine pages of two things, and an empty one."""
    page = int(dict(asked.query).get("page", "1"))
    return {"data": [{"id": f"t{page}{n}", "size": page * 10 + n} for n in (1, 2)] if page <= 9 else []}


@pytest.fixture
def look(portsync: Callable[..., Run], mapping: Callable[..., str]) -> Callable[..., Run]:
    def run(*options: str, **parts: str) -> Run:
        return portsync("preview", mapping(**parts), *options, env=ENV)

    return run


def as_json(run: Run) -> dict[str, Any]:
    found = json.loads(run.out)
    assert isinstance(found, dict)
    (resource,) = found["resources"]
    assert isinstance(resource, dict)
    return resource


def test_request_record_and_entity_stand_together(look: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 3, "more": "x"}]}
    run = look(selector="query_params: {since: '{{ 1 + 1 }}'}")
    assert run.exit_code == 0, run.err
    assert f"GET {source.url}/things?since=2 -> 200" in run.out
    assert '"more": "x"' in run.out
    assert "thing  a" in run.out
    assert '"size": 3' in run.out.split("thing  a")[1]


def test_no_credentials_for_port_are_needed_and_nothing_is_written(
    look: Callable[..., Run], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": [{"id": "a"}]}
    before = local_port.requests()
    assert look().exit_code == 0
    assert local_port.requests() == before


def test_reading_ends_soon_after_the_last_record_that_is_wanted(look: Callable[..., Run], source: Source) -> None:
    source.answer = paged
    resource = as_json(look("--limit", "1", "--format", "json", pagination=PAGED))
    assert len(source.asked) <= 3, "two pages may be under way already, and no more"
    assert [len(page["shown"]) for page in resource["pages"]] == [1]
    assert resource["verdict"] is None, "nobody read it to its end"


def test_records_of_several_pages_are_shown(look: Callable[..., Run], source: Source) -> None:
    source.answer = paged
    resource = as_json(look("--limit", "3", "--format", "json", pagination=PAGED))
    shown = [(page["number"], record["value"]["id"]) for page in resource["pages"] for record in page["shown"]]
    assert shown == [(1, "t11"), (1, "t12"), (2, "t21")]


def test_one_record_of_one_page(look: Callable[..., Run], source: Source) -> None:
    source.answer = paged
    options = ("--page", "2", "--record", "2", "--format", "json")
    resource = as_json(look(*options, pagination=PAGED))
    (page,) = resource["pages"]
    assert [record["value"] for record in page["shown"]] == [{"id": "t22", "size": 22}]
    assert page["shown"][0]["record"] == 2
    assert [entity["identifier"] for entity in page["shown"][0]["entities"]] == ["t22"]


def test_what_becomes_no_entity_says_why(look: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "keep": False}, {"id": None, "keep": True}, {"id": "c", "keep": 1}]}
    run = look("--format", "json", selector="query: .keep")
    filtered, null, odd = as_json(run)["pages"][0]["shown"]
    assert filtered["filtered"] is True
    assert null["failures"][0]["message"] == "the identifier is null"
    assert odd["failures"][0]["code"] == "selector-not-boolean"
    assert run.exit_code == 1


def test_a_property_that_fails_is_shown_with_the_reason(look: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "name": 5}]}
    run = look(properties="name: .name | ascii_upcase")
    assert "left out: properties.name" in run.out
    assert run.exit_code == 1


def test_where_data_path_finds_nothing_the_answer_is_shown(look: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"items": [{"id": "a"}], "token": "very-secret-value"}
    run = look()
    assert run.exit_code == 1
    assert '"items"' in run.out
    assert "very-secret-value" not in run.out + run.err
    assert "error[" in run.err


@pytest.mark.parametrize("command", ["preview", "explain"])
def test_what_a_source_says_does_not_steer_the_terminal(
    portsync: Callable[..., Run], mapping: Callable[..., str], source: Source, command: str
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "name": "x\x1b[31m\x9b2J", "size": "\u202eabc"}]}
    options = ("a", "--no-port") if command == "explain" else ()
    run = portsync(command, mapping(properties="name: .name"), *options, env=ENV)
    assert run.exit_code == 0
    assert not {"\x1b", "\x9b", "\u202e"} & set(run.out + run.err)


def test_a_source_that_refuses_ends_with_three(look: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: Response('{"error": "no"}', 401)
    run = look()
    assert run.exit_code == 3
    assert "401" in run.err


def test_now_is_what_is_asked_for(look: Callable[..., Run], source: Source) -> None:
    source.answer = lambda _: {"data": []}
    look("--now", "2026-02-03", selector="query_params: {day: '{{ now | strftime(\"%Y-%m-%d\") }}'}")
    assert dict(source.asked[0].query)["day"] == "2026-02-03"


def test_kept_answers_take_the_place_of_the_network(look: Callable[..., Run], source: Source, tmp_path: Path) -> None:
    source.answer = paged
    kept = str(tmp_path / "kept")
    first = look("--limit", "3", "--save", kept, "--format", "json", pagination=PAGED)
    asked = len(source.asked)
    again = look("--limit", "3", "--from", kept, "--format", "json", pagination=PAGED)
    assert again.out == first.out
    assert len(source.asked) == asked


def test_the_instant_of_keeping_is_that_of_looking_again(
    portsync: Callable[..., Run], mapping: Callable[..., str], source: Source, tmp_path: Path
) -> None:
    source.answer = lambda _: {"data": [{"id": "a"}]}
    text = mapping(selector="query_params: {at: '{{ now | floor }}'}")
    kept = str(tmp_path / "kept")
    portsync("preview", text, "--save", kept, env=ENV, at=1_700_000_000.0)
    run = portsync("preview", text, "--from", kept, env=ENV, at=1_800_000_000.0)
    assert run.exit_code == 0, run.err
    assert "at=1700000000" in run.out


def test_a_request_that_is_not_among_the_kept_ones_says_so(
    look: Callable[..., Run], source: Source, tmp_path: Path
) -> None:
    source.answer = lambda _: {"data": [{"id": "a"}]}
    kept = str(tmp_path / "kept")
    look("--save", kept)
    run = look("--from", kept, kind="/others")
    assert "error[not-kept]" in run.err
    assert "/others" in run.err


def test_no_secret_is_kept(look: Callable[..., Run], source: Source, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Response:
        said = {"data": [{"id": "a", "password": "hunter2-hunter2", "echo": asked.headers["authorization"]}]}
        return Response(json.dumps(said), headers={"set-cookie": "session=s3cr3t-s3cr3t", "x-echo": TOKEN})

    source.answer = answer
    folder = tmp_path / "kept"
    run = look("--save", str(folder), selector='headers: {x-own: "${SRC_TOKEN}"}\nquery_params: {k: "${SRC_TOKEN}"}')
    assert run.exit_code == 0, run.err
    files = "".join(file.read_text() for file in folder.iterdir())
    for secret in (TOKEN, "hunter2-hunter2", "s3cr3t-s3cr3t"):
        assert secret not in files + run.out + run.err
    again = look("--from", str(folder), selector='headers: {x-own: "${SRC_TOKEN}"}\nquery_params: {k: "${SRC_TOKEN}"}')
    assert "thing  a" in again.out, "a masked parameter stands for any"


def test_a_folder_with_something_else_is_not_written_to(
    look: Callable[..., Run], source: Source, tmp_path: Path
) -> None:
    source.answer = lambda _: {"data": []}
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.json").write_text("{}")
    run = look("--save", str(folder))
    assert run.exit_code == 2
    assert "error[cassette]" in run.err
    assert [file.name for file in folder.iterdir()] == ["thesis.json"]


def test_answers_are_kept_in_place_of_those_before(look: Callable[..., Run], source: Source, tmp_path: Path) -> None:
    source.answer = paged
    folder = tmp_path / "kept"
    look("--limit", "5", "--save", str(folder), pagination=PAGED)
    look("--limit", "1", "--save", str(folder))
    assert sorted(file.name for file in folder.iterdir()) == ["001-get-things.json", "cassette.json"]


@pytest.mark.parametrize("content", ["", "{", '{"version": 2}', '{"now": "x", "base_url": "y"}'])
def test_kept_answers_that_cannot_be_read_are_named(look: Callable[..., Run], tmp_path: Path, content: str) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "cassette.json").write_text(content)
    run = look("--from", str(tmp_path / "kept"))
    assert run.exit_code == 2
    assert "error[cassette]" in run.err
    assert "Traceback" not in run.err


def test_answers_that_are_no_json_are_kept_as_they_are(
    look: Callable[..., Run], source: Source, tmp_path: Path
) -> None:
    kept = str(tmp_path / "kept")

    def look_twice(body: bytes) -> tuple[Run, Run]:
        source.answer = lambda _: Response(body, media_type="text/csv")
        options = ("--format", "json")
        selector = "decode: csv\ndata_path: ."
        return look("--save", kept, *options, selector=selector), look("--from", kept, *options, selector=selector)

    for first, again in map(look_twice, (b"id,size\na,1\n", b"\xff\xfe\x00")):
        assert again.out == first.out


def test_check_live_says_what_the_first_records_become(
    portsync: Callable[..., Run], mapping: Callable[..., str], source: Source
) -> None:
    source.answer = lambda _: {"data": [{"id": "a"}, {"id": "b"}]}
    run = portsync("check", mapping(), "--live", env=ENV)
    assert run.exit_code == 0, run.err
    assert "/things: 2 records on the first page, the first becomes thing a" in run.out


def test_check_live_says_what_is_wrong_with_the_source(
    portsync: Callable[..., Run], mapping: Callable[..., str], source: Source
) -> None:
    source.answer = lambda _: Response("{}", 403)
    run = portsync("check", mapping(), "--live", env=ENV)
    assert run.exit_code == 3
    assert "error[source-refused]" in run.err
    source.answer = lambda _: {"data": [{"id": None}]}
    run = portsync("check", mapping(), "--live", env=ENV)
    assert run.exit_code == 1
    assert "the identifier is null" in run.err


def test_check_asks_nobody_while_something_is_wrong_with_the_file(
    portsync: Callable[..., Run], mapping: Callable[..., str], source: Source
) -> None:
    run = portsync("check", mapping(identifier=".id |"), "--live", env=ENV)
    assert run.exit_code == 2
    assert source.asked == []
