"""What a sync will take, before it runs: `./dev bench simulate [--measure] [--scale]`.

Without an option: the parts of a sync are measured in runs of some shapes, syncs of other shapes are predicted from
them, and those are run for real. Exit code 1 where a prediction is off by more than 15 %, or a run fails.
`--measure` measures only, and writes the costs to bench/costs.json. `--scale` predicts with those that are there, and
writes the tables of docs/explanation/scale.md; it runs nothing.
"""

from __future__ import annotations

import argparse
import os
import sys

from bench.runs import BenchError
from bench.simulation.check import check
from bench.simulation.costs import REFERENCE, Costs
from bench.simulation.fitting import measure
from bench.simulation.scale import write


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(prog="./dev bench simulate", description=__doc__.partition("\n")[0])
    parser.add_argument("--measure", action="store_true", help="only measure, and write bench/costs.json")
    parser.add_argument("--known", action="store_true", help="measure nothing anew: take what bench/costs.json says")
    parser.add_argument("--scale", action="store_true", help="write the tables of docs/explanation/scale.md")
    parser.add_argument("--repeat", type=int, default=3, metavar="R", help="runs of each shape; the fastest counts")
    asked = parser.parse_args()
    if asked.scale:
        write(Costs.load(), _told)
        return
    print(f"{os.cpu_count()} cores; load {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    try:
        costs = Costs.load() if asked.known else measure(_told, asked.repeat)
        if asked.measure:
            costs.save()
            _told(f"written: {REFERENCE}")
            return
        sys.exit(0 if check(costs, asked.repeat) else 1)
    except BenchError as error:
        print(f"simulate: {error}", file=sys.stderr)
        sys.exit(1)


def _told(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
