"""The whole way: ask a source, write what is proposed, and sync it as it was written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.conftest import LocalPort, Run


@dataclass(frozen=True)
class Proposed:
    """What `discover` found out, and the folder that it wrote into."""

    run: Run
    folder: Path

    @property
    def found(self) -> dict[str, Any]:
        found = json.loads(self.run.out)
        assert isinstance(found, dict)
        return found

    @property
    def resource(self) -> dict[str, Any]:
        (only,) = self.found["resources"]
        assert isinstance(only, dict)
        return only

    @property
    def mapping(self) -> Path:
        return self.folder / "found.yaml"

    def written(self) -> dict[str, Any]:
        value = yaml.safe_load(self.mapping.read_text(encoding="utf-8"))
        assert isinstance(value, dict)
        return value


@pytest.fixture
def discover(portsync: Callable[..., Run], tmp_path: Path) -> Callable[..., Proposed]:
    """`discover(url, *options)`: ask, and write into a folder."""

    def run(what: str, *options: str, env: Mapping[str, str] | None = None) -> Proposed:
        folder = tmp_path / "found"
        common = ("--out", str(folder), "--name", "found", "--format", "json")
        surroundings = {"PORTSYNC_JQ_WORKERS": "1", **(env or {})}
        return Proposed(portsync("discover", None, what, *common, *options, env=surroundings), folder)

    return run


@pytest.fixture
def in_port(
    portsync: Callable[..., Run], local_port: LocalPort, port_env: dict[str, str]
) -> Callable[..., dict[str, dict[str, Any]]]:
    """Check, test and sync what was written, untouched, into the local Port; gives what is there then."""

    def bring(proposed: Proposed, blueprint: str, env: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
        assert proposed.run.exit_code == 0, proposed.run.err + proposed.run.out
        file = str(proposed.mapping)
        environment = {**port_env, "PORTSYNC_INITIALIZE_RESOURCES": "true", **(env or {})}
        checked = portsync("check", None, file, env=environment)
        assert (checked.exit_code, checked.out) == (0, f"{file}: no problems\n"), checked.err
        tested = portsync("test", None, str(proposed.folder))
        assert tested.exit_code == 0, tested.out
        synced = portsync("sync", None, file, env=environment)
        assert synced.exit_code == 0, synced.err + synced.out
        return local_port.entities(blueprint)

    return bring
