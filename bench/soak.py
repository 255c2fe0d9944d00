"""Whether the service can be left alone: `./dev bench soak [--minutes N] [--every SECONDS] [--seed N]`.

`portsync serve` runs every 20 seconds, or as often as is said, against a source and a local Port that fail at random,
while its mapping changes, sometimes to one that cannot be used. Memory, file descriptors, runs and metrics are looked
at all the while; SIGTERM ends it. A traceback and exit code 1 where it grows, leaks, or does not say the truth.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portsync.emulator.app import create_app
from portsync.loopback import serving

if TYPE_CHECKING:
    from starlette.requests import Request

_WARM_UP = 1 / 6
"""The part of the time after which nothing may grow any more: 5 minutes of 30."""
_MOST_GROWTH_MB = 5.0
_SHORT_S = 600.0
_MOST_GROWTH_OF_SHORT_MB = 15.0
"""In a short time, much of the growth is of caches that are filled once."""
_RECORDS = 600
_PAGE = 100
_TOKEN = "soak-http-token"
_BLUEPRINT = {
    "identifier": "thing",
    "title": "Thing",
    "schema": {"properties": {"size": {"type": "number"}, "name": {"type": "string"}}, "required": []},
    "relations": {},
}
_PORT_FAULTS: tuple[dict[str, Any], ...] = (
    {"path": "/v1/blueprints/.*/entities/bulk", "status": 503, "retry_after": 1, "times": 2},
    {"path": "/v1/blueprints/.*/entities/bulk", "status": 429, "retry_after": 1},
    {"path": "/v1/blueprints/.*/entities/bulk", "cut": "after"},
    {"path": "/v1/blueprints/.*/entities/bulk", "items": {"statusCode": 422}, "entity": "t5"},
    {"path": "/v1/integration", "status": 500},
    {"path": "/v1/", "status": 401},
    {"path": "/v1/", "cut": "before", "times": 3},
    {"path": "/v1/entities/search", "hang": 2},
)


@dataclass
class Source:
    """Gives things page by page; some of them change between runs, and some requests fail."""

    chance: random.Random
    fault: str | None = None
    asked: int = 0
    answered: Counter[str] = field(default_factory=Counter)

    async def handle(self, request: Request) -> Response:
        self.asked += 1
        fault, self.fault = self.fault, None
        self.answered[fault or "well"] += 1
        match fault:
            case "status":
                return Response("no", 500)
            case "limit":
                return Response("slow down", 429, {"retry-after": "1"})
            case "html":
                return Response("<html>log in</html>", media_type="text/html")
            case "broken":
                return Response(b'{"data": [{"id": ', media_type="application/json")
        offset = int(request.query_params.get("offset", "0"))
        data = [
            {"id": f"t{number}", "size": number + (self.asked if number % 50 == 0 else 0), "name": f"thing {number}"}
            for number in range(offset, min(offset + _PAGE, _RECORDS - self.asked % 7))
        ]
        return JSONResponse({"data": data})


def _mapping(source: str, number: int) -> str:
    """One of several mappings; every fourth cannot be used."""
    name = ".name +" if number % 4 == 3 else f'.name + " {number}"'
    return f"""
source:
  base_url: {source}
  pagination: {{type: offset, page_size: {_PAGE}}}
  retry: {{attempts: 3, max_wait: 5}}
entityDeletionThreshold: 0.5
resources:
  - kind: /things
    selector: {{data_path: .data}}
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"thing"'
          properties: {{size: .size, name: '{name}'}}
"""


@dataclass(frozen=True)
class Look:
    """What the service's process takes at one moment."""

    memory_mb: float
    descriptors: int
    children: int


def _look(pid: int) -> Look:
    """Memory is what is the process's own: shared pages are not counted, nor what the system may take back."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    anonymous = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Anonymous:"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return Look(anonymous / 1000, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()), len(children))


def main() -> None:
    """Leave it alone for a while, and print how it went."""
    parser = argparse.ArgumentParser(prog="./dev bench soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=int, default=20, help="seconds between two runs")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of chance; the time by default")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    chance = random.Random(wanted.seed)
    source = Source(chance)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = create_app(client_id="soak-client", client_secret="soak-secret")
        source_url = stack.enter_context(serving(Starlette(routes=[Route("/things", source.handle)])))
        port_url = stack.enter_context(serving(port))
        _provide(port_url)
        file = folder / "soak.yaml"
        file.write_text(_mapping(source_url, 0), encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PORT_BASE_URL": port_url,
            "PORT_CLIENT_ID": "soak-client",
            "PORT_CLIENT_SECRET": "soak-secret",
            "PORTSYNC_INTERVAL": f"{wanted.every}s",
            "PORTSYNC_LISTEN": "127.0.0.1:0",
            "PORTSYNC_POLL_EVERY": "10s",
            "PORTSYNC_HTTP_TOKEN": _TOKEN,
            "PORTSYNC_COMPARE_EVERY": "2m",
        }
        log = folder / "log"
        with log.open("wb") as out:
            service = subprocess.Popen(
                [sys.executable, "-m", "portsync", "serve", str(file)], env=environment, stderr=out
            )
        stack.callback(service.kill)
        _soak(service, log, file, source, source_url, port_url, chance, wanted.minutes * 60)


def _provide(port_url: str) -> None:
    with httpx.Client(base_url=port_url, trust_env=False) as client:
        keys = {"clientId": "soak-client", "clientSecret": "soak-secret"}
        token = client.post("/v1/auth/access_token", json=keys).json()["accessToken"]
        answer = client.post("/v1/blueprints", json=_BLUEPRINT, headers={"authorization": f"Bearer {token}"})
        answer.raise_for_status()


def _soak(
    service: subprocess.Popen[bytes],
    log: Path,
    file: Path,
    source: Source,
    source_url: str,
    port_url: str,
    chance: random.Random,
    seconds: float,
) -> None:
    url = _url(log)
    begun = time.monotonic()
    looks: list[tuple[float, Look]] = []
    mappings = 0
    port_faults = 0
    with httpx.Client(trust_env=False, timeout=10) as client:
        while (passed := time.monotonic() - begun) < seconds:
            time.sleep(min(5.0, seconds - passed))
            assert client.get(f"{url}/healthz").status_code == 200
            if (look := _between_runs(service.pid)) is not None:
                looks.append((time.monotonic() - begun, look))
            if chance.random() < 0.15:
                source.fault = chance.choice(("status", "limit", "html", "broken"))
            if chance.random() < 0.1:
                client.post(f"{port_url}/_faults", json=[chance.choice(_PORT_FAULTS)]).raise_for_status()
                port_faults += 1
            if chance.random() < 0.05:
                mappings += 1
                file.write_text(_mapping(source_url, mappings), encoding="utf-8")
            if chance.random() < 0.05:
                headers = {"authorization": f"Bearer {_TOKEN}"}
                assert client.post(f"{url}/resync", headers=headers).status_code == 202
        # In the end all is well, and the service says so.
        client.delete(f"{port_url}/_faults")
        source.fault = None
        file.write_text(_mapping(source_url, mappings + 4 - mappings % 4), encoding="utf-8")
        _until_success(client, url)
        metrics = client.get(f"{url}/metrics").text
    service.send_signal(signal.SIGTERM)
    code = service.wait(60)
    _judge(looks, seconds, log, metrics, code)
    faults = {name: count for name, count in source.answered.items() if name != "well"}
    print(f"faults: {sum(faults.values())} of the source {faults}, {port_faults} of Port; {mappings} new mappings")


def _url(log: Path) -> str:
    for _ in range(200):
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"service.up"' in line:
                return line.split('"url": "')[1].split('"')[0]
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))


def _between_runs(pid: int) -> Look | None:
    """What it takes between two runs, when there is no JQ worker; None during one."""
    look = _look(pid)
    return look if look.children == 0 else None


def _until_success(client: httpx.Client, url: str) -> None:
    for _ in range(240):
        if 'portsync_last_run_success{mapping="soak"} 1.0' in client.get(f"{url}/metrics").text:
            return
        client.post(f"{url}/resync", headers={"authorization": f"Bearer {_TOKEN}"})
        time.sleep(0.5)
    raise AssertionError("no run brings everything in any more")


def _judge(looks: list[tuple[float, Look]], seconds: float, log: Path, metrics: str, code: int) -> None:
    text = log.read_text(encoding="utf-8")
    began, ended = text.count('"event": "run.began"'), text.count('"event": "run.ended"')
    counted = sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("portsync_runs_total"))
    warm = [look for at, look in looks if at >= seconds * _WARM_UP]
    assert len(warm) >= 2, "too short to say anything"
    tenth = max(1, len(warm) // 10)
    first = min(look.memory_mb for look in warm[:tenth])
    last = min(look.memory_mb for look in warm[-tenth:])
    descriptors = [look.descriptors for look in warm]
    print(f"{began} runs began, {counted:.0f} were counted, {ended} ended")
    print(f"memory {first:.1f} MB after the first sixth, {last:.1f} MB at the end: {last - first:+.1f} MB")
    print(f"file descriptors between runs: {min(descriptors)} to {max(descriptors)}, {descriptors[-1]} at the end")
    most = _MOST_GROWTH_MB if seconds >= _SHORT_S else _MOST_GROWTH_OF_SHORT_MB
    assert last - first <= most, "memory grows"
    assert descriptors[-1] <= descriptors[0] + 2, "file descriptors are left"
    # The metrics were read before the end, when one more may have begun.
    assert began == ended, "a run was not reported"
    assert began - 2 <= counted <= began, "a run was not counted"
    assert code == 0, f"the end after SIGTERM: {code}"
    assert "bug" not in text, "a bug"
    print(f"SIGTERM: exit code {code}; the last success is in the metrics")


if __name__ == "__main__":
    main()
