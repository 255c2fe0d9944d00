"""What the service answers to those who mean no good, or know no better."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from portsync.errors import SettingsError
from portsync.loopback import serving
from tests.serve.conftest import HTTP_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from tests.conftest import LocalPort, Source


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/<script>alert(1)</script>?x=<b>", 404, "not found"),
        ("GET", "/runs/%3Cscript%3E", 404, "no such run"),
        ("POST", "/healthz", 405, "method not allowed"),
        ("OPTIONS", "/resync", 405, "method not allowed"),
        ("GET", "/resync", 405, "method not allowed"),
        ("DELETE", "/runs", 405, "method not allowed"),
    ],
)
def test_what_there_is_not_is_answered_in_json_and_nothing_is_repeated(
    serving_of: Any, mapping: Callable[..., str], method: str, path: str, status: int, error: str
) -> None:
    async def scenario() -> None:
        async with serving_of(mapping(), env={"PORTSYNC_RUN_AT_START": "false"}) as served:
            answer = await served.ask(method, path)
            assert (answer.status_code, answer.json()) == (status, {"error": error})
            assert (status == 405) == ("allow" in answer.headers)
            head = await served.ask("HEAD", "/healthz", token=None)
            assert (head.status_code, head.content) == (200, b"")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"Bearer {HTTP_TOKEN}", 202),
        (f"bearer   {HTTP_TOKEN}", 202),
        (HTTP_TOKEN, 401),
        (f"Basic {HTTP_TOKEN}", 401),
        ("Bearer", 401),
        (f"Bearer {HTTP_TOKEN}x", 401),
        ("Bearer \xff\xfe", 401),
    ],
)
def test_the_token_and_nothing_but_the_token_opens(
    serving_of: Any, mapping: Callable[..., str], given: str, status: int
) -> None:
    async def scenario() -> None:
        async with serving_of(mapping(), env={"PORTSYNC_RUN_AT_START": "false"}) as served:
            given_bytes = given.encode("latin-1")
            assert (await served.ask("POST", "/resync", authorization=given_bytes)).status_code == status

    asyncio.run(scenario())


def test_a_token_of_other_letters_and_with_a_line_break_after_it_opens(
    serving_of: Any, mapping: Callable[..., str]
) -> None:
    async def scenario() -> None:
        async with serving_of(
            mapping(), env={"PORTSYNC_HTTP_TOKEN": "schlüssel-5d2b\n", "PORTSYNC_RUN_AT_START": "false"}
        ) as served:
            given = "Bearer schlüssel-5d2b".encode()
            assert (await served.ask("GET", "/runs", authorization=given)).status_code == 200

    asyncio.run(scenario())


def test_who_asks_a_service_that_goes_down_is_told_so(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": [{"id": "ada"}]}
    # The run waits for this write, for up to ten seconds.
    local_port.script({"path": "/v1/blueprints/.*/entities/bulk", "hang": 2, "times": None})

    async def scenario() -> None:
        async with serving_of(mapping()) as served:
            await served.until(lambda: source.asked)
            await asyncio.sleep(0.5)  # the local Port tells of a request when it is answered
            served.stop.request(15)
            answer = await served.ask("POST", "/resync")
            assert (answer.status_code, answer.json()) == (503, {"error": "the service is going down"})
            ready = await served.ask("GET", "/readyz", token=None)
            assert (ready.status_code, ready.json()["faults"]) == (503, ["the service is going down"])
            assert (await served.ask("GET", "/healthz", token=None)).status_code == 200

    asyncio.run(scenario())


def test_an_address_that_is_taken_is_refused_in_words_before_any_run(
    serving_of: Any, mapping: Callable[..., str], source: Source
) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            async with serving_of(mapping(), env={"PORTSYNC_LISTEN": f"127.0.0.1:{other.getsockname()[1]}"}):
                pass

    with pytest.raises(SettingsError, match=r"cannot listen on 127\.0\.0\.1:"):
        asyncio.run(scenario())
    assert source.asked == []


@pytest.mark.parametrize("address", ["[::1]:0", "[::]:0"])
def test_it_listens_on_ipv6(serving_of: Any, mapping: Callable[..., str], address: str) -> None:
    async def scenario() -> None:
        async with serving_of(mapping(), env={"PORTSYNC_LISTEN": address, "PORTSYNC_RUN_AT_START": "false"}) as served:
            port = urlsplit(served.url).port
            hosts = ["[::1]", "127.0.0.1"] if address == "[::]:0" else ["[::1]"]
            for host in hosts:
                async with httpx.AsyncClient(trust_env=False, verify=False) as client:
                    assert (await client.get(f"http://{host}:{port}/healthz")).status_code == 200

    asyncio.run(scenario())


def _bounded(within_s: float, most: int) -> Any:
    async def answer(_: Any) -> PlainTextResponse:
        return PlainTextResponse("here")

    return serving(Starlette(routes=[Route("/", answer, methods=["GET", "POST"])]), most=most, within_s=within_s)


def _connected(url: str) -> socket.socket:
    found = urlsplit(url)
    return socket.create_connection((found.hostname or "", found.port or 0), timeout=10)


def _ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_does_not_get_on_is_sent_away_and_who_does_is_not() -> None:
    with _bounded(0.3, 50) as url, httpx.Client(base_url=url, trust_env=False, verify=False) as client:
        assert client.get("/").text == "here"
        silent, slow, body = (_connected(url) for _ in range(3))
        slow.sendall(b"GET / HTTP/1.1\r\nhost: here\r\nx: ")
        body.sendall(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000\r\n\r\n")
        assert body.recv(12) == b"HTTP/1.1 200"
        begun = time.monotonic()
        assert _ended(silent)
        assert _ended(slow)
        assert time.monotonic() - begun < 5
        while body.recv(1000):
            pass
        assert client.get("/").text == "here"
        for connection in (silent, slow, body):
            connection.close()


def test_more_connections_than_it_takes_are_closed_and_the_others_answered() -> None:
    with _bounded(60, 5) as url:
        many = [_connected(url) for _ in range(30)]
        for connection in many[5:]:
            assert _ended(connection)
        many[0].sendall(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        assert many[0].recv(12) == b"HTTP/1.1 200"
        for connection in many:
            connection.close()


def test_headers_without_end_are_refused() -> None:
    with _bounded(60, 5) as url, _connected(url) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: here\r\nx: " + b"y" * 2**20)
            assert connection.recv(12) == b"HTTP/1.1 400"
        except ConnectionError:
            pass
        with httpx.Client(base_url=url, trust_env=False, verify=False) as client:
            assert client.get("/").text == "here"


def test_no_header_says_who_asks() -> None:
    async def client_of(request: Request) -> PlainTextResponse:
        assert request.client is not None
        return PlainTextResponse(request.client.host)

    app = Starlette(routes=[Route("/", client_of)])
    with serving(app) as url, httpx.Client(trust_env=False, verify=False) as client:
        assert client.get(url, headers={"x-forwarded-for": "203.0.113.9"}).text == "127.0.0.1"


def test_the_token_is_in_no_report(serving_of: Any, mapping: Callable[..., str], source: Source) -> None:
    async def scenario() -> None:
        source.answer = lambda _: {"data": [{"id": HTTP_TOKEN}, {"id": HTTP_TOKEN, "size": 2}]}
        async with serving_of(mapping(), env={"PORTSYNC_RAW_EXAMPLES": "false"}) as served:
            run = await served.next_run()
            report = await served.ask("GET", f"/runs/{run['run_id']}")
            assert report.json()["problems"]
            assert HTTP_TOKEN not in report.text
            assert HTTP_TOKEN not in json.dumps((await served.ask("GET", "/runs")).json())

    asyncio.run(scenario())
