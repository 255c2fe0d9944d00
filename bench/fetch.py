"""How well reading keeps up with a slow source, and what a large document costs: `./dev bench fetch [CASE ...]`.

The real command reads from a loopback source whose every answer takes its time. One record in a hundred is sent to a
loopback Port: all are read and mapped, but it is the reading that is measured. Exit code 1 where a run fails.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.runs import BenchError, Taken, server, timed_sync
from bench.slow_source import LARGE_ITEMS, PAGE_SIZE, PAGES, PARENTS
from bench.workload import BLUEPRINT, blueprint

_LARGE_MB = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One way of reading, and what the best possible reader would take."""

    name: str
    latency_ms: int
    kind: str
    selector: str
    concurrency: int
    records: int
    ideal_s: float
    at_most: float
    """Times the ideal."""


_CASES = (
    Case(
        "cursor",
        50,
        "/cursor",
        "pagination: {type: cursor, cursor_path: .next}",
        10,
        PAGES * PAGE_SIZE,
        PAGES * 0.050,
        1.1,
    ),
    Case(
        "pages",
        50,
        "/pages",
        "pagination: {type: page, page_size: 100, total_pages_path: .total_pages}",
        10,
        PAGES * PAGE_SIZE,
        PAGES * 0.050,
        0.15,
    ),
    Case(
        "parents",
        20,
        "/parents/{parent}/children",
        "path_parameters: {parent: {endpoint: /parents, data_path: .data, field: .id}}",
        20,
        PARENTS,
        PARENTS * 0.020 / 20,
        1.25,
    ),
)

_MAPPING = """
source:
  base_url: {url}
  concurrency: {concurrency}
  timeout: 120
resources:
  - kind: {kind}
    selector:
      data_path: .data
      query: .n % {every} == 0
      {selector}
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"{blueprint}"'
"""


def main() -> None:
    """Measure each case and print what it took beside the ideal."""
    names = [case.name for case in _CASES] + ["large"]
    parser = argparse.ArgumentParser(prog="./dev bench fetch", description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(names)}; all of them by default")
    wanted = parser.parse_args().cases or names
    print(f"portsync sync; Python {platform.python_version()}, {os.cpu_count()} cores\n")
    try:
        for case in _CASES:
            if case.name in wanted:
                _print(case, _run(case))
        if "large" in wanted:
            _print_large()
    except BenchError as error:
        print(f"fetch: {error}", file=sys.stderr)
        sys.exit(1)


def _run(case: Case, **environment: str) -> Taken:
    with (
        tempfile.TemporaryDirectory() as name,
        server("slow_source", str(case.latency_ms)) as source_url,
        server("counting_port") as port_url,
    ):
        folder = Path(name)
        (folder / "blueprints" / "bench").mkdir(parents=True)
        (folder / "blueprints" / "bench" / f"{BLUEPRINT}.json").write_text(json.dumps(blueprint()), encoding="utf-8")
        text = _MAPPING.format(
            url=source_url,
            concurrency=case.concurrency,
            kind=case.kind,
            selector=case.selector,
            every=100 if case.records < LARGE_ITEMS else 1000,
            blueprint=BLUEPRINT,
        )
        (folder / "bench.yaml").write_text(text, encoding="utf-8")
        taken = timed_sync(folder / "bench.yaml", port_url, **environment)
    (resource,) = taken.report["resources"]
    if (resource["verdict"], resource["records"]) != ("complete", case.records):
        raise BenchError(f"{case.name}: {resource['records']} of {case.records} records, {resource['verdict']}")
    return taken


def _print(case: Case, taken: Taken) -> None:
    read_s = taken.report["duration_s"]
    kept = "yes" if read_s <= case.ideal_s * case.at_most else "NO"
    print(
        f"{case.name:>8}: {taken.report['resources'][0]['requests']:,} requests of {case.latency_ms} ms, "
        f"concurrency {case.concurrency}: {read_s:.2f} s, "
        f"{read_s / case.ideal_s:.3f} times {case.ideal_s:.1f} s (at most {case.at_most}: {kept}); "
        f"whole command {taken.wall_s:.2f} s, CPU {taken.cpu_s:.2f} s"
    )


def _print_large() -> None:
    case = Case("large", 0, f"/large?mb={_LARGE_MB}", "decode: json", 10, LARGE_ITEMS, 1, 1)
    taken = _run(case)
    peak = taken.main_mb + taken.worker_mb
    print(
        f"   large: one document of {_LARGE_MB} MB, {LARGE_ITEMS:,} items: peak {peak:.0f} MB "
        f"({taken.main_mb:.0f} and {taken.worker_mb:.0f} of JQ workers), {peak / _LARGE_MB:.2f} times the document "
        f"(at most 3: {'yes' if peak <= 3 * _LARGE_MB else 'NO'}), {taken.wall_s:.1f} s"
    )


if __name__ == "__main__":
    main()
