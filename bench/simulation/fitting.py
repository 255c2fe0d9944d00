"""What the parts of a sync cost on this machine: real runs of different shapes, and what explains their differences."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.runs import started
from bench.simulation.costs import Costs
from bench.simulation.forecast import FIELD_MB, forecast
from bench.simulation.real import Measured, batches, measured
from bench.simulation.shapes import Cluster, Port, Shape, Source, Work
from bench.simulation.state_costs import state_costs
from bench.simulation.watching import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SHAPES = (
    Shape(Work(1, 1, 1), name="one record"),
    Shape(Work(1, 1, 1, changed=0.0, is_again=True), name="one record, again"),
    Shape(Work(1, 24_000, 400), name="large pages"),
    Shape(Work(1, 24_000, 400, changed=0.0, is_again=True), name="large pages, again"),
    Shape(Work(1, 10_000, 10), name="small pages"),
    Shape(Work(1, 10_000, 10, changed=0.0, is_again=True), name="small pages, again"),
    Shape(Work(1_000, 1, 1), name="short chains"),
    Shape(Work(1, 6_000, 100, fields=60), name="wide records"),
    Shape(Work(1, 6_000, 100, fields=60, changed=0.0, is_again=True), name="wide records, again"),
)
_SLOW_PORT_S = 0.2
WIRE_S = 0.0003
_SETTLED_S, _RESTING_S = 5.0, 5.0
ONE_MACHINE = Cluster(1, cores=os.cpu_count() or 1, slices=2, grant_s=WIRE_S)
"""A worker on the machine that everything else is on."""
CLUSTER_SHAPES = (
    Shape(Work(1, 1, 1), site=ONE_MACHINE, name="one record"),
    Shape(Work(1_000, 1, 1), site=ONE_MACHINE, name="short chains"),
    Shape(Work(60, 200, 100), site=ONE_MACHINE, name="large pages"),
    Shape(Work(2, 2_000, 10), site=ONE_MACHINE, name="small pages"),
)
LAGGING = Shape(Work(300, 10, 10), Source(0.06, 5), site=ONE_MACHINE, name="a slow source")


@dataclass(frozen=True, slots=True)
class Run:
    """A shape, and what it took."""

    shape: Shape
    took: Measured


def measure(told: Callable[[str], None], repeat: int = 3) -> Costs:
    """The costs of this machine. `told` hears how far it is."""
    runs = []
    for shape in SHAPES:
        told(f"measuring: {shape.name}")
        runs.append(Run(shape, measured(shape, repeat)))
    told("measuring: a slow Port")
    slow = measured(replace(runs[1].shape, port=Port(latency_s=_SLOW_PORT_S)), repeat)
    told("measuring: the state in PostgreSQL")
    costs = fitted(runs, slow, state_costs())
    told("measuring: a cluster that rests")
    resting, resting_worker = at_rest()
    over = []
    for shape in CLUSTER_SHAPES:
        told(f"measuring: a cluster, {shape.name}")
        over.append(Run(shape, measured(shape, repeat)))
    told(f"measuring: a cluster, {LAGGING.name}")
    lagging = measured(LAGGING, repeat)
    return with_cluster(replace(costs, resting=resting, resting_worker=resting_worker), over, lagging)


def fitted(runs: Sequence[Run], slow: Measured, state: Mapping[str, float]) -> Costs:
    """The costs that explain best what the runs took, each run counting as much as any other."""

    def explained(took: Callable[[Run], float], *features: Callable[[Work], float]) -> list[float]:
        rows = [[feature(run.shape.work) for feature in features] for run in runs]
        return least_squares(rows, [took(run) for run in runs])

    write_s = state["write_s"]
    start_s, start_again_s, chain_s, page_s, entity_s, batch_s, batch_field_s = explained(
        lambda run: run.took.main_cpu_s - write_s * run.shape.work.written_together,
        lambda work: not work.is_again,
        lambda work: work.is_again,
        lambda work: work.chains,
        lambda work: _pages(work) - work.chains,
        lambda work: work.entities,
        lambda work: batches(work.sent),
        lambda work: work.sent * work.fields,
    )
    jq_start_s, jq_page_s, jq_entity_s, jq_field_s = explained(
        lambda run: run.took.jq_cpu_s,
        lambda work: 1 + (_pages(work) > 1),
        _pages,
        lambda work: work.entities,
        lambda work: work.entities * work.fields,
    )
    source_s, source_field_s = explained(
        lambda run: run.took.source_cpu_s, lambda work: work.requests, lambda work: work.entities * work.fields
    )
    _, port_s, port_field_s = explained(
        lambda run: run.took.port_cpu_s,
        lambda _: 1.0,
        lambda work: batches(work.sent),
        lambda work: work.sent * work.fields,
    )
    one, again = runs[0].took, runs[1].took
    idle_s = (_idle_s(one) + _idle_s(again)) / 2
    costs = Costs(
        start_s=start_s,
        start_again_s=start_again_s,
        idle_s=idle_s,
        port_turns=(_idle_s(slow) - idle_s) / _SLOW_PORT_S,
        chain_s=chain_s,
        page_s=page_s,
        entity_s=entity_s,
        batch_s=batch_s,
        batch_field_s=batch_field_s,
        jq_start_s=jq_start_s,
        jq_page_s=jq_page_s,
        jq_entity_s=jq_entity_s,
        jq_field_s=jq_field_s,
        source_s=source_s,
        source_field_s=source_field_s,
        port_s=port_s,
        port_field_s=port_field_s,
        wire_s=WIRE_S,
        **state,
        cluster_start_s=0.0,
        cluster_idle_s=0.0,
        worker_start_s=0.0,
        asking_s=0.0,
        lag_s=0.0,
        granting_s=0.0,
        resting=0.0,
        resting_worker=0.0,
        base_mb=0.0,
        row_mb=0.0,
        page_mb=0.0,
        worker_mb=0.0,
        jq_mb=0.0,
        jq_page_mb=0.0,
    )
    return _with_memory(costs, runs)


def _idle_s(took: Measured) -> float:
    return max(0.0, took.wall_s - took.main_cpu_s)


def _with_memory(costs: Costs, runs: Sequence[Run]) -> Costs:
    main, jq = [], []
    for run in runs:
        played = forecast(run.shape, costs)
        page_mb = run.shape.work.page * run.shape.work.fields * FIELD_MB
        main.append([1.0, float(run.shape.work.entities), played.most_held * page_mb])
        jq.append([float(played.jq_started), played.jq_started * page_mb])
    base_mb, row_mb, page_mb = least_squares(main, [run.took.main_mb for run in runs])
    jq_mb, jq_page_mb = least_squares(jq, [run.took.jq_mb for run in runs])
    return replace(costs, base_mb=base_mb, row_mb=row_mb, page_mb=page_mb, jq_mb=jq_mb, jq_page_mb=jq_page_mb)


def with_cluster(costs: Costs, runs: Sequence[Run], lagging: Measured) -> Costs:
    """The same, with what a cluster costs beyond it; the first of the runs is of one record."""
    one = runs[0]
    asked = [[1.0, run.took.requests + run.took.writes] for run in runs]
    _, granting_s = least_squares(
        asked, [max(0.01, run.took.scheduler_cpu_s - costs.resting * run.took.wall_s) for run in runs]
    )
    worker_start_s, asking_s = least_squares(
        asked, [_beyond_s(costs, run.took, _in_python_s(costs, run.shape.work)) for run in runs]
    )
    costs = replace(
        costs,
        cluster_start_s=max(0.0, one.took.main_cpu_s - costs.start_s),
        worker_start_s=worker_start_s,
        asking_s=asking_s,
        granting_s=granting_s,
        worker_mb=one.took.main_mb,
    )
    costs = replace(costs, cluster_idle_s=max(0.0, one.took.wall_s - forecast(one.shape, costs).wall_s))
    late_s = lagging.wall_s - forecast(LAGGING, costs).wall_s
    return replace(costs, lag_s=max(0.0, late_s * LAGGING.source.concurrency / LAGGING.work.requests))


def _beyond_s(costs: Costs, took: Measured, known_s: float) -> float:
    """What a worker computed beyond what is known of it; never nothing, because shares of it are looked at."""
    return max(0.01, took.worker_cpu_s - costs.resting_worker * took.wall_s - known_s)


def _in_python_s(costs: Costs, work: Work) -> float:
    """What reading and writing take, wherever that is done."""
    pages_s = costs.chain_s * work.chains + costs.page_s * (_pages(work) - work.chains)
    each_write_s = costs.write_s + costs.state_python_s + costs.claim_python_s
    each_s = costs.entity_s + costs.state_python_entity_s + costs.claim_python_entity_s
    written_s = each_write_s * work.written_together + each_s * work.entities
    return pages_s + written_s + costs.batch_s * batches(work.sent) + costs.batch_field_s * work.sent * work.fields


def at_rest() -> tuple[float, float]:
    """Cores that the scheduler takes, and a worker, while there is nothing to do."""
    with started("workers", "1", "--threads", "2") as (_, pid):
        time.sleep(_SETTLED_S)
        with watched({"scheduler": pid}) as watch:
            time.sleep(_RESTING_S)
    spent = watch.cpu_s()
    return spent["scheduler"] / _RESTING_S, spent["worker"] / _RESTING_S


def _pages(work: Work) -> float:
    return work.chains * work.chain_pages


def least_squares(rows: Sequence[Sequence[float]], found: Sequence[float]) -> list[float]:
    """The weights of the columns by which they come nearest to `found`, in proportion to it; none is negative: what
    would be is left out."""
    columns = list(range(len(rows[0])))
    while True:
        weighted = [[row[c] / value for c in columns] for row, value in zip(rows, found, strict=True)]
        solved = _solved(
            [[sum(row[a] * row[b] for row in weighted) for b in range(len(columns))] for a in range(len(columns))],
            [sum(row[a] for row in weighted) for a in range(len(columns))],
        )
        if min(solved) >= 0:
            weights = dict(zip(columns, solved, strict=True))
            return [weights.get(c, 0.0) for c in range(len(rows[0]))]
        columns.pop(solved.index(min(solved)))


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss's elimination, the largest pivot first."""
    size = len(right)
    lines = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda line: abs(lines[line][column]))
        lines[column], lines[pivot] = lines[pivot], lines[column]
        for line in range(size):
            if line != column:
                factor = lines[line][column] / lines[column][column]
                lines[line] = [a - factor * b for a, b in zip(lines[line], lines[column], strict=True)]
    return [lines[line][size] / lines[line][line] for line in range(size)]
