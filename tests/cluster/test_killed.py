"""The real command on a real Dask cluster of processes, of which one is killed in the middle of a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import distributed
import pytest

from tests.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Source

__all__ = ["postgres"]
_TEAMS, _OF_EACH, _AT = 60, 20, 25
_MAPPING = """
source:
  base_url: {url}
  auth: {{type: bearer, token: "${{SRC_TOKEN}}"}}
resources:
  - kind: /teams/{{team}}/things
    selector:
      data_path: .data
      path_parameters:
        team: {{endpoint: /teams, data_path: .data, field: .id}}
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"thing"'
          properties: {{size: .size}}
"""


_WORKERS = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[distributed.Client]:
    """Two workers; one that is killed is started anew. In a process of its own, because Dask's helpers outlive it."""
    script = tmp_path_factory.mktemp("workers") / "workers.py"
    script.write_text(_WORKERS, encoding="utf-8")
    connecting: Any = distributed.Client
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        with connecting(address, set_as_default=False) as client:
            yield client
        process.stdin.close()


def things(asked: Asked, strike: Callable[[int], None]) -> dict[str, Any]:
    """Teams, and the things of each. `strike` is told how many teams have been asked for."""
    parts = asked.path.strip("/").split("/")
    if parts == ["teams"]:
        return {"data": [{"id": f"t{number}"} for number in range(_TEAMS)]}
    strike(int(parts[1][1:]))
    return {"data": [{"id": f"{parts[1]}-{number}", "size": number} for number in range(_OF_EACH)]}


class Command:
    """`portsync sync` as a process."""

    def __init__(self, source: Source, folder: Path, env: dict[str, str], scheduler: str) -> None:
        self._report = folder / "report.json"
        self._folder = folder
        self._env = {**os.environ, **env}
        (folder / "m.yaml").write_text(_MAPPING.format(url=source.url), encoding="utf-8")
        self._arguments = ["m.yaml", "--executor", "dask", "--scheduler", scheduler, "--report", str(self._report)]
        self.pid = 0

    def run(self) -> tuple[int, dict[str, Any]]:
        """Its exit code, and its report where it wrote one."""
        self._report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "portsync", "sync", *self._arguments]
        with subprocess.Popen(command, cwd=self._folder, env=self._env, stdout=subprocess.DEVNULL) as process:
            self.pid = process.pid
            code = process.wait(timeout=100)
        text = self._report.read_text(encoding="utf-8") if self._report.exists() else ""
        return code, json.loads(text) if text else {}


@pytest.fixture
def command(
    source: Source, tmp_path: Path, port_env: dict[str, str], postgres: str, cluster: distributed.Client
) -> Command:
    env = {**port_env, "PORTSYNC_STATE": postgres, "PORTSYNC_IDENTIFIER": tmp_path.name}
    return Command(source, tmp_path, env, str(cluster.scheduler_info()["address"]))


def once(strike: Callable[[], None]) -> Callable[[int], None]:
    """Does it when the team is asked for at which it has to happen, and never again."""
    struck: list[int] = []

    def at(team: int) -> None:
        if team == _AT and not struck:
            struck.append(team)
            strike()

    return at


def everything() -> set[str]:
    return {f"t{team}-{number}" for team in range(_TEAMS) for number in range(_OF_EACH)}


def test_a_worker_that_is_killed_costs_nothing_but_time(
    cluster: distributed.Client, command: Command, source: Source, local_port: LocalPort
) -> None:
    pid, _ = cluster.run(os.getpid).values()
    kill = once(lambda: os.kill(pid, signal.SIGKILL))
    source.answer = lambda asked: things(asked, kill)
    code, report = command.run()

    assert code == 0, report
    (resource,) = report["resources"]
    assert (resource["records"], resource["entities"]) == (_TEAMS * _OF_EACH,) * 2
    assert resource["created"] + resource["updated"] == _TEAMS * _OF_EACH
    assert report["totals"]["deleted"] == 0
    assert set(local_port.entities("thing")) == everything()


def test_after_a_command_that_is_killed_the_next_one_makes_all_well(
    command: Command, source: Source, local_port: LocalPort
) -> None:
    kill = once(lambda: os.kill(command.pid, signal.SIGKILL))
    source.answer = lambda asked: things(asked, kill)
    killed, _ = command.run()
    source.answer = lambda asked: things(asked, lambda _: None)
    code, report = command.run()

    assert killed == -signal.SIGKILL
    assert code == 0, report
    assert report["resources"][0]["entities"] == _TEAMS * _OF_EACH
    assert report["totals"]["deleted"] == 0
    assert set(local_port.entities("thing")) == everything()
