"""Port as a client sees it: tokens that end, answers read by index, refusals told apart from troubles."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from portsync.errors import PortRefusedError, PortUnreachableError, Problem
from portsync.flow import Batch, BatchResult, Entity, Fate
from portsync.port.client import PortClient
from portsync.port.entities import UpsertSwitches
from portsync.sinks.port import PortSink
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.tls import closed_context
from portsync.transport.trouble import Timeouts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PORT = "https://port.test"
BULK = f"{PORT}/v1/blueprints/thing/entities/bulk"
SWITCHES = UpsertSwitches(merge=True, create_missing_related_entities=False)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def with_port(act: Callable[[PortClient], Awaitable[Any]], clock: Clock | None = None) -> Any:
    """Run `act` with a client of the faked Port."""

    async def no_sleep(_seconds: float) -> None:
        return

    async def run() -> Any:
        policy = RetryPolicy(3, 60, clock or Clock(), no_sleep, lambda: 0.0)
        agent, tls = "portsync/custom/1/me/exporter", closed_context()  # respx answers before anybody speaks TLS
        async with Client(policy=policy, timeouts=Timeouts(), user_agent=agent, tls=tls) as http:
            return await act(PortClient(http, PORT, "cid", "secret", clock or Clock()))

    return asyncio.run(run())


def batch(*identifiers: str) -> Batch:
    entities = (
        Entity("thing", i, json.dumps({"identifier": i}).encode(), b"", 1, n) for n, i in enumerate(identifiers)
    )
    return Batch("thing", tuple(entities))


def upsert(*identifiers: str) -> BatchResult:
    async def act(port: PortClient) -> BatchResult:
        return await PortSink(port, SWITCHES).upsert(batch(*identifiers))

    result = with_port(act)
    assert isinstance(result, BatchResult)
    return result


@pytest.fixture
def tokens() -> Any:
    with respx.mock(assert_all_called=False) as router:
        numbers = iter(range(1000))
        router.post(f"{PORT}/v1/auth/access_token", name="token").mock(
            side_effect=lambda _: httpx.Response(
                200, json={"ok": True, "accessToken": f"t{next(numbers)}", "expiresIn": 10800, "tokenType": "Bearer"}
            )
        )
        yield router


def accepted(request: httpx.Request) -> httpx.Response:
    entities = json.loads(request.content)["entities"]
    items = [{"identifier": e["identifier"], "index": i, "created": True} for i, e in enumerate(entities)]
    return httpx.Response(200, json={"ok": True, "entities": items, "errors": []})


def test_a_token_is_fetched_once_and_renewed_before_it_ends(tokens: respx.Router) -> None:
    clock = Clock()
    tokens.get(f"{PORT}/v1/x").respond(200, json={"ok": True})

    async def act(port: PortClient) -> None:
        await asyncio.gather(*(port.send("GET", "/x") for _ in range(10)))
        clock.now += 10800 - 30
        await port.send("GET", "/x")

    with_port(act, clock)

    assert tokens["token"].call_count == 2
    assert tokens.calls.last.request.headers["authorization"] == "Bearer t1"
    assert tokens.calls.last.request.headers["user-agent"] == "portsync/custom/1/me/exporter"


def test_a_token_that_port_no_longer_takes_is_renewed_once_for_all(tokens: respx.Router) -> None:
    tokens.get(f"{PORT}/v1/x").mock(
        side_effect=lambda r: httpx.Response(
            401 if r.headers["authorization"] == "Bearer t0" else 200, json={"ok": True}
        )
    )

    async def act(port: PortClient) -> list[int]:
        await port.sign_in()
        return [answer.status for answer in await asyncio.gather(*(port.send("GET", "/x") for _ in range(5)))]

    assert with_port(act) == [200] * 5
    assert tokens["token"].call_count == 2


def test_a_port_that_takes_no_token_at_all_is_a_refusal_and_no_loop(tokens: respx.Router) -> None:
    tokens.get(f"{PORT}/v1/x").respond(401, json={"ok": False, "error": "unauthorized"})

    with pytest.raises(PortRefusedError, match="401 unauthorized"):
        with_port(lambda port: port.send("GET", "/x"))

    assert tokens["token"].call_count == 2


def test_a_token_that_lives_for_a_second_is_used_and_not_asked_for_without_end(tokens: respx.Router) -> None:
    tokens["token"].mock(return_value=httpx.Response(200, json={"accessToken": "t", "expiresIn": 1}))
    tokens.get(f"{PORT}/v1/x").respond(200, json={"ok": True})

    async def act(port: PortClient) -> None:
        for _ in range(5):
            await port.send("GET", "/x")

    with_port(act)

    assert tokens["token"].call_count == 1


def test_answers_are_read_by_index(tokens: respx.Router) -> None:
    errors = [
        {"identifier": "unknown", "index": 1, "statusCode": 422, "error": "blueprint_schema_mismatch", "message": "no"}
    ]
    entities = [
        {"identifier": "a", "index": 0, "created": True},
        {"identifier": "made-up-by-port", "index": 2, "created": False},
        {"identifier": "x", "index": 99, "created": True},
        {"identifier": "x", "index": "0"},
    ]
    tokens.post(BULK).respond(207, json={"ok": True, "entities": entities, "errors": errors})

    result = upsert("a", "b", "c", "d")

    assert [outcome.fate for outcome in result.outcomes] == [Fate.CREATED, Fate.REJECTED, Fate.UPDATED, Fate.REJECTED]
    assert result.outcomes[1].message == "Port refused the entity: 422 blueprint_schema_mismatch: no"
    assert result.outcomes[3].code == "port-silent"


def test_the_switches_go_along(tokens: respx.Router) -> None:
    tokens.post(url__startswith=BULK).mock(side_effect=accepted)

    upsert("a")

    assert dict(tokens.calls.last.request.url.params) == {
        "upsert": "true",
        "merge": "true",
        "create_missing_related_entities": "false",
    }


def test_a_batch_that_is_too_large_is_halved_until_it_fits(tokens: respx.Router) -> None:
    def at_most_two(request: httpx.Request) -> httpx.Response:
        if len(json.loads(request.content)["entities"]) > 2:
            return httpx.Response(413, json={"ok": False, "error": "payload_too_large", "message": "too large"})
        return accepted(request)

    tokens.post(url__startswith=BULK).mock(side_effect=at_most_two)

    result = upsert(*"abcdefg")

    assert [outcome.fate for outcome in result.outcomes] == [Fate.CREATED] * 7
    assert [outcome.entity.identifier for outcome in result.outcomes] == list("abcdefg")


def test_an_entity_that_is_too_large_alone_is_rejected(tokens: respx.Router) -> None:
    tokens.post(url__startswith=BULK).respond(413, json={"ok": False, "message": "too large"})

    result = upsert("a", "b")

    assert [outcome.fate for outcome in result.outcomes] == [Fate.REJECTED] * 2
    assert "413" in (result.outcomes[0].message or "")


@pytest.mark.parametrize("status", [403, 422])
def test_a_batch_that_is_refused_as_a_whole_rejects_each_of_its_entities(status: int, tokens: respx.Router) -> None:
    tokens.post(url__startswith=BULK).respond(status, json={"ok": False, "error": "e", "message": "m"})

    result = upsert("a", "b")

    assert [(o.fate, o.code) for o in result.outcomes] == [(Fate.REJECTED, "port-rejected")] * 2
    assert f"{status} to the whole batch: e: m" in (result.outcomes[0].message or "")


def test_a_missing_blueprint_is_asked_for_once(tokens: respx.Router) -> None:
    route = tokens.post(url__startswith=BULK).respond(404, json={"ok": False, "error": "not_found", "message": "x"})

    async def act(port: PortClient) -> list[BatchResult]:
        sink = PortSink(port, SWITCHES)
        return [await sink.upsert(batch("a")) for _ in range(5)]

    results = with_port(act)

    assert {result.outcomes[0].code for result in results} == {"blueprint-missing"}
    assert route.call_count == 1


@pytest.mark.parametrize("trouble", [httpx.Response(503, text="down"), httpx.ConnectError("refused")])
def test_one_batch_in_trouble_is_rejected_and_three_in_a_row_end_the_run(trouble: Any, tokens: respx.Router) -> None:
    up = False

    def answer(request: httpx.Request) -> httpx.Response:
        if up:
            return accepted(request)
        if isinstance(trouble, Exception):
            raise trouble
        assert isinstance(trouble, httpx.Response)
        return trouble

    tokens.post(url__startswith=BULK).mock(side_effect=answer)

    async def act(port: PortClient) -> None:
        nonlocal up
        sink = PortSink(port, SWITCHES)
        for _ in range(2):
            assert (await sink.upsert(batch("a"))).outcomes[0].fate is Fate.REJECTED
        up = True
        assert (await sink.upsert(batch("a"))).outcomes[0].fate is Fate.CREATED
        up = False
        for _ in range(2):
            await sink.upsert(batch("a"))
        with pytest.raises(PortUnreachableError):
            await sink.upsert(batch("a"))

    with_port(act)


def test_a_port_that_asks_for_too_long_a_wait_is_named_so_and_not_called_unreachable(tokens: respx.Router) -> None:
    route = tokens.post(url__startswith=BULK).respond(429, headers={"x-ratelimit-reset": "280"})

    result = upsert("a")

    assert [(o.fate, o.code) for o in result.outcomes] == [(Fate.REJECTED, "port-trouble")]
    assert "280 s from now" in (result.outcomes[0].message or "")
    assert route.call_count == 1


def test_who_waits_for_port_when_it_is_given_up_is_told_so_and_whoever_asks_after_it(tokens: respx.Router) -> None:
    asked = asyncio.Event()
    requests: list[httpx.Request] = []

    async def no_answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    tokens.get(f"{PORT}/v1/blueprints/thing").mock(side_effect=no_answer)
    stopped = Problem("interrupted", "the run was stopped")

    async def act(port: PortClient) -> list[Any]:
        first = asyncio.create_task(port.send("GET", "/blueprints/thing"))
        await asked.wait()
        port.give_up(stopped)
        answers = asyncio.gather(first, port.send("GET", "/blueprints/thing"), return_exceptions=True)
        return list(await answers)

    found = with_port(act)

    assert [(type(error), error.problems) for error in found] == [(PortUnreachableError, (stopped,))] * 2
    assert len(requests) == 1
