"""Predictions against real runs, of shapes that nothing was fitted to."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.runs import SYNC
from bench.simulation.fitting import ONE_MACHINE
from bench.simulation.forecast import forecast
from bench.simulation.real import measured
from bench.simulation.shapes import Cluster, Port, Rate, Shape, Source, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.simulation.costs import Costs
    from bench.simulation.forecast import Forecast
    from bench.simulation.real import Measured


def _over(workers: int) -> Cluster:
    return replace(ONE_MACHINE, workers=workers)


HELD_OUT = (
    Shape(Work(12, 3_000, 150, fields=30), name="CPU: 36,000 records"),
    Shape(Work(60, 250, 50), Source(0.05, 4), name="50 ms, 4 at once"),
    Shape(Work(1, 4_000, 50), Source(0.1), name="100 ms, one chain"),
    Shape(Work(200, 5, 5), Source(budget=Rate(20, 1.0)), name="20 requests/s"),
    Shape(Work(1_500, 4, 50), Source(0.01, 20), name="1,500 chains of a page"),
    Shape(Work(20, 1_000, 200), port=Port(0.02, Rate(400, 5)), name="Port's limit"),
    Shape(Work(8, 2_500, 250), port=Port(0.3), name="300 ms to Port"),
    Shape(Work(20, 1_500, 250, changed=0.0, is_again=True), name="nothing changed"),
    Shape(Work(10, 2_000, 100, changed=0.1, is_again=True), Source(0.03), name="a tenth changed"),
    Shape(Work(10, 1_500, 100), state="postgres", name="state in PostgreSQL"),
    *(
        Shape(work, source, port, _over(workers), name=f"{name}; {workers} on a cluster")
        for workers in (1, 2)
        for work, source, port, name in (
            (Work(80, 250, 125, fields=20), Source(), Port(), "20,000 records"),
            (Work(400, 20, 10), Source(0.05, 8), Port(), "50 ms, 8 at once"),
            (Work(150, 5, 5), Source(budget=Rate(20, 1.0)), Port(), "20 requests/s"),
            (Work(20, 500, 100), Source(), Port(0.02, Rate(200, 4)), "Port's limit"),
        )
    ),
)
"""None is among the shapes that costs are fitted to, in fitting.py."""
_MOST = 0.15
_ROW = "{:34} {:>8} {:>8} {:>6}  {:>6} {:>6}  {:>6} {:>6}  {:>6} {:>6} {:>6}  {:>6}  {}"
_NOTES = """
Seconds are of the whole command, requests to the source, writes to Port; MB is VmHWM of the command and its JQ
workers, or of the largest worker of a cluster and its JQ process.
others: cores that other programs took meanwhile; a run is begun when the machine is quiet, and a row that was disturbed
nevertheless says nothing."""


def check(costs: Costs, repeat: int = 3, command: Sequence[str] = SYNC, shapes: Sequence[Shape] = HELD_OUT) -> bool:
    """Predict and run `shapes`, print both; whether all predictions are near enough. `command` is what syncs."""
    print(f"load {', '.join(f'{load:.1f}' for load in os.getloadavg())}; the fastest of {repeat} runs of each shape\n")
    titles = ("seconds", "really", "off", "reqs", "really", "writes", "really", "MB", "really", "off", "others", "")
    print(_ROW.format("shape", *titles))
    near = [_check(shape, costs, measured(shape, repeat, command)) for shape in shapes]
    print(_NOTES)
    return all(near)


def _check(shape: Shape, costs: Costs, took: Measured) -> bool:
    found = forecast(shape, costs)
    memory_mb = took.main_mb + took.jq_mb
    off, off_mb = found.wall_s / took.wall_s - 1, found.memory_mb / memory_mb - 1
    is_near = abs(off) <= _MOST and abs(off_mb) <= _MOST and _are_counts(shape, found, took)
    numbers = (
        f"{found.wall_s:.2f}", f"{took.wall_s:.2f}", f"{off:+.0%}", found.requests, f"{took.requests:.0f}",
        found.writes, f"{took.writes:.0f}", f"{found.memory_mb:.0f}", f"{memory_mb:.0f}", f"{off_mb:+.0%}",
        f"{took.others:.2f}", f"{found.held_up_by}{'' if took.is_quiet else '  DISTURBED'}{'' if is_near else '  OFF'}",
    )  # fmt: skip
    print(_ROW.format(shape.name, *numbers), flush=True)
    return is_near


def _are_counts(shape: Shape, found: Forecast, took: Measured) -> bool:
    """Whether requests and writes are as predicted. Each slice of a cluster ends with a batch that is not full, and how
    many slices there are depends on the moment."""
    is_near = abs(found.writes - took.writes) <= (_MOST * took.writes if isinstance(shape.site, Cluster) else 0)
    return found.requests == took.requests and is_near
