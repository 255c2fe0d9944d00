"""What can go wrong between an API and Port: each a clear line, the right exit code, and the rest unharmed."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LocalPort, Run, Source


def things(first: int, end: int) -> list[dict[str, Any]]:
    return [{"id": f"t{i}", "size": i, "name": f"Thing {i}"} for i in range(first, end)]


def problem(run: Run, code: str) -> dict[str, Any]:
    found = [p for p in run.report["problems"] if p["code"] == code]
    assert found, f"no problem {code} in {run.report['problems']}"
    first = found[0]
    assert isinstance(first, dict)
    return first


HTML = "<!DOCTYPE html><html><head><style>x{}</style></head><body><h1>Please sign in</h1></body></html>"


@pytest.mark.parametrize(
    ("answer", "reason", "code", "says"),
    [
        (Response(HTML, media_type="text/html"), "decode", "html-answer", "Please sign in"),
        (Response('{"data": [', media_type="application/json"), "decode", "not-json", '{"data": ['),
        (Response('{"data": []} {"data": []}'), "decode", "not-json", "not JSON"),
        (Response(b"\xff\xfe{}"), "decode", "not-json", "not JSON"),
        (Response(""), "decode", "not-json", "empty"),
        (Response("  \n"), "decode", "not-json", "empty"),
        (Response('{"error": {"message": "no such path"}}', 404), "status", "source-status", "no such path"),
        (Response(HTML, 501, media_type="text/html"), "status", "source-status", "answered 501: Please sign in"),
        (Response("bad gateway", 502), "status", "source-status", "502 after 3 tries: bad gateway"),
        (Response("", 302, {"location": "/login"}), "loop", "redirect-loop", "/login -> http"),
        (Response("", 302), "status", "redirect", "302 without saying where to go"),
        (Response("", 304), "status", "source-status", "304"),
        (Response("{}", 429, {"retry-after": "3600"}), "rate_limit", "rate-limited", "2026-11-22 13:00:00 UTC"),
        (Response("{}", 429, {"retry-after": "3"}), "rate_limit", "source-status", "429 after 3 tries"),
        ({"items": []}, "data_path", "data-path", "found nothing"),
        ({"data": None}, "data_path", "data-path", "found nothing"),
    ],
)
def test_an_answer_that_cannot_be_read_leaves_the_resource_incomplete(
    answer: Any, reason: str, code: str, says: str, source: Source, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: answer

    run = sync()

    assert run.exit_code == 1
    assert (run.resource["verdict"], run.resource["reason"]) == ("incomplete", reason)
    assert says in problem(run, code)["message"]
    assert "/things, page 1" in problem(run, code)["place"]
    assert problem(run, code)["hint"]
    assert "NOT READ TO THE END" in run.out


@pytest.mark.parametrize("status", [401, 403])
def test_a_source_that_refuses_everything_is_exit_code_3(status: int, source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: Response('{"type":"error","error":{"type":"x","message":"invalid x-api-key"}}', status)

    run = sync()

    assert run.exit_code == 3
    assert f"{status}: invalid x-api-key" in problem(run, "source-refused")["message"]
    assert len(source.asked) == 1, "a refusal is not tried again"


def test_a_dead_source_is_exit_code_3(sync: Callable[..., Run]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    run = sync(base_url=url)

    assert run.exit_code == 3
    assert run.resource["reason"] == "unreachable"
    assert (run.resource["requests"], run.resource["retries"]) == (3, 2)
    assert "no connection" in problem(run, "unreachable")["message"]


def test_records_without_the_fields_become_failures_that_name_what_they_have(
    source: Source, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": [{"uid": "x"}, {"id": "t1", "size": 1}]}

    run = sync()

    assert run.exit_code == 1
    assert (run.resource["records"], run.resource["entities"], run.resource["failures"]) == (2, 1, 1)
    assert problem(run, "identifier")["place"] == "page 1, record 1"


def test_an_identifier_made_of_nothing_is_loud(source: Source, local_port: LocalPort, sync: Callable[..., Run]) -> None:
    """In JQ null + "@" + null is "@": without the guard these records are one entity, and the run looks fine."""
    source.answer = lambda _: {"data": [{"starting_at": "2026-01-01", "results": []}] * 4}

    run = sync(identifier='.organization_id + "@" + .date')

    assert run.exit_code == 1
    assert run.resource["failures"] == 4
    assert problem(run, "identifier")["identifier"] == "@"
    assert "starting_at, results" in problem(run, "identifier")["message"]
    assert local_port.entities("thing") == {}


@pytest.mark.parametrize(
    ("on_conflict", "exit_code", "size", "counts"),
    [
        ("report", 1, 3, {"entities": 3, "conflicts": 2, "created": 1, "updated": 2}),
        ("last", 0, 3, {"entities": 3, "conflicts": 2, "created": 1, "updated": 2}),
        ("first", 0, 1, {"entities": 3, "conflicts": 2, "created": 1, "unchanged": 2}),
        ("fail", 1, 1, {"entities": 1, "conflicts": 0, "created": 1, "failures": 2}),
    ],
)
@pytest.mark.parametrize("pages", ["{type: none}", "{type: offset, page_size: 1}"])
def test_two_records_with_one_identifier_and_different_content(
    pages: str,
    on_conflict: str,
    exit_code: int,
    size: int,
    counts: dict[str, int],
    source: Source,
    local_port: LocalPort,
    sync: Callable[..., Run],
) -> None:
    records = [{"id": "same", "size": 1}, {"id": "same", "size": 2}, {"id": "same", "size": 3}]

    def answer(asked: Any) -> Any:
        offset = int(dict(asked.query).get("offset", 0))
        return {"data": records if pages == "{type: none}" else records[offset : offset + 1]}

    source.answer = answer

    run = sync(pagination=pages, selector=f"on_conflict: {on_conflict}")

    assert run.exit_code == exit_code
    assert local_port.entities("thing")["same"]["properties"]["size"] == size
    assert {name: run.resource[name] for name in counts} == counts
    assert run.codes, "a conflict is always in the problems"
    assert run.report["problems"][0]["identifier"] == "same"


def test_the_same_record_twice_is_a_duplicate_and_no_problem(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: {"data": [*things(0, 3), *things(0, 3)]}

    run = sync()

    assert run.exit_code == 0
    assert (run.resource["entities"], run.resource["duplicates"]) == (3, 3)


def test_a_property_of_the_wrong_type_is_rejected_and_the_others_are_written(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": [*things(0, 30), {"id": "odd", "size": "large"}]}

    run = sync()

    assert run.exit_code == 1
    assert (run.resource["created"], run.resource["rejected"]) == (30, 1)
    assert len(local_port.entities("thing")) == 30
    assert problem(run, "port-rejected")["identifier"] == "odd"
    assert problem(run, "port-rejected")["place"] == "page 1, record 31"
    assert "must be number" in problem(run, "port-rejected")["message"]


def test_a_blueprint_that_port_does_not_have_is_named_once_and_asked_for_once(
    source: Source, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": things(0, 500)}

    run = sync(blueprint="'\"nothing_like_it\"'")

    assert run.exit_code == 1
    assert run.resource["rejected"] == 500
    assert "`nothing_like_it` is not in Port" in problem(run, "blueprint-missing")["message"]
    assert "portsync provision" in problem(run, "blueprint-missing")["hint"]


def test_an_expression_that_fails_leaves_out_its_field_only(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1, "n": []}, {"id": "b", "size": 2, "n": "ok"}]}

    run = sync(properties='name: .n + "!"')

    assert run.exit_code == 0, "field errors alone do not change the exit code"
    assert run.resource["field_errors"] == 1
    assert problem(run, "field-error")["place"] == "page 1, record 1"
    assert "properties.name" in problem(run, "field-error")["message"]
    assert local_port.entities("thing")["a"]["properties"] == {"size": 1}
    assert local_port.entities("thing")["b"]["properties"] == {"size": 2, "name": "ok!"}


def test_a_selector_that_is_no_boolean_is_a_failure(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: {
        "data": [{"id": "a", "size": 1, "on": None}, {"id": "b", "on": True}, {"id": "c", "on": False}]
    }

    run = sync(selector="query: .on")

    assert run.exit_code == 1
    assert {n: run.resource[n] for n in ("records", "entities", "filtered", "failures")} == {
        "records": 3,
        "entities": 1,
        "filtered": 1,
        "failures": 1,
    }
    assert "null" in problem(run, "selector-not-boolean")["message"]


def test_one_resource_that_fails_does_not_stop_the_others(
    source: Source,
    local_port: LocalPort,
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> None:
    source.answer = lambda asked: Response("no", 404) if asked.path == "/gone" else {"data": things(0, 2)}
    one = mapping(kind="/gone")
    other = mapping().split("resources:\n")[1]

    run = portsync("sync", one + other, env=port_env)

    assert run.exit_code == 1
    assert [r["verdict"] for r in run.report["resources"]] == ["incomplete", "complete"]
    assert set(local_port.entities("thing")) == {"t0", "t1"}


def test_pages_read_before_a_failure_are_written(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    def answer(asked: Any) -> Any:
        offset = int(dict(asked.query)["offset"])
        return Response("boom", 500) if offset == 20 else {"data": things(offset, offset + 10), "more": True}

    source.answer = answer
    run = sync(pagination="{type: offset, page_size: 10, has_more_path: .more}")

    assert run.exit_code == 1
    assert (run.resource["verdict"], run.resource["pages"], run.resource["records"]) == ("incomplete", 2, 20)
    assert len(local_port.entities("thing")) == 20


def test_an_endless_expression_ends_at_its_deadline(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    source.answer = lambda _: {"data": things(0, 2)}

    run = portsync("sync", mapping(properties="name: 'def f: f; f'"), env={**port_env, "PORTSYNC_JQ_TIMEOUT": "0.3"})

    assert run.exit_code == 1
    assert run.resource["reason"] == "jq"
    assert "0.3 s" in problem(run, "jq-timeout")["message"]


def test_an_expression_that_eats_memory_ends_the_worker_and_not_the_run(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    source.answer = lambda _: {"data": things(0, 2)}

    run = portsync(
        "sync",
        mapping(properties="name: '[range(1e9)] | length | tostring'"),
        env={**port_env, "PORTSYNC_JQ_MEMORY": "64"},
    )

    assert run.exit_code == 1
    assert run.resource["reason"] == "jq"


def test_expressions_see_no_environment(source: Source, local_port: LocalPort, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: {"data": [{"id": "a"}]}

    sync(properties='name: (env | tostring) + ($ENV | tostring) + ($ENV.PATH // "none")')

    assert local_port.entities("thing")["a"]["properties"]["name"] == "{}{}none"


@pytest.mark.parametrize("selector", ["body: '{a: (.x | error(\"boom\"))}'", "query_params: {a: '{{ .missing }}'}"])
def test_a_request_that_cannot_be_rendered_is_not_sent(selector: str, source: Source, sync: Callable[..., Run]) -> None:
    run = sync(selector=selector)

    assert run.exit_code == 1
    assert run.resource["reason"] == "jq"
    assert selector.split(":", maxsplit=1)[0] in run.report["problems"][0]["message"]
    assert source.asked == []


def test_an_integer_of_nineteen_digits_keeps_them(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: Response('{"data": [{"id": 1234567890123456789, "size": 9007199254740993}]}')

    sync()

    entity = local_port.entities("thing")["1234567890123456789"]
    assert entity["properties"]["size"] == 9007199254740993


# --- Port ---------------------------------------------------------------------------------------------------------


def test_wrong_port_credentials_are_exit_code_4_and_the_source_is_not_asked(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync("sync", mapping(), env={**port_env, "PORT_CLIENT_SECRET": "wrong-secret-value"})

    assert run.exit_code == 4
    assert "error[port-refused]" in run.err
    assert "PORT_CLIENT_SECRET" in run.err
    assert source.asked == []


def test_a_port_that_is_down_is_exit_code_4(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    run = portsync("sync", mapping(), env={**port_env, "PORT_BASE_URL": url})

    assert run.exit_code == 4
    assert "error[port-unreachable]" in run.err
    assert source.asked == []


def test_a_port_that_is_something_else_is_exit_code_4(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    source.answer = lambda _: Response(HTML, media_type="text/html")

    run = portsync("sync", mapping(), env={**port_env, "PORT_BASE_URL": source.url})

    assert run.exit_code == 4
    assert "where a token was expected" in run.err


def test_without_credentials_nothing_is_sent(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run]
) -> None:
    run = portsync("sync", mapping(), env={"SRC_TOKEN": "abcdef"})

    assert run.exit_code == 2
    assert "PORT_CLIENT_ID and PORT_CLIENT_SECRET are not set" in run.err
    assert source.asked == []


# --- secrets ------------------------------------------------------------------------------------------------------


def test_a_source_that_echoes_the_token_does_not_get_it_into_any_output(
    source: Source, sync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    source.answer = lambda asked: Response(json.dumps({"message": f"bad header {asked.headers['authorization']}"}), 400)

    run = sync()

    assert "bad header Bearer ***" in json.dumps(run.report)
    assert port_env["SRC_TOKEN"] not in run.out + run.err + json.dumps(run.report)
