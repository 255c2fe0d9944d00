"""Runs portsync's command line on a case, with a local Port at its other end, and says what was seen."""

from __future__ import annotations

import contextlib
import io
import json
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml

from portsync.cli.main import main
from portsync.emulator.app import create_app
from portsync.runtime import Runtime
from tests.cluster.here import opening
from tests.conformance.case import TOKEN, Case, Observed, incomplete
from tests.conformance.clock import VirtualClock
from tests.conformance.wire import Stage

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tests.conformance.wire import Addresses, Servers

PORT_SECRET = "port-secret-9c1e"
CLIENT_SECRET = "client-secret-5b2d"
ENVIRONMENT = {"SRC_TOKEN": TOKEN, "SRC_SECRET": CLIENT_SECRET}
"""What mappings may take their values from."""
_TOO_MANY = 40
"""So many requests beyond the expected ones are enough to see that a reader does not stop."""
BLUEPRINT = {
    "identifier": "thing",
    "title": "Thing",
    "schema": {
        "properties": {
            "name": {"type": "string"},
            "parent": {"type": "string"},
            "size": {"type": "number"},
            "flag": {"type": "boolean"},
            "tags": {"type": "array"},
        },
        "required": [],
    },
    "relations": {},
}


@dataclass
class WatchedPort:
    """A local Port that is new for each case, and the identifiers of the bulk requests that it got."""

    app: ASGIApp
    batches: list[tuple[str, ...]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []

        async def listening() -> Message:
            message = await receive()
            parts.append(message.get("body", b""))
            return message

        await self.app(scope, listening, send)
        if scope["path"].endswith("/entities/bulk"):
            self.batches.append(tuple(entity["identifier"] for entity in json.loads(b"".join(parts))["entities"]))


def new_port() -> WatchedPort:
    return WatchedPort(create_app(client_id="cid", client_secret=PORT_SECRET, users=["ada@acme.example"]))


@dataclass(frozen=True)
class Place:
    """Where cases are played."""

    servers: Servers
    addresses: Addresses
    port_url: str
    folder: Path
    client: httpx.Client
    """Knows no proxies."""


def set_stage(case: Case, place: Place, clock: VirtualClock) -> Stage:
    """The source as `case` has it, before its first request."""
    most = len(case.expected.requests) + len(case.expected.may_ask) + _TOO_MANY
    stage = Stage(case.script, place.addresses, clock.since_start, most)
    place.servers.stage = stage
    return stage


def run_portsync(case: Case, place: Place, port: WatchedPort, postgres: str | None = None) -> Observed:
    """What `portsync sync` does with `case`: by itself, or where there is a database for the state, over a cluster."""
    clock = VirtualClock(case.start)
    stage = set_stage(case, place, clock)
    call_port(place, "POST", "/blueprints", BLUEPRINT)
    mapping = place.folder / "case.yaml"
    mapping.write_text(place.addresses.real(yaml.safe_dump(case.mapping(), sort_keys=False)), encoding="utf-8")
    report_file = place.folder / "report.json"
    environment = {
        "PORT_BASE_URL": place.port_url,
        "PORT_CLIENT_ID": "cid",
        "PORT_CLIENT_SECRET": PORT_SECRET,
        "PORTSYNC_INITIALIZE_RESOURCES": "false",
        "PORTSYNC_JQ_WORKERS": "1",
        "PORTSYNC_STATE": "none",
        **ENVIRONMENT,
    }
    runtime = Runtime(environment, clock=clock.time, sleep=clock.sleep, random=lambda: 0.5)
    command = ["sync", str(mapping), "--full", "--report", str(report_file)]
    if postgres is not None:
        environment |= {"PORTSYNC_STATE": postgres, "PORTSYNC_IDENTIFIER": f"case-{uuid.uuid4()}"}
        runtime = replace(runtime, cluster=opening(lambda: runtime, workers=1))
        command += ["--executor", "dask", "--scheduler", "here"]
    code, said = _run(command, runtime, place.folder)
    report = json.loads(report_file.read_text(encoding="utf-8")) if report_file.is_file() else {}
    resources = report.get("resources", [])
    found = call_port(place, "GET", "/blueprints/thing/entities")["entities"]
    return Observed(
        requests=tuple(stage.asked),
        batches=tuple(port.batches),
        properties={entity["identifier"]: entity["properties"] for entity in found},
        verdicts=tuple(_verdict(resource) for resource in resources),
        read=tuple(resource["records"] for resource in resources),
        exit_code=code,
        problems=tuple(_problem(place, problem) for problem in report.get("problems", [])),
        faults=tuple(_faults(resources, said + json.dumps(report))) or (() if resources else (f"no report: {said}",)),
    )


def _run(arguments: list[str], runtime: Runtime, folder: Path) -> tuple[int, str]:
    """Exit code and all output of a command line."""
    code: Any = 0
    output = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            main(arguments, runtime)
        except SystemExit as end:
            code = end.code or 0
    return code, output.getvalue()


def _verdict(resource: dict[str, Any]) -> str:
    # Why something is skipped may stand there too; the mapping knows it already.
    return incomplete(resource["reason"]) if resource["verdict"] == "incomplete" else str(resource["verdict"])


def _problem(place: Place, problem: dict[str, Any]) -> tuple[str, str]:
    said = (problem.get(name) for name in ("message", "hint", "place"))
    return problem["code"], place.addresses.told(" ".join(text for text in said if text))


def _faults(resources: list[dict[str, Any]], everything: str) -> list[str]:
    """What no run may do, whatever the case."""
    found = [f"{name} is in the output" for name in (TOKEN, PORT_SECRET, CLIENT_SECRET) if name in everything]
    if "Traceback" in everything:
        found.append(f"a traceback: {everything}")
    for counts in resources:
        kept = sum(counts[name] for name in ("filtered", "entities", "duplicates", "failures"))
        if counts["records"] != kept:
            found.append(f"{counts['records']} records, of which {kept} are accounted for: {counts}")
    return found


def call_port(place: Place, method: str, path: str, body: Any = None) -> Any:
    """One request to the local Port."""
    keys = {"clientId": "cid", "clientSecret": PORT_SECRET}
    token = place.client.post(f"{place.port_url}/v1/auth/access_token", json=keys).json()["accessToken"]
    headers = {"authorization": f"Bearer {token}"}
    return place.client.request(method, f"{place.port_url}/v1{path}", json=body, headers=headers).json()
