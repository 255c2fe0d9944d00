"""How much CPU, time and memory `portsync sync` takes: `./dev bench throughput [--records N ...] [--repeat R]`.

The real command reads generated records from a loopback source and writes them to a loopback Port. Those two are
processes of their own, so what they take is not counted. Exit code 1 where a sync fails or Port did not get all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import urllib.request
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

from bench.runs import BenchError, server, timed_sync
from bench.workload import BLUEPRINT, blueprint, mapping

OCEAN_CPU_US = 1050.0
OCEAN_PER_SECOND = 1150.0
OCEAN_MEMORY_MB = {20_000: 146.0, 100_000: 329.0}
"""The published measurement of Port's Ocean framework on the same work. Recorded, not measured here."""

_ROW = "{:>8}  {:>13}  {:>10}  {:>7}  {:>5}  {:>9}"
_NOTES = f"""
CPU: user + system of the command and its JQ worker, their start included. entities/s: of the whole command.
Memory: VmHWM of the command plus VmHWM of its JQ worker; pages that both share count twice. 1 MB is 10^6 bytes.
Ocean: recorded figures of a published measurement, not measured in this run:
{OCEAN_CPU_US:,.0f} us of CPU per entity, {OCEAN_PER_SECOND:,.0f} entities/s, \
{", ".join(f"{mb:.0f} MB at {records:,}" for records, mb in OCEAN_MEMORY_MB.items())} entities."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run took, or the median of several."""

    records: float
    cpu_s: float
    """User and system, of the command and of its JQ worker."""
    wall_s: float
    main_mb: float
    worker_mb: float

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.records * 1e6

    @property
    def per_second(self) -> float:
        return self.records / self.wall_s

    @property
    def memory_mb(self) -> float:
        return self.main_mb + self.worker_mb


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(prog="./dev bench throughput", description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=_positive, nargs="+", default=[20_000, 100_000], metavar="N")
    parser.add_argument("--repeat", type=_positive, default=1, metavar="R", help="runs of each size; medians are shown")
    arguments = parser.parse_args()
    try:
        found = [_median([measure(records) for _ in range(arguments.repeat)]) for records in arguments.records]
    except BenchError as error:
        print(f"throughput: {error}", file=sys.stderr)
        sys.exit(1)
    _print(found, arguments.repeat)


def measure(records: int) -> Figures:
    """Sync `records` records once. Raises BenchError where the command fails or Port did not get them all."""
    with (
        tempfile.TemporaryDirectory() as name,
        server("loopback_source", str(records)) as source_url,
        server("counting_port") as port_url,
    ):
        folder = Path(name)
        (folder / "blueprints" / "bench").mkdir(parents=True)
        (folder / "blueprints" / "bench" / f"{BLUEPRINT}.json").write_text(json.dumps(blueprint()), encoding="utf-8")
        (folder / "bench.yaml").write_text(mapping(source_url), encoding="utf-8")
        taken = timed_sync(folder / "bench.yaml", port_url)
        with urllib.request.urlopen(f"{port_url}/tally", timeout=10) as answer:
            tally = json.load(answer)
    expected = {"entities": records, "distinct": records, "wrong": 0}
    if tally != expected:
        raise BenchError(f"Port should have got {expected}, and got {tally}")
    return Figures(records, taken.cpu_s, taken.wall_s, taken.main_mb, taken.worker_mb)


def _median(runs: list[Figures]) -> Figures:
    return Figures(*(statistics.median(getattr(run, field.name) for run in runs) for field in fields(Figures)))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("has to be at least 1")
    return value


def _print(found: list[Figures], repeat: int) -> None:
    of_runs = "one run" if repeat == 1 else f"medians of {repeat} runs"
    print(f"portsync sync, {of_runs} of each size; Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print(_ROW.format("records", "CPU us/entity", "entities/s", "peak MB", "main", "JQ worker"))
    for run in found:
        figures = (run.records, run.cpu_us, run.per_second, run.memory_mb, run.main_mb, run.worker_mb)
        print(_ROW.format(*(f"{figure:,.0f}" for figure in figures)))
    print()
    for run in found:
        ratios = f"CPU {_ratio(run.cpu_us, OCEAN_CPU_US)}"
        if (ocean_mb := OCEAN_MEMORY_MB.get(int(run.records))) is not None:
            ratios += f", memory {_ratio(run.memory_mb, ocean_mb)}"
        print(f"Of Ocean's at {run.records:,.0f} records: {ratios}")
    for smaller, larger in pairwise(found):
        growth = f"{larger.memory_mb - smaller.memory_mb:+.1f} MB, {larger.memory_mb / smaller.memory_mb:.2f} times"
        print(f"Memory from {smaller.records:,.0f} to {larger.records:,.0f} records: {growth}")
    print(_NOTES)


def _ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.0%} ({theirs / ours:.1f} times less)"


if __name__ == "__main__":
    main()
