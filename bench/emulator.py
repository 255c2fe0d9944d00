"""How fast the local Port is, how much it takes, and what it survives: `./dev bench emulator [CASE ...]`.

Server and client are processes of their own, and talk over a loopback socket; what is printed of the server is its own
CPU time, so that neither the client nor other work on the machine counts. `upsert`: bulk upserts of the five Claude
blueprints. `views`: tables and searches over many entities. `dashboard`: the first look at one. `start`: from the
command to the first answer. `load`: how time, file and memory grow with the entities (`--load`, a million by default).
Exit code 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from bench import catalogs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ENTITIES = 100_000
_PER_SECOND = 3000
_VIEW_MS = 200
_DASHBOARD_S = 1.0
_START_S = 1.0
_SLOWER = 1.5
"""The last bulk upserts of a load may take so many times as long as the first."""
_TICKS = os.sysconf("SC_CLK_TCK")
_TIMES = 3
_OF = "claude_user_activity"
_TABLE = f"/blueprints/{_OF}"
_VIEWS = (
    "/",
    _TABLE,
    f"{_TABLE}?page=2000",
    f"{_TABLE}?sort=-total_requests",
    f"{_TABLE}?sort=-total_requests&page=1000",
    f"{_TABLE}?sort=-total_requests&page=2000",
    f"{_TABLE}?sort=user_email&by=total_requests&op=gt&value=1",
    f"{_TABLE}?by=total_requests&op=gt&value=9990",
    f"{_TABLE}?by=user_email&op=is&value=ada5@acme.example",
    f"{_TABLE}?q=ada777",
    f"{_TABLE}?q=ada&sort=-user_email",
    f"{_TABLE}?q=nobody",
)
_DAY = {"from": "2026-11-03T00:00:00Z", "to": "2026-11-03T23:59:59Z"}
_SEARCHES: dict[str, dict[str, Any]] = {
    "everything, one page": {"property": "$identifier", "operator": "isNotEmpty"},
    "$datasource of all": {"property": "$datasource", "operator": "contains", "value": "bench"},
    "$datasource of none": {"property": "$datasource", "operator": "contains", "value": "nobody"},
    "property = text": {"property": "user_email", "operator": "=", "value": "ada5@acme.example"},
    "property > number": {"property": "total_requests", "operator": ">", "value": 10_000},
    "property in a day": {"property": "record_date", "operator": "between", "value": _DAY},
}


@dataclass(frozen=True, slots=True)
class _Port:
    """A local Port that runs."""

    client: httpx.Client
    pid: int
    start_s: float
    """CPU time of the server from the command to the first answer."""

    def cpu_s(self, work: Callable[[], object]) -> float:
        """The CPU time of the server for this work."""
        before = _cpu_s(self.pid)
        work()
        return _cpu_s(self.pid) - before

    def memory_mb(self) -> float:
        """What the server holds now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split(maxsplit=1)[0]) / 1024

    def get(self, path: str) -> None:
        self.client.get(path).raise_for_status()

    def search(self, rule: dict[str, Any]) -> None:
        body = {"query": {"combinator": "and", "rules": [rule]}, "limit": 1000, "include": ["$identifier"]}
        self.client.post(f"/v1{_TABLE}/entities/search", json=body).raise_for_status()

    def upsert(self, blueprint: str, bodies: list[bytes]) -> None:
        for body in bodies:
            answer = self.client.post(f"/v1/blueprints/{blueprint}/entities/bulk?upsert=true", content=body)
            if answer.status_code != httpx.codes.OK:
                raise SystemExit(f"emulator: the local Port answered {answer.text[:300]}")


def main() -> None:
    """Measure each case and print it beside its target."""
    cases = {"upsert": _upsert, "views": _views, "dashboard": _dashboard, "start": _start, "load": _load}
    parser = argparse.ArgumentParser(prog="./dev bench emulator", description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(cases)}; all of them by default")
    parser.add_argument("--entities", type=int, default=_ENTITIES, help="for all cases but load")
    parser.add_argument("--load", type=int, default=1_000_000, help="entities of the case load")
    wanted = parser.parse_args()
    if unknown := set(wanted.cases) - set(cases):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
    print(f"the local Port; Python {platform.python_version()}, {os.cpu_count()} cores; CPU time of the server\n")
    kept = [cases[name](wanted.load if name == "load" else wanted.entities) for name in wanted.cases or cases]
    sys.exit(0 if all(kept) else 1)


def _upsert(entities: int) -> bool:
    """Bulk upserts of 20 with validation, over HTTP, first of new entities and then of the same."""
    rates = []
    with tempfile.TemporaryDirectory() as folder, _port(Path(folder)) as port:
        for what in ("new", "the same again"):
            taken = sum(_filled(port, range(entities // 5)).values())
            rates.append(entities / taken)
            print(f"   upsert: {entities:,} entities, {what}: {rates[-1]:,.0f} entities/s of one core", flush=True)
    return _verdict("upsert", min(rates) / _PER_SECOND, f"at least {_PER_SECOND:,} entities/s", least=True)


def _views(entities: int) -> bool:
    """Tables and searches over one blueprint."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder, _port(Path(folder)) as port:
        _filled(port, range(entities), only=_OF)
        works: dict[str, Callable[[], None]] = {view: lambda view=view: port.get(view) for view in _VIEWS}  # type: ignore[misc]
        works |= {f"search: {name}": lambda rule=rule: port.search(rule) for name, rule in _SEARCHES.items()}  # type: ignore[misc]
        for name, work in works.items():
            taken = min(_repeated(port, work)) * 1000
            worst = max(worst, taken)
            print(f"    views: {taken:5.0f} ms, {taken / _VIEW_MS:5.2f} of what it may take  {name}", flush=True)
    return _verdict("views", worst / _VIEW_MS, f"the slowest below {_VIEW_MS} ms")


def _dashboard(entities: int) -> bool:
    """The first look at the dashboard over the five blueprints, and the second."""
    with tempfile.TemporaryDirectory() as folder, _port(Path(folder)) as port:
        _filled(port, range(entities // 5))
        port.client.post("/v1/pages", json=catalogs.dashboard()).raise_for_status()
        path = f"/dashboards/{catalogs.dashboard()['identifier']}"
        first, second = (port.cpu_s(lambda: port.get(path)) for _ in range(2))
    print(f"dashboard: {entities:,} entities: {first:.2f} s, the second time {second:.3f} s")
    return _verdict("dashboard", first / _DASHBOARD_S, f"below {_DASHBOARD_S} s")


def _start(entities: int) -> bool:
    """From the command to the first answer: without a file, and with one that is full."""
    with tempfile.TemporaryDirectory() as folder:
        with _port(Path(folder)) as port:
            _filled(port, range(entities // 5))
        starts: dict[str, list[float]] = {"empty": [], "full": []}
        for _ in range(_TIMES):
            for name, place in (("empty", None), ("full", Path(folder))):
                with _port(place) as port:
                    starts[name].append(port.start_s)
    for name, taken in starts.items():
        print(f"    start: {name}: {min(taken):.2f} s at best, {max(taken):.2f} s at worst")
    worst = max(min(taken) for taken in starts.values())
    return _verdict("start", worst / _START_S, f"both at best below {_START_S} s")


def _load(entities: int) -> bool:
    """Ten parts, one after the other: what each takes, and how a search and the overview do beside it."""
    part = entities // 10
    rates = []
    with tempfile.TemporaryDirectory() as folder, _port(Path(folder)) as port:
        for number in range(10):
            (taken,) = _filled(port, range(number * part, (number + 1) * part), only=_OF).values()
            rates.append(part / taken)
            size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20
            search = min(_repeated(port, lambda: port.search(_SEARCHES["$datasource of all"]))) * 1000
            overview = min(_repeated(port, lambda: port.get("/"))) * 1000
            print(
                f"     load: {(number + 1) * part:9,} entities: {rates[-1]:6,.0f} entities/s, file {size:5,.0f} MB, "
                f"memory {port.memory_mb():4.0f} MB, a search {search:3.0f} ms, the overview {overview:3.0f} ms",
                flush=True,
            )
    return _verdict(
        "load", rates[0] / rates[-1], f"the last part at most {_SLOWER} times as slow as the first", _SLOWER
    )


def _verdict(name: str, ratio: float, target: str, most: float = 1.0, *, least: bool = False) -> bool:
    is_kept = ratio >= most if least else ratio < most
    print(f"{name:>9}: {ratio:.2f} ({target}: {'yes' if is_kept else 'NO'})\n", flush=True)
    return is_kept


def _repeated(port: _Port, work: Callable[[], None]) -> list[float]:
    """The CPU time of some repetitions, each the mean of three: the kernel counts in hundredths of a second."""

    def thrice() -> None:
        for _ in range(3):
            work()

    return [port.cpu_s(thrice) / 3 for _ in range(_TIMES)]


def _filled(port: _Port, numbers: range, only: str | None = None) -> dict[str, float]:
    """Write these entities of each blueprint; the server's CPU time by blueprint."""
    taken = {}
    for blueprint in catalogs.blueprints():
        name = blueprint["identifier"]
        if only not in (None, name):
            continue
        port.client.post("/v1/blueprints", json=blueprint)  # which is there already the second time
        taken[name] = 0.0
        for start in range(numbers.start, numbers.stop, 2000):
            bodies = list(catalogs.batches_of(blueprint, range(start, min(start + 2000, numbers.stop))))
            taken[name] += port.cpu_s(lambda bodies=bodies, name=name: port.upsert(name, bodies))  # type: ignore[misc]
    return taken


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def _port(folder: Path | None) -> Iterator[_Port]:
    """`portsync emulate` with a file in this folder, or none."""
    place = [] if folder is None else ["--db", str(folder / "catalog.db")]
    command = [str(Path(sys.executable).with_name("portsync")), "emulate", "--port", "0", *place]
    credentials = {"PORT_CLIENT_ID": "bench", "PORT_CLIENT_SECRET": "bench-secret"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **credentials}
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("export PORT_BASE_URL=")
        headers = {"user-agent": "portsync/bench/1.0"}
        with httpx.Client(base_url=url, trust_env=False, timeout=600, headers=headers) as client:
            body = {"clientId": "bench", "clientSecret": "bench-secret"}
            token = orjson.loads(client.post("/v1/auth/access_token", json=body).raise_for_status().content)
            taken = _cpu_s(process.pid)
            client.headers["authorization"] = f"Bearer {token['accessToken']}"
            yield _Port(client, process.pid, taken)
        process.terminate()


if __name__ == "__main__":
    main()
