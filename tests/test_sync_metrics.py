"""What a run tells Port of each resource, where it tells that, and that a Port which does not want to know costs it
nothing."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response
from structlog.testing import capture_logs

from portsync import __version__
from portsync.integration import Installation
from portsync.logs import Redactor, log_of
from portsync.port.ingest import is_ports_own
from portsync.port.owner import Owner
from portsync.report import Report, ResourceReport
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.surroundings import Surroundings
from portsync.sync_metrics import SyncMetrics, Telling
from portsync.wiring import port_client, port_ingest
from tests.conftest import NOW, PORT_SECRET
from tests.several import resource, things

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tests.conftest import LocalPort, Run, Source, Stage
    from tests.several import Several

NAME = "portsync-m"
INGEST = f"/v1/ingest/metrics/integration/{NAME}"


def told(port: LocalPort) -> list[tuple[str, str]]:
    """The requests for metrics that came, in their order."""
    return [(one["method"], one["path"]) for one in port.requests() if "syncMetrics" in one["path"]]


def metrics_in(port: LocalPort) -> dict[str, Any]:
    """What Port knows of the last resync, by kind and index."""
    return {one["kindIdentifier"]: one for one in port.api("GET", f"/integration/{NAME}/syncMetrics")["data"]}


def counts(metrics: dict[str, Any], phase: str) -> dict[str, int]:
    found = metrics["metrics"]["phase"][phase]["object_count_type"]
    return {name: one["object_count"] for name, one in found.items()}


class NamesAnother:
    """A Port that names another address for metrics."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app = app
        self._url = url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: list[Message] = []

        async def renamed(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            named = json.dumps({"ingestUrl": self._url}).encode()
            body = re.sub(rb'(?<="metricAttributes":)\{[^}]*\}', named, message.get("body", b""))
            start = begun.pop()
            headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({**message, "body": body})

        await self._app(scope, receive, renamed)


@pytest.fixture
def names(port_stage: tuple[Stage, str], local_port: LocalPort) -> Callable[[str], None]:
    """Let the local Port name this address for metrics."""
    assert local_port.url == port_stage[1]

    def name(url: str) -> None:
        port_stage[0].app = NamesAnother(port_stage[0].app, url)

    return name


def test_each_resource_is_told_when_it_ends_and_all_of_them_at_the_end(several: Several) -> None:
    several.blueprint("part", of="thing")
    several.resources = [
        resource("/parts", "part", relations={"of": ".of"}),
        resource("/things", "thing", selector={"query": ".size != 3"}, identifier='.id | select(. != "t4")'),
    ]
    several.records = {
        "/parts": things(0, 2, of="t0"),
        "/things": [*things(0, 6), *things(0, 1), {"id": "bad", "size": "no number"}],
    }
    first = several.sync()
    assert first.report["resources"][1]["duplicates"] == 1
    several.port.script()
    several.records["/things"] = [*things(0, 2), {"id": "t2", "size": 22}, {"id": "t5", "size": 5}]

    second = several.sync()

    assert second.exit_code == 0, second.err
    run_id = second.report["run_id"]
    of_kind = f"{INGEST}/syncMetrics/resync/{run_id}/kind"
    *kinds, last = told(several.port)
    assert {("PUT", f"{of_kind}/%2Fparts-0"), ("PUT", f"{of_kind}/%2Fthings-1")} <= set(kinds)
    assert last == ("POST", f"{INGEST}/syncMetrics")
    metrics = metrics_in(several.port)
    assert set(metrics) == {"/parts-0", "/things-1", "__reconciliation__", "__runtime__"}
    assert {one["syncState"] for one in metrics.values()} == {"completed"}
    assert {one["eventId"] for one in metrics.values()} == {run_id}
    assert counts(metrics["/parts-0"], "load") == {"loaded": 0, "skipped": 2, "failed": 0}
    assert counts(metrics["/things-1"], "extract") == {"raw_extracted": 4}
    assert counts(metrics["/things-1"], "transform") == {"transformed": 4, "filtered_out": 0, "failed": 0}
    assert counts(metrics["/things-1"], "load") == {"loaded": 1, "skipped": 3, "failed": 0}
    assert metrics["/things-1"]["metrics"]["phase"]["resync"] == {"success": 1, "duration_seconds": 0.0}


def test_what_did_not_make_it_is_counted_where_it_was_lost(several: Several) -> None:
    several.resources = [resource("/things", "thing", selector={"query": ".size != 3"}, identifier=".name // .id")]
    several.records = {
        "/things": [
            *things(0, 6),
            *things(0, 1),
            {"id": "bad", "size": "no number"},
            {"id": None, "size": 1},
        ]
    }

    run = several.sync()

    assert run.exit_code == 1
    (metrics,) = (one for name, one in metrics_in(several.port).items() if name == "/things-0")
    assert counts(metrics, "extract") == {"raw_extracted": 9}
    assert counts(metrics, "transform") == {"transformed": 7, "filtered_out": 1, "failed": 1}
    assert counts(metrics, "load") == {"loaded": 5, "skipped": 1, "failed": 1}
    expected = {
        "integrationType": "custom",
        "installationType": "OnPrem",
        "integrationIdentifier": NAME,
        "integrationVersion": __version__,
        "kindIdentifier": "/things-0",
        "kind": "/things",
        "kindIndex": 0,
        "eventId": run.report["run_id"],
        "syncState": "failed",
        "blueprint": '"thing"',
    }
    assert expected.items() <= metrics.items()
    assert metrics["metrics"]["phase"]["resync"]["success"] == 0
    assert metrics_in(several.port)["__runtime__"]["syncState"] == "failed"


def test_what_was_deleted_is_told_and_what_was_kept_is_a_failure(several: Several) -> None:
    several.records = {"/things": things(0, 10)}
    several.sync()
    several.records = {"/things": things(1, 10)}
    several.sync()
    reconciled = metrics_in(several.port)["__reconciliation__"]
    assert (reconciled["syncState"], counts(reconciled, "delete")) == ("completed", {"deleted": 1})
    several.records = {"/things": things(9, 10)}

    several.sync()

    reconciled = metrics_in(several.port)["__reconciliation__"]
    assert (reconciled["syncState"], counts(reconciled, "delete")) == ("failed", {"deleted": 0})


def test_a_plan_tells_nothing(several: Several) -> None:
    several.records = {"/things": things(0, 3)}
    several.sync()
    several.port.script()

    several.plan()

    assert told(several.port) == []


def test_a_secret_in_a_kind_is_told_to_nobody(source: Source, sync: Callable[..., Run], local_port: LocalPort) -> None:
    source.answer = lambda _: {"data": things(0, 1)}

    run = sync(kind="/things?api_key=key-4711-of-mine")

    assert run.exit_code == 0, run.err
    assert "key-4711" not in json.dumps(local_port.requests())
    assert set(metrics_in(local_port)) == {"/things?api_key=***-0", "__reconciliation__", "__runtime__"}


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 404}, {"status": 500}, {"cut": "before"}])
def test_a_port_that_refuses_metrics_is_told_no_more_and_the_run_is_whole(several: Several, fault: Any) -> None:
    several.records = {"/things": things(0, 3), "/others": things(3, 5)}
    several.resources = [resource("/things", "thing"), resource("/others", "thing")]
    several.port.script({"path": f"{INGEST}/*", "times": None, **fault})

    run = several.sync()

    assert run.exit_code == 0, run.err
    assert len(told(several.port)) == 1
    assert run.err.count("integration.refused") == 1


def test_a_foreign_host_is_told_nothing_and_gets_no_token(
    sync: Callable[..., Run], source: Source, local_port: LocalPort, names: Callable[[str], None]
) -> None:
    source.answer = lambda _: {"data": things(0, 3)}
    names(f"{source.url.replace('127.0.0.1', 'localhost')}/metrics")

    run = sync()

    assert run.exit_code == 0, run.err
    assert [asked.path for asked in source.asked] == ["/things"]
    assert run.err.count("integration.refused") == 1
    assert "none of Port's own" in run.err
    assert told(local_port) == []


def test_another_address_of_ports_own_host_gets_them_with_the_token(
    sync: Callable[..., Run], source: Source, names: Callable[[str], None]
) -> None:
    source.answer = lambda asked: {"data": things(0, 3)} if asked.path == "/things" else {"ok": True}
    names(f"{source.url}/ingest/")

    run = sync()

    assert run.exit_code == 0, run.err
    *others, last = [asked for asked in source.asked if asked.path != "/things"]
    assert {(asked.method, asked.path.partition("resync")[0]) for asked in others} == {("PUT", "/ingest/syncMetrics/")}
    assert (last.method, last.path) == ("POST", "/ingest/syncMetrics")
    assert last.headers["authorization"].startswith("Bearer ")
    assert [one["kind"] for one in last.body["syncKindsMetrics"]] == ["/things", "__reconciliation__", "__runtime__"]


def test_a_redirect_takes_the_token_nowhere_else(
    sync: Callable[..., Run], source: Source, local_port: LocalPort, names: Callable[[str], None]
) -> None:
    away = Response(status_code=307, headers={"location": f"{local_port.url.replace('127.0.0.1', 'localhost')}/away"})
    source.answer = lambda asked: {"data": things(0, 3)} if asked.path == "/things" else away
    names(f"{source.url}/ingest")

    run = sync()

    assert run.exit_code == 0, run.err
    assert len(source.asked) == 2
    assert "/away" not in {one["path"] for one in local_port.requests()}


@contextmanager
def silent() -> Iterator[str]:
    """The URL of a server that takes a connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def dead() -> Iterator[str]:
    """The URL of a port at which nobody listens."""
    with silent() as url:
        pass
    yield url


@pytest.mark.parametrize("opened", [dead, silent])
def test_an_address_that_does_not_answer_is_one_line_in_the_log(
    opened: Callable[[], Any], sync: Callable[..., Run], source: Source, names: Callable[[str], None]
) -> None:
    source.answer = lambda _: {"data": things(0, 3)}
    with opened() as url:
        names(url)

        run = sync()

    assert run.exit_code == 0, run.err
    assert run.err.count("integration.refused") == 1
    assert '"part": "metrics"' in run.err


@pytest.mark.parametrize("named", [None, 7, ["x"], "", "not a url", "https://user:pw@ingest.getport.io"])
def test_an_odd_answer_of_port_is_as_good_as_none(named: Any) -> None:
    async def main() -> list[Any]:
        async with SyncMetrics(TELLING, "https://api.getport.io", _never, lambda: NOW, log_of()) as metrics:
            with capture_logs() as logs:
                await metrics.begin({"metricAttributes": {"ingestUrl": named}})
                await metrics.begin({"metricAttributes": named})
                await metrics.begin({})
                await metrics.end(REPORT)
        return logs

    assert len(asyncio.run(main())) <= 1


TELLING = Telling("run", Installation(NAME, "custom", "m", None), ['"thing"'] * 3, Redactor())
RESOURCES = tuple(ResourceReport(index, "/things") for index in range(3))
REPORT = Report("run", "m.yaml", NOW, NOW + 7, 0, RESOURCES)


def _never(url: str) -> AbstractAsyncContextManager[Any]:
    raise AssertionError(url)


def test_who_hangs_is_waited_for_once_and_not_for_long(local_port: LocalPort, port_env: dict[str, str]) -> None:
    """None of the waits is that of the client: its time-outs are longer than this test's patience."""

    async def main(url: str) -> float:
        settings, runtime = read_settings(port_env), Runtime(port_env, clock=lambda: NOW)
        owner, around = Owner("portsync", "custom", NAME), Surroundings(settings, runtime, Redactor())
        loop = asyncio.get_running_loop()
        async with port_client(settings, owner, around) as port:
            opened = partial(port_ingest, port=port, owner=owner, around=around)
            async with SyncMetrics(TELLING, local_port.url, opened, lambda: NOW, log_of(), patience_s=0.2) as metrics:
                await metrics.begin({"metricAttributes": {"ingestUrl": url}})
                before = loop.time()
                for report in RESOURCES:
                    metrics.note(report, has_ended=True)
                await metrics.end(REPORT)
                await metrics.end(REPORT)
        return loop.time() - before

    with silent() as url, capture_logs() as logs:
        took = asyncio.run(main(url))

    assert [line["reason"] for line in logs] == ["no answer within 0.2 s"]
    assert took < 2


def test_who_is_slow_is_told_the_newest_of_each_resource() -> None:
    sent: list[tuple[int, str]] = []
    gate = asyncio.Event()

    class Slow:
        async def put_kind(self, metrics: dict[str, Any]) -> None:
            await gate.wait()
            sent.append((metrics["kindIndex"], metrics["syncState"]))

        async def post_kinds(self, metrics: list[dict[str, Any]]) -> None:
            sent.extend((one["kindIndex"], one["syncState"]) for one in metrics[:3])

    @asynccontextmanager
    async def opened(_url: str) -> AsyncIterator[Any]:
        yield Slow()

    async def main() -> None:
        async with SyncMetrics(TELLING, "https://port.test", opened, lambda: NOW, log_of()) as metrics:
            await metrics.begin({"metricAttributes": {"ingestUrl": "https://port.test/x"}})
            for report in RESOURCES:
                metrics.note(report, has_ended=False)
                await asyncio.sleep(0)
            for report in RESOURCES:
                metrics.note(report, has_ended=True)
            gate.set()
            await metrics.end(REPORT)

    asyncio.run(main())
    assert sent == [(0, "syncing"), (1, "aborted"), (2, "aborted"), (0, "aborted"), *[(n, "aborted") for n in range(3)]]


@pytest.mark.parametrize(
    ("url", "api", "is_own"),
    [
        ("https://ingest.getport.io/metrics/integration/1", "https://api.getport.io", True),
        ("https://ingest.us.getport.io/x", "https://api.us.getport.io", True),
        ("https://ingest.port.io/x", "https://proxy.acme.example", True),
        ("https://INGEST.GetPort.io/x", "https://api.getport.io", True),
        ("https://api.getport.io:8443/x", "https://api.getport.io", True),
        ("https://proxy.acme.example/x", "https://proxy.acme.example:8443", True),
        ("http://port.acme.example:3000/x", "http://port.acme.example:3000", True),
        ("http://127.0.0.1:3001/x", "http://127.0.0.1:3000", True),
        ("http://ingest.getport.io/x", "https://api.getport.io", False),
        ("http://port.acme.example:3001/x", "http://port.acme.example:3000", False),
        ("https://getport.io.evil.example/x", "https://api.getport.io", False),
        ("https://evilgetport.io/x", "https://api.getport.io", False),
        ("https://evil.example\\.getport.io/x", "https://api.getport.io", False),
        ("https://evil.example/.getport.io", "https://api.getport.io", False),
        ("https://evil.example?.getport.io", "https://api.getport.io", False),
        ("https://evil.example#.getport.io", "https://api.getport.io", False),
        ("https://getport.io@evil.example/x", "https://api.getport.io", False),
        ("https://x:y@ingest.getport.io/x", "https://api.getport.io", False),
        ("https://ingest.getport.io/x?token=y", "https://api.getport.io", False),
        ("http://localhost:3000/x", "http://127.0.0.1:3000", False),
        ("http://127.0.0.1:3000/x", "https://api.getport.io", False),
        ("http://169.254.169.254/x", "https://api.getport.io", False),
        ("file:///etc/passwd", "https://api.getport.io", False),
        ("//ingest.getport.io/x", "https://api.getport.io", False),
    ],
)
def test_the_token_goes_to_ports_own_hosts_alone(url: str, api: str, *, is_own: bool) -> None:
    assert is_ports_own(url, api) is is_own


def test_no_secret_of_port_is_in_what_is_told(several: Several) -> None:
    several.records = {"/things": things(0, 1)}
    assert several.sync().exit_code == 0

    assert PORT_SECRET not in json.dumps(metrics_in(several.port))
