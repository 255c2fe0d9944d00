"""Runs of portsync that are struck by signals, one after the other, while the source changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from signal import SIGKILL, pidfd_send_signal
from threading import Timer
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from portsync.emulator.app import create_app
from portsync.loopback import serving
from tests.faults.tripwire import Trip, Tripwire, descriptor_of, port_kind, source_kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from signal import Signals

    from starlette.requests import Request

    from tests.faults.tripwire import Kind

_ROOT = Path(__file__).parents[2]
_CREDENTIALS = {"clientId": "cid", "clientSecret": "port-secret-9c1e"}
_THINGS, _GROUPS, _PAGE = 60, 6, 20
_LONGEST_RUN_S = 60.0
"""A run that hangs is killed, so that the tests do not."""
_MAPPING = """
source:
  base_url: {url}
  pagination: {{type: offset, page_size: 20}}
entityDeletionThreshold: 0.9
resources:
  - kind: /thing
    selector: {{data_path: .data}}
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: .blueprint
          properties: {{size: .size}}
          relations: {{group: .group}}
  - kind: /group
    selector: {{data_path: .data}}
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"group"'
          properties: {{size: .size}}
"""
_SIZE = {"properties": {"size": {"type": "number"}}, "required": []}
_BLUEPRINTS: tuple[dict[str, Any], ...] = (
    {"identifier": "group", "title": "Group", "schema": _SIZE, "relations": {}},
    {
        "identifier": "thing",
        "title": "Thing",
        "schema": _SIZE,
        "relations": {"group": {"target": "group", "required": False, "many": False}},
    },
)

Content = tuple[int | None, str | None]
"""Size, and the group of a thing. A group that Port made for a thing that points to it has no size."""
Catalog = dict[str, dict[str, Content]]
"""By blueprint and identifier."""


class Tide:
    """A source that changes: entities come, go, change, and come back as they were."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._gone: dict[str, Content] = {}
        groups: dict[str, Content] = {f"g{n}": (n, None) for n in range(_GROUPS)}
        self.now: Catalog = {"group": groups, "thing": {}}
        self.ever: set[tuple[str, str, Content]] = set()
        """All that the source has ever said."""
        for _ in range(_THINGS):
            self._add()
        self._note()

    def turn(self) -> None:
        """Change a little, everywhere."""
        things = self.now["thing"]
        for name in self._chance.sample(sorted(things), 6):
            things[name] = (self._chance.randrange(10**6), self._group())
        # What comes back was often there a moment ago: a run that was to delete it may have been killed meanwhile.
        back = [name for name in list(self._gone)[-3:] if self._chance.random() < 0.5]
        for name in self._chance.sample(sorted(things), self._chance.randint(1, 3)):
            self._gone[name] = things.pop(name)
        for name in back:
            things[name] = self._gone.pop(name)
        for _ in range(self._chance.randrange(3)):
            self._add()
        groups = self.now["group"]
        groups[self._group()] = (self._chance.randrange(10**6), None)
        if len(groups) > _GROUPS // 2 and self._chance.random() < 0.3:
            gone = self._group()
            del groups[gone]
            for name, (size, group) in things.items():
                things[name] = (size, self._group() if group == gone else group)
            self._gone = {name: (size, self._group()) for name, (size, _) in self._gone.items()}
        elif len(groups) < _GROUPS:
            groups[f"g{self._chance.randrange(10**6)}"] = (0, None)
        self._note()

    def _add(self) -> None:
        name = f"{self._chance.randrange(16**6):06x}"
        self.now["thing"][name] = (self._chance.randrange(10**6), self._group())

    def _group(self) -> str:
        return self._chance.choice(sorted(self.now["group"]))

    def _note(self) -> None:
        self.ever |= {
            (blueprint, name, content) for blueprint, some in self.now.items() for name, content in some.items()
        }

    async def answer(self, request: Request) -> JSONResponse:
        blueprint = request.path_params["blueprint"]
        offset = int(request.query_params["offset"])
        some = sorted(self.now[blueprint].items())[offset : offset + _PAGE]
        return JSONResponse({"data": [{"id": n, "size": s, "group": g, "blueprint": blueprint} for n, (s, g) in some]})


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    """The exit code; negative where a signal ended it."""
    report: dict[str, Any] | None
    """None where there is none, or not the whole of it."""
    out: str
    took_s: float
    trip: Trip | None

    @property
    def was_struck(self) -> bool:
        """Whether it ended by the signal, of its own will or not."""
        return self.trip is not None and self.code in (-self.trip.signal, 128 + self.trip.signal)


@dataclass
class Storm:
    """A folder, a source, a Port, and the runs between them."""

    chance: Random
    folder: Path
    tide: Tide
    tripwire: Tripwire
    port_url: str
    nursery: subprocess.Popen[str]
    strikes: Counter[Kind] = field(default_factory=Counter)
    """How many runs a signal has ended, by the kind of moment."""
    healed: int = 0
    """How many whole runs there were."""
    _usual: dict[Kind, int] = field(default_factory=dict)
    """How many moments of each kind the last whole run had."""

    def run(self, trip: Trip | None = None, *, is_cold: bool = False) -> Ended:
        """A run, struck where a trip is given; with `is_cold` in a Python of its own."""
        (self.folder / "report.json").unlink(missing_ok=True)
        environment = {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PORT_BASE_URL": self.port_url,
            "PORT_CLIENT_ID": _CREDENTIALS["clientId"],
            "PORT_CLIENT_SECRET": _CREDENTIALS["clientSecret"],
            "PORTSYNC_COMPARE_EVERY": "never",
            "PORTSYNC_INITIALIZE_RESOURCES": "false",
            "PORTSYNC_JQ_WORKERS": "1",
        }
        order = {
            "arguments": ["sync", "m.yaml", "--report", "report.json"],
            "environment": environment,
            "folder": str(self.folder),
            "is_cold": is_cold,
        }
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(json.dumps(order) + "\n")
        self.nursery.stdin.flush()
        begun = time.monotonic()
        process = descriptor_of(int(self.nursery.stdout.readline()))
        end = Timer(_LONGEST_RUN_S, pidfd_send_signal, [process, SIGKILL])
        end.start()
        try:
            self.tripwire.arm(process, trip)
            code = int(self.nursery.stdout.readline())
            self.tripwire.disarm()
        finally:
            end.cancel()
            os.close(process)
        took_s = time.monotonic() - begun
        try:
            report = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            report = None
        return Ended(code, report, (self.folder / "out.txt").read_text(encoding="utf-8"), took_s, trip)

    def strike(self, signals: tuple[Signals, ...]) -> Ended:
        """Let the source change, and strike a run at a random moment. A signal that comes too late is no strike."""
        self.tide.turn()
        before = self.catalog()
        kinds: list[Kind] = ["start", "source", "read", "write", "write", "write", "delete", "delete", "delete"]
        kind = self.chance.choice(kinds)
        is_cold = kind == "start" and self.chance.random() < 0.5
        # The run before may have had no such request, while this one has one.
        number = 1 if kind == "start" else self.chance.randint(1, max(2, self._usual.get(kind, 0)))
        # Without a delay it is in the middle of a request; with one it is in what the answer brings about.
        longest_s = 0.015 if kind != "start" else 0.6 if is_cold else 0.2
        delay_s = self.chance.choice([0.0, self.chance.uniform(0, longest_s)])
        ended = self.run(Trip(kind, number, delay_s, self.chance.choice(signals)), is_cold=is_cold)
        if ended.was_struck:
            self.strikes[kind] += 1
        self.check_kept(before)
        return ended

    def rage(self, strikes: int, signals: tuple[Signals, ...]) -> Iterator[Ended]:
        """Runs until so many were struck, with a whole one after every few of them and at the end."""
        while self.strikes.total() < strikes:
            for _ in range(self.chance.randint(2, 6)):
                yield self.strike(signals)
            self.heal()

    def check_kept(self, before: Catalog) -> None:
        """Whatever befell a run: nothing is gone that the source has, and all that is there the source has said."""
        after = self.catalog()
        for blueprint, source in self.tide.now.items():
            assert before[blueprint].keys() & source.keys() <= after[blueprint].keys()
            said = {(blueprint, *item) for item in after[blueprint].items()}
            assert {one for one in said - self.tide.ever if one[2] != (None, None)} == set()

    def heal(self) -> Ended:
        """A run that nothing strikes: after it the catalog equals the source, and the report says what it did."""
        before = self.catalog()
        ended = self.run()
        after = self.catalog()
        assert ended.code == 0, ended.out
        assert after == self.tide.now
        assert ended.report is not None
        self.healed += 1
        self._usual = dict(self.tripwire.moments)
        totals = ended.report["totals"]
        added = sum(len(after[blueprint].keys() - before[blueprint].keys()) for blueprint in after)
        gone = sum(len(before[blueprint].keys() - after[blueprint].keys()) for blueprint in after)
        assert (totals["created"], totals["deleted"]) == (added, gone)
        assert totals["created"] + totals["updated"] + totals["unchanged"] == sum(map(len, after.values()))
        return ended

    def script(self, *faults: dict[str, Any]) -> None:
        """Let Port fail, as docs/reference/local-port.md says, and no longer as it did before."""
        with httpx.Client(base_url=self.port_url, trust_env=False, verify=False) as client:
            client.delete("/_faults").raise_for_status()
            client.post("/_faults", json=faults).raise_for_status()

    def catalog(self) -> Catalog:
        """What is in Port from us; what is there from another integration is as it was."""
        with httpx.Client(base_url=f"{self.port_url}/v1", trust_env=False, verify=False) as client:
            token = client.post("/auth/access_token", json=_CREDENTIALS).json()["accessToken"]
            found: Catalog = {}
            for blueprint in self.tide.now:
                headers = {"authorization": f"Bearer {token}"}
                entities = client.get(f"/blueprints/{blueprint}/entities", headers=headers).json()["entities"]
                found[blueprint] = {
                    one["identifier"]: (one["properties"].get("size"), one["relations"].get("group"))
                    for one in entities
                }
                assert found[blueprint].pop("theirs") == (-1, None)
        return found


@contextmanager
def brewing(folder: Path, seed: int) -> Iterator[Storm]:
    """A storm in an empty folder."""
    chance = Random(seed)
    tide, tripwire = Tide(chance), Tripwire()
    source = tripwire.around(Starlette(routes=[Route("/{blueprint}", tide.answer)]), source_kind)
    port = tripwire.around(create_app(client_id="cid", client_secret=_CREDENTIALS["clientSecret"]), port_kind)
    with (
        serving(source) as source_url,
        serving(port) as port_url,
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        ) as nursery,
    ):
        (folder / "m.yaml").write_text(_MAPPING.format(url=source_url), encoding="utf-8")
        _establish(port_url)
        yield Storm(chance, folder, tide, tripwire, port_url, nursery)


def _establish(port_url: str) -> None:
    """The blueprints, and an entity of another integration in each."""
    with httpx.Client(base_url=f"{port_url}/v1", trust_env=False, verify=False) as client:
        token = client.post("/auth/access_token", json=_CREDENTIALS).json()["accessToken"]
        headers = {"authorization": f"Bearer {token}"}
        theirs = {"identifier": "theirs", "properties": {"size": -1}}
        for blueprint in _BLUEPRINTS:
            client.post("/blueprints", json=blueprint, headers=headers).raise_for_status()
            path = f"/blueprints/{blueprint['identifier']}/entities"
            client.post(path, json=theirs, headers=headers).raise_for_status()
