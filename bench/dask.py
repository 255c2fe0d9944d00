"""What a run over a Dask cluster costs and gains: `./dev bench dask [CASE ...]`.

The real command gives its slices to workers that are processes of this machine; source and Port are others. `speedup`:
two workers against one. `overhead`: one worker against no cluster. `parameters`: 50,000 values of a path parameter, and
the memory of scheduler and command. `limit`: a Port that takes so many requests in a time, and four workers. `kills`:
workers that are killed at random. Exit code 1 where a run fails or misses its target.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import sys
import tempfile
import threading
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import Client
from tests.postgres import postgres_server

from bench.runs import SYNC, BenchError, children, server, started, timed_command
from bench.workload import BLUEPRINT, blueprint, entity_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.runs import Taken

_HEAVY = "([range(8000)] | add) > 0"
"""So much JQ for each record that all else costs little next to it."""
_SPEEDUP, _OVERHEAD = 1.7, 0.15
_PAIRS = 1
_PARAMETERS = 50_000
_MOST_GROWTH_MB = 5
_LIMIT, _PERIOD_S, _WINDOWS, _BATCH = 1_166, 10, 3, 20
_OF_THE_LIMIT = 0.95
_KILLED_RECORDS, _KILLED_WORKERS = 100_000, 2


@dataclass(frozen=True)
class Bench:
    """Servers, a database, and a mapping of the source's parents and their records."""

    folder: Path
    port_url: str
    mapping: Path
    state: str

    def sync(self, scheduler: str | None, identifier: str) -> Taken:
        """Run the command as an integration of this name, over a cluster where there is one."""
        over = [] if scheduler is None else ["--executor", "dask", "--scheduler", scheduler]
        return timed_command(
            [*SYNC, str(self.mapping), *over],
            self.mapping,
            self.port_url,
            PORTSYNC_STATE=self.state,
            PORTSYNC_IDENTIFIER=identifier,
            PORTSYNC_JQ_WORKERS="1",
            PORTSYNC_INITIALIZE_RESOURCES="false",
            PATH=os.environ["PATH"],
        )

    def asked(self, path: str) -> dict[str, Any]:
        """What the Port of the benches says of itself."""
        with urllib.request.urlopen(f"{self.port_url}{path}") as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found


@dataclass(frozen=True)
class Cluster:
    """The workers of a bench."""

    address: str
    pid: int
    """Of the process with the scheduler."""


def main() -> None:
    """Measure each case and print it beside its target."""
    cases = {
        "speedup": _speedup,
        "overhead": _overhead,
        "parameters": _parameters,
        "limit": _limit,
        "kills": _kills,
    }
    parser = argparse.ArgumentParser(prog="./dev bench dask", description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(cases)}; all of them by default")
    wanted = parser.parse_args().cases or list(cases)
    if unknown := set(wanted) - set(cases):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
    load = os.getloadavg()[0]
    print(f"portsync sync; Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}\n", flush=True)
    try:
        kept = [cases[name]() for name in wanted]
    except BenchError as error:
        print(f"dask: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0 if all(kept) else 1)


def _speedup() -> bool:
    """How many times faster two workers are than one, where JQ is what takes the time."""
    took = {count: _heavy(count).report["duration_s"] for count in (1, 2)}
    times: float = took[1] / took[2]
    is_kept = times >= _SPEEDUP
    print(
        f"   speedup: 4,000 records, a mapping that is all JQ: {took[1]:.1f} s with one worker, {took[2]:.1f} s with "
        f"two: {times:.2f} times (at least {_SPEEDUP}: {_yes(is_kept)})",
        flush=True,
    )
    return is_kept


def _overhead() -> bool:
    """How much longer one worker takes than a run without a cluster."""
    pairs = [(_heavy(0), _heavy(1)) for _ in range(_PAIRS)]
    alone, over = (min(pair[i].report["duration_s"] for pair in pairs) for i in (0, 1))
    start_s = min(one.wall_s - one.report["duration_s"] for _, one in pairs)
    more: float = over / alone - 1
    is_kept = more <= _OVERHEAD
    print(
        f"  overhead: the same, {alone:.1f} s without a cluster, {over:.1f} s with one worker: {more:+.1%} "
        f"(at most {_OVERHEAD:+.0%}: {_yes(is_kept)}); the command itself takes {start_s:.1f} s to start and to end",
        flush=True,
    )
    return is_kept


def _heavy(workers: int) -> Taken:
    """A first run of a mapping that is all JQ; without a cluster where there are no workers."""
    with _bench(chains=80, records=50, query=_HEAVY) as bench:
        if not workers:
            return bench.sync(None, "heavy")
        with _workers(workers) as cluster:
            return bench.sync(cluster.address, "heavy")


def _parameters() -> bool:
    """Whether the memory of those who only give out work grows with the work."""
    with _bench(chains=_PARAMETERS, records=2) as bench, _workers(2) as cluster:
        samples: list[tuple[float, float]] = []
        done = threading.Event()
        sampling = threading.Thread(target=_sample, args=(cluster.pid, samples, done))
        sampling.start()
        try:
            taken = bench.sync(cluster.address, "parameters")
        finally:
            done.set()
            sampling.join()
        tally = bench.asked("/tally")
    grown = [max(0.0, values[-1] - values[len(values) // 4]) for values in zip(*samples, strict=True)]
    is_kept: bool = max(grown) <= _MOST_GROWTH_MB and tally["distinct"] == 2 * _PARAMETERS and tally["wrong"] == 0
    print(
        f"parameters: {_PARAMETERS:,} values through two workers in {taken.report['duration_s']:.0f} s: scheduler "
        f"{samples[-1][0]:.0f} MB, {grown[0]:+.1f} MB since the first quarter; command {samples[-1][1]:.0f} MB, "
        f"{grown[1]:+.1f} MB (at most {_MOST_GROWTH_MB:+} MB: {_yes(is_kept)}); {tally['distinct']:,} entities in Port",
        flush=True,
    )
    return is_kept


def _limit() -> bool:
    """Requests against what Port's limit allows, by four workers that share it."""
    entities = _WINDOWS * _LIMIT * _BATCH
    with (
        _bench(chains=entities // 200, records=200, port=("--limit", str(_LIMIT), "--period", str(_PERIOD_S))) as bench,
        _workers(4) as cluster,
    ):
        bench.sync(cluster.address, "limit")
        traffic = bench.asked("/traffic")
    ratio = traffic["taken"] / (_LIMIT * traffic["span_s"] / _PERIOD_S)
    is_kept = bool(ratio >= _OF_THE_LIMIT and traffic["refused_later"] == 0)
    print(
        f"     limit: four workers, {_LIMIT:,} requests in {_PERIOD_S} s: {traffic['taken']:,} in "
        f"{traffic['span_s']:.2f} s, {ratio:.1%} of what the limit allows (at least {_OF_THE_LIMIT:.0%}); "
        f"{traffic['refused']} answers of 429, {traffic['refused_later']} after the first window (none): "
        f"{_yes(is_kept)}",
        flush=True,
    )
    return is_kept


def _kills() -> bool:
    """A run whose workers are killed at random, and one after it."""
    chance = random.Random(11)
    with _bench(chains=_KILLED_RECORDS // 200, records=200) as bench, _workers(_KILLED_WORKERS) as cluster:
        done = threading.Event()
        kills: list[int] = []
        killing = threading.Thread(target=_kill, args=(cluster.address, chance, kills, done))
        killing.start()
        try:
            taken = bench.sync(cluster.address, "kills")
        finally:
            done.set()
            killing.join()
        tally = bench.asked("/tally")
        again = bench.sync(cluster.address, "kills").report["totals"]
    report = taken.report
    totals, resources = report["totals"], report["resources"]
    sent = sum(resources[0][fate] for fate in ("created", "updated", "unchanged"))
    is_kept: bool = (
        report["exit_code"] == 0
        and tally["distinct"] == _KILLED_RECORDS
        and tally["wrong"] == 0
        and (resources[0]["records"], resources[0]["entities"], sent) == (_KILLED_RECORDS,) * 3
        and (totals["deleted"], again["deleted"]) == (0, 0)
        and bool(kills)
    )
    print(
        f"     kills: {len(kills)} workers killed during {_KILLED_RECORDS:,} entities ({report['duration_s']:.0f} s): "
        f"exit code {report['exit_code']}, {tally['distinct']:,} in Port, {tally['wrong']} wrong, {totals['deleted']} "
        f"deleted; report: {resources[0]['created']:,} created, {resources[0]['updated']:,} updated, "
        f"{resources[0]['unchanged']:,} unchanged of {resources[0]['records']:,}; the next run sends "
        f"{again['created'] + again['updated']:,}: {_yes(is_kept)}",
        flush=True,
    )
    return is_kept


@contextmanager
def _bench(*, chains: int, records: int, query: str = "true", port: tuple[str, ...] = ()) -> Iterator[Bench]:
    """A source of so many parents with so many records each, a Port, a database, and the mapping."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        state = stack.enter_context(postgres_server())
        shape = ("--chains", str(chains), "--records", str(records), "--page", str(records))
        source = stack.enter_context(server("shaped_source", *shape))
        port_url = stack.enter_context(server("counting_port", *port))
        path = folder / "bench.yaml"
        path.write_text(json.dumps(_mapping(source, records, query)), encoding="utf-8")
        (folder / "blueprints").mkdir()
        (folder / "blueprints" / f"{BLUEPRINT}.json").write_text(json.dumps(blueprint()), encoding="utf-8")
        yield Bench(folder, port_url, path, state)


def _mapping(source: str, records: int, query: str) -> dict[str, Any]:
    return {
        "source": {"base_url": source, "concurrency": 8},
        "resources": [
            {
                "kind": "/parents/{parent}/records",
                "selector": {
                    "query": query,
                    "data_path": ".data",
                    "pagination": {"type": "offset", "page_size": records, "has_more_path": ".has_more"},
                    "path_parameters": {"parent": {"endpoint": "/parents", "data_path": ".data", "field": ".id",
                                                   "pagination": {"type": "none"}}},
                },
                "port": {"entity": {"mappings": entity_mapping()}},
            }
        ],
    }  # fmt: skip


@contextmanager
def _workers(count: int) -> Iterator[Cluster]:
    """So many workers, each of which does two slices at once. Raises BenchError where they do not start."""
    with started("workers", str(count)) as (address, pid):
        yield Cluster(address, pid)


def _sample(scheduler: int, samples: list[tuple[float, float]], done: threading.Event) -> None:
    """Note the memory of the scheduler's process and of the command, while there are both."""
    while not done.wait(0.25):
        commands = [pid for pid in children(os.getpid()) if b"--executor" in _read(pid, "cmdline")]
        if commands:
            samples.append((_resident_mb(scheduler), _resident_mb(commands[0])))


def _resident_mb(pid: int) -> float:
    found = _read(pid, "status").partition(b"VmRSS:")[2]
    return int(found.split(maxsplit=1)[0]) / 1000 if found else 0.0


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _kill(address: str, chance: random.Random, kills: list[int], done: threading.Event) -> None:
    """Kill one of two workers from time to time. Its nanny starts another one, but where that is killed before it is
    ready."""
    connecting: Any = Client
    with connecting(address, set_as_default=False) as client:
        while not done.wait(chance.uniform(1.0, 5.0)):
            pids = list(client.run(os.getpid, on_error="ignore").values())
            if len(pids) == _KILLED_WORKERS:
                victim = chance.choice(pids)
                os.kill(victim, signal.SIGKILL)
                kills.append(victim)


def _yes(is_kept: object) -> str:
    return "yes" if is_kept else "NO"


if __name__ == "__main__":
    main()
