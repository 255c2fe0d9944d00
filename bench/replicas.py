"""Whether replicas may be killed: `./dev bench replicas [--kills N]`.

Two `portsync serve` share a state in PostgreSQL, and the one that runs is killed again and again, half of the times in
the middle of a run. How long it takes until the other one runs is printed. A traceback and exit code 1 where that is
more than 30 seconds, where both ever ask the source at once, or where something is missing in Port in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.postgres import postgres_server

from portsync.emulator.app import create_app
from portsync.loopback import serving

if TYPE_CHECKING:
    from starlette.requests import Request

_PAGES = 4
_PAGE = 25
_ANSWER_S = 0.1
_MOST_S = 30.0
_BLUEPRINT = {
    "identifier": "thing",
    "title": "Thing",
    "schema": {"properties": {"size": {"type": "number"}}, "required": []},
    "relations": {},
}
_MAPPING = """
source:
  base_url: {url}
  headers: {{x-replica: "${{REPLICA}}"}}
  pagination: {{type: offset, page_size: {page}}}
resources:
  - kind: /things
    selector: {{data_path: .data}}
    port: {{entity: {{mappings: {{identifier: .id, blueprint: '"thing"', properties: {{size: .size}}}}}}}}
"""


@dataclass
class Source:
    """Gives things page by page, each time others, and takes down who asked when."""

    asked: list[tuple[float, str]] = field(default_factory=list)

    async def handle(self, request: Request) -> JSONResponse:
        self.asked.append((time.monotonic(), request.headers["x-replica"]))
        await asyncio.sleep(_ANSWER_S)
        offset = int(request.query_params.get("offset", "0"))
        numbers = range(offset, min(offset + _PAGE, _PAGES * _PAGE))
        return JSONResponse({"data": [{"id": f"t{n}", "size": n + len(self.asked)} for n in numbers]})


@dataclass
class Replica:
    """One process of the service; each start has a name of its own."""

    name: str
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, name: str, folder: Path, environment: dict[str, str]) -> Replica:
        command = [sys.executable, "-m", "portsync", "serve", str(folder / "things.yaml"), "--interval", "1s"]
        with (folder / f"{name}.log").open("wb") as log:
            own = {**os.environ, **environment, "REPLICA": name}
            return cls(name, subprocess.Popen([*command, "--listen", "127.0.0.1:0"], env=own, stderr=log))


def _kill_again_and_again(
    source: Source, folder: Path, environment: dict[str, str], kills: int, chance: random.Random
) -> list[float]:
    """The seconds from each kill to the first request of the other replica."""
    replicas = [Replica.start(f"r{number}", folder, environment) for number in range(2)]
    waits = []
    try:
        for number in range(kills):
            asked = _asked_by(source, {replica.name for replica in replicas}, after=0.0)
            (leader,) = (replica for replica in replicas if replica.name == asked)
            time.sleep(chance.uniform(0.0, 3.0))  # in a run, or between two
            leader.process.kill()
            leader.process.wait()
            killed = time.monotonic()
            replicas.remove(leader)
            _asked_by(source, {replicas[0].name}, after=killed)
            waits.append(time.monotonic() - killed)
            print(f"kill {number + 1}: {waits[-1]:.1f} s", flush=True)
            replicas.append(Replica.start(f"r{number + 2}", folder, environment))
        time.sleep(8)  # whole runs, so that all is in
    finally:
        for replica in replicas:
            replica.process.terminate()
            assert replica.process.wait(_MOST_S) == 0, f"{replica.name} did not end well"
    return waits


def _asked_by(source: Source, names: set[str], *, after: float) -> str:
    """Who of them asked the source last, once somebody did."""
    end = time.monotonic() + _MOST_S
    while time.monotonic() < end:
        found = [name for at, name in tuple(source.asked) if name in names and at > after]
        if found:
            return found[-1]
        time.sleep(0.01)
    raise AssertionError(f"nobody of {sorted(names)} ran within {_MOST_S:.0f} s")


def _overlaps(source: Source) -> list[str]:
    """The replicas that asked the source again after another one had begun."""
    order = list(dict.fromkeys(name for _, name in source.asked))
    seen = [order.index(name) for _, name in source.asked]
    return [order[one] for one, following in pairwise(seen) if following < one]


def _in_port(url: str) -> dict[str, Any]:
    with httpx.Client(base_url=url, trust_env=False) as client:
        keys = {"clientId": "cid", "clientSecret": "secret"}
        token = client.post("/v1/auth/access_token", json=keys).json()["accessToken"]
        client.headers["authorization"] = f"Bearer {token}"
        client.post("/v1/blueprints", json=_BLUEPRINT)
        found = client.get("/v1/blueprints/thing/entities").json()["entities"]
        return {entity["identifier"]: entity["properties"] for entity in found}


def main() -> None:
    """Kill, and print how long it took."""
    parser = argparse.ArgumentParser(prog="./dev bench replicas", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10, help="how many")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of chance; the time by default")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    source = Source()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        state = stack.enter_context(postgres_server())
        url = stack.enter_context(serving(Starlette(routes=[Route("/things", source.handle)])))
        port = stack.enter_context(serving(create_app(client_id="cid", client_secret="secret")))
        _in_port(port)
        (folder / "things.yaml").write_text(_MAPPING.format(url=url, page=_PAGE), encoding="utf-8")
        environment = {
            "PORT_BASE_URL": port, "PORT_CLIENT_ID": "cid", "PORT_CLIENT_SECRET": "secret", "PORTSYNC_STATE": state,
            "PORTSYNC_INITIALIZE_RESOURCES": "false", "PORTSYNC_JQ_WORKERS": "1", "HOME": str(folder),
        }  # fmt: skip
        waits = _kill_again_and_again(source, folder, environment, wanted.kills, random.Random(wanted.seed))
        entities = _in_port(port)
    assert max(waits) < _MOST_S
    assert _overlaps(source) == [], "two replicas ran at once"
    assert set(entities) == {f"t{number}" for number in range(_PAGES * _PAGE)}
    print(
        f"{len(waits)} kills: the other replica ran {statistics.median(waits):.1f} s after one in the median, "
        f"{max(waits):.1f} s at most; never two at once, and nothing is missing"
    )


if __name__ == "__main__":
    main()
