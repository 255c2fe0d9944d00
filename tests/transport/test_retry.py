"""What is tried again, how often, and how long is waited: with a clock and a sleep that cost nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from portsync.errors import SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy, asked_wait
from portsync.transport.trouble import Timeouts
from tests.transport.virtual_time import NOW, VirtualTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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


Handler = Callable[[httpx.Request], httpx.Response]


def client(time: VirtualTime, handler: Handler, *, attempts: int = 5, max_wait: float = 60) -> Client:
    policy = RetryPolicy(attempts, max_wait, time.clock, time.sleep, lambda: 1.0)
    transport = httpx.MockTransport(handler)
    return Client(policy=policy, timeouts=Timeouts(), user_agent="t", transport=transport)


async def answer_of(client: Client, request: RequestSpec = REQUEST) -> Answer:
    async with client:
        return await client.send(request)


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
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "soon", "x-ratelimit-reset": "12"}, 12),
        ({"retry-after": "7", "x-ratelimit-reset": "12"}, 7),
        ({"retry-after": "inf"}, None),
        ({"x-ratelimit-reset": "12", "x-ratelimit-remaining": "0"}, 12),
        ({"x-ratelimit-reset": str(NOW + 40), "x-ratelimit-remaining": "0"}, 40),
        ({"x-ratelimit-reset": "12", "x-ratelimit-remaining": "5"}, None),
        ({"RateLimit": '"default";r=0;t=12'}, 12),
        ({}, None),
    ],
)
def test_what_the_server_asks_for_is_understood(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds


def test_what_the_server_asks_for_is_waited() -> None:
    _, slept = send(scripted(httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200)))

    assert slept == [7]


@pytest.mark.parametrize(
    ("status", "said", "wait"),
    [
        (429, "4", 4),
        (429, "Sun, 22 Nov 2026 12:01:30 GMT", 90),
        (429, "Sunday, 22-Nov-26 12:01:30 GMT", 90),
        (429, "Sun Nov 22 12:01:30 2026", 90),
        (429, "Sun, 22 Nov 2026 11:00:00 GMT", 0),
        (429, "1.5", 1.5),
        (429, "0", 0),
        (429, "-5", 1.0),
        (429, "soon", 1.0),
        (429, None, 1.0),
        (503, "7", 7),
        (503, None, 1.0),
        (500, "7", 7),
        (529, "7", 7),
        (408, None, 1.0),
    ],
)
def test_retry_after_is_waited_for_in_every_form_and_nonsense_is_not(
    status: int, said: str | None, wait: float
) -> None:
    time = VirtualTime()
    headers = {} if said is None else {"retry-after": said}
    handler = scripted(httpx.Response(status, headers=headers), httpx.Response(200))

    answer = time.run(answer_of(client(time, handler, max_wait=300)))

    assert (answer.status, answer.requests, answer.waited_s, time.elapsed) == (200, 2, wait, wait)
    assert answer.rate_limited == (1 if status == 429 else 0)


def test_nobody_comes_back_before_the_moment_that_a_server_names_and_a_moment_too_far_away_is_not_waited_for() -> None:
    time = VirtualTime()

    with pytest.raises(SendError) as error:
        time.run(answer_of(client(time, scripted(httpx.Response(429, headers={"retry-after": "3600"})), max_wait=300)))

    (problem,) = error.value.problems
    assert (error.value.reason, error.value.requests, error.value.rate_limited) == ("rate_limit", 1, 1)
    assert not error.value.may_pass
    assert (problem.code, problem.place) == ("rate-limited", "POST http://source.test/things")
    assert "2026-11-22 13:00:00 UTC, 3,600 s from now" in problem.message
    assert "300 s" in (problem.hint or "")
    assert time.slept == []


def test_the_last_of_several_429_is_the_answer_and_all_are_counted() -> None:
    time = VirtualTime()

    answer = time.run(answer_of(client(time, lambda _: httpx.Response(429, text="slow down"), attempts=3)))

    assert (answer.status, answer.body, answer.requests, answer.rate_limited) == (429, b"slow down", 3, 3)
    assert time.slept == [1, 2]


def test_a_server_in_trouble_that_asks_for_too_long_a_wait_is_not_asked_again() -> None:
    answer, slept = send(scripted(httpx.Response(502, headers={"retry-after": "3600"})), max_wait=120)

    assert isinstance(answer, Answer)
    assert (answer.status, slept) == (502, [])


def test_the_back_off_doubles_up_to_max_wait_and_has_jitter() -> None:
    _, slept = send(lambda _: httpx.Response(500), attempts=8, max_wait=10)
    policy = RetryPolicy(5, 100, lambda: NOW, asyncio.sleep, iter([0.0, 0.25, 1.0]).__next__)

    assert slept == [1, 2, 4, 8, 10, 10, 10]
    assert [policy.back_off(4) for _ in range(3)] == [0, 2, 8]


@pytest.mark.parametrize(("failures", "status", "requests"), [(4, 200, 5), (5, 503, 5)])
def test_attempts_counts_tries_in_all(failures: int, status: int, requests: int) -> None:
    answers = [*[httpx.Response(503)] * failures, httpx.Response(200)]
    answer, _ = send(scripted(*answers), attempts=5)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.requests) == (status, requests)


@pytest.mark.parametrize(
    ("retried", "status", "requests"),
    [
        (None, 418, 1),
        (None, 425, 1),
        (frozenset({418}), 418, 3),
        (frozenset({418}), 503, 1),
        (frozenset(), 429, 1),
        (frozenset({302}), 302, 3),
        (frozenset({200}), 200, 3),
    ],
)
def test_a_request_may_say_itself_which_statuses_are_worth_another_attempt(
    retried: frozenset[int] | None, status: int, requests: int
) -> None:
    time = VirtualTime()
    request = replace(REQUEST, retried=retried)

    def handler(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"location": "/elsewhere"})

    answer = time.run(answer_of(client(time, handler, attempts=3), request))

    assert (answer.status, answer.requests) == (status, requests)


def test_a_certificate_that_does_not_verify_will_not_do_so_next_time() -> None:
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")

    outcome, slept = send(scripted(error))

    assert isinstance(outcome, SendError)
    assert (outcome.requests, slept) == (1, [])
    assert "certificate" in (outcome.problems[0].hint or "")


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


@pytest.mark.parametrize(
    "error",
    [httpx.LocalProtocolError("x"), httpx.UnsupportedProtocol("x"), httpx.ReadTimeout("x"), httpx.ReadError("x")],
)
def test_only_a_peer_that_could_not_be_reached_counts_as_down(error: Exception) -> None:
    """One that can never be sent says nothing of the peer, and one that broke says that somebody is there."""
    time = VirtualTime()
    tries: list[int] = []
    says: Exception = error

    def handler(_request: httpx.Request) -> httpx.Response:
        tries[-1] += 1
        raise says

    async def run() -> None:
        nonlocal says
        async with client(time, handler, attempts=3) as one:
            for said in (error, httpx.ConnectError("x"), error, httpx.ConnectError("x")):
                says = said
                tries.append(0)
                with contextlib.suppress(SendError):
                    await one.send(REQUEST)

    time.run(run())

    is_there = isinstance(error, httpx.ReadTimeout | httpx.ReadError)
    assert tries == ([3, 3, 1, 3] if is_there else [1, 3, 1, 1])


def test_a_request_that_fails_while_another_comes_through_does_not_make_the_peer_count_as_down() -> None:
    """Requests to `/slow` find nobody; at the second one's last attempt, `/quick` has long been answered."""
    time = VirtualTime()
    tries: dict[str, int] = {"/slow": 0, "/quick": 0, "/then": 0}

    def handler(request: httpx.Request) -> httpx.Response:
        tries[request.url.path] += 1
        if request.url.path == "/quick":
            return httpx.Response(200)
        raise httpx.ConnectError("refused")

    async def run() -> None:
        async with client(time, handler, attempts=3) as one:

            async def get(path: str, after: float) -> None:
                await time.until(NOW + after)
                with contextlib.suppress(SendError):
                    await one.send(RequestSpec("GET", f"http://source.test{path}"))

            await asyncio.gather(get("/slow", 0), get("/quick", 1.5))
            await get("/then", 10)

    time.run(run())

    assert tries == {"/slow": 3, "/quick": 1, "/then": 3}


def test_requests_at_the_same_time_to_a_dead_peer_have_their_attempts_side_by_side_and_later_ones_have_one() -> None:
    time = VirtualTime()
    tries = 0

    def handler(_request: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        raise httpx.ConnectError("refused")

    async def run() -> list[tuple[int, float]]:
        async with client(time, handler, attempts=3) as one:

            async def get() -> None:
                with contextlib.suppress(SendError):
                    await one.send(REQUEST)

            seen = []
            for _ in range(2):
                await asyncio.gather(*(get() for _ in range(5)))
                seen.append((tries, time.elapsed))
            return seen

    assert time.run(run()) == [(15, 3), (20, 3)]


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
