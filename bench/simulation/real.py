"""The same shapes, run for real: the command against the loopback source and the loopback Port."""

from __future__ import annotations

import json
import os
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.postgres import postgres_server

from bench.runs import SYNC, BenchError, server, started, timed_command
from bench.simulation.shapes import BATCH, Cluster, Shape
from bench.simulation.watching import watched
from bench.workload import BLUEPRINT, blueprint, entity_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_QUIET = 0.15
"""Cores that others may take of a quiet machine."""
PATIENCE_S = 240.0
"""So long a quiet machine is waited for, for the runs of each shape."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a sync took."""

    wall_s: float
    main_cpu_s: float
    jq_cpu_s: float
    source_cpu_s: float
    port_cpu_s: float
    database_cpu_s: float
    """Of PostgreSQL, where the state is there."""
    scheduler_cpu_s: float
    worker_cpu_s: float
    """Of a cluster's workers together, their JQ processes apart."""
    requests: float
    """To the source."""
    writes: float
    """Bulk requests to Port."""
    main_mb: float
    """Of the command; of the largest worker, where there are some."""
    jq_mb: float
    """Of the JQ processes of one of them."""
    others: float
    """Cores that others took meanwhile, on average: what disturbs the measurement."""

    @property
    def is_quiet(self) -> bool:
        """Whether others left the machine alone."""
        return self.others < _QUIET


def measured(shape: Shape, repeat: int = 1, command: Sequence[str] = SYNC) -> Measured:
    """The fastest of `repeat` runs: what else goes on, on this machine and on that which it may be a part of, can only
    slow a run down. `command` is what syncs: it takes a mapping and `--report FILE`. Raises BenchError where a run does
    not bring what it should."""
    runs: list[Measured] = []
    until = time.monotonic() + PATIENCE_S
    while sum(run.is_quiet for run in runs) < repeat and (len(runs) < repeat or time.monotonic() < until):
        _await_quiet(until)
        runs.append(_measured_once(shape, command))
    return min(runs, key=lambda run: (not run.is_quiet, run.wall_s))


def _measured_once(shape: Shape, command: Sequence[str]) -> Measured:
    work, limit, site = shape.work, shape.port.limit, shape.site
    limits = () if limit is None else ("--limit", str(limit.requests), "--period", str(round(limit.per)))
    of_port = ("--latency", str(shape.port.latency_s * 1000), "--fields", str(work.fields), *limits)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "blueprints" / "bench").mkdir(parents=True)
        path = folder / "blueprints" / "bench" / f"{BLUEPRINT}.json"
        path.write_text(json.dumps(blueprint(work.fields)), encoding="utf-8")
        state, roots = stack.enter_context(_state("postgres" if isinstance(site, Cluster) else shape.state, folder))
        over: list[str] = []
        if isinstance(site, Cluster):
            address, scheduler = stack.enter_context(
                started("workers", str(site.workers), "--threads", str(site.slices))
            )
            roots["scheduler"] = scheduler
            over = ["--executor", "dask", "--scheduler", address]
            state["PORTSYNC_JQ_WORKERS"] = "1"
        port_url = stack.enter_context(server("counting_port", *of_port))
        if work.is_again:
            with server("shaped_source", *_source_options(shape, changed=0.0, latency_s=0.0)) as url:
                timed_command(
                    [*command, str(_mapping(folder, shape, url)), *over], folder / "m.yaml", port_url, **state
                )
            if limit is not None:
                time.sleep(limit.per)
        url = stack.enter_context(
            server("shaped_source", *_source_options(shape, work.changed, shape.source.latency_s))
        )
        mapping = _mapping(folder, shape, url)
        before, busy = _got(port_url, "/traffic"), _busy_s()
        begun = time.perf_counter()
        with watched(roots) as watch:
            taken = timed_command([*command, str(mapping), *over], mapping, port_url, **state)
        busy, passed = _busy_s() - busy, time.perf_counter() - begun
        after, spent = _got(port_url, "/traffic"), _got(url, "/spent")
        tally = _got(port_url, "/tally")
    if (tally["distinct"], tally["wrong"]) != (work.entities, 0):
        raise BenchError(f"{shape.name}: Port should have {work.entities:,} entities, and has {tally}")
    (resource,) = taken.report["resources"]
    found = resource["created"] + resource["updated"], resource["unchanged"]
    if found != (work.sent, work.entities - work.sent):
        raise BenchError(f"{shape.name}: {found} entities sent and unchanged, not {work.sent} of {work.entities}")
    port_cpu_s = after["cpu_s"] - before["cpu_s"]
    beside = watch.cpu_s()
    ours = taken.cpu_s + spent["cpu_s"] + port_cpu_s + sum(beside.values())
    has_workers = isinstance(site, Cluster)
    return Measured(
        wall_s=taken.wall_s,
        main_cpu_s=taken.cpu_s - taken.worker_cpu_s,
        jq_cpu_s=beside["jq"] if has_workers else taken.worker_cpu_s,
        source_cpu_s=spent["cpu_s"],
        port_cpu_s=port_cpu_s,
        database_cpu_s=beside["database"],
        scheduler_cpu_s=beside["scheduler"],
        worker_cpu_s=beside["worker"],
        requests=spent["requests"],
        writes=after["writes"] - before["writes"],
        main_mb=watch.peak_mb("worker") if has_workers else taken.main_mb,
        jq_mb=watch.peak_mb("jq") if has_workers else taken.worker_mb,
        others=max(0.0, busy - ours) / passed,
    )


def _source_options(shape: Shape, changed: float, latency_s: float) -> tuple[str, ...]:
    work = shape.work
    options = {
        "chains": work.chains,
        "records": work.records,
        "page": work.page,
        "fields": work.fields,
        # In the first run all entities are sent, in their first revision.
        "changed": changed if work.is_again else 0.0,
        "latency": latency_s * 1000,
    }
    return tuple(text for name, value in options.items() for text in (f"--{name}", str(value)))


def _mapping(folder: Path, shape: Shape, url: str) -> Path:
    """The mapping, as JSON, which is YAML too."""
    work, source = shape.work, shape.source
    budget = source.budget
    selector = {
        "query": "true",
        "data_path": ".data",
        "pagination": {"type": "offset", "page_size": work.page, "has_more_path": ".has_more"},
        "path_parameters": {"parent": {"endpoint": "/parents", "data_path": ".data", "field": ".id"}},
    }
    resource = {
        "kind": "/parents/{parent}/records",
        "selector": selector,
        "port": {"entity": {"mappings": entity_mapping(work.fields)}},
    }
    limit = {} if budget is None else {"rate_limit": {"requests": budget.requests, "per": budget.per}}
    file = {"source": {"base_url": url, "concurrency": source.concurrency, **limit}, "resources": [resource]}
    path = folder / "m.yaml"
    path.write_text(json.dumps(file, indent=2), encoding="utf-8")
    return path


@contextmanager
def _state(kind: str, folder: Path) -> Iterator[tuple[dict[str, str], dict[str, int]]]:
    """Where the state is, as a variable of the environment; and the process of the database, where there is one."""
    if kind == "sqlite":
        yield {"PORTSYNC_STATE": str(folder / "state.db")}, {}
        return
    with postgres_server() as url:
        home = Path(parse_qs(urlsplit(url).query)["host"][0])
        pid = int((home / "data" / "postmaster.pid").read_text("ascii").split()[0])
        yield {"PORTSYNC_STATE": url, "PATH": os.environ["PATH"]}, {"database": pid}


def _busy_s() -> float:
    """Seconds that the cores of this machine have computed, together."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text("ascii").split()[1:11])
    return (user + nice + system + irq + softirq) / _TICKS


def _got(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"{url}{path}", timeout=30) as answer:
        return json.load(answer)


def _await_quiet(until: float) -> None:
    """Wait until others leave the machine alone, or until that moment of the monotonic clock."""
    while time.monotonic() < until:
        busy_s = _busy_s()
        time.sleep(1.0)
        if _busy_s() - busy_s < _QUIET:
            return


def batches(entities: int) -> int:
    """In which they are sent, where all are of one blueprint."""
    return -(-entities // BATCH)
