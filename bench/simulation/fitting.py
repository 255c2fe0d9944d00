"""What the parts of a sync cost on this machine: real runs of different shapes, and what explains their differences."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from tests.postgres import postgres_server

from bench.simulation.costs import Costs
from bench.simulation.forecast import FIELD_MB, forecast
from bench.simulation.real import Measured, batches, measured
from bench.simulation.shapes import Port, Shape, Work
from portsync.flow import Entity
from portsync.state.catalog import Accepted, Catalog
from portsync.state.place import StatePlace
from portsync.state.store import opened_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    return fitted(runs, slow, *_state_costs())


def fitted(runs: Sequence[Run], slow: Measured, *state: float) -> Costs:
    """The costs that explain best what the runs took, each run counting as much as any other."""

    def explained(took: Callable[[Measured], float], *features: Callable[[Work], float]) -> list[float]:
        rows = [[feature(run.shape.work) for feature in features] for run in runs]
        return least_squares(rows, [took(run.took) for run in runs])

    start_s, start_again_s, chain_s, page_s, entity_s, batch_s, batch_field_s = explained(
        lambda took: took.main_cpu_s,
        lambda work: not work.is_again,
        lambda work: work.is_again,
        lambda work: work.chains,
        lambda work: _pages(work) - work.chains,
        lambda work: work.entities,
        lambda work: batches(work.sent),
        lambda work: work.sent * work.fields,
    )
    jq_start_s, jq_page_s, jq_entity_s, jq_field_s = explained(
        lambda took: took.jq_cpu_s,
        lambda work: 1 + (_pages(work) > 1),
        _pages,
        lambda work: work.entities,
        lambda work: work.entities * work.fields,
    )
    source_s, source_field_s = explained(
        lambda took: took.source_cpu_s, lambda work: work.requests, lambda work: work.entities * work.fields
    )
    _, port_s, port_field_s = explained(
        lambda took: took.port_cpu_s,
        lambda _: 1.0,
        lambda work: batches(work.sent),
        lambda work: work.sent * work.fields,
    )
    one, again = runs[0].took, runs[1].took
    idle_s = (_idle_s(one) + _idle_s(again)) / 2
    state_page_s, state_entity_s, state_sent_s, state_python_s, stale_s = state
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
        wire_s=_WIRE_S,
        state_page_s=state_page_s,
        state_entity_s=state_entity_s,
        state_sent_s=state_sent_s,
        state_python_s=state_python_s,
        stale_s=stale_s,
        base_mb=0.0,
        row_mb=0.0,
        page_mb=0.0,
        jq_mb=0.0,
        jq_page_mb=0.0,
    )
    return _with_memory(costs, runs)


_WIRE_S = 0.0003


def _idle_s(took: Measured) -> float:
    return max(0.0, took.wall_s - took.main_cpu_s)


def _with_memory(costs: Costs, runs: Sequence[Run]) -> Costs:
    main, jq = [], []
    for run in runs:
        played = forecast(run.shape, costs)
        page_mb = run.shape.work.page * run.shape.work.fields * FIELD_MB
        page_mb = run.shape.work.page * run.shape.work.fields * FIELD_MB
        main.append([1.0, float(run.shape.work.entities), played.most_held * page_mb])
        jq.append([float(played.jq_started), played.jq_started * page_mb])
    base_mb, row_mb, page_mb = least_squares(main, [run.took.main_mb for run in runs])
    jq_mb, jq_page_mb = least_squares(jq, [run.took.jq_mb for run in runs])
    return replace(costs, base_mb=base_mb, row_mb=row_mb, page_mb=page_mb, jq_mb=jq_mb, jq_page_mb=jq_page_mb)


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


# The state in PostgreSQL, alone: pages of two sizes, given, accepted, and given again.

_SMALL, _LARGE, _ROWS = 20, 500, 40_000


def _state_costs() -> tuple[float, float, float, float, float]:
    with postgres_server() as url:
        place = StatePlace(url=url.replace("postgresql:", "postgresql+psycopg:"), integration="bench")
        small, large = _asked(place, "small", _SMALL), _asked(place, "large", _LARGE)
        with opened_state(place) as connection:
            catalog = Catalog(connection, "large", "")
            begun = time.perf_counter()
            assert catalog.unseen_count("bench") == _ROWS  # nothing was given in this run
            assert catalog.seen_count("bench") == 0
            stale_s = (time.perf_counter() - begun) / _ROWS
    with tempfile.TemporaryDirectory() as folder:
        lite = _asked(StatePlace(Path(folder, "state.db")), "lite", _LARGE)
    page_small, page_large = small.again_wait_s, large.again_wait_s
    entity_s = max(0.0, (page_large - page_small) / (_LARGE - _SMALL))
    page_s = max(0.0, page_small - entity_s * _SMALL)
    sent_s = max(0.0, large.first_wait_s / _LARGE - page_large / _LARGE)
    return page_s, entity_s, sent_s, max(0.0, large.again_cpu_s - lite.again_cpu_s), stale_s


@dataclass(frozen=True, slots=True)
class _Asked:
    """Seconds for a page: of CPU here, and of waiting for the database."""

    first_wait_s: float
    again_cpu_s: float
    again_wait_s: float


def _asked(place: StatePlace, name: str, page: int) -> _Asked:
    taken = []
    for _ in range(2):
        with opened_state(place) as connection:
            catalog = Catalog(connection, name, "")
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            for first in range(0, _ROWS, page):
                entities = [_entity(number) for number in range(first, first + page)]
                changed = catalog.changed("/records#1", "bench", entities)
                catalog.accept(Accepted("/records#1", "bench", one.identifier, one.digest) for one in changed)
            catalog.close()
            cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
            taken.append((cpu_s * page / _ROWS, (wall_s - cpu_s) * page / _ROWS))
    (_, first_wait_s), (again_cpu_s, again_wait_s) = taken
    return _Asked(first_wait_s, again_cpu_s, again_wait_s)


def _entity(number: int) -> Entity:
    name = f"record-{number:012d}"
    return Entity("bench", name, b"", blake2b(name.encode(), digest_size=16).digest(), 1, number)
