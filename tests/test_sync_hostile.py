"""Sources, Ports and mappings that mean harm, or might as well: nothing is lost silently, leaked, or endless."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request  # noqa: TC002 - Starlette reads the annotation of a handler
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LocalPort, Run, Source, Stage

THINGS = [{"id": f"t{i}", "size": i} for i in range(9)]


def offset_of(asked: Any) -> int:
    return int(dict(asked.query).get("offset", 0))


# --- sources ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paging", ["{type: offset, page_size: 3}", "{type: offset, page_size: 3, total_path: .total}"])
def test_a_source_that_ignores_the_offset_is_a_loop_even_if_its_answers_differ_around_the_records(
    paging: str, source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    numbers = itertools.count()
    source.answer = lambda _: {"request_id": next(numbers), "total": 9, "data": THINGS[:3]}

    run = sync(pagination=paging)

    assert run.exit_code == 1
    assert run.resource["reason"] == "loop"
    assert len(source.asked) <= 3
    assert len(local_port.entities("thing")) == 3


@pytest.mark.parametrize("more", ["total_path: .total", "has_more_path: .more"])
def test_no_content_on_a_later_page_does_not_make_the_rest_disappear(
    more: str, source: Source, sync: Callable[..., Run]
) -> None:
    source.answer = lambda asked: (
        Response(status_code=204) if offset_of(asked) else {"data": THINGS[:3], "total": 9, "more": True}
    )

    run = sync(pagination=f"{{type: offset, page_size: 3, {more}}}")

    assert (run.exit_code, run.resource["verdict"], run.resource["reason"]) == (1, "incomplete", "truncated")
    assert run.resource["records"] == 3


def test_no_content_is_an_honest_nothing_on_the_first_page(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: Response(status_code=204)

    run = sync()

    assert (run.exit_code, run.resource["verdict"], run.resource["records"]) == (0, "complete", 0)


def test_a_byte_order_mark_is_no_problem(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: Response(b"\xef\xbb\xbf" + json.dumps({"data": THINGS}).encode())

    assert sync().resource["created"] == 9


@pytest.mark.parametrize("value", ["1e1000", "[" * 300 + "]" * 300, '{"combinator": "and", "rules": []}', "true", "[]"])
def test_an_identifier_that_is_no_text_is_a_failure_of_its_record_alone(
    value: str, source: Source, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: Response(f'{{"data": [{{"id": {value}}}, {{"id": "fine", "size": 1}}]}}')

    run = sync()

    assert run.resource["records"] == 2
    assert run.resource["created"] + run.resource["failures"] == 2
    assert run.resource["created"] >= 1
    assert run.exit_code in (0, 1)
    assert run.exit_code == (1 if run.resource["failures"] else 0)


@pytest.mark.parametrize("blueprint", ["'\"..\"'", ".odd", "'\"a/../b c\"'"])
def test_a_blueprint_that_port_cannot_have_is_a_failure(
    blueprint: str, source: Source, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "odd": {"x": 1}}]}

    run = sync(blueprint=blueprint)

    assert (run.exit_code, run.codes) == (1, ["blueprint"])


def test_an_entity_over_one_mebibyte_is_a_failure_and_takes_nothing_along(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "n": "small"}, {"id": "a", "n": "x" * 1_100_000}, {"id": "b"}]}

    run = sync(properties="name: .n")

    assert (run.exit_code, run.codes) == (1, ["entity-too-large"])
    assert (run.resource["created"], run.resource["failures"]) == (2, 1)
    assert local_port.entities("thing")["a"]["properties"]["name"] == "small"


@pytest.mark.parametrize("wait", ["1e18", "-3", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", "nan"])
def test_odd_waits_are_survived(wait: str, source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: Response("{}", 429, {"retry-after": wait, "x-ratelimit-reset": "1e200"})

    run = sync()

    assert (run.exit_code, run.resource["reason"]) == (1, "rate_limit")


def test_what_a_source_says_does_not_steer_the_terminal(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: Response('{"message": "\\u001b[2Jgone"}', 400)

    assert "\x1b" not in (run := sync()).err + run.out
    assert "gone" in run.err


def test_a_compressed_answer_is_read(source: Source, sync: Callable[..., Run]) -> None:
    packed = gzip.compress(json.dumps({"data": THINGS}).encode())
    source.answer = lambda _: Response(packed, headers={"content-encoding": "gzip"})

    assert sync().resource["created"] == 9


# --- Port ---------------------------------------------------------------------------------------------------------


class OddPort:
    """A Port that answers what a test writes: `token` and `bulk`."""

    def __init__(self) -> None:
        self.token: Any = {"ok": True, "accessToken": "tok-123456", "expiresIn": 10800}
        self.bulk: Callable[[list[Any]], Any] = lambda entities: {
            "ok": True,
            "entities": [{"identifier": e["identifier"], "index": i, "created": True} for i, e in enumerate(entities)],
            "errors": [],
        }
        self.hold = threading.Event()
        self.held = threading.Event()

    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            if request.url.path.endswith("/access_token"):
                value = self.token() if callable(self.token) else self.token
            elif request.url.path.endswith("/bulk"):
                value = self.bulk((await request.json())["entities"])
            else:
                value = {"ok": True, "blueprint": {}, "entities": []}
            return value if isinstance(value, Response) else Response(json.dumps(value), media_type="application/json")

        return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


@pytest.fixture
def odd_port(port_stage: tuple[Stage, str], port_env: dict[str, str]) -> OddPort:
    port = OddPort()
    port_stage[0].app = port.app()
    assert port_env["PORT_BASE_URL"] == port_stage[1]
    return port


@pytest.mark.parametrize(
    "answer",
    [
        lambda entities: Response(
            json.dumps(
                {"ok": False, "entities": [{"index": i, "created": True} for i in range(len(entities))], "errors": []}
            ),
            500,
        ),
        lambda entities: {
            "ok": False,
            "entities": [{"index": i, "created": True} for i in range(len(entities))],
            "errors": [],
        },
        lambda _: {"ok": True},
        lambda _: {"ok": True, "entities": [], "errors": []},
        lambda _: {
            "ok": True,
            "entities": [{"index": 99, "created": True}, {"index": -1, "created": True}],
            "errors": [],
        },
        lambda _: [],
        lambda _: Response("<html>", 200),
    ],
)
def test_an_entity_of_which_port_does_not_say_that_it_is_in_is_not_in(
    answer: Any, odd_port: OddPort, source: Source, sync: Callable[..., Run]
) -> None:
    odd_port.bulk = answer
    source.answer = lambda _: {"data": THINGS}

    run = sync()

    assert run.exit_code in (1, 4)
    assert run.resource["rejected"] == 9 == run.resource["entities"]


def test_of_two_conflicting_entities_the_later_one_is_sent_after_the_earlier_one_is_in(
    odd_port: OddPort, source: Source, sync: Callable[..., Run]
) -> None:
    batches: list[list[Any]] = []
    usual = odd_port.bulk

    def bulk(entities: list[Any]) -> Any:
        batches.append(entities)
        return usual(entities)

    def page(number: int) -> list[Any]:
        """Pages that are not written together, each with an entity beside that of the page before or after it."""
        others = [{"id": f"{number}-{other}", "size": 0} for other in range(100)]
        same = [{"id": "same", "size": number}]
        return same + others if number % 2 else others + same

    odd_port.bulk = bulk
    source.answer = lambda asked: {"data": page(offset_of(asked) // 101) if offset_of(asked) < 505 else []}

    run = sync(pagination="{type: offset, page_size: 101}")

    assert run.exit_code == 1
    sizes = [[e["properties"]["size"] for e in batch if e["identifier"] == "same"] for batch in batches]
    assert [found for found in sizes if found] == [[0], [1], [2], [3], [4]]


def test_of_conflicting_entities_on_small_pages_the_last_one_is_sent_and_all_of_them_count(
    odd_port: OddPort, source: Source, sync: Callable[..., Run]
) -> None:
    sent: list[Any] = []
    usual = odd_port.bulk

    def bulk(entities: list[Any]) -> Any:
        sent.extend(entities)
        return usual(entities)

    odd_port.bulk = bulk
    source.answer = lambda asked: {"data": [{"id": "same", "size": n} for n in [offset_of(asked)] if n < 5]}

    run = sync(pagination="{type: offset, page_size: 1}")

    assert run.exit_code == 1
    assert [entity["properties"]["size"] for entity in sent] == [4]
    assert (run.resource["records"], run.resource["entities"], run.resource["conflicts"]) == (5, 5, 4)


def test_an_answer_without_errors_is_read(odd_port: OddPort, source: Source, sync: Callable[..., Run]) -> None:
    odd_port.bulk = lambda entities: {"entities": [{"index": i, "created": False} for i in range(len(entities))]}
    source.answer = lambda _: {"data": THINGS}

    run = sync()

    assert (run.exit_code, run.resource["updated"]) == (0, 9)


@pytest.mark.parametrize(
    "token", [{"accessToken": "aé", "expiresIn": 9}, {"accessToken": "a\nb", "expiresIn": 9}, {"accessToken": "a"}, {}]
)
def test_a_token_that_is_none_is_exit_code_4_at_the_start_and_counts_every_entity_later(
    token: Any, odd_port: OddPort, source: Source, sync: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": THINGS}

    odd_port.token = token
    at_start = sync()
    odd_port.token = lambda: token if source.asked else {"accessToken": "fine", "expiresIn": 0}
    later = sync()

    assert at_start.exit_code == 4
    assert at_start.report["problems"][0]["code"] == "port-unusable"
    assert later.exit_code == 4
    assert later.resource["rejected"] == 9 == later.resource["entities"]


def test_the_report_is_written_whatever_port_says(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync("sync", mapping(), env={**port_env, "PORT_CLIENT_SECRET": "not-the-secret"})

    assert (run.report["exit_code"], run.report["status"], run.report["resources"]) == (4, "failed", [])
    assert source.asked == []


# --- secrets ------------------------------------------------------------------------------------------------------

PORT = "port: {entity: {mappings: {identifier: .a, blueprint: .b}}}}]"
SECRET = "very-secret-value-4711"


@pytest.mark.parametrize(
    "said",
    [
        SECRET,
        f"{'x' * 289}{SECRET}{'y' * 99}",
        f"Basic {base64.b64encode(SECRET.encode()).decode()}",
        SECRET.replace("-", "%2D"),
    ],
)
@pytest.mark.parametrize("where", ["auth", "header"])
def test_no_form_of_a_secret_gets_out(
    where: str,
    said: str,
    source: Source,
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> None:
    source.answer = lambda _: Response(json.dumps({"message": said}), 400)
    env = {**port_env, "SRC_TOKEN": SECRET} if where == "auth" else {**port_env, "GH_PAT": SECRET}
    selector = 'headers: {x-gh: "${GH_PAT}"}' if where == "header" else ""

    run = portsync("sync", mapping(selector=selector), env=env)

    everything = run.out + run.err + json.dumps(run.report)
    assert "***" in everything or "%2D" in said
    for length in range(8, len(SECRET)):
        assert SECRET[:length] not in everything


@pytest.mark.parametrize(
    "text",
    [
        "source: {base_url: '${K}'}\nresources: [{kind: /x, " + PORT,
        "source: {auth: {type: '${K}'}}\nresources: []",
        "resources: [{kind: /x, selector: {method: '${K}'}, " + PORT,
        "resources: [{kind: /x, selector: {body: '{\"k\": ${K}}'}, " + PORT,
        "source: {base_url: 'http://user:${K}@host'}\nresources: []",
        "source: {auth: {type: bearer, token: \"${K}\"}, headers: {a: '{{ ${K} }}'}}\nresources: []",
    ],
)
def test_a_secret_in_the_wrong_place_of_a_mapping_is_not_repeated(text: str, portsync: Callable[..., Run]) -> None:
    run = portsync("check", text, env={"K": SECRET})

    assert run.exit_code == 2
    for length in range(5, len(SECRET)):
        assert SECRET[:length] not in run.out + run.err


@pytest.mark.parametrize("secret", [f"{SECRET}\n", f"{SECRET}\r\n ", f"  {SECRET}"])
def test_white_space_around_a_secret_is_not_sent(
    secret: str, source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync("sync", mapping(), env={**port_env, "SRC_TOKEN": secret})

    assert run.exit_code == 0
    assert source.asked[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_secret_that_no_header_can_hold_is_a_mistake_and_not_shown(
    mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync("sync", mapping(), env={**port_env, "SRC_TOKEN": f"{SECRET}\nx"})

    assert run.exit_code == 2
    assert "printable ASCII" in run.err
    assert SECRET not in run.err


# --- mappings, settings, files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://[bad", "http://host:99999", "ftp://host", "host", "http://", "http://u:p@host", "http://a b"]
)
def test_a_base_url_that_is_none_is_found_before_anything_is_sent(
    url: str, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    in_file = portsync("check", mapping(base_url=url), env=port_env)
    in_environment = portsync("sync", mapping(), env={**port_env, "PORT_BASE_URL": url})

    assert (in_file.exit_code, in_environment.exit_code) == (2, 2)
    assert "the URL" in in_file.err
    assert "PORT_BASE_URL" in in_environment.err


@pytest.mark.parametrize(
    "text",
    [
        "resources: !foo []",
        "resources: !!int abc",
        "resources: !!binary aGk=",
        "<<: 5\nresources: []",
        "a: \x00",
        "a: \x1b[2J",
        "{" * 2000,
        "[" * 2000 + "]" * 2000,
        "a: " + "[" * 500 + "]" * 500,
        "? [a]\n: b",
        "a: &x [*x]",
        "\ufeffresources: []",
        "resources: [{kind: /x, selector: {body: {a: .inf}}, " + PORT,
        "source: {headers: {a: '${OPEN'}}\nresources: []",
    ],
)
def test_strange_yaml_is_a_mistake_and_no_bug(text: str, portsync: Callable[..., Run]) -> None:
    run = portsync("check", text)

    assert run.exit_code == 2, run.err
    assert "m.yaml" in run.err


def test_three_thousand_quotes_are_read_in_no_time(mapping: Callable[..., str], portsync: Callable[..., Run]) -> None:
    many = " + ".join(["'a'"] * 1500)
    started = time.process_time()

    run = portsync("check", mapping(identifier=f".id + {many}"), env={"SRC_TOKEN": "abcdefgh"})

    assert run.exit_code == 0
    assert time.process_time() - started < 20, "it took minutes when it was quadratic"


@pytest.mark.parametrize("target", ["", "/nowhere/r.json"])
def test_a_report_that_has_nowhere_to_go_is_found_before_the_run(
    target: str,
    source: Source,
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
    tmp_path: Path,
) -> None:
    run = portsync("sync", mapping(), "--report", target or str(tmp_path), env=port_env)

    assert run.exit_code == 2
    assert "--report" in run.err
    assert source.asked == []


def test_a_name_beyond_ascii_makes_an_identifier_that_a_user_agent_can_hold(
    source: Source,
    local_port: LocalPort,
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
    tmp_path: Path,
) -> None:
    source.answer = lambda _: {"data": THINGS[:1]}
    (tmp_path / "größe.yaml").write_text(mapping(), encoding="utf-8")

    run = portsync("sync", None, str(tmp_path / "größe.yaml"), env=port_env)

    assert run.exit_code == 0, run.err
    assert len(local_port.entities("thing")) == 1


# --- processes ----------------------------------------------------------------------------------------------------


def test_a_worker_does_not_outlive_a_parent_that_was_killed(
    source: Source, local_port: LocalPort, mapping: Callable[..., str], port_env: dict[str, str], tmp_path: Path
) -> None:
    asked = threading.Event()

    def answer(_: Any) -> Any:
        asked.set()
        return {"data": THINGS}

    source.answer = answer
    (tmp_path / "m.yaml").write_text(mapping(properties="name: 'def f: f; f'"), encoding="utf-8")
    env = {**os.environ, **port_env, "PORTSYNC_JQ_TIMEOUT": "60"}
    process = subprocess.Popen([sys.executable, "-m", "portsync", "sync", "m.yaml"], cwd=tmp_path, env=env)
    try:
        assert asked.wait(30)
        (worker,) = children_of(process.pid)
        process.kill()
        process.wait(10)
        deadline = time.monotonic() + 5
        while is_running(worker) and time.monotonic() < deadline:
            os.sched_yield()
    finally:
        process.kill()

    assert not is_running(worker)
    assert local_port.url


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("hangs", ["token", "body"])
def test_a_signal_is_heard_before_the_first_page_too(
    hangs: str, odd_port: OddPort, source: Source, mapping: Callable[..., str], port_env: dict[str, str], tmp_path: Path
) -> None:
    reached = threading.Event()

    def token() -> Any:
        reached.set()
        return Response(None, 500) if hangs == "token" else {"accessToken": "fine", "expiresIn": 9999}

    odd_port.token = token
    selector = "body: 'def f: f; f'" if hangs == "body" else ""
    (tmp_path / "m.yaml").write_text(mapping(selector=selector), encoding="utf-8")
    command = [sys.executable, "-m", "portsync", "sync", "m.yaml", "--report", "r.json"]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, **port_env, "PORTSYNC_JQ_TIMEOUT": "60"})
    try:
        assert reached.wait(30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
    finally:
        process.kill()
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["exit_code"] == 143
    assert source.asked == []
