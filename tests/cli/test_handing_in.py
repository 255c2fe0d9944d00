"""A sync into a local Port hands its report in for the page, and no other Port gets such a request."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.port.client import PortClient
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.trouble import Timeouts
from tests.conftest import PORT_SECRET

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tests.conftest import LocalPort, Run, Source, Stage

MARKED = {"x-portsync-local": "1"}


def runs(port: LocalPort) -> list[dict[str, Any]]:
    found = httpx.get(f"{port.url}/_runs", trust_env=False, verify=False).json()["runs"]
    assert isinstance(found, list)
    return found


def test_the_report_of_a_sync_is_on_the_page_of_a_local_port(
    sync: Callable[..., Run], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}]}
    ended = sync()
    assert runs(local_port) == [ended.report]
    assert "m.yaml" in httpx.get(f"{local_port.url}/runs/1", trust_env=False, verify=False).text


def test_a_plan_and_entities_that_go_elsewhere_hand_nothing_in(
    portsync: Callable[..., Run],
    mapping: Callable[..., str],
    port_env: dict[str, str],
    local_port: LocalPort,
) -> None:
    assert portsync("plan", mapping(), env=port_env).exit_code == 0
    assert portsync("sync", mapping(), "--sink", "jsonl", env=port_env).exit_code == 0
    assert runs(local_port) == []


class Watched:
    """A local Port whose API bears no mark, or that refuses reports; notes what it is asked for beside the API."""

    def __init__(self, app: ASGIApp, *, is_marked: bool, takes_reports: bool = True) -> None:
        self._app = app
        self._is_marked = is_marked
        self._takes_reports = takes_reports
        self.beside: list[tuple[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and not path.startswith("/v1/"):
            self.beside.append((scope["method"], path))
            if not self._takes_reports:
                await send({"type": "http.response.start", "status": 500, "headers": []})
                await send({"type": "http.response.body", "body": b"<html>no</html>"})
                return

        async def unmarked(message: Message) -> None:
            if message["type"] == "http.response.start" and not self._is_marked:
                headers = [pair for pair in message["headers"] if pair[0] != b"x-portsync-local"]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, unmarked)


@pytest.fixture
def watched(port_stage: tuple[Stage, str], local_port: LocalPort) -> Callable[..., Watched]:
    """Put the local Port under watch."""
    stage, url = port_stage
    assert local_port.url == url

    def watch(**options: bool) -> Watched:
        stage.app = found = Watched(stage.app, **options)
        return found

    return watch


def test_a_port_whose_answers_bear_no_mark_is_never_asked_for_what_port_does_not_have(
    sync: Callable[..., Run], source: Source, watched: Callable[..., Watched]
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}]}
    port = watched(is_marked=False)
    assert sync().exit_code == 0
    assert port.beside == []


def test_a_report_that_is_refused_changes_nothing_of_the_run(
    sync: Callable[..., Run], source: Source, watched: Callable[..., Watched]
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}]}
    port = watched(is_marked=True, takes_reports=False)
    ended = sync()
    assert port.beside == [("POST", "/_runs")]
    assert (ended.exit_code, ended.report["totals"]["created"]) == (0, 1)
    assert "_runs" not in ended.out + ended.err


def asked_of(base_url: str, headers: dict[str, str], report: Callable[[], Awaitable[httpx.Response]]) -> list[str]:
    """The paths that a Port on this address gets, whose answers have these headers."""
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/_runs":
            return await report()
        token = {"accessToken": "a.b.c", "expiresIn": 10800, "tokenType": "Bearer"}
        return httpx.Response(200, json=token, headers=headers)

    async def no_sleep(_seconds: float) -> None:
        return

    async def run() -> None:
        policy = RetryPolicy(1, 60, lambda: 0.0, no_sleep, lambda: 0.0)
        transport = httpx.MockTransport(answer)
        async with Client(policy=policy, timeouts=Timeouts(), user_agent="t", transport=transport) as http:
            port = PortClient(http, base_url, "cid", "secret", lambda: 0.0)
            await port.sign_in()
            await port.hand_in({"run_id": "x"}, within_s=0.05)

    asyncio.run(run())
    return asked


async def taken() -> httpx.Response:
    return httpx.Response(201)


async def refused() -> httpx.Response:
    return httpx.Response(503)


async def asked_to_wait() -> httpx.Response:
    return httpx.Response(429, headers={"retry-after": "9"})


async def cut() -> httpx.Response:
    raise httpx.ReadError("gone")


async def silent() -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("base_url", "headers", "is_handed_in"),
    [
        ("http://127.0.0.1:8710", MARKED, True),
        ("http://localhost:8710", MARKED, True),
        ("http://[::1]:8710", MARKED, True),
        ("http://127.0.0.1:8710", {}, False),
        ("http://127.0.0.1:8710", {"x-portsync-local": "0"}, False),
        ("https://api.getport.io", MARKED, False),
        ("https://api.us.port.io", {}, False),
        ("http://10.0.0.7:8710", MARKED, False),
        ("http://localhost.evil.example", MARKED, False),
        ("http://127.0.0.1.evil.example", MARKED, False),
    ],
)
def test_only_a_marked_port_on_this_machine_gets_a_report(
    base_url: str, headers: dict[str, str], is_handed_in: bool
) -> None:
    asked = asked_of(base_url, headers, taken)
    assert asked == ["/v1/auth/access_token", *(["/_runs"] if is_handed_in else [])]


@pytest.mark.parametrize("report", [refused, asked_to_wait, cut, silent])
def test_a_report_is_sent_once_whatever_becomes_of_it(report: Callable[[], Awaitable[httpx.Response]]) -> None:
    assert asked_of("http://127.0.0.1:8710", MARKED, report) == ["/v1/auth/access_token", "/_runs"]


def test_the_report_that_is_handed_in_holds_no_secret(
    portsync: Callable[..., Run], mapping: Callable[..., str], port_env: dict[str, str], local_port: LocalPort
) -> None:
    # The kind of a resource is repeated in its report.
    text = mapping(kind=f"/things?key={port_env['SRC_TOKEN']}")
    portsync("sync", text, env=port_env)
    (report,) = runs(local_port)
    assert port_env["SRC_TOKEN"] not in json.dumps(report)
    assert PORT_SECRET not in json.dumps(report)
