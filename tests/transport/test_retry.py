"""What is tried again, how often, and how long is waited: with a clock and a sleep that cost nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from typing import TYPE_CHECKING

import httpx
import pytest

from portsync.errors import SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client, Timeouts
from portsync.transport.retry import RetryPolicy, asked_wait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NOW = 1_795_348_800.0
REQUEST = RequestSpec("POST", "http://source.test/things", (("a", "1"),), body={"x": 1})


def send(
    handler: Callable[[httpx.Request], httpx.Response], *, attempts: int = 4, max_wait: float = 60
) -> tuple[Answer | SendError, list[float]]:
    """What comes of REQUEST, and the seconds that were slept."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def run() -> Answer | SendError:
        policy = RetryPolicy(attempts, max_wait, lambda: NOW, sleep, lambda: 1.0)
        transport = httpx.MockTransport(handler)
        async with Client(policy=policy, timeouts=Timeouts(), user_agent="t", transport=transport) as client:
            try:
                return await client.send(REQUEST)
            except SendError as error:
                return error

    return asyncio.run(run()), slept


def scripted(*responses: httpx.Response | Exception) -> Callable[[httpx.Request], httpx.Response]:
    left = list(responses)

    def handler(_request: httpx.Request) -> httpx.Response:
        response = left.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    return handler


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 521, 529])
def test_what_may_pass_is_tried_again_even_for_a_post(status: int) -> None:
    answer, slept = send(scripted(httpx.Response(status), httpx.Response(status), httpx.Response(200, json=[])))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.requests) == (200, 3)
    assert slept == [1.0, 2.0]
    assert answer.waited_s == 3.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_what_will_not_change_is_not_tried_again(status: int) -> None:
    answer, slept = send(scripted(httpx.Response(status)))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.requests, slept) == (status, 1, [])


def test_the_last_answer_is_given_when_the_attempts_are_used_up() -> None:
    answer, slept = send(lambda _: httpx.Response(503, text="down"), attempts=3)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.requests, len(slept)) == (503, 3, 2)


@pytest.mark.parametrize(
    ("error", "reason", "says"),
    [
        (httpx.ConnectError("refused"), "unreachable", "no connection: refused"),
        (httpx.ConnectTimeout("x"), "unreachable", "no connection within 30 s"),
        (httpx.ReadTimeout("x"), "timeout", "no answer within 30 s"),
        (httpx.PoolTimeout("x"), "timeout", "no answer"),
        (httpx.ReadError(""), "connection", "the connection broke: ReadError"),
        (httpx.RemoteProtocolError("peer closed"), "connection", "peer closed"),
        (httpx.DecodingError("bad gzip"), "connection", "bad gzip"),
        (httpx.UnsupportedProtocol("x"), "unreachable", "cannot be requested"),
        (httpx.ProxyError("no"), "connection", "broke"),
        (httpx.LocalProtocolError("Illegal header value b'Bearer s3cret'"), "unreachable", "HTTP does not allow"),
    ],
)
def test_every_error_of_the_library_becomes_a_send_error(error: Exception, reason: str, says: str) -> None:
    outcome, slept = send(scripted(error, error), attempts=2)

    tries = 1 if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError) else 2
    assert isinstance(outcome, SendError)
    assert (outcome.reason, outcome.requests) == (reason, tries)
    assert says in outcome.problems[0].message
    assert outcome.problems[0].place == "POST http://source.test/things"
    assert outcome.problems[0].hint
    assert len(slept) == tries - 1


def test_no_error_of_the_library_is_left_out() -> None:
    """Every exception that a request can raise is a SendError: a new one of httpx's would show here."""
    raised = [
        kind
        for kind in vars(httpx).values()
        if isinstance(kind, type) and issubclass(kind, httpx.TransportError | httpx.DecodingError | httpx.InvalidURL)
    ]

    assert len(raised) > 10
    for kind in raised:
        outcome, _ = send(scripted(kind("x")), attempts=1)
        assert isinstance(outcome, SendError), kind


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"x-ratelimit-reset": "12", "x-ratelimit-remaining": "0"}, 12),
        ({"x-ratelimit-reset": str(NOW + 40), "x-ratelimit-remaining": "0"}, 40),
        ({"x-ratelimit-reset": "12", "x-ratelimit-remaining": "5"}, None),
        ({}, None),
    ],
)
def test_what_the_server_asks_for_is_understood(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds


def test_what_the_server_asks_for_is_waited() -> None:
    _, slept = send(scripted(httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200)))

    assert slept == [7]


def test_a_server_that_asks_for_longer_than_max_wait_is_not_hammered() -> None:
    answer, slept = send(scripted(httpx.Response(429, headers={"retry-after": "3600"})), max_wait=120)

    assert isinstance(answer, Answer)
    assert (answer.status, slept) == (429, [])


def test_a_peer_that_is_down_gets_all_attempts_once_and_one_each_until_it_is_back() -> None:
    tries: list[int] = []
    up = False

    def handler(_request: httpx.Request) -> httpx.Response:
        tries[-1] += 1
        if up:
            return httpx.Response(200)
        raise httpx.ConnectError("refused")

    async def run() -> None:
        nonlocal up

        async def no_sleep(_seconds: float) -> None:
            return

        policy = RetryPolicy(4, 60, lambda: NOW, no_sleep, lambda: 0.0)
        transport = httpx.MockTransport(handler)
        async with Client(policy=policy, timeouts=Timeouts(), user_agent="t", transport=transport) as client:
            for state in (False, False, True, False):
                up = state
                tries.append(0)
                with contextlib.suppress(SendError):
                    await client.send(REQUEST)
            up = True
            await client.send(REQUEST)
            # That one request can never be sent says nothing about the peer.
            with contextlib.suppress(SendError):
                await client.send(RequestSpec("GET", "http://x/\n"))
            up = False
            tries.append(0)
            with contextlib.suppress(SendError):
                await client.send(REQUEST)

    asyncio.run(run())

    assert tries == [4, 1, 1, 4 + 1, 4]


def test_an_answer_that_drips_in_for_ever_ends_at_the_total_time_out() -> None:
    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield b" "

    async def run() -> None:
        policy = RetryPolicy(1, 1, lambda: NOW, asyncio.sleep, lambda: 0.0)
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Drip()))
        timeouts = Timeouts(total=0.05)
        async with Client(policy=policy, timeouts=timeouts, user_agent="t", transport=transport) as client:
            await client.send(REQUEST)

    with pytest.raises(SendError, match=r"no whole answer within 0\.05 s"):
        asyncio.run(run())


def test_an_answer_that_unpacks_to_more_than_the_limit_is_given_up() -> None:
    packed = gzip.compress(b" " * 10_000_000)

    async def run() -> None:
        policy = RetryPolicy(3, 1, lambda: NOW, asyncio.sleep, lambda: 0.0)
        bomb = httpx.MockTransport(lambda _: httpx.Response(200, headers={"content-encoding": "gzip"}, content=packed))
        async with Client(
            policy=policy, timeouts=Timeouts(), user_agent="t", transport=bomb, largest_answer=2**20
        ) as client:
            await client.send(REQUEST)

    with pytest.raises(SendError, match="more than 1 MiB") as error:
        asyncio.run(run())
    assert error.value.requests == 1


def test_headers_beyond_ascii_go_out_as_utf_8() -> None:
    seen: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.headers.raw)[b"x-team"])
        return httpx.Response(200)

    async def run() -> None:
        policy = RetryPolicy(1, 1, lambda: NOW, asyncio.sleep, lambda: 0.0)
        transport = httpx.MockTransport(handler)
        async with Client(policy=policy, timeouts=Timeouts(), user_agent="t", transport=transport) as client:
            await client.send(RequestSpec("GET", "http://x", headers=(("x-team", "Café"),)))

    asyncio.run(run())

    assert seen == ["Café".encode()]


def test_parameters_join_those_of_the_url_and_replace_their_names() -> None:
    seen: list[httpx.URL] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(200)

    async def run(request: RequestSpec) -> None:
        policy = RetryPolicy(1, 1, lambda: NOW, asyncio.sleep, lambda: 0.0)
        transport = httpx.MockTransport(handler)
        async with Client(policy=policy, timeouts=Timeouts(), user_agent="t", transport=transport) as client:
            await client.send(request)

    asyncio.run(run(RequestSpec("GET", "http://x/y?keep=1&page=2", (("page", "3"), ("g[]", "a"), ("g[]", "b")))))

    assert seen[0].params.multi_items() == [("keep", "1"), ("page", "3"), ("g[]", "a"), ("g[]", "b")]
