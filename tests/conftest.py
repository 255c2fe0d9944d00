"""A source that a test scripts, a local Port, and the command line, all on loopback and in this process."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
import structlog
from hypothesis import settings
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from portsync.cli.main import main
from portsync.emulator.app import create_app
from portsync.jq.cores import usable_cores
from portsync.logs import OfLibraries
from portsync.loopback import serving
from portsync.runtime import Runtime
from tests.cluster.here import HereCluster, opening
from tests.several import Several
from tests.statements import share_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

NOW = 1_795_348_800.0
"""2026-11-22T12:00:00Z, the instant of every run in the tests."""
TOKEN = "source-token-7f3a"
PORT_SECRET = "port-secret-9c1e"

THING = {
    "identifier": "thing",
    "title": "Thing",
    "schema": {"properties": {"size": {"type": "number"}, "name": {"type": "string"}}, "required": []},
    "relations": {},
}


# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("portsync", deadline=None)
settings.load_profile("portsync")
share_statements()


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what stays until the end: the modules and the tests themselves. It went
    through all of them some thousand times, which was a seventh of the suite's work."""
    gc.collect()
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """Three for two cores: tests of services, replicas and browsers wait for a part of their time."""
    return max(2, usable_cores() * 3 // 2)


@dataclass(frozen=True)
class Asked:
    """One request that the source got."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Any
    raw_path: str = ""
    """As it went over the wire."""


@dataclass
class Source:
    """A source whose answers a test writes: `answer(asked)` gives a JSON value, or a Response."""

    url: str = ""
    answer: Callable[[Asked], Any] = lambda _: {"data": []}
    asked: list[Asked] = field(default_factory=list)

    async def handle(self, request: Request) -> Response:
        raw = await request.body()
        asked = Asked(
            request.method,
            request.url.path,
            request.query_params.multi_items(),
            dict(request.headers),
            _parsed(raw),
            request.scope["raw_path"].decode(),
        )
        self.asked.append(asked)
        answer = self.answer(asked)
        return answer if isinstance(answer, Response) else Response(json.dumps(answer), media_type="application/json")


def _parsed(body: bytes) -> Any:
    """The JSON value that a request's body is, or its text."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode()


@dataclass(frozen=True)
class LocalPort:
    """A local Port with the blueprint `thing`."""

    url: str
    secret: str = PORT_SECRET

    def api(self, method: str, path: str, body: Any = None) -> Any:
        with httpx.Client(base_url=self.url, trust_env=False, verify=False) as client:
            keys = {"clientId": "cid", "clientSecret": self.secret}
            token = client.post("/v1/auth/access_token", json=keys).json()["accessToken"]
            answer = client.request(method, f"/v1{path}", json=body, headers={"authorization": f"Bearer {token}"})
            return answer.json()

    def script(self, *faults: Mapping[str, Any]) -> None:
        """Let requests go wrong, as docs/reference/local-port.md says, and in no other way; forget those that came
        before."""
        with httpx.Client(base_url=self.url, trust_env=False, verify=False) as client:
            client.delete("/_faults").raise_for_status()
            client.post("/_faults", json=faults).raise_for_status()
            client.delete("/_requests").raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """The requests that came, each with its method, path, status and number of entities."""
        with httpx.Client(base_url=self.url, trust_env=False, verify=False) as client:
            found = client.get("/_requests").json()["requests"]
            assert isinstance(found, list)
            return found

    def writes(self) -> list[tuple[int | None, int]]:
        """Status and number of entities of each bulk upsert that came."""
        return [(r["status"], r["entities"]) for r in self.requests() if r["path"].endswith("/entities/bulk")]

    def entities(self, blueprint: str) -> dict[str, dict[str, Any]]:
        found = self.api("GET", f"/blueprints/{blueprint}/entities")["entities"]
        return {entity["identifier"]: entity for entity in found}


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    exit_code: int
    out: str
    err: str
    report: dict[str, Any]

    @property
    def resource(self) -> dict[str, Any]:
        first = self.report["resources"][0]
        assert isinstance(first, dict)
        return first

    @property
    def codes(self) -> list[str]:
        return [problem["code"] for problem in self.report["problems"]]


class Time(Protocol):
    """What the time is, in epoch seconds, and how it passes."""

    def time(self) -> float: ...

    async def sleep(self, seconds: float, /) -> None: ...


@dataclass(frozen=True)
class StandingTime:
    """Every moment is the same, and sleep takes no time."""

    at: float = NOW

    def time(self) -> float:
        return self.at

    async def sleep(self, _seconds: float, /) -> None:
        return


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("PORT", "OCEAN", "ANTHROPIC"))]:
        monkeypatch.delenv(name)
    # Programs that tests start would each compile all of portsync again: 0.3 s.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    structlog.reset_defaults()  # a command of an earlier test logs to a stream that is closed by now
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, OfLibraries)]


class Stage:
    """An ASGI app that passes everything on to the app that plays just now: a server of its own for each test costs
    more than the test."""

    app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def source_stage() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with serving(stage) as url:
        yield stage, url


@pytest.fixture(scope="session")
def port_stage() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with serving(stage) as url:
        yield stage, url


@pytest.fixture
def source(source_stage: tuple[Stage, str]) -> Source:
    stage, url = source_stage
    scripted = Source(url)
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    stage.app = Starlette(routes=[Route("/{path:path}", scripted.handle, methods=methods)])
    return scripted


@pytest.fixture
def local_port(port_stage: tuple[Stage, str]) -> LocalPort:
    stage, url = port_stage
    stage.app = create_app(client_id="cid", client_secret=PORT_SECRET, users=["ada@acme.example"])
    port = LocalPort(url)
    assert port.api("POST", "/blueprints", THING)["ok"]
    return port


@pytest.fixture
def portsync(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Run]:
    """Run a command line in a folder of its own: `portsync("sync", mapping_text, env={...})`. Nothing sleeps, and every
    moment is `at`, in epoch seconds, where no `time` is given. `over_cluster`: by the workers of tests/cluster/here.py,
    for which the state has to be in PostgreSQL."""

    def run(
        command: str,
        mapping: str | None = None,
        *options: str,
        env: Mapping[str, str] | None = None,
        at: float = NOW,
        time: Time | None = None,
        over_cluster: bool | type[HereCluster] = False,
    ) -> Run:
        arguments = [command]
        if mapping is not None:
            (tmp_path / "m.yaml").write_text(mapping, encoding="utf-8")
            arguments.append(str(tmp_path / "m.yaml"))
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        if command == "sync":
            arguments += ["--report", str(report)]
        passing = time or StandingTime(at)
        runtime = Runtime(env or {}, clock=passing.time, sleep=passing.sleep, random=lambda: 0.5)
        if over_cluster:
            made = HereCluster if over_cluster is True else over_cluster
            runtime = replace(runtime, cluster=opening(lambda: runtime, made=made))
            arguments += ["--executor", "dask", "--scheduler", "here"]
        capfd.readouterr()
        code: Any = 0
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.chdir(tmp_path))
            try:
                main([*arguments, *options], runtime)
            except SystemExit as end:
                code = end.code or 0
        out, err = capfd.readouterr()
        return Run(code, out, err, json.loads(report.read_text()) if report.is_file() else {})

    return run


@pytest.fixture
def port_env(local_port: LocalPort, tmp_path: Path) -> dict[str, str]:
    """An environment with the local Port's credentials, and a place for the state."""
    return {
        "XDG_STATE_HOME": str(tmp_path / "state-home"),
        "PORT_BASE_URL": local_port.url,
        "PORT_CLIENT_ID": "cid",
        "PORT_CLIENT_SECRET": PORT_SECRET,
        "PORTSYNC_INITIALIZE_RESOURCES": "false",
        "PORTSYNC_JQ_WORKERS": "1",  # to start one costs as much as most tests
        "SRC_TOKEN": TOKEN,
    }


@pytest.fixture
def mapping(source: Source) -> Callable[..., str]:
    """A mapping of the source's `/things` to the blueprint `thing`, with parts that a test replaces."""

    def text(
        *,
        base_url: str | None = None,
        pagination: str = "{type: none}",
        kind: str = "/things",
        selector: str = "",
        identifier: str = ".id",
        properties: str = "",
        blueprint: str = "'\"thing\"'",
    ) -> str:
        return f"""
source:
  base_url: {base_url or source.url}
  auth: {{type: bearer, token: "${{SRC_TOKEN}}"}}
  retry: {{attempts: 3, max_wait: 5}}
  pagination: {pagination}
resources:
  - kind: {kind}
    selector:
      data_path: .data
{_indented(selector, 6)}
    port:
      entity:
        mappings:
          identifier: {identifier}
          blueprint: {blueprint}
          properties:
            size: .size
{_indented(properties, 12)}
"""

    return text


@pytest.fixture
def sync(portsync: Callable[..., Run], mapping: Callable[..., str], port_env: dict[str, str]) -> Callable[..., Run]:
    """Sync the source's things into the local Port, with the parts of the mapping that a test replaces:
    `sync(kind="/orgs/{org}/things", selector="...")`."""

    def run(**parts: str) -> Run:
        return portsync("sync", mapping(**parts), env=port_env)

    return run


@pytest.fixture
def several(
    portsync: Callable[..., Run], source: Source, local_port: LocalPort, port_env: dict[str, str], tmp_path: Path
) -> Several:
    """A mapping of several resources, whose records a test writes."""
    return Several(portsync, source, local_port, port_env, tmp_path)


def _indented(lines: str, by: int) -> str:
    return "\n".join(" " * by + line for line in lines.splitlines())
