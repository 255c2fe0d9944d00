"""The commands that run what was written, with the names of its files and variables put in.

They are those of docs/guides: docker.md, kubernetes.md, ci.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from portsync import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PORT = ("PORT_CLIENT_ID", "PORT_CLIENT_SECRET")
_EACH = " \\\n  "


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken along."""

    name: str
    """The mapping file's, without its ending."""
    variables: Sequence[str]
    has_blueprints: bool
    has_test: bool
    folder: Path

    @property
    def identifier(self) -> str:
        """The integration's: letters, digits and what may stand between them in the name of a Kubernetes object."""
        return "portsync-" + (re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "mapping")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, and when to use it."""

    title: str
    about: str
    text: str


def commands(taken: Taken) -> list[Command]:
    """The commands, the simplest first."""
    return [_shell(taken), _docker(taken), _helm(taken), _cron(taken), _ci(taken)]


def _file(taken: Taken) -> str:
    return quote(f"{taken.name}.yaml")


def _folder(taken: Taken) -> str:
    return quote(f"blueprints/{taken.name}")


def _shell(taken: Taken) -> Command:
    lines = [f"export {name}=..." for name in (*_PORT, *taken.variables)]
    lines.append(f"portsync check {_file(taken)}")
    if taken.has_test:
        lines.append(f"portsync test {quote(f'{taken.name}.test.yaml')}")
    if taken.has_blueprints:
        lines.append(f"portsync provision {_folder(taken)}")
    lines += [f"portsync plan {_file(taken)}", f"portsync sync {_file(taken)}"]
    return Command("In a shell", "Once, to see it arrive in Port.", "\n".join(lines))


def _docker(taken: Taken) -> Command:
    parts = [
        "docker run --rm",
        " ".join(f"-e {name}" for name in (*_PORT, *taken.variables)),
        f"-e PORTSYNC_IDENTIFIER={taken.identifier} -e PORTSYNC_INTERVAL=2h",
        f'-v "$PWD"/{_file(taken)}:/etc/portsync/mapping.yaml:ro',
        *([f'-v "$PWD"/{_folder(taken)}:/etc/portsync/blueprints/mapping:ro'] if taken.has_blueprints else []),
        "-v portsync-state:/home/portsync/state",
        "--stop-timeout 60",
        "portsync",
    ]
    about = "A service that runs every two hours. `docker build -t portsync .` in a checkout makes the image."
    return Command("Docker", about, _EACH.join(parts))


def _helm(taken: Taken) -> Command:
    names = (*_PORT, *taken.variables)
    secret = _EACH.join(
        [f"kubectl create secret generic {taken.identifier}", *(f'--from-literal={name}="${name}"' for name in names)]
    )
    lines = [secret]
    parts = [
        f"helm upgrade --install {taken.identifier} deploy/helm/portsync",
        f'--set imageRegistry="registry.example" --set image="portsync:{__version__}"',
        f"--set secret.create=false --set secret.name={taken.identifier}",
        f"--set portsync.identifier={taken.identifier}",
        "--set scheduledResyncInterval=120",
    ]
    if taken.has_blueprints:
        lines.append(f"kubectl create configmap {taken.identifier}-blueprints --from-file={_folder(taken)}")
        parts.append(f"--set mapping.blueprintsConfigMap={taken.identifier}-blueprints")
    parts.append(f"--set-file mapping.content={_file(taken)}")
    lines.append(_EACH.join(parts))
    about = "The same on Kubernetes, from a checkout; put the registry of your image in."
    return Command("Helm", about, "\n".join(lines))


def _cron(taken: Taken) -> Command:
    folder = quote(str(taken.folder))
    line = f"17 */2 * * * cd {folder} && set -a && . ./environment && portsync sync {_file(taken)} --report report.json"
    # In a crontab a percent sign ends the command.
    line = line.replace("%", r"\%")
    values = "\n".join(f"{name}=..." for name in (*_PORT, *taken.variables))
    about = "A line for `crontab -e`; the file `environment` beside the mapping holds the values, for you alone."
    return Command("cron", about, f"{line}\n\n# environment\n{values}")


def _ci(taken: Taken) -> Command:
    secrets = "\n".join(f"          {name}: ${{{{ secrets.{name} }}}}" for name in (*_PORT, *taken.variables))
    steps = [
        *([f"portsync provision {_folder(taken)}"] if taken.has_blueprints else []),
        f"portsync sync {_file(taken)} --report report.json --dead-letters dead-letters.jsonl",
    ]
    run = "\n".join(f"          {step}" for step in ["mkdir -p state", *steps])
    text = f"""name: portsync sync
on:
  schedule:
    - cron: "17 */2 * * *"
  workflow_dispatch: {{}}
permissions:
  contents: read
concurrency:
  group: portsync-sync
  cancel-in-progress: false
jobs:
  sync:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - run: python -m pip install portsync-{__version__}-py3-none-any.whl
      - uses: actions/cache@v4
        with:
          path: state
          key: portsync-state-${{{{ github.run_id }}}}
          restore-keys: portsync-state-
      - name: sync
        env:
{secrets}
          PORTSYNC_IDENTIFIER: {taken.identifier}
          PORTSYNC_STATE: state/{taken.identifier}.db
        run: |
{run}"""
    about = "`.github/workflows/portsync-sync.yaml`; the wheel lies in the repository. Other systems: deploy/ci."
    return Command("GitHub Actions", about, text)
