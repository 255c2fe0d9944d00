"""A run of a cluster in simulated time, as src/portsync/cluster/ does it: slices of chains, given out one after the
other."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from bench.simulation.clockwork import Machine, Places, Process, Program, Signal
from bench.simulation.jq import Jq
from bench.simulation.line import Worker, World
from portsync.cluster.slicing import LONGEST_S
from portsync.cluster.slots import SLICES_FOR_EACH

if TYPE_CHECKING:
    from bench.simulation.shapes import Cluster


def parents_read(world: World, pages: int) -> Process:
    """Read so many pages of the parameter's values, one after the other."""
    if pages:
        yield from world.granted(pages)
        if world.budget is not None:
            yield world.budget.enter(pages)
        world.counts.requests += pages
        yield (world.shape.source.latency_s + world.costs.wire_s) * pages


class ClusterRun:
    """A run of a cluster: one command, which finds the chains, and workers that take them in slices."""

    def __init__(self, world: World, site: Cluster, machine: Machine) -> None:
        self._world = world
        self._site = site
        self._machine = machine
        self._left = self._all = -(-world.shape.work.chains // world.grain)
        self._known = 0
        """Chains of which the coordinator has heard, and that nobody has taken."""
        self._since = 0.0
        """When the first of those was found."""
        self._more = Signal()
        self._has_room = False
        room = site.workers * site.slices * SLICES_FOR_EACH
        self._room = Places(world.clock, room)
        """For slices under way."""
        self._slices = Slices(site, world.grain, -(-world.shape.source.concurrency // room))
        self._ready: deque[int] = deque()
        """Slices that nobody has begun, by how many chains they have."""
        self._given = Signal()
        self._running = site.workers * site.slices
        self.coordinator = Program(world.clock, machine)
        self.loops: list[Program] = []
        """Of Python, one for each worker."""
        self.jq: list[Jq] = []
        self.workers: list[Worker] = []
        """What each of them does at once."""
        self._begun_at = 0.0
        self.ended_at = 0.0

    def command(self) -> Process:
        """Begin, and find the chains while workers read those that are found."""
        world, costs = self._world, self._world.costs
        start_s = costs.start_again_s if world.shape.work.is_again else costs.start_s
        yield self.coordinator.use(start_s + costs.cluster_start_s)
        yield costs.idle_s + costs.cluster_idle_s + costs.port_turns * world.shape.port.latency_s
        self._begun_at = world.clock.now
        for _ in range(self._site.workers):
            main = Program(world.clock, self._machine)
            jq = Jq(world.clock, [Program(world.clock, self._machine)])
            self.loops.append(main)
            self.jq.append(jq)
            joined = Signal()
            world.clock.start(self._join(main, joined))
            for _ in range(self._site.slices):
                worker = Worker(world, main, jq)
                self.workers.append(worker)
                world.clock.start(self._work(worker, joined))
        world.clock.start(self._cut())
        pages = world.shape.work.parent_pages
        steps = max(1, pages // world.grain)
        for step in range(steps):
            yield from parents_read(world, _part(pages, step, steps))
            self._since = self._since if self._known else world.clock.now
            self._known += _part(self._all, step, steps)
            told, self._more = self._more, Signal()
            told.happen()

    def _join(self, main: Program, joined: Signal) -> Process:
        """Take part in the run."""
        yield main.use(self._world.costs.worker_start_s)
        joined.happen()

    def _cut(self) -> Process:
        """Give out slices as chains are found, and there is room."""
        clock, site = self._world.clock, self._site
        while self._left:
            size = min(self._slices.next(clock.now - self._begun_at), self._left)
            if self._known < size and (clock.now - self._since <= LONGEST_S or not self._known):
                yield self._more.wait
                continue
            if not self._has_room:
                yield self._room.enter
                self._has_room = True
                continue
            yield self.coordinator.use(site.slice_cpu_s * self._world.grain)
            size = min(size, self._known)
            self._left, self._known, self._has_room = self._left - size, self._known - size, False
            self._since = clock.now
            self._ready.append(size)
            self._given, given = Signal(), self._given
            given.happen()

    def _work(self, worker: Worker, joined: Signal) -> Process:
        """Do one slice after the other."""
        world = self._world
        yield joined.wait
        while self._left or self._ready:
            if not self._ready:
                yield self._given.wait
                continue
            size = self._ready.popleft()
            begun = world.clock.now
            yield worker.main.use(world.costs.slice_s * world.grain)
            yield from worker.run(deque([world.shape.work.records] * size))
            self._slices.took(size, world.clock.now - begun)
            self._room.leave()
        self._running -= 1
        if not self._running:
            self.ended_at = world.clock.now
        self._given, given = Signal(), self._given
        given.happen()


def _part(whole: int, number: int, parts: int) -> int:
    """How large a part is, where all together are the whole."""
    return whole * (number + 1) // parts - whole * number // parts


_SHORTEST_S, _SHARE, _GROWTH = 1.0, 0.125, 4


class Slices:
    """How many chains a slice has: some in the beginning, later as many as take a share of the time that has passed.
    Where a chain stands for many, so does a slice."""

    def __init__(self, site: Cluster, grain: int, first: int) -> None:
        self.first = first
        """How many chains one has until it is known how long they take."""
        self._site = site
        self._grain = grain
        self._largest = 0
        self._chain_s = 0.0

    def next(self, elapsed_s: float) -> int:
        """The size of the next one, so many seconds after the first."""
        if not self._largest:
            return self.first
        wanted_s = min(self._site.slice_s, max(_SHORTEST_S, elapsed_s * _SHARE))
        chain_s = max(self._chain_s, 1e-6)
        fitting = max(int(wanted_s / chain_s), min(self.first, int(self._site.slice_s / chain_s)))
        return max(1, min(fitting, self._largest * _GROWTH))

    def took(self, size: int, seconds: float) -> None:
        """Heed how long a slice took."""
        each_s = seconds / size / self._grain
        self._chain_s = (self._chain_s + each_s) / 2 if self._largest else each_s
        self._largest = max(self._largest, size)
