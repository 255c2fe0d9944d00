"""Tokens that are fetched: one call for all who wait, before the old one ends, and once after a 401."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from portsync.auth import AuthTools
from portsync.auth.fetched import Credentials, FetchedAuth
from portsync.auth.headers import with_header
from portsync.errors import AuthError, Problem, SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.trouble import Timeouts
from tests.auth.conftest import Clock, client_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tests.auth.conftest import Api, Asked, Session

OAUTH2 = {"type": "oauth2", "token_url": "/token", "client_id": "id", "client_secret": "s3cret-value"}
LOGIN = {
    "type": "login",
    "request": {"path": "/token", "body": {"user": "u"}},
    "template": {"headers": {"Authorization": "Bearer {{.access_token}}"}},
}
each_kind = pytest.mark.parametrize("config", [OAUTH2, LOGIN], ids=["oauth2", "login"])


def numbered(api: Api, life: float | None = 3600) -> None:
    """The token endpoint gives t1, t2, ..."""

    def token(_asked: Asked) -> dict[str, Any]:
        return {"access_token": f"token-{len(api.token_calls)}", **({} if life is None else {"expires_in": life})}

    api.token = token


def refusing(api: Api, *tokens: str) -> None:
    """Data requests with one of these tokens are answered with 401."""
    api.data = lambda asked: Response(status_code=401) if asked.credentials.split()[-1] in tokens else []


def things(api: Api, count: int) -> list[RequestSpec]:
    return [RequestSpec("GET", f"{api.url}/things/{number}") for number in range(count)]


# One call for all


@each_kind
def test_ten_workers_without_a_token_make_one_token_call(
    config: dict[str, Any], api: Api, play: Callable[..., Any]
) -> None:
    numbered(api)

    answers = play(config, lambda session: session.together(things(api, 10)))

    assert [answer.status for answer in answers] == [200] * 10
    assert len(api.token_calls) == 1
    assert {asked.credentials for asked in api.data_requests} == {"Bearer token-1"}
    assert sorted(asked.path for asked in api.data_requests) == [f"/things/{number}" for number in range(10)]


def test_ten_workers_with_an_expired_token_make_one_token_call(api: Api, play: Callable[..., Any]) -> None:
    numbered(api)

    async def act(session: Session) -> None:
        await session.send(things(api, 1)[0])
        session.clock.now += 3600
        await session.together(things(api, 10))

    play(OAUTH2, act)

    assert len(api.token_calls) == 2
    assert [asked.credentials for asked in api.data_requests] == ["Bearer token-1"] + ["Bearer token-2"] * 10


@each_kind
def test_ten_workers_that_get_401_make_one_token_call_and_all_go_on(
    config: dict[str, Any], api: Api, play: Callable[..., Any]
) -> None:
    numbered(api)
    refusing(api, "token-1")

    answers = play(config, lambda session: session.together(things(api, 10)))

    assert [answer.status for answer in answers] == [200] * 10
    assert len(api.token_calls) == 2
    assert len(api.data_requests) == 20


@given(st.data())
def test_whatever_the_order_one_call_is_under_way_and_no_request_goes_out_thrice(data: st.DataObject) -> None:
    """Eight requests; answers come in any order, and the server withdraws tokens when it likes."""
    asyncio.run(_play_at_random(data))


async def _play_at_random(data: st.DataObject) -> None:
    valid = 0
    waiting: list[tuple[httpx.Request, asyncio.Future[httpx.Response]]] = []
    sent: dict[str, int] = {}
    outcomes: list[int] = []

    class Call:
        def request(self) -> httpx.Request:
            return httpx.Request("POST", "http://api.test/token")

        def read(self, answer: httpx.Response) -> Credentials:
            return Credentials(with_header("authorization", answer.text), math.inf)

    auth = FetchedAuth(Call(), Clock())

    async def drive(name: str) -> None:
        flow = auth.async_auth_flow(httpx.Request("GET", f"http://api.test/{name}"))
        request = await anext(flow)
        while True:
            answered: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
            waiting.append((request, answered))
            response = await answered
            try:
                request = await flow.asend(response)
            except StopAsyncIteration:
                outcomes.append(response.status_code)
                return

    tasks = [asyncio.create_task(drive(str(number))) for number in range(8)]
    while True:
        for _ in range(10):
            await asyncio.sleep(0)
        if not waiting:
            break
        assert sum(request.url.path == "/token" for request, _ in waiting) <= 1
        request, answered = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
        if request.url.path == "/token":
            valid += 1
            answered.set_result(httpx.Response(200, text=str(valid), request=request))
        else:
            sent[request.url.path] = sent.get(request.url.path, 0) + 1
            is_valid = request.headers["authorization"] == str(valid) and not data.draw(st.booleans())
            answered.set_result(httpx.Response(200 if is_valid else 401, request=request))
    await asyncio.gather(*tasks)

    assert len(outcomes) == 8
    assert max(sent.values()) <= 2
    # One at the start, and at most one for each first 401.
    assert valid <= 1 + sum(count - 1 for count in sent.values())


# When


@pytest.mark.parametrize(("age", "calls"), [(3539, 1), (3540, 2)])
def test_a_token_is_replaced_a_minute_before_it_ends(
    age: float, calls: int, api: Api, play: Callable[..., Any]
) -> None:
    async def act(session: Session) -> None:
        await session.send(things(api, 1)[0])
        session.clock.now += age
        await session.send(things(api, 1)[0])

    play(OAUTH2, act)

    assert len(api.token_calls) == calls


@pytest.mark.parametrize(("leeway", "age", "calls"), [(10, 3589, 1), (10, 3590, 2), (0, 3599, 1), (0, 3600, 2)])
def test_the_leeway_can_be_chosen(leeway: int, age: float, calls: int, api: Api, play: Callable[..., Any]) -> None:
    async def act(session: Session) -> None:
        await session.send(things(api, 1)[0])
        session.clock.now += age
        await session.send(things(api, 1)[0])

    play({**OAUTH2, "leeway": leeway}, act)

    assert len(api.token_calls) == calls


def test_a_token_that_lives_shorter_than_the_leeway_is_used_all_the_same(api: Api, play: Callable[..., Any]) -> None:
    numbered(api, life=20)

    async def act(session: Session) -> None:
        for age in (0, 9, 1):
            session.clock.now += age
            await session.send(things(api, 1)[0])

    play(OAUTH2, act)

    assert [asked.credentials for asked in api.data_requests] == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


# 401


@each_kind
def test_a_401_is_answered_with_a_new_token_and_the_same_request(
    config: dict[str, Any], api: Api, send: Callable[..., Any]
) -> None:
    numbered(api)
    refusing(api, "token-1")
    request = RequestSpec("POST", f"{api.url}/things", (("page", "2"),), (("x-part", "a"),), {"since": 1})

    answer = send(config, request)

    assert answer.status == 200
    first, second = api.data_requests
    assert (first.credentials, second.credentials) == ("Bearer token-1", "Bearer token-2")
    for asked in (first, second):
        assert (asked.method, asked.path, asked.query, asked.json) == ("POST", "/things", {"page": ["2"]}, {"since": 1})
        assert asked.headers["x-part"] == "a"


@each_kind
def test_a_second_401_is_the_sources_answer_and_there_is_no_loop(
    config: dict[str, Any], api: Api, send: Callable[..., Any]
) -> None:
    numbered(api)
    api.data = lambda _: Response('{"error": "no such user"}', status_code=401)

    answer = send(config, attempts=4)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (401, b'{"error": "no such user"}')
    assert (len(api.token_calls), len(api.data_requests)) == (2, 2)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_other_statuses_fetch_no_token(status: int, api: Api, send: Callable[..., Any]) -> None:
    api.data = lambda _: Response(status_code=status)

    assert send(OAUTH2).status == status
    assert len(api.token_calls) == 1


def test_a_401_for_an_old_token_is_replayed_with_the_one_that_another_worker_fetched() -> None:
    calls = 0

    class Call:
        def request(self) -> httpx.Request:
            return httpx.Request("POST", "http://api.test/token")

        def read(self, answer: httpx.Response) -> Credentials:
            nonlocal calls
            calls += 1
            return Credentials(with_header("authorization", answer.text), math.inf)

    async def act() -> None:
        auth = FetchedAuth(Call(), Clock())
        request = httpx.Request("GET", "http://api.test/things")
        first, second = auth.async_auth_flow(request), auth.async_auth_flow(request)
        await anext(first)
        await first.asend(httpx.Response(200, text="one"))  # both now hold the first token
        await anext(second)
        assert (await first.asend(httpx.Response(401))).url.path == "/token"
        replayed = await first.asend(httpx.Response(200, text="two"))
        assert replayed.headers["authorization"] == "two"

        late = await second.asend(httpx.Response(401))

        assert (late.url.path, late.headers["authorization"], calls) == ("/things", "two", 2)
        await first.aclose()
        await second.aclose()

    asyncio.run(act())


# Calls that fail


@each_kind
def test_a_refused_call_fails_all_who_wait_for_it_and_the_next_request_tries_again(
    config: dict[str, Any], api: Api, play: Callable[..., Any]
) -> None:
    def token(_asked: Asked) -> Any:
        return Response(status_code=403) if len(api.token_calls) == 1 else {"access_token": "good"}

    api.token = token

    async def act(session: Session) -> Any:
        return await session.together(things(api, 10)), len(api.token_calls), await session.send(things(api, 1)[0])

    failed, calls, later = play(config, act)

    assert {(type(outcome), outcome.reason) for outcome in failed} == {(SendError, "auth")}
    assert calls == 1
    assert later.status == 200
    assert len(api.token_calls) == 2


def test_a_call_that_was_broken_off_is_made_by_the_next_who_waits_and_nobody_hears_of_old_failures() -> None:
    class Call:
        def request(self) -> httpx.Request:
            return httpx.Request("POST", "http://api.test/token")

        def read(self, answer: httpx.Response) -> Credentials:
            if answer.is_error:
                raise AuthError(Problem("no-token", "old"))
            return Credentials(with_header("authorization", answer.text), math.inf)

    async def act() -> None:
        auth = FetchedAuth(Call(), Clock())

        def flow() -> AsyncGenerator[httpx.Request, httpx.Response]:
            return auth.async_auth_flow(httpx.Request("GET", "http://api.test/things"))

        failing = flow()
        await anext(failing)
        with pytest.raises(AuthError):
            await failing.asend(httpx.Response(500))
        leader, waiting = flow(), flow()
        await anext(leader)
        next_step = asyncio.ensure_future(anext(waiting))
        await asyncio.sleep(0)
        assert not next_step.done()

        await leader.aclose()

        assert (await next_step).url.path == "/token"
        assert (await waiting.asend(httpx.Response(200, text="new"))).headers["authorization"] == "new"
        await waiting.aclose()

    asyncio.run(act())


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_token_endpoint_that_is_out_of_order_is_asked_again_as_the_retry_policy_says(
    status: int, api: Api, play: Callable[..., Any]
) -> None:
    def token(_asked: Asked) -> Any:
        if len(api.token_calls) == 1:
            return Response(status_code=status, headers={"retry-after": "7"})
        return {"access_token": "good"}

    api.token = token

    async def act(session: Session) -> Any:
        return await session.send(things(api, 1)[0]), session.slept

    answer, slept = play(OAUTH2, act, attempts=3)

    assert (answer.status, answer.requests, slept) == (200, 2, [7])


def test_a_refusal_is_not_tried_again(api: Api, send: Callable[..., Any]) -> None:
    api.token = lambda _: Response('{"error": "invalid_client"}', status_code=401)

    outcome = send(OAUTH2, attempts=5)

    assert (outcome.reason, outcome.may_pass, outcome.requests) == ("auth", False, 1)
    assert (len(api.token_calls), api.data_requests) == (1, [])


def test_what_cannot_be_sent_to_the_token_endpoint_is_not_repeated() -> None:
    error = httpx.LocalProtocolError("Illegal header value b'Basic s3cret'")

    def token(_request: httpx.Request) -> httpx.Response:
        raise error

    for outcome in asyncio.run(_ten_over(httpx.MockTransport(token))):
        assert isinstance(outcome, SendError)
        assert "s3cret" not in outcome.problems[0].message
        assert (outcome.reason, outcome.may_pass) == ("auth", False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("refused"), "unreachable"),
        (httpx.ConnectTimeout("too late"), "unreachable"),
        (httpx.ReadTimeout("too late"), "timeout"),
        (httpx.RemoteProtocolError("peer closed"), "connection"),
        (httpx.DecodingError("bad gzip"), "connection"),
    ],
)
def test_an_endpoint_that_does_not_answer_is_named_to_all_who_wait_for_it(error: Exception, reason: str) -> None:
    calls: list[httpx.Request] = []

    async def token(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        await asyncio.sleep(0)
        raise error

    outcomes = asyncio.run(_ten_over(httpx.MockTransport(token)))

    assert [type(outcome) for outcome in outcomes] == [SendError] * 10
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, SendError)} == {reason}
    assert len(calls) == 1
    for outcome in outcomes:
        assert isinstance(outcome, SendError)
        (problem,) = outcome.problems
        assert problem.code == "no-token"
        assert f"https://login.test/oauth/token cannot be asked for a token: {error}" in problem.message
        assert problem.place == "POST https://login.test/oauth/token"
        assert outcome.may_pass


async def _ten_over(transport: httpx.MockTransport) -> list[Answer | BaseException]:
    config = {**OAUTH2, "token_url": "https://login.test/oauth/token?tenant=secret"}
    async with client_of(config, AuthTools("https://api.test", Clock()), transport=transport) as client:
        requests = [client.send(RequestSpec("GET", f"https://api.test/{number}")) for number in range(10)]
        return await asyncio.gather(*requests, return_exceptions=True)


# What the call is


def test_a_token_call_has_the_time_outs_of_the_source_and_nothing_else_of_the_request() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"access_token": "t"})

    async def act() -> None:
        tools = AuthTools("https://api.test/v1", Clock())
        timeouts = Timeouts(connect=1, read=2, write=3, pool=4)
        headers = (("x-tenant", "acme"), ("cookie", "a=b"))
        async with client_of(OAUTH2, tools, timeouts=timeouts, transport=httpx.MockTransport(handle)) as client:
            await client.send(RequestSpec("POST", "https://api.test/v1/things", (("page", "1"),), headers, {"a": 1}))

    asyncio.run(act())

    call, _ = seen
    assert str(call.url) == "https://api.test/v1/token"
    assert call.extensions["timeout"] == {"connect": 1, "read": 2, "write": 3, "pool": 4}
    assert {name for name in call.headers if name not in ("host", "content-length", "accept-encoding")} == {
        "accept",
        "authorization",
        "content-type",
        "user-agent",
    }


def test_every_token_is_made_known_to_the_redactor(api: Api, play: Callable[..., Any]) -> None:
    api.token = lambda _: {"access_token": "aaaa-1", "refresh_token": "rrrr-1", "id_token": "iiii-1", "expires_in": 9}

    async def act(session: Session) -> list[str]:
        await session.send(things(api, 1)[0])
        return session.learned

    assert play(OAUTH2, act) == ["aaaa-1", "rrrr-1", "iiii-1"]
