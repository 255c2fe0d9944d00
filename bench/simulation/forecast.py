"""A shape and the costs of its parts -> what a sync of it will take."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.simulation.clockwork import Clockwork, Limit, Machine, Places, Process, Program
from bench.simulation.cluster_run import ClusterRun, parents_read
from bench.simulation.jq import Jq
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
_MOMENT_S = 1e-6
"""No sync takes less."""


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


def forecast(shape: Shape, costs: Costs, *, grain: int = 1) -> Forecast:
    """Play a sync of `shape`. With `grain`, each chain that is played stands for so many."""
    if isinstance(shape.site, Local):
        return _local(shape, shape.site, costs, grain)
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


def _local(shape: Shape, site: Local, costs: Costs, grain: int) -> Forecast:
    clock = Clockwork()
    machine = Machine(clock, site.cores, grain)
    world = _world(clock, shape, costs, grain)
    main, *programs = (Program(clock, machine) for _ in range(1 + site.cores))
    if site.has_servers:
        world.source, world.port = Program(clock, machine), Program(clock, machine)
    if shape.state == "postgres":
        world.database = Program(clock, machine)
    jq = Jq(clock, programs)
    worker = Worker(world, main, jq)
    chains = deque([shape.work.records] * -(-shape.work.chains // grain))
    start_s = costs.start_again_s if shape.work.is_again else costs.start_s
    ended_at = 0.0

    def command() -> Process:
        nonlocal ended_at
        yield main.use(start_s)
        yield costs.idle_s + costs.port_turns * shape.port.latency_s
        yield from parents_read(world, 1)
        clock.start(parents_read(world, shape.work.parent_pages - 1))
        yield from worker.run(chains)
        ended_at = clock.now

    clock.start(command())
    clock.run()
    ended_at = max(ended_at, _MOMENT_S)
    parts = {
        "CPU (Python)": main.busy_s / ended_at,
        "CPU (JQ)": sum(p.busy_s for p in programs) / len(programs) / ended_at,
    }
    return _found(world, ended_at, parts, jq.started, worker.most_held, shape.work.entities)


def _cluster(shape: Shape, site: Cluster, costs: Costs, grain: int) -> Forecast:
    clock = Clockwork()
    world = _world(clock, shape, costs, grain)
    world.grant_s = site.grant_s
    if site.cores is None:
        machine = Machine(clock, math.inf)
        world.granting, world.database = Places(clock, 1), Places(clock, site.database_cores)
    else:
        machine = Machine(clock, site.cores, grain)
        world.granting, world.database, world.source, world.port = (Program(clock, machine) for _ in range(4))
        for resting in (costs.resting, *(costs.resting_worker for _ in range(site.workers))):
            machine.keep_busy(resting)
    run = ClusterRun(world, site, machine)
    clock.start(run.command())
    clock.run()
    # What was not seen is looked for once, at the end, by one connection.
    wall_s = max(run.ended_at, _MOMENT_S) + costs.stale_s * shape.work.entities
    parts = {
        "CPU (Python)": max(main.busy_s for main in run.loops) / wall_s,
        "CPU (JQ)": max(jq.programs[0].busy_s for jq in run.jq) / wall_s,
        "state": world.database.busy_s / site.database_cores / wall_s,
        "gate": world.granting.busy_s / wall_s,
        "coordinator": run.coordinator.busy_s / wall_s,
    }
    most_held = max(worker.most_held for worker in run.workers)
    found = _found(world, wall_s, parts, 1, most_held, shape.work.entities // site.workers)
    return replace(found, main_mb=found.main_mb + costs.worker_mb - costs.base_mb)


def _found(
    world: World, wall_s: float, parts: dict[str, float], jq_started: int, most_held: int, rows: int
) -> Forecast:
    shape, costs, counts = world.shape, world.costs, world.counts
    source, port = shape.source, shape.port
    shares = dict(parts)
    shares["source (concurrency)"] = world.places.busy_s / source.concurrency / wall_s
    if source.budget is not None:
        shares["source (budget)"] = counts.requests / (source.budget.each_s * max(wall_s, source.budget.per))
    if port.limit is not None:
        # All of a window may be used up at once; who needs no second one is not held up.
        shares["Port"] = counts.writes / (port.limit.each_s * max(wall_s, port.limit.per))
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
