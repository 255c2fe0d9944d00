"""One resource, cut into slices while its chains are found, and put together again as they are done."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import msgspec
import orjson

from portsync.chains.breaker import Breaker
from portsync.chains.stream import places
from portsync.chains.values import RecordValues
from portsync.cluster.line import LineLostError
from portsync.cluster.sizing import Sizing
from portsync.cluster.slices import Slice, SliceLostError
from portsync.cluster.slots import SLICES_FOR_EACH
from portsync.cluster.work import EXAMPLE, HELD, LETTER, TAKEN
from portsync.errors import ClusterError, Problem, StateLostError, StoppedError
from portsync.flow import End, Entity, Verdict
from portsync.jq.variables import Variables
from portsync.plan import constant_blueprints
from portsync.relations import Target
from portsync.resource_run import stalled_end
from portsync.stop import StalledError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from portsync.cluster.cluster import Cluster
    from portsync.cluster.slices import SliceResult
    from portsync.cluster.slots import Slots
    from portsync.flow import Spent
    from portsync.resource_run import ResourceRun
    from portsync.state.slice_book import SliceBook

_GRACE_S = 15.0
"""Seconds that workers get to end what is under way when a run is over: longer than they take for it."""
LONGEST_S = 0.5
"""So long chains wait for others that are to be of their slice."""
_TRIES = 3
"""So often a slice is given out that a worker gave back because it was about to end."""
_HELD = msgspec.msgpack.Decoder(tuple[Entity, tuple[Target, ...]])
_LETTER = msgspec.msgpack.Decoder(tuple[Problem, Entity | None])


class Slicing:
    """Reads one resource."""

    def __init__(self, cluster: Cluster, book: SliceBook, slots: Slots, run_id: str, part: ResourceRun) -> None:
        self._cluster = cluster
        self._book = book
        self._slots = slots
        self._run_id = run_id
        self._part = part
        # As many chains are read at once from the beginning as the source allows.
        concurrency, room = part.lookups.access.source.concurrency, cluster.width * SLICES_FOR_EACH
        self._sizing = Sizing(first=-(-concurrency // room))
        self._breaker = Breaker()
        self._under_way: set[asyncio.Task[None]] = set()
        self._open: set[int] = set()
        """The numbers of the slices that nobody has closed."""
        self._bugs: list[BaseException] = []
        self._shows = part.showing.wants_examples
        self._clock = asyncio.get_running_loop().time
        self._began = self._since = self._clock()

    async def run(self) -> None:
        """Read the resource to its end, or to where the run is over. Raises what a bug raised."""
        part, tools = self._part, self._part.tools
        found = places(part.resource, part.lookups.access, part.taken.records_for(part.report.index))
        passing = self._breaker.passing(found)
        until = tools.stop.until(passing, lambda: tools.client.attempts + tools.pool.runs, tools.patience_s)
        try:
            async with aclosing(passing), aclosing(until):
                await self._cut(until)
            await self._wait_for_all()
        except StalledError:
            part.report.add(stalled_end(tools.patience_s))
        finally:
            await self._give_up()
        if self._bugs:
            raise self._bugs[0]
        if self._breaker.end is not None:
            part.report.add(self._breaker.end)

    async def _cut(self, found: AsyncGenerator[Variables | Spent | End]) -> None:
        """Give out slices as chains are found, and there is room. Raises StalledError."""
        some: list[Variables] = []
        has_room = False
        try:
            async for item in found:
                if isinstance(item, Variables):
                    some.append(item)
                    self._since = self._clock() if len(some) == 1 else self._since
                    has_room = has_room or (self._is_enough(some) and await self._room())
                    # Until there was room, slices were done, and it is known better how large one should be.
                    if has_room and self._is_enough(some):
                        some, has_room = self._give_out(some), False
                else:
                    self._part.report.add(item)
                    self._breaker.look(item)
                if self._part.is_over or self._bugs:
                    return
            if some and (has_room or await self._room()):
                some, has_room = self._give_out(some), False
        finally:
            if has_room:
                self._slots.give(self._run_id)

    def _is_enough(self, some: list[Variables]) -> bool:
        """Whether these are a slice: also where chains are found so slowly that workers would wait for more."""
        now = self._clock()
        return len(some) >= self._sizing.next(now - self._began) or now - self._since > LONGEST_S

    async def _room(self) -> bool:
        """Wait for room for a slice; whether there is some, and not the end of the run."""
        with suppress(StoppedError):
            await self._part.tools.stop.race(self._slots.take(self._run_id))
            return True
        return False

    def _give_out(self, some: list[Variables]) -> list[Variables]:
        """Begin a slice; an empty one, for what comes next."""
        task = asyncio.create_task(self._do(tuple(some)))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return []

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._slots.give(self._run_id)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._bugs.append(bug)

    async def _wait_for_all(self) -> None:
        """Wait until all slices are done, or the run is over."""
        with suppress(StoppedError):
            while self._under_way and not self._part.is_over and not self._bugs:
                # Those of now: the last one may have ended, and be gone, before the wait begins.
                waiting = asyncio.wait(set(self._under_way), return_when=asyncio.FIRST_COMPLETED)
                await self._part.tools.stop.race(waiting)

    async def _give_up(self) -> None:
        """Let slices that are under way come to their end soon, where there still are any."""
        if self._under_way and self._part.is_over:
            with suppress(LineLostError):
                await self._cluster.line.ask("stop", run=self._run_id)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_GRACE_S)
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)
        self._close_all()

    def _close_all(self) -> None:
        """Let nobody work on slices of which nobody waits for the end: the run may go on with other resources."""
        try:
            for number in self._open:
                self._book.close(number)
        except StateLostError as error:
            self._part.writer.upserter.fail(error)

    async def _do(self, some: tuple[Variables, ...]) -> None:
        """Have a slice done, and count what became of it."""
        part, writer = self._part, self._part.writer
        try:
            number = self._book.new()
            self._open.add(number)
            self._absorb(number, await self._result(self._slice(number, some)))
        except SliceLostError as lost:
            self._count_lost(len(some), lost)
        except (ClusterError, StateLostError) as error:
            writer.upserter.fail(error)
        part.tools.progress(part.report)

    def _count_lost(self, chains: int, lost: SliceLostError) -> None:
        """Count a slice that nobody did. Where the run is over anyway, the report says so, and this says nothing."""
        if self._part.is_over:
            return
        self._sizing.lost()
        message = f"{chains:,} request chains could not be read: {lost}"
        hint = "look into the workers' logs, such as for a lack of memory, and run it again"
        self._part.report.add(End(Verdict.INCOMPLETE, "worker-lost", Problem("worker-lost", message, hint=hint)))

    def _slice(self, number: int, some: tuple[Variables, ...]) -> Slice:
        part, recheck = self._part, self._part.tools.into.recheck
        shows, self._shows = self._shows, False
        known = {blueprint: recheck.known(blueprint) for blueprint in constant_blueprints(part.resource)}
        unread, waiting = frozenset(part.unread), part.writer.waiting
        return Slice(self._run_id, number, part.report.index, some, unread, waiting, known, shows)

    async def _result(self, slice_: Slice) -> SliceResult:
        """What became of a slice, which is given out again where a worker gave it back. Raises SliceLostError and
        ClusterError."""
        for _ in range(_TRIES):
            result = await self._cluster.do(slice_)
            if result.is_whole:
                self._sizing.took(len(slice_.places), result.took_s)
                if result.attempt > 1:
                    self._sizing.lost()
            if result.is_whole or result.down is not None or self._part.is_over:
                return result
        raise SliceLostError("the workers that had them ended in an orderly way, one after the other")

    def _absorb(self, number: int, result: SliceResult) -> None:
        part = self._part
        if result.down is not None:
            if result.down.problems[0].code == "superseded":
                raise SliceLostError("somebody else had been given them meanwhile, and did not say what became of them")
            part.writer.upserter.fail(result.down)
        part.report.absorb(result.part)
        part.writer.count(result.fates)
        for about, content in self._book.spooled(number):
            self._take(about, content)
        self._book.close(number)
        self._open.discard(number)
        # Of a slice, the worst end stands for all: one in which all is well says that the source is there.
        self._breaker.look(result.part.worst)

    def _take(self, about: str, content: bytes) -> None:
        part, index = self._part, self._part.report.index
        if about == HELD:
            entity, targets = _HELD.decode(content)
            part.writer.hold(index, entity, targets)
        elif about == TAKEN:
            name, place, values, errors = orjson.loads(content)
            part.taken.give(index, name, RecordValues(place, values, errors))
        elif about == LETTER:
            part.report.letter(*_LETTER.decode(content))
        elif about == EXAMPLE:
            part.showing.take(*orjson.loads(content))
