"""Many webhooks at a service that is killed in the middle, some of them forged, and what Port got of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from portsync.emulator.app import create_app
from portsync.loopback import serving
from tests.conftest import PORT_SECRET, THING, LocalPort
from tests.serve.hooks import HOOK_SECRET, LIVE, signed, with_live

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

_ROOT = Path(__file__).parents[2]
_ENTITIES = 20
_PATIENCE_S = 60.0
_MAPPING = """
source: {base_url: "http://127.0.0.1:9"}
resources:
  - kind: /things
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"thing"'
          properties: {size: .size}
"""


class Recorder:
    """A local Port that notes when it took which size of which entity, in which life of the service."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.life = 0
        self.took: list[tuple[int, float, str, int]] = []

    async def has_taken(self) -> bool:
        return bool(self.took)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""

        async def heard() -> Any:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        await self._app(scope, heard, send)
        if scope["type"] == "http" and scope["path"].endswith("/entities/bulk"):
            for entity in json.loads(body)["entities"]:
                size = int(entity["properties"]["size"])
                self.took.append((self.life, time.monotonic(), entity["identifier"], size))


@dataclass
class Refusals:
    """The forged webhooks that one life of the service met."""

    open: int = 0
    """How many may have reached it, and were not answered: those under way, and those whose answer was lost."""
    answered: int = 0
    """How many it answered 401."""
    counted: int = 0
    """How many it had counted when it was last looked at."""
    range: tuple[int, int] = (0, 0)
    """The fewest and the most that it can have counted then."""

    async def look(self, count: Awaitable[float]) -> None:
        """Note what it counts. What was answered before was counted; what was open, then or since, may be."""
        fewest = self.answered
        self.counted = int(await count)
        self.range = (fewest, self.answered + self.open)


@dataclass
class Outcome:
    """How it went."""

    sent: dict[tuple[str, int], float] = field(default_factory=dict)
    """When each good webhook was sent for the first time, by entity and size."""
    last: dict[str, int] = field(default_factory=dict)
    """The last good size of each entity."""
    forged: set[tuple[str, int]] = field(default_factory=set)
    refusals: list[Refusals] = field(default_factory=lambda: [Refusals()])
    """What each life of the service refused."""
    again: int = 0
    """How often a webhook had to be sent once more, because nobody answered."""
    down: tuple[float, float] = (0.0, 0.0)
    """From when to when the service was away."""
    took: list[tuple[int, float, str, int]] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    """What Port has in the end."""

    def check(self) -> None:
        """Raises AssertionError where a good one is missing, comes after a newer one, or a forged one came through."""
        assert self.held == self.last, "Port does not have the newest of each entity"
        assert sum(life.answered for life in self.refusals) == len(self.forged), "not every forged one was refused"
        for refusals in self.refusals:
            fewest, most = refusals.range
            assert fewest <= refusals.counted <= most, f"not every forged webhook was counted, once each: {refusals}"
        newest: dict[tuple[int, str], int] = {}
        for life, _, name, size in self.took:
            assert (name, size) not in self.forged, f"a forged webhook came through: {name} {size}"
            assert size > newest.get((life, name), -1), f"{name}: {size} came after {newest[life, name]}"
            newest[life, name] = size

    def latencies(self) -> list[float]:
        """Seconds from the sending of each good webhook until Port had it or a newer one, in order of size, without
        those that met a service that was away."""
        found = []
        for (name, size), at in self.sent.items():
            arrived = min(when for _, when, other, got in self.took if other == name and got >= size)
            if not self.down[0] - 1 <= at <= self.down[1]:
                found.append(arrived - at)
        return sorted(found)


class _Service:
    """`portsync serve` as a process."""

    def __init__(self, folder: Path, port_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.listen = f"127.0.0.1:{free.getsockname()[1]}"
        self._folder = folder
        (folder / "m.yaml").write_text(with_live(_MAPPING, LIVE), encoding="utf-8")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(_ROOT / "src"),
            "XDG_STATE_HOME": str(folder / "state"),
            "PORT_BASE_URL": port_url,
            "PORT_CLIENT_ID": "cid",
            "PORT_CLIENT_SECRET": PORT_SECRET,
            "HOOK_SECRET": HOOK_SECRET,
            "PORTSYNC_RUN_AT_START": "false",
            "PORTSYNC_JQ_WORKERS": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "portsync", "serve", "m.yaml", "--listen", self.listen]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, env=self._env, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def number(self, name: str) -> float:
        """The sum of a number over its labels; -1 where nobody answers, or there is no such gauge."""
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=5) as client:
                text = (await client.get(f"http://{self.listen}/metrics")).text
            found = re.findall(rf"(?m)^portsync_{name} (\S+)$", text)
            return sum(map(float, found)) if found or "hook_events" in name else -1.0
        return -1.0

    async def is_ready(self) -> bool:
        return await self.number(r"hook_queue\{.*\}") >= 0

    async def is_idle(self) -> bool:
        return await self.number(r"hook_queue\{.*\}") == 0


_FORGED = r'hook_events_total{hook="things",result="bad-signature"}'.replace("{", r"\{").replace("}", r"\}")


async def barrage(folder: Path, count: int, seconds: float, seed: int, *, kills: bool = True) -> Outcome:
    """Send `count` webhooks in so many seconds; one in a hundred is forged."""
    outcome, chance = Outcome(), Random(seed)
    app = Recorder(create_app(client_id="cid", client_secret=PORT_SECRET))
    with serving(app) as url:
        assert LocalPort(url).api("POST", "/blueprints", THING)["ok"]
        service = _Service(folder, url)
        service.start()
        try:
            async with asyncio.timeout(_PATIENCE_S + seconds):
                await _until(service.is_ready)
                forged = set(chance.sample(range(count), max(1, count // 100)))
                begun = time.monotonic()
                senders = [
                    _send_all(service, outcome, f"e{n}", range(n, count, _ENTITIES), forged, begun, seconds / count)
                    for n in range(_ENTITIES)
                ]
                sending = asyncio.gather(*senders)
                if kills:
                    await asyncio.sleep(seconds * (0.4 + 0.2 * chance.random()))
                    await _until(app.has_taken)
                    await outcome.refusals[-1].look(service.number(_FORGED))
                    service.kill()
                    outcome.refusals.append(Refusals())
                    app.life += 1
                    outcome.down = (time.monotonic(), 0.0)
                    service.start()
                    await _until(service.is_ready)
                    outcome.down = (outcome.down[0], time.monotonic() + 2)
                await sending
                await _until(service.is_idle)
                await outcome.refusals[-1].look(service.number(_FORGED))
        finally:
            service.kill()
        outcome.took = app.took
        held = LocalPort(url).entities("thing")
        outcome.held = {name: entity["properties"]["size"] for name, entity in held.items()}
    return outcome


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if await holds():
            return
        await asyncio.sleep(0.05)


async def _send_all(
    service: _Service, outcome: Outcome, name: str, numbers: range, forged: set[int], begun: float, every_s: float
) -> None:
    """Send the webhooks of one entity, each when its time has come and the one before was answered."""
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=10) as client:
        for number in numbers:
            await asyncio.sleep(max(0.0, begun + number * every_s - time.monotonic()))
            body = json.dumps({"action": "edited", "thing": {"id": name, "size": number}}).encode()
            signature = signed(body, "a-secret-of-nobody" if number in forged else HOOK_SECRET)
            headers = {"x-hub-signature-256": signature, "x-github-delivery": f"d{number}"}
            if number in forged:
                outcome.forged.add((name, number))
            else:
                outcome.sent[name, number] = time.monotonic()
                outcome.last[name] = number
            while (status := await _sent(client, service, outcome, body, headers, number in forged)) not in (202, 401):
                outcome.again += 1
                await asyncio.sleep(0.05)
            assert (status == 401) == (number in forged)


async def _sent(
    client: httpx.AsyncClient,
    service: _Service,
    outcome: Outcome,
    body: bytes,
    headers: dict[str, str],
    is_forged: bool,
) -> int:
    """The status of the answer; 0 where there is none."""
    # Who answers is the service that lives now: the next one is not heard from before this one's connections are gone.
    life, is_open = outcome.refusals[-1], True
    life.open += is_forged
    try:
        url = f"http://{service.listen}/hooks/things"
        status, is_open = (await client.post(url, content=body, headers=headers)).status_code, False
    except (httpx.ConnectError, httpx.ConnectTimeout):
        status, is_open = 0, False
    except httpx.TransportError:
        status = 0  # whether it was heard nobody knows
    life.open -= is_forged and not is_open
    life.answered += status == HTTPStatus.UNAUTHORIZED
    return status
