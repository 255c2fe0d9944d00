"""What Port allows is used, and not more: against a local Port that counts, in time that only passes when all wait."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx
import pytest

from portsync.emulator.app import create_app
from portsync.emulator.guesses import Guesses
from portsync.flow import Batch, BatchResult, Entity, Fate
from portsync.port.client import PortClient
from portsync.port.entities import UpsertSwitches
from portsync.sinks.port import PortSink
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.trouble import Timeouts
from portsync.upsert import Upserter
from tests.conftest import THING
from tests.transport.virtual_time import VirtualTime

if TYPE_CHECKING:
    from portsync.port.client import PortClient as AnyPort

LIMIT, PERIOD_S, WINDOWS = 60, 300, 6
LATENCY_S = 0.2


class Wire(httpx.AsyncBaseTransport):
    """The way to a local Port in this process, which takes its time; keeps the moment and status of each answer."""

    def __init__(self, time: VirtualTime, *, reset_as_epoch: bool) -> None:
        self._time = time
        guesses = Guesses(rate_limit=LIMIT, rate_period=PERIOD_S, reset_as_epoch=reset_as_epoch)
        app = create_app(client_id="cid", client_secret="secret", clock=time.clock, guesses=guesses)
        self._app = httpx.ASGITransport(app)
        self.answers: list[tuple[float, int]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._time.until(self._time.now + LATENCY_S / 2)
        answer = await self._app.handle_async_request(request)
        self.answers.append((self._time.elapsed, answer.status_code))
        await self._time.until(self._time.now + LATENCY_S / 2)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


def one(number: int) -> Batch:
    entity = Entity("thing", f"e{number}", json.dumps({"identifier": f"e{number}"}).encode(), b"", 1, number)
    return Batch("thing", (entity,))


async def upserted(port: AnyPort, batches: int) -> list[Fate]:
    results: list[BatchResult] = []
    upserter = Upserter(PortSink(port, UpsertSwitches(merge=True, create_missing_related_entities=False)))
    for number in range(batches):
        await upserter.put(one(number), results.append)
    await upserter.settle()
    return [outcome.fate for result in results for outcome in result.outcomes]


@pytest.mark.parametrize("reset_as_epoch", [True, False], ids=["epoch", "seconds"])
@pytest.mark.parametrize("begins_at", [0.0, 0.37, 0.99])
def test_all_that_port_allows_is_used_and_no_request_is_refused(*, reset_as_epoch: bool, begins_at: float) -> None:
    """Whether the reset is a moment or a span: full seconds either way, so a window may seem longer than it is."""
    time = VirtualTime()
    time.now += begins_at
    wire = Wire(time, reset_as_epoch=reset_as_epoch)

    async def run() -> list[Fate]:
        policy = RetryPolicy(6, 310, time.clock, time.sleep, lambda: 0.5)
        async with Client(policy=policy, timeouts=Timeouts(total=10_000), user_agent="x", transport=wire) as http:
            port = PortClient(http, "http://port.test", "cid", "secret", time.clock)
            await port.send("POST", "/blueprints", body=THING)
            wire.answers.clear()
            return await upserted(port, LIMIT * WINDOWS)

    fates = time.run(run())

    assert fates == [Fate.CREATED] * LIMIT * WINDOWS
    assert [status for _, status in wire.answers if status == 429] == []
    # The token and the blueprint were of the first window too, so a few are left over for one more.
    first, last = wire.answers[0][0], wire.answers[-1][0]
    allowed_from = WINDOWS * PERIOD_S
    assert (last - first) * 0.95 <= allowed_from + LATENCY_S


def test_a_limit_that_somebody_else_used_up_is_waited_for_and_met_once() -> None:
    """The first window may already be spent when the run begins: then its first request is refused, and no other."""
    time = VirtualTime()
    wire = Wire(time, reset_as_epoch=False)

    async def run() -> list[Fate]:
        policy = RetryPolicy(6, 310, time.clock, time.sleep, lambda: 0.5)
        async with Client(policy=policy, timeouts=Timeouts(total=10_000), user_agent="x", transport=wire) as http:
            port = PortClient(http, "http://port.test", "cid", "secret", time.clock)
            await port.send("POST", "/blueprints", body=THING)
        others = httpx.Request("GET", "http://port.test/v1/blueprints")
        await asyncio.gather(*(wire.handle_async_request(others) for _ in range(LIMIT)))
        wire.answers.clear()
        async with Client(policy=policy, timeouts=Timeouts(total=10_000), user_agent="x", transport=wire) as http:
            return await upserted(PortClient(http, "http://port.test", "cid", "secret", time.clock), LIMIT)

    assert time.run(run()) == [Fate.CREATED] * LIMIT
    assert [status for _, status in wire.answers].count(429) == 1
