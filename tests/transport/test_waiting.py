"""How all who send to one origin wait together: through the client, in a time of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from portsync.errors import SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client
from portsync.transport.limiter import Budget
from portsync.transport.retry import RetryPolicy
from portsync.transport.trouble import Timeouts
from tests.transport.virtual_time import NOW, VirtualTime

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

SOURCE = "http://source.test"
FILES = "http://files.test"


@dataclass
class Server:
    """A server that takes `takes` seconds for each answer, and notes when what was asked."""

    time: VirtualTime
    answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200)
    takes: float = 0.0
    asked: list[tuple[float, str]] = field(default_factory=list)
    """Seconds from the start, and what for."""
    under_way: int = 0
    most_under_way: int = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((self.time.elapsed, request.url.path))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.time.until(self.time.now + self.takes)
        self.under_way -= 1
        return self.answer(request)

    @property
    def moments(self) -> list[float]:
        return [moment for moment, _ in self.asked]

    def client(
        self,
        *,
        attempts: int = 5,
        max_wait: float = 60,
        concurrency: int | None = None,
        budget: Budget | None = None,
        auth: httpx.Auth | None = None,
        random: float = 1.0,
    ) -> Client:
        return Client(
            policy=RetryPolicy(attempts, max_wait, self.time.clock, self.time.sleep, lambda: random),
            timeouts=Timeouts(),
            user_agent="t",
            transport=httpx.MockTransport(self.handle),
            auth=auth,
            origin=SOURCE,
            allow_origins=[FILES],
            concurrency=concurrency,
            budget=budget,
        )


def get(path: str, origin: str = SOURCE) -> RequestSpec:
    return RequestSpec("GET", f"{origin}{path}")


def outcomes(time: VirtualTime, client: Client, requests: list[tuple[float, RequestSpec]]) -> list[Answer | SendError]:
    """What comes of each request, that is made so many seconds after the start."""

    async def send(after: float, request: RequestSpec) -> Answer | SendError:
        await time.until(NOW + after)
        try:
            return await client.send(request)
        except SendError as error:
            return error

    async def run() -> list[Answer | SendError]:
        async with client:
            return await asyncio.gather(*(send(after, request) for after, request in requests))

    return time.run(run())


def scripted(*responses: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    """These answers, one after the other, and then success."""
    left = list(responses)
    return lambda _: left.pop(0) if left else httpx.Response(200)


def limited(**headers: str) -> httpx.Response:
    return httpx.Response(429, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_429_stops_everybody_until_the_moment_that_it_names() -> None:
    time = VirtualTime()
    server = Server(time, scripted(limited(retry_after="30")))

    found = outcomes(time, server.client(), [(0, get("/a")), (10, get("/b")), (20, get("/c")), (40, get("/d"))])

    assert server.asked == [(0, "/a"), (30, "/a"), (30, "/b"), (30, "/c"), (40, "/d")]
    assert [(one.requests, one.waited_s, one.rate_limited) for one in found] == [
        (2, 30, 1),
        (1, 20, 0),
        (1, 10, 0),
        (1, 0, 0),
    ]


def test_a_429_that_names_the_reset_of_its_limit_stops_everybody_until_then() -> None:
    time = VirtualTime()
    server = Server(time, scripted(limited(x_ratelimit_reset="30")))

    outcomes(time, server.client(), [(0, get("/a")), (10, get("/b"))])

    assert server.asked == [(0, "/a"), (30, "/a"), (30, "/b")]


def test_a_429_that_names_no_moment_stops_everybody_for_the_back_off() -> None:
    time = VirtualTime()
    server = Server(time, scripted(limited(), limited()))

    outcomes(time, server.client(), [(0, get("/a")), (0.5, get("/b"))])

    assert server.asked == [(0, "/a"), (1, "/a"), (1, "/b"), (3, "/a")]


@pytest.mark.parametrize(("status", "stops"), [(503, True), (502, False)])
def test_a_503_that_says_when_to_come_back_stops_everybody_and_another_error_its_own_request(
    status: int, stops: bool
) -> None:
    time = VirtualTime()
    server = Server(time, scripted(httpx.Response(status, headers={"retry-after": "30"})))

    outcomes(time, server.client(), [(0, get("/a")), (10, get("/b"))])

    assert sorted(server.asked) == sorted([(0, "/a"), (30, "/a"), (30 if stops else 10, "/b")])


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 30)},
        {"ratelimit": '"default";r=0;t=30'},
        {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2026-11-22T12:00:30Z"},
    ],
)
def test_an_answer_that_says_that_nothing_is_left_stops_everybody_before_a_429_comes(headers: dict[str, str]) -> None:
    time = VirtualTime()
    server = Server(time, scripted(httpx.Response(200, headers=headers)))

    found = outcomes(time, server.client(), [(0, get("/a")), (10, get("/b")), (20, get("/c"))])

    assert server.moments == [0, 30, 30]
    assert [one.rate_limited for one in found] == [0, 0, 0]


def test_retry_after_comes_before_what_an_answer_says_of_its_limits() -> None:
    time = VirtualTime()
    server = Server(time, scripted(limited(retry_after="5", x_ratelimit_remaining="0", x_ratelimit_reset="50")))

    outcomes(time, server.client(), [(0, get("/a"))])

    assert server.moments == [0, 5]


def test_while_the_wait_is_too_long_all_others_fail_at_once_without_being_sent() -> None:
    time = VirtualTime()
    server = Server(time, scripted(limited(retry_after="3600")), takes=1)

    found = outcomes(
        time, server.client(concurrency=1), [(0, get("/a")), (0, get("/b")), (100, get("/c")), (3550, get("/d"))]
    )

    assert server.asked == [(0, "/a"), (3601, "/d")]
    assert [(type(one), one.requests, one.waited_s) for one in found] == [
        (SendError, 1, 0),
        (SendError, 0, 1),
        (SendError, 0, 0),
        (Answer, 1, 51),
    ]
    for one in found[:3]:
        assert isinstance(one, SendError)
        assert (one.reason, one.problems[0].code, one.may_pass) == ("rate_limit", "rate-limited", False)
        assert "2026-11-22 13:00:01 UTC" in one.problems[0].message


def test_a_header_that_closes_the_gate_for_too_long_lets_the_answer_that_held_it_count() -> None:
    time = VirtualTime()
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3600"}
    server = Server(time, scripted(httpx.Response(200, headers=headers)))

    found = outcomes(time, server.client(), [(0, get("/a")), (1, get("/b"))])

    assert [type(one) for one in found] == [Answer, SendError]


def test_each_origin_has_a_gate_of_its_own() -> None:
    time = VirtualTime()
    server = Server(time, scripted(limited(retry_after="30")))

    outcomes(time, server.client(budget=Budget(1, 10)), [(0, get("/a")), (1, get("/b", FILES)), (2, get("/c", FILES))])

    assert server.asked == [(0, "/a"), (1, "/b"), (11, "/c"), (30, "/a")]


def test_a_redirect_passes_the_gate_of_the_origin_that_it_leads_to_and_leaves_the_first_one() -> None:
    time = VirtualTime()
    to_files = httpx.Response(302, headers={"location": f"{FILES}/x"})
    server = Server(time, lambda r: to_files if r.url.host == "source.test" else httpx.Response(200), takes=10)

    found = outcomes(time, server.client(concurrency=1), [(0, get("/a")), (0, get("/b"))])

    assert server.asked == [(0, "/a"), (10, "/x"), (10, "/b"), (20, "/x")]
    assert [one.requests for one in found] == [1, 1], "a redirect is no other attempt"


def test_no_more_requests_are_under_way_than_the_mapping_allows() -> None:
    time = VirtualTime()
    server = Server(time, takes=10)

    outcomes(time, server.client(concurrency=3), [(0, get(f"/{number}")) for number in range(7)])

    assert server.most_under_way == 3
    assert server.moments == [0, 0, 0, 10, 10, 10, 20]


def test_every_attempt_counts_against_the_budget() -> None:
    time = VirtualTime()
    server = Server(time, lambda _: httpx.Response(500))

    outcomes(time, server.client(budget=Budget(2, 60), attempts=3), [(0, get("/a")), (0, get("/b"))])

    assert server.moments == [0, 0, 60, 60, 120, 120]


@pytest.mark.parametrize(("remaining", "moments"), [("2", [0, 0, 60]), ("20", [0, 0, 0])])
def test_what_a_header_says_is_left_is_what_begins_before_the_reset(remaining: str, moments: list[float]) -> None:
    time = VirtualTime()
    headers = {"x-ratelimit-remaining": remaining, "x-ratelimit-reset": "60"}
    server = Server(time, scripted(httpx.Response(200, headers=headers)))

    async def run() -> None:
        async with server.client() as client:
            await client.send(get("/first"))
            await asyncio.gather(*(client.send(get("/then")) for _ in range(3)))

    time.run(run())

    assert server.moments[1:] == moments


class TokenFlow(httpx.Auth):
    """Fetches a token from the source itself, for one request at a time; the others wait for it."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._token = ""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        async with self._lock:
            if not self._token:
                await (yield httpx.Request("POST", f"{SOURCE}/token")).aread()
                self._token = "t"
        request.headers["authorization"] = self._token
        yield request


def test_who_fetches_a_token_passes_the_gate_too_and_those_who_wait_for_it_do_not_stand_in_his_way() -> None:
    time = VirtualTime()
    server = Server(time, takes=1)

    client = server.client(concurrency=1, budget=Budget(2, 60), auth=TokenFlow())
    found = outcomes(time, client, [(0, get("/a")), (0, get("/b")), (0, get("/c"))])

    assert server.asked == [(0, "/token"), (1, "/a"), (60, "/b"), (61, "/c")]
    assert server.most_under_way == 1
    assert all(isinstance(one, Answer) for one in found)


@pytest.mark.parametrize("concurrency", [1, 3, None])
def test_everybody_comes_to_an_end_at_a_server_that_always_asks_to_wait(concurrency: int | None) -> None:
    """Each closure is as long as is waited for at most, and whoever waits has his turn before those behind him have a
    second one; so nobody waits for longer than the attempts of all take."""
    time = VirtualTime()
    server = Server(time, lambda _: limited(retry_after="60"), takes=5)

    client = server.client(concurrency=concurrency, attempts=3)
    found = outcomes(time, client, [(0, get(f"/{number}")) for number in range(6)])

    assert [one.requests for one in found] == [3] * 6
    assert len(server.asked) == 18
    assert time.elapsed <= 18 * (60 + 5)


def test_somebody_who_waits_at_the_gate_can_be_stopped() -> None:
    time = VirtualTime()
    server = Server(time, lambda _: limited(retry_after="60"))

    async def run() -> bool:
        async with server.client() as client:
            waiting = asyncio.create_task(client.send(get("/a")))
            await time.until(NOW + 1)
            waiting.cancel()
            await asyncio.wait({waiting})
            return waiting.cancelled()

    assert time.run(run())
    assert time.elapsed == 1
