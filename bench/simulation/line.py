"""The line of src/portsync/sync.py, played in simulated time: chains -> pages -> entities -> batches.

What is modelled follows the engine: a chain asks for its next page as soon as the one before it has come
(lookahead.py), several chains are read at once (interleave.py), what small pages bring is written together
(gathered.py), one loop of Python does one thing at a time, JQ runs
beside it, and as many batches are under way as go well (room.py).

With a `grain` of more than one, each chain stands for so many chains that are read one after the other: the same
work, in fewer events.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.simulation.clockwork import Clockwork, Limit, Places, Process, Program, Signal
from bench.simulation.shapes import BATCH, Shape
from portsync.gathered import TOGETHER
from portsync.upsert import IN_FLIGHT

if TYPE_CHECKING:
    from bench.simulation.costs import Costs
    from bench.simulation.jq import Jq

_BEFORE = 0.4
"""The share of what a page takes in Python that is spent before its request is sent; or a batch."""
_IN_WRITER = 0.5
"""The share of what an entity takes in Python that is spent where all pages meet."""


@dataclass(slots=True)
class Counts:
    """What has come to pass."""

    requests: int = 0
    writes: int = 0
    pages: int = 0
    entities: int = 0
    sent: int = 0


@dataclass(slots=True)
class World:
    """What all workers share."""

    clock: Clockwork
    shape: Shape
    costs: Costs
    grain: int
    places: Places
    """Of the source: requests under way."""
    budget: Limit | None
    window: Limit | None
    """Of Port."""
    source: Program | None
    """Where the source computes on the machine of the command; and Port."""
    port: Program | None
    granting: Places | Program | None = None
    """The scheduler, asked before each request."""
    grant_s: float = 0.0
    database: Places | Program | None = None
    counts: Counts = field(default_factory=Counts)

    def granted(self, weight: int, asker: Program | None = None) -> Process:
        """Ask the scheduler, where there is one, for `weight` requests, one after the other."""
        if self.granting is not None:
            if asker is not None:
                yield asker.use(self.costs.asking_s * weight / 2)
            yield self.granting.use(self.costs.granting_s * weight / 2)
            yield self.grant_s * weight

    def ended(self, weight: int, asker: Program, places: Places | None = None) -> Process:
        """Tell the scheduler, where there is one, that so many requests have come to their end."""
        if self.granting is not None:
            yield asker.use(self.costs.asking_s * weight / 2)
            yield self.granting.use(self.costs.granting_s * weight / 2)
            yield self.grant_s * weight
        if places is not None:
            places.leave()


class Worker:
    """What one loop of Python, with its JQ processes, has under way: a run, or slices of one."""

    def __init__(self, world: World, main: Program, jq: Jq) -> None:
        self.world = world
        self.main = main
        self.jq = jq
        self._lane = Places(world.clock, world.shape.source.concurrency)
        self._came: deque[int] = deque()
        self._coming: Signal = Signal()
        self._room = Room(world.clock)
        self._gathered = 0
        """Entities of small pages that are not written yet."""
        self._kept = 0
        """Changed entities that do not fill a batch yet."""
        self._under_way = 0
        self._settled = Signal()
        self.held = 0
        """Pages that have come and are not written yet."""
        self.most_held = 0

    def run(self, chains: deque[int]) -> Process:
        """Read all of `chains`, each so many records long, and write what they give."""
        world = self.world
        lanes = [Signal() for _ in range(min(world.shape.source.concurrency, len(chains)))]
        ended = [0]

        def reader(done: Signal) -> Process:
            while chains:
                yield from self._chain(chains.popleft())
            ended[0] += 1
            self._coming.happen()
            done.happen()

        for done in lanes:
            world.clock.start(reader(done))
        while ended[0] < len(lanes) or self._came:
            if not self._came:
                self._coming = Signal()
                yield self._coming.wait
                continue
            records = self._came.popleft()
            self._lane.leave()
            yield self.main.use(world.costs.entity_s * records * world.grain * _IN_WRITER)
            world.counts.pages += world.grain
            self._gathered += records
            if self._gathered >= TOGETHER:
                yield from self._write()
            self.held -= 1
        if self._gathered:
            yield from self._write()
        if self._kept:
            yield from self._put(1, self._kept)
            self._kept = 0
        while self._under_way:
            self._settled = Signal()
            yield self._settled.wait

    # --- reading

    def _chain(self, records: int) -> Process:
        world, page = self.world, self.world.shape.work.page
        sizes = [page] * (records // page) + ([records % page] if records % page or not records else [])
        step = self._begun(sizes[0], world.costs.chain_s)
        for number in range(len(sizes)):
            came, mapped = step
            yield came.wait
            if number + 1 < len(sizes):
                step = self._begun(sizes[number + 1], world.costs.page_s)
            yield mapped.wait
            yield self._lane.enter
            self._came.append(sizes[number])
            self._coming.happen()

    def _begun(self, records: int, page_s: float) -> tuple[Signal, Signal]:
        came, mapped = Signal(), Signal()
        self.world.clock.start(self._page(records, page_s, came, mapped))
        return came, mapped

    def _page(self, records: int, page_s: float, came: Signal, mapped: Signal) -> Process:
        world, costs, grain = self.world, self.world.costs, self.world.grain
        yield self.main.use(page_s * grain * _BEFORE)
        yield from world.granted(grain, self.main)
        yield world.places.enter
        if world.budget is not None:
            yield world.budget.enter(grain)
        if world.source is not None:
            fields = world.shape.work.fields * records
            yield world.source.use((costs.source_s + costs.source_field_s * fields) * grain)
        world.counts.requests += grain
        lag_s = 0.0 if world.granting is None else costs.lag_s
        answer_s = (world.shape.source.latency_s + costs.wire_s + lag_s) * grain
        world.places.busy_s += answer_s
        yield answer_s
        if world.granting is None:
            world.places.leave()
        yield self.main.use(page_s * grain * (1 - _BEFORE))
        if world.granting is not None:
            # Others may begin when the answer has been read, and the scheduler has heard of it.
            world.clock.start(world.ended(grain, self.main, world.places))
        self.held += 1
        self.most_held = max(self.most_held, self.held)
        came.happen()
        yield from self._mapped(records)
        yield self.main.use(costs.entity_s * records * grain * (1 - _IN_WRITER))
        mapped.happen()

    def _mapped(self, records: int) -> Process:
        world, costs = self.world, self.world.costs
        each_s = costs.jq_entity_s + costs.jq_field_s * world.shape.work.fields
        yield from self.jq.run(costs, (costs.jq_page_s + each_s * records) * world.grain)

    # --- writing

    def _write(self) -> Process:
        """Write what pages brought."""
        world, costs, grain = self.world, self.world.costs, self.world.grain
        records, self._gathered = self._gathered, 0
        world.counts.entities += records * grain
        sent = int(world.counts.entities * world.shape.work.changed) - world.counts.sent
        world.counts.sent += sent
        yield self.main.use(costs.write_s * grain)
        if world.database is not None:
            # The loop of Python waits for the database, statement by statement.
            asked_s = (costs.state_write_s + costs.state_entity_s * records) * grain + costs.state_sent_s * sent
            python_s = (costs.state_python_s + costs.state_python_entity_s * records) * grain
            if world.granting is not None:
                asked_s += (costs.claim_s + costs.claim_entity_s * records) * grain
                python_s += (costs.claim_python_s + costs.claim_python_entity_s * records) * grain
            yield self.main.stand_still(world.database.use(asked_s))
            yield self.main.use(python_s)
        self._kept += sent
        full, self._kept = divmod(self._kept, BATCH)
        # Where one page stands for many, so do its batches; but they fill the room all the same.
        pieces = min(full, max(1, full // grain))
        for piece in range(pieces):
            yield from self._put(full * (piece + 1) // pieces - full * piece // pieces, BATCH)

    def _put(self, count: int, entities: int) -> Process:
        """Begin to send so many batches of so many entities, as soon as there is room."""
        yield self._room.places.enter
        self._under_way += 1
        self.world.clock.start(self._send(count, entities))

    def _send(self, count: int, entities: int) -> Process:
        world, costs = self.world, self.world.costs
        fields = world.shape.work.fields * entities
        main_s = (costs.batch_s + costs.batch_field_s * fields) * count
        yield self.main.use(main_s * _BEFORE)
        yield from world.granted(count, self.main)
        if world.window is not None:
            yield world.window.enter(count)
        if world.port is not None:
            yield world.port.use((costs.port_s + costs.port_field_s * fields) * count)
        world.counts.writes += count
        yield (world.shape.port.latency_s + costs.wire_s) * count
        yield self.main.use(main_s * (1 - _BEFORE))
        world.clock.start(world.ended(count, self.main))
        self._room.leave()
        self._under_way -= 1
        if not self._under_way:
            self._settled.happen()


class Room:
    """Places for batches, twice as many after each round that was full (room.py, where nothing goes wrong)."""

    def __init__(self, clock: Clockwork) -> None:
        self.places = Places(clock, IN_FLIGHT.first)
        self._ends = 0

    def leave(self) -> None:
        self._ends += 1
        if self._ends >= self.places.places:
            if self.places.peak >= self.places.places:
                self.places.places = min(IN_FLIGHT.most, self.places.places * 2)
            self._ends, self.places.peak = 0, self.places.taken
        self.places.leave()
