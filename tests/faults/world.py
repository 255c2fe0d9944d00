"""A source, a Port with the catalog that a first run has made of it, and the runs after that one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.conformance.clock import VirtualClock
from tests.conftest import NOW, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.responses import Response

    from tests.conftest import Asked, LocalPort, Source

Things = dict[str, int]
"""The size of each, by its identifier."""
_PAGE = 25
_MAPPING = """
source:
  base_url: {url}
  auth: {{type: bearer, token: "${{SRC_TOKEN}}"}}
  retry: {{attempts: 4, max_wait: 60}}
  timeout: {{read: 0.2, total: 1}}
  pagination: {{type: offset, page_size: 25}}
resources:
  - kind: /things
    selector:
      data_path: .data
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"thing"'
          properties:
            size: .size
"""
_THEIRS = {"identifier": "theirs", "properties": {"size": -1}}
"""An entity of another integration, in the same blueprint."""


@dataclass(frozen=True)
class Change:
    """What is different at the source when the second run comes."""

    before: Things
    after: Things

    @property
    def changed(self) -> set[str]:
        return {name for name in self.before.keys() & self.after.keys() if self.before[name] != self.after[name]}

    @property
    def new(self) -> set[str]:
        return self.after.keys() - self.before.keys()

    @property
    def gone(self) -> set[str]:
        return self.before.keys() - self.after.keys()


def change_of(things: int, gone_in_ten: int) -> Change:
    """So many things, of which so many in ten go and of the others two in three change, while ten come."""
    before = {f"t{n:03}": n for n in range(things)}
    kept = {f"t{n:03}": n + 1000 * (n % 3 > 0) for n in range(things) if n % 10 >= gone_in_ten}
    return Change(before, kept | {f"u{n:03}": n for n in range(10)})


def no_fault(_page: int, _time: int) -> Response | None:
    return None


@dataclass
class World:
    """The parts of a run."""

    source: Source
    port: LocalPort
    env: dict[str, str]
    folder: Path
    command: Callable[..., Run]
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW))
    over_cluster: bool = False
    faults: int = 0
    """How many times the source answered with a fault."""

    @property
    def state(self) -> Path:
        return self.folder / "state-home" / "portsync" / "state" / "portsync-m.db"

    def give(self, things: Things, fault: Callable[[int, int], Response | None] = no_fault) -> None:
        """Let the source have these things. `fault` gets the number of a page, and how often it has been asked for,
        both from 1, and may answer in its place."""
        times: Counter[int] = Counter()

        def answer(asked: Asked) -> Any:
            offset = int(dict(asked.query)["offset"])
            number = offset // _PAGE + 1
            times[number] += 1
            if (wrong := fault(number, times[number])) is not None:
                self.faults += 1
                return wrong
            return {"data": [{"id": name, "size": size} for name, size in list(things.items())[offset:][:_PAGE]]}

        self.source.answer = answer

    def sync(self, *options: str, env: Mapping[str, str] | None = None) -> Run:
        """A run in this process. Waiting takes no time, but the clock goes on by it."""
        text = _MAPPING.format(url=self.source.url)
        said = {**self.env, **(env or {})}
        return self.command("sync", text, *options, env=said, time=self.clock, over_cluster=self.over_cluster)

    def sync_on_a_full_disk(self, *options: str, blocks: int) -> Run:
        """A run in a process that can make no file longer than so many blocks of 512 bytes: what goes beyond is not
        written, as on a disk that is full."""
        (self.folder / "m.yaml").write_text(_MAPPING.format(url=self.source.url), encoding="utf-8")
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "portsync", "sync", "m.yaml", "--report", str(report), *options]
        done = subprocess.run(
            ["sh", "-c", f'ulimit -f {blocks} && exec "$@"', "sh", *command],
            cwd=self.folder,
            env={**os.environ, **self.env, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr, json.loads(report.read_text(encoding="utf-8")))

    def establish_theirs(self) -> None:
        """Let another integration have an entity in Port."""
        self.port.api("POST", "/blueprints/thing/entities", _THEIRS)

    def catalog(self) -> Things:
        """The things in Port. That of the other integration is not among them, and is as it was."""
        found = {name: entity["properties"]["size"] for name, entity in self.port.entities("thing").items()}
        assert found.pop("theirs") == -1
        return found

    def recover(self) -> list[int]:
        """Let Port be well again; how often each of its faults struck."""
        with httpx.Client(base_url=self.port.url, trust_env=False, verify=False) as client:
            rules = client.get("/_faults").json()["faults"]
            client.delete("/_faults").raise_for_status()
        return [rule["struck"] for rule in rules]
