"""Several mappings over a cluster: which of them run at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from portsync.cli.running import _at_once
from portsync.settings import read_settings
from portsync.stop import Stop


@dataclass
class WatchedRun:
    """Stands for the run of a mapping, and sees who else is under way."""

    name: str
    environment: dict[str, str]
    under_way: set[str]
    seen: set[str] = field(default_factory=set)

    @property
    def around(self) -> Any:
        return SimpleNamespace(settings=read_settings(self.environment))

    @property
    def mapping(self) -> Any:
        return SimpleNamespace(name=self.name)

    async def run(self) -> str:
        self.under_way.add(self.name)
        for _ in range(5):
            self.seen |= self.under_way
            await asyncio.sleep(0)
        self.under_way.discard(self.name)
        return self.name


def most_at_once(environment: dict[str, str]) -> list[int]:
    under_way: set[str] = set()
    runs: Any = [WatchedRun(name, environment, under_way) for name in ("a", "b", "c")]
    reports: Any = asyncio.run(_at_once(runs, Stop()))
    assert reports == ["a", "b", "c"]
    return [len(run.seen) for run in runs]


def test_mappings_that_write_as_integrations_of_their_own_run_at_once() -> None:
    assert most_at_once({}) == [3, 3, 3]


def test_mappings_that_write_as_one_integration_run_one_after_the_other() -> None:
    """They share its state, of which one run at a time may take hold."""
    assert most_at_once({"PORTSYNC_IDENTIFIER": "one"}) == [1, 1, 1]
