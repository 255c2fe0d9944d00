"""A mapping with a secret in every place that can hold one, and all that comes out of running it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.emulator.app import create_app
from tests.conftest import THING, LocalPort
from tests.secrets.echo import EchoingPort, EchoingSource
from tests.secrets.planted import Planted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run, Source, Stage


def auths(planted: Planted) -> dict[str, dict[str, Any]]:
    """Each kind of authentication, its secret taken from the variable SRC."""
    client = {"X-Client-Key": planted.plant("header of the login")}
    login = {"path": "/login", "headers": client, "body": {"user": "ada", "password": "${SRC}"}}
    carried = {"headers": {"Authorization": "Bearer {{.access_token}}", "X-Session": "{{.session.id}}"}}
    oauth2 = {"type": "oauth2", "token_url": "/login", "client_id": "app", "client_secret": "${SRC}"}
    return {
        "bearer": {"type": "bearer", "token": "${SRC}"},
        "basic": {"type": "basic", "username": "ada", "password": "${SRC}"},
        "key in a header": {"type": "api_key", "key": "${SRC}", "header": "X-Mine"},
        "key in the query": {"type": "api_key", "key": "${SRC}", "query": "k"},
        "login": {"type": "custom", "request": login, "template": carried},
        "oauth2": oauth2,
        "oauth2 in the body": {**oauth2, "client_auth": "body", "params": {"otp": planted.plant("field of the form")}},
        "jwt": {"type": "jwt", "algorithm": "HS256", "key": "${SRC}", "header": "X-Signed"},
        "tokens": {"type": "tokens", "tokens": ["${SRC}", "${SRC2}"]},
    }


AUTHS = list(auths(Planted()))


@dataclass
class Lab:
    """Runs of commands, and everything that they left behind."""

    planted: Planted
    portsync: Callable[..., Run]
    source: Source
    port: LocalPort
    stage: Stage
    folder: Path
    environment: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)

    def answer(self, manner: str) -> None:
        """Let the source answer in this manner from now on."""
        echoing = EchoingSource(self.planted, manner)

        def answer(asked: Any) -> Any:
            if signed := asked.headers.get("x-signed"):
                self.planted.came_up("token that was signed", signed.rpartition(".")[2])
            return echoing(asked)

        self.source.answer = answer

    def refuse(self, *paths: str, status: int = 422) -> None:
        """Let Port refuse what has one of these in its path."""
        app = self.stage.app
        inner = app.inner if isinstance(app, EchoingPort) else app
        self.stage.app = EchoingPort(inner, self.planted, *paths, status=status)

    def mapping(self, auth: str, properties: str = "") -> str:
        """The text of a mapping with secrets all over it."""
        plant = self.planted.plant
        source = {
            "base_url": self.source.url,
            "auth": auths(self.planted)[auth],
            "headers": {"X-Api-Key": plant("header of the source"), "X-Trace-Token": "${TRACE}"},
            "retry": {"attempts": 2, "max_wait": 1},
        }
        org = {
            "path": "/org",
            "headers": {"X-Org-Secret": "${ORG}"},
            "query_params": {"access_token": plant("parameter of a lookup")},
        }
        things = {
            "method": "POST",
            "query_params": {"apikey": "${ACME}", "client_secret": plant("parameter of a selector")},
            "headers": {"X-Session-Token": f"${{file:{self.folder}/mounted}}", "X-Mine-Key": plant("its header")},
            "body": {"password": plant("body"), "client": {"secret": "${BODY}"}},
            "data_path": ".data",
            "pagination": {"type": "next_link", "next_link_path": ".next"},
        }
        jq = f'{{"api_key": "{plant("expression of a body", plain=True)}", "name": $context.org.name}}'
        port = f"""
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"thing"'
          properties: {{size: '.size | tonumber'{properties}}}"""
        return f"""
source: {json.dumps(source)}
context: {{org: {json.dumps(org)}}}
resources:
  - kind: /things?api_token={plant("query of a kind", plain=True)}
    selector: {json.dumps(things)}{port}
  - kind: /others
    selector: {{method: POST, data_path: .data, body: {json.dumps(jq)}}}{port}
"""

    def run(self, command: str, *arguments: str, name: str = "", **env: str) -> Run:
        """Run a command, and keep what it says."""
        run = self.portsync(command, None, *arguments, env={**self.environment, **env})
        label = name or " ".join((command, *arguments))
        self.texts |= {f"{label}: out": run.out, f"{label}: err": run.err}
        if run.report:
            self.texts[f"{label}: report"] = json.dumps(run.report, ensure_ascii=False)
        return run

    def outputs(self) -> dict[str, str | bytes]:
        """All that there is to be seen afterwards."""
        inner = self.stage.app.inner if isinstance(self.stage.app, EchoingPort) else self.stage.app
        self.stage.app = inner
        found: dict[str, str | bytes] = dict(self.texts)
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.name not in ("m.yaml", "mounted"):
                found[f"file {path.relative_to(self.folder)}"] = path.read_bytes()
        for route in ("/integration", "/integration/portsync-m", "/integration/portsync-m/kinds"):
            found[f"Port {route}"] = json.dumps(self.port.api("GET", route), ensure_ascii=False)
        found["Port, what it shows"] = json.dumps(self.port.entities("thing"), ensure_ascii=False)
        found["Port, runs"] = httpx.get(f"{self.port.url}/_runs", trust_env=False, verify=False).text
        found["Port, requests"] = json.dumps(self.port.requests(), ensure_ascii=False)
        return found


@pytest.fixture
def lab(
    portsync: Callable[..., Run],
    source: Source,
    port_stage: tuple[Stage, str],
    tmp_path: Path,
) -> Lab:
    planted = Planted()
    secret = planted.plant("PORT_CLIENT_SECRET")
    stage, _ = port_stage
    stage.app = create_app(client_id="cid", client_secret=secret, users=[])
    (tmp_path / "mounted").write_text(planted.plant("file") + "\n", encoding="utf-8")
    names = ("SRC", "SRC2", "TRACE", "ORG", "ACME", "BODY")
    environment = {
        "XDG_STATE_HOME": str(tmp_path / "state-home"),
        "PORT_BASE_URL": port_stage[1],
        "PORT_CLIENT_ID": "cid",
        "PORT_CLIENT_SECRET": secret,
        "PORTSYNC_HTTP_TOKEN": planted.plant("PORTSYNC_HTTP_TOKEN"),
        "PORTSYNC_INITIALIZE_RESOURCES": "false",
        "PORTSYNC_JQ_WORKERS": "1",
        "PORTSYNC_LOG_LEVEL": "DEBUG",
        **{name: planted.plant(f"variable {name}") for name in names},
    }
    port = LocalPort(port_stage[1], secret)
    assert port.api("POST", "/blueprints", THING)["ok"]
    return Lab(planted, portsync, source, port, stage, tmp_path, environment)
