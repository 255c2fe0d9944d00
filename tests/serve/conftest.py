"""A service in this process, with a clock that a test moves."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.auth import TokenStore
from portsync.logs import Redactor
from portsync.running import Order
from portsync.runtime import Runtime
from portsync.serve.history import RunHistory
from portsync.serve.metrics import Metrics
from portsync.serve.parts import Parts
from portsync.serve.service import Service
from portsync.settings import read_settings
from portsync.stop import Stop
from portsync.surroundings import Surroundings
from tests.conftest import NOW
from tests.postgres import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

__all__ = ["fresh_postgres", "postgres"]

_PATIENCE_S = 20.0
HTTP_TOKEN = "http-token-5d2b"


@dataclass
class Clock:
    """Time that passes only when a test says so; who sleeps wakes when his moment has come."""

    now: float = NOW
    sleepers: list[tuple[float, asyncio.Event]] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        sleeper = (self.now + seconds, asyncio.Event())
        self.sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self.sleepers.remove(sleeper)

    async def until_asleep(self) -> None:
        """Return once somebody sleeps."""
        async with asyncio.timeout(_PATIENCE_S):
            while not self.sleepers:  # noqa: ASYNC110 - a sleeper cannot tell of itself before it sleeps
                await asyncio.sleep(0.005)

    async def pass_until(self, done: asyncio.Future[Any]) -> None:
        """Let time pass until it is done."""
        async with asyncio.timeout(_PATIENCE_S):
            while not done.done():
                self.pass_by(5)
                await asyncio.sleep(0.005)
        done.result()

    def pass_by(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += seconds
        for at, event in self.sleepers:
            if at <= self.now:
                event.set()


@dataclass
class Served:
    """A service that is up."""

    url: str
    clock: Clock
    history: RunHistory
    metrics: Metrics
    stop: Stop
    down: asyncio.Task[None]
    redactor: Redactor
    seen: int = 0

    async def ask(
        self, method: str, path: str, token: str | None = HTTP_TOKEN, authorization: bytes | None = None
    ) -> httpx.Response:
        """The answer to a request with the token, or with another header in its place."""
        own = None if token is None else f"Bearer {token}".encode()
        headers = httpx.Headers({} if own is None else {b"authorization": authorization or own})
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, verify=False, timeout=_PATIENCE_S) as client:
            return await client.request(method, path, headers=headers)

    def runs(self) -> list[dict[str, Any]]:
        """The runs that have ended, the oldest first."""
        return [run for run in reversed(self.history.runs()) if run["status"] != "running"]

    async def next_run(self) -> dict[str, Any]:
        """The next run, once it has ended."""
        await self.until(lambda: len(self.runs()) > self.seen)
        self.seen += 1
        return self.runs()[self.seen - 1]

    async def until(self, holds: Callable[[], object]) -> None:
        """Return once it holds. The test fails where the service ends or that takes too long."""
        async with asyncio.timeout(_PATIENCE_S):
            while not holds():
                if self.down.done():
                    self.down.result()
                    raise AssertionError("the service is down")
                await asyncio.sleep(0.005)

    async def until_seen(self, holds: Callable[[], object]) -> None:
        """Let time pass as it takes to see a new file, until it holds."""
        async with asyncio.timeout(_PATIENCE_S):
            while not holds():
                await self.until(lambda: self.clock.sleepers)
                self.clock.pass_by(_LOOKS_S)
                await asyncio.sleep(0.01)

    async def asleep(self) -> None:
        """Return once every part waits for its time, with nothing under way."""
        await self.until(lambda: any(at - self.clock.now != _LOOKS_S for at, _ in self.clock.sleepers))


_LOOKS_S = 2.0


@pytest.fixture
def serving_of(port_env: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    """`async with serving_of(mapping_text, env={...}) as served:` is a service for the mapping file `m.yaml` of the
    test's folder; None for no file. `more` are further mappings, by the names of their files."""
    numbers = itertools.count()

    @contextlib.asynccontextmanager
    async def up(
        text: str | None,
        *,
        env: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
        patience_s: float = 1200.0,
    ) -> AsyncIterator[Served]:
        paths = []
        for name, content in {**({} if text is None else {"m.yaml": text}), **(more or {})}.items():
            paths.append(tmp_path / name)
            paths[-1].parent.mkdir(exist_ok=True)
            paths[-1].write_text(content, encoding="utf-8")
        clock, stop = Clock(), Stop()
        environment = {"PORTSYNC_LISTEN": "127.0.0.1:0", "PORTSYNC_HTTP_TOKEN": HTTP_TOKEN, **port_env, **(env or {})}
        settings = read_settings(environment)
        redactor = Redactor(settings.secrets())
        runtime = Runtime(environment, clock.time, clock.sleep, lambda: 0.0)
        history = RunHistory(redactor)
        around = Surroundings(settings, runtime, redactor)
        store, metrics = TokenStore(settings.token_folder), Metrics(redactor.clean)
        parts = Parts(around, Order(), store, history, metrics, patience_s)
        urls: asyncio.Queue[str] = asyncio.Queue()
        service = Service(paths, None, parts, stop, monotonic=lambda: next(numbers) * 0.0, is_up=urls.put_nowait)
        down = asyncio.create_task(service.stay())
        async with asyncio.timeout(_PATIENCE_S):
            getting = asyncio.create_task(urls.get())
            await asyncio.wait({getting, down}, return_when=asyncio.FIRST_COMPLETED)
            if down.done():
                getting.cancel()
                down.result()
            served = Served(getting.result(), clock, history, metrics, stop, down, redactor)
        try:
            yield served
        finally:
            stop.request(15)
            clock.pass_by(1e9)
            async with asyncio.timeout(_PATIENCE_S):
                await down

    return up
