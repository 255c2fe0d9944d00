"""A shape and the costs of its parts -> what a sync of it will take."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.simulation.clockwork import Clockwork, Limit, Machine, Places, Process, Program, Signal
from bench.simulation.line import Worker, World
from bench.simulation.shapes import Cluster, Local, Shape

if TYPE_CHECKING:
    from bench.simulation.costs import Costs

CACHES_MB = 18.0
"""What SQLite keeps of the state (state/store.py: 16 MB) and of what was seen (2 MB, its own default) in memory."""
FIELD_MB = 40e-6
"""Of a record as JSON, for each of its fields: name, value, punctuation."""
_FULL = 0.5
"""From this share of the time on it is what is nearest to its limit that is said to hold the sync up."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a sync will take."""

    wall_s: float
    requests: int
    """To the source."""
    writes: int
    """Bulk requests to Port."""
    main_mb: float
    """Of the command, or of a worker."""
    jq_mb: float
    shares: dict[str, float] = field(default_factory=dict)
    """How much of what there is of each part is used, from 0 to 1."""
    jq_started: int = 1
    """JQ processes."""
    most_held: int = 0
    """Pages that waited for what comes after them, at most."""
    events: int = 0
    entities: int = 0

    @property
    def memory_mb(self) -> float:
        return self.main_mb + self.jq_mb

    @property
    def held_up_by(self) -> str:
        """What is nearest to its limit; `waiting` where nothing is near it: for the answers to one request after the
        other."""
        name, share = max(self.shares.items(), key=lambda pair: pair[1])
        return name if share >= _FULL else "waiting"


def forecast(shape: Shape, costs: Costs, *, grain: int = 1, others: float = 0.0) -> Forecast:
    """Play a sync of `shape`. With `grain`, each chain that is played stands for so many; `others` is how many cores
    of the machine others take, on average."""
    if isinstance(shape.site, Local):
        return _local(shape, shape.site, costs, others)
    return _cluster(shape, shape.site, costs, grain)


def _world(clock: Clockwork, shape: Shape, costs: Costs, grain: int = 1) -> World:
    budget, limit = shape.source.budget, shape.port.limit
    return World(
        clock,
        shape,
        costs,
        grain,
        places=Places(clock, shape.source.concurrency),
        budget=None if budget is None else Limit(clock, budget.requests, budget.per),
        window=None
        if limit is None
        else Limit(clock, limit.requests, limit.per, in_windows=True, lag_s=shape.port.latency_s + costs.wire_s),
        source=None,
        port=None,
    )


def _local(shape: Shape, site: Local, costs: Costs, others: float) -> Forecast:
    clock = Clockwork()
    machine = Machine(clock, site.cores)
    world = _world(clock, shape, costs)
    main, *jq = (Program(clock, machine) for _ in range(1 + site.cores))
    if site.has_servers:
        world.source, world.port = Program(clock, machine), Program(clock, machine)
    if shape.state == "postgres":
        world.database = Program(clock, machine)
    worker = Worker(world, main, jq, Places(clock, site.cores))
    chains = deque([shape.work.records] * shape.work.chains)
    start_s = costs.start_again_s if shape.work.is_again else costs.start_s
    finished = Signal()
    ended_at = 0.0

    def command() -> Process:
        nonlocal ended_at
        yield main.use(start_s)
        yield costs.idle_s + costs.port_turns * shape.port.latency_s
        world.counts.requests += 1
        if world.budget is not None:
            yield world.budget.enter(1)
        yield shape.source.latency_s + costs.wire_s
        yield from worker.run(chains)
        ended_at = clock.now
        finished.happen()

    def disturbance() -> Process:
        program = Program(clock, machine)
        while not finished.has_happened:
            yield program.use(0.003)
            yield 0.003 / others - 0.003

    clock.start(command())
    if others >= _LEAST_OTHERS:
        clock.start(disturbance())
    clock.run()
    parts = {"CPU (Python)": main.busy_s / ended_at, "CPU (JQ)": sum(p.busy_s for p in jq) / len(jq) / ended_at}
    return _found(world, ended_at, parts, worker.started, worker.most_held, shape.work.entities)


_LEAST_OTHERS = 0.02


def _cluster(shape: Shape, site: Cluster, costs: Costs, grain: int) -> Forecast:
    clock = Clockwork()
    world = _world(clock, shape, costs, grain)
    world.granting, world.grant_s, world.grant_cpu_s = Places(clock, 1), site.grant_s, site.grant_cpu_s
    world.database = Places(clock, site.database_cores)
    endless = Machine(clock, math.inf)
    workers = []
    left = all_chains = -(-shape.work.chains // grain)
    known = 0
    more = Signal()
    coordinator = Places(clock, 1)
    ended_at = 0.0
    running = site.workers
    sizes = Slices(shape.source.concurrency, site, grain)

    def work() -> Process:
        nonlocal left, known, running, ended_at
        main, jq = Program(clock, endless), Program(clock, endless)
        worker = Worker(world, main, [jq], Places(clock, 1))
        workers.append((worker, main, jq))
        while left:
            if not known:
                yield more.wait
                continue
            size = min(sizes.next(left), known)
            left, known = left - size, known - size
            yield coordinator.use(site.slice_cpu_s)
            begun = clock.now
            yield from worker.run(deque([shape.work.records] * size))
            sizes.took(size, clock.now - begun)
        running -= 1
        if not running:
            ended_at = clock.now

    def command() -> Process:
        start_s = costs.start_again_s if shape.work.is_again else costs.start_s
        yield start_s + costs.idle_s + costs.port_turns * shape.port.latency_s
        for _ in range(site.workers):
            clock.start(work())
        yield from parents()

    def parents() -> Process:
        """The parameter's values come page by page, while workers read what belongs to the first ones."""
        nonlocal known, more
        pages = shape.work.parent_pages
        steps = max(1, pages // max(1, grain))
        for step in range(steps):
            count = pages * (step + 1) // steps - pages * step // steps
            yield from world.granted(count)
            if world.budget is not None:
                yield world.budget.enter(count)
            world.counts.requests += count
            yield (shape.source.latency_s + costs.wire_s) * count
            known += all_chains * (step + 1) // steps - all_chains * step // steps
            told, more = more, Signal()
            told.happen()

    clock.start(command())
    clock.run()
    # What was not seen is looked for once, at the end, by one connection.
    ended_at += costs.stale_s * shape.work.entities
    parts = {
        "CPU (Python)": max(main.busy_s for _, main, _ in workers) / ended_at,
        "CPU (JQ)": max(jq.busy_s for _, _, jq in workers) / ended_at,
        "state": world.database.busy_s / site.database_cores / ended_at,
        "gate": world.granting.busy_s / ended_at,
        "coordinator": coordinator.busy_s / ended_at,
    }
    most_held = max(worker.most_held for worker, _, _ in workers)
    seen = shape.work.entities // site.workers
    return _found(world, ended_at, parts, 1, most_held, seen)


class Slices:
    """How many chains a slice has: as many as are read at once in the beginning, later as many as take the time that a
    slice is to take, and in the end so few that all workers have some."""

    def __init__(self, first: int, site: Cluster, grain: int) -> None:
        self._size = float(max(1, first // grain))
        self._site = site

    def next(self, left: int) -> int:
        """The size of the next one, where so many chains are left."""
        fair = -(-left // (2 * self._site.workers))
        return max(1, min(int(self._size), fair, left))

    def took(self, size: int, seconds: float) -> None:
        """Heed how long a slice took."""
        fitting = size * self._site.slice_s / max(seconds, 1e-6)
        self._size = min(max(1.0, fitting), 2 * max(self._size, size))


def _found(
    world: World, wall_s: float, parts: dict[str, float], jq_started: int, most_held: int, rows: int
) -> Forecast:
    shape, costs, counts = world.shape, world.costs, world.counts
    source, port = shape.source, shape.port
    shares = dict(parts)
    shares["source (concurrency)"] = world.places.busy_s / source.concurrency / wall_s
    if source.budget is not None:
        shares["source (budget)"] = counts.requests / (source.budget.each_s * wall_s)
    if port.limit is not None:
        shares["Port"] = counts.writes / (port.limit.each_s * wall_s)
    page_mb = shape.work.page * shape.work.fields * FIELD_MB
    return Forecast(
        wall_s=wall_s,
        requests=counts.requests,
        writes=counts.writes,
        main_mb=costs.base_mb + min(CACHES_MB, costs.row_mb * rows) + costs.page_mb * page_mb * most_held,
        jq_mb=jq_started * (costs.jq_mb + costs.jq_page_mb * page_mb),
        shares=shares,
        jq_started=jq_started,
        most_held=most_held,
        events=world.clock.events,
        entities=counts.entities,
    )
