"""Whether the service is told to be dead when it is, and not before."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.auth import TokenStore
from portsync.logs import Redactor
from portsync.running import Order
from portsync.runtime import Runtime
from portsync.serve.health import Health
from portsync.serve.history import RunHistory
from portsync.serve.http import ServiceRoutes
from portsync.serve.job import Job
from portsync.serve.metrics import Metrics
from portsync.serve.parts import Parts
from portsync.serve.supply import FileSupply
from portsync.settings import read_settings
from portsync.stop import Stop
from portsync.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def parts() -> Parts:
    settings, redactor = read_settings({}), Redactor()
    around = Surroundings(settings, Runtime({}), redactor)
    metrics = Metrics(redactor.clean)
    return Parts(around, Order(), TokenStore(None), RunHistory(redactor), metrics, ending_s=0.01)


@pytest.fixture
def job(parts: Parts) -> Job:
    return Job(FileSupply(Path("m.yaml"), {}, parts.settings), parts, list)


@pytest.fixture
def asked(parts: Parts) -> Callable[[Health], Any]:
    """What `/healthz`, or Ocean's name for it, answers: `await asked(health)`."""

    async def ask(health: Health) -> tuple[int, str]:
        app = ServiceRoutes(health, parts.history, parts.metrics, None, lambda _: []).app()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            answer, same = [await client.get(path) for path in ("/healthz", "/health/live")]
        assert answer.json() == same.json()
        return answer.status_code, answer.json()["status"]

    return ask


def test_a_loop_that_stands_still_for_a_minute_is_told_and_one_that_moves_again_is_not(
    job: Job, asked: Callable[[Health], Any]
) -> None:
    now = 1000.0

    async def scenario() -> None:
        nonlocal now
        health = Health([job], Stop(), lambda: now)
        now += 59.9
        assert await asked(health) == (200, "ok")
        now += 0.1
        assert await asked(health) == (503, "the loop stands still for 60 s")
        beating = asyncio.create_task(health.beat())
        await asyncio.sleep(0)
        assert await asked(health) == (200, "ok")
        beating.cancel()

    asyncio.run(scenario())


def test_a_run_that_was_ended_and_does_not_end_is_told_until_it_does(job: Job, asked: Callable[[Health], Any]) -> None:
    async def scenario() -> None:
        health = Health([job], Stop(), lambda: 0.0)
        lets_go = asyncio.Event()

        async def stubborn() -> Any:
            while not lets_go.is_set():
                with suppress(asyncio.CancelledError):
                    await lets_go.wait()

        work = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        ending = asyncio.create_task(job._end(work))
        try:
            async with asyncio.timeout(10):
                while not job.is_stuck:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.005)
            assert await asked(health) == (503, "m: a run that was ended does not end")
        finally:
            lets_go.set()
        await ending
        assert await asked(health) == (200, "ok")

    asyncio.run(scenario())
