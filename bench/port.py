"""How well writing uses what Port allows, and what a run costs that changes nothing: `./dev bench port [CASE ...]`.

The real command reads generated records from a loopback source and writes them to a loopback Port, which is a process
of its own. `limit`: a Port that takes so many requests in a time. `latency`: a Port whose answers take their time.
`again`: the same records twice. `state`: what is remembered of a million entities. Exit code 1 where a run fails or
misses its target.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.runs import BenchError, server, timed_sync
from bench.workload import BLUEPRINT, blueprint, mapping
from portsync.flow import Entity
from portsync.state.catalog import Accepted, Catalog
from portsync.state.place import StatePlace
from portsync.state.store import opened_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.runs import Taken

_BATCH = 20
_LIMIT, _PERIOD_S, _WINDOWS = 1_166, 10, 3
"""Port's limit of 35,000 requests in 300 s, in windows that are 30 times shorter. In shorter ones, the time that the
first answer of a window takes would weigh more than it does in Port's."""
_LATENCY_MS = 100
_OF_THE_LIMIT = 0.95
_PER_SECOND = 2000
_LATENCY_RECORDS = 60_000
_AGAIN_RECORDS = 100_000
_TIMES_FASTER = 4
_STATE_ENTITIES, _STATE_PAGE = 1_000_000, 500
_MOST_STATE_MB = 150
_MOST_GROWTH_MB = 50


def main() -> None:
    """Measure each case and print it beside its target."""
    cases = {"limit": _limit, "latency": _latency, "again": _again, "state": _state}
    parser = argparse.ArgumentParser(prog="./dev bench port", description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(cases)}; all of them by default")
    wanted = parser.parse_args().cases or list(cases)
    if unknown := set(wanted) - set(cases):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
    print(f"portsync sync; Python {platform.python_version()}, {os.cpu_count()} cores\n")
    try:
        kept = [cases[name]() for name in wanted]
    except BenchError as error:
        print(f"port: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0 if all(kept) else 1)


def _limit() -> bool:
    """Requests against what the limit allows, from the beginning of the first window to that of the last: how far the
    last is used depends on where the records end."""
    with _bench(_WINDOWS * _LIMIT * _BATCH, "--limit", str(_LIMIT), "--period", str(_PERIOD_S)) as bench:
        bench.sync()
        traffic = bench.traffic()
    ratio = traffic["taken"] / (_LIMIT * traffic["span_s"] / _PERIOD_S)
    is_kept = bool(ratio >= _OF_THE_LIMIT and traffic["refused_later"] == 0)
    print(
        f"  limit: {_LIMIT} requests in {_PERIOD_S} s: {traffic['taken']:,} in {traffic['span_s']:.2f} s, "
        f"{ratio:.1%} of what the limit allows (at least {_OF_THE_LIMIT:.0%}); {traffic['writes']:,} writes in all; "
        f"{traffic['refused']} answers of 429, {traffic['refused_later']} after the first window (none): "
        f"{_yes(is_kept)}"
    )
    return is_kept


def _latency() -> bool:
    """Entities in a second where each answer takes long and nothing else holds back."""
    with _bench(_LATENCY_RECORDS, "--latency", str(_LATENCY_MS)) as bench:
        taken = bench.sync()
    read_s = taken.report["duration_s"]
    per_second = _LATENCY_RECORDS / read_s
    is_kept: bool = per_second >= _PER_SECOND
    print(
        f"latency: {_LATENCY_RECORDS:,} entities, answers of Port after {_LATENCY_MS} ms: {read_s:.1f} s, "
        f"{per_second:,.0f} entities/s (at least {_PER_SECOND:,}: {_yes(is_kept)}), "
        f"{per_second * _LATENCY_MS / 1000 / _BATCH:.1f} requests under way on average; CPU {taken.cpu_s:.1f} s"
    )
    return is_kept


def _again() -> bool:
    """The same records twice, to a Port with its limit: the second run has nothing to send."""
    with _bench(_AGAIN_RECORDS, "--limit", str(_LIMIT), "--period", str(_PERIOD_S)) as bench:
        first = bench.sync()
        writes = bench.traffic()["writes"]
        second = bench.sync()
        writes_again = bench.traffic()["writes"] - writes
    unchanged = second.report["totals"]["unchanged"]
    times = first.wall_s / second.wall_s
    is_kept: bool = writes_again == 0 and unchanged == _AGAIN_RECORDS and times >= _TIMES_FASTER
    print(
        f"  again: {_AGAIN_RECORDS:,} entities twice: {writes:,} writes in {first.wall_s:.1f} s, then {writes_again:,} "
        f"in {second.wall_s:.1f} s; {unchanged:,} entities unchanged; {times:.1f} times faster "
        f"(no writes, at least {_TIMES_FASTER} times: {_yes(is_kept)})"
    )
    return is_kept


def _state() -> bool:
    """The size of what is remembered of a million entities, and the memory that looking them up takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.db")
        sent = _remembered(path)
        size_mb = path.stat().st_size / 2**20
        before = _peak_mb()
        sent_again = _remembered(path)
        grown_mb = _peak_mb() - before
    is_kept = sent == _STATE_ENTITIES and sent_again == 0 and size_mb < _MOST_STATE_MB and grown_mb < _MOST_GROWTH_MB
    print(
        f"  state: {_STATE_ENTITIES:,} entities: {size_mb:.0f} MB on disk (below {_MOST_STATE_MB}); looking all up "
        f"again takes {grown_mb:.0f} MB more memory (below {_MOST_GROWTH_MB}): {_yes(is_kept)}"
    )
    return is_kept


def _remembered(path: Path) -> int:
    """How many entities had to be sent in a run that gives a million of them, all of which are accepted."""
    sent = 0
    with opened_state(StatePlace(path)) as connection:
        catalog = Catalog(connection, "bench", "")
        for first in range(0, _STATE_ENTITIES, _STATE_PAGE):
            entities = [_entity(number) for number in range(first, first + _STATE_PAGE)]
            changed = catalog.changed("/records#1", BLUEPRINT, entities)
            catalog.accept(Accepted("/records#1", BLUEPRINT, one.identifier, one.digest) for one in changed)
            sent += len(changed)
        catalog.close()
    return sent


def _entity(number: int) -> Entity:
    """One with an identifier as long as usual ones."""
    name = f"org-4f21@record-{number:012d}"
    return Entity(BLUEPRINT, name, b"", blake2b(name.encode(), digest_size=16).digest(), 1, number)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Bench:
    """A source and a Port that are up, and a mapping between them."""

    def __init__(self, folder: Path, source_url: str, port_url: str, records: int) -> None:
        self._mapping = folder / "bench.yaml"
        self._state = folder / "state.db"
        self._port_url = port_url
        self._records = records
        (folder / "blueprints" / "bench").mkdir(parents=True)
        (folder / "blueprints" / "bench" / f"{BLUEPRINT}.json").write_text(json.dumps(blueprint()), encoding="utf-8")
        self._mapping.write_text(mapping(source_url), encoding="utf-8")

    def sync(self) -> Taken:
        """Sync once. Raises BenchError where the command fails or Port does not have all the records as they are."""
        taken = timed_sync(self._mapping, self._port_url, PORTSYNC_STATE=str(self._state))
        tally = self._get("/tally")
        if (tally["distinct"], tally["wrong"]) != (self._records, 0):
            raise BenchError(f"Port should have {self._records} entities, and has {tally}")
        return taken

    def traffic(self) -> dict[str, Any]:
        """What `GET /traffic` of the Port says."""
        return self._get("/traffic")

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._port_url}{path}", timeout=10) as answer:
            value = json.load(answer)
            assert isinstance(value, dict)
            return value


@contextmanager
def _bench(records: int, *port_options: str) -> Iterator[_Bench]:
    with (
        tempfile.TemporaryDirectory() as name,
        server("loopback_source", str(records)) as source_url,
        server("counting_port", *port_options) as port_url,
    ):
        yield _Bench(Path(name), source_url, port_url, records)


def _yes(is_kept: bool) -> str:
    return "yes" if is_kept else "NO"


if __name__ == "__main__":
    main()
