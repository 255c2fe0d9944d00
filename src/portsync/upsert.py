"""Batches -> outcomes: several batches under way at once, as many as go well."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from portsync.errors import PortError, PortSyncError, PortUnreachableError, Problem, StateLostError
from portsync.flow import Batch, BatchResult, Fate, Outcome
from portsync.room import Room, RoomSize

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from portsync.flow import Entity
    from portsync.sinks.base import Sink
    from portsync.stop import Stop

IN_FLIGHT = RoomSize(first=8, least=1, most=32)
"""Batches under way at once."""


INTERRUPTED = Problem("interrupted", "the run was stopped before Port answered", hint="run it again")


@asynccontextmanager
async def upserting(
    sink: Sink, stop: Stop, grace_s: float, give_up: Callable[[Problem], None]
) -> AsyncIterator[Upserter]:
    """An upserter for as long as the block lasts. What is under way when `stop` is requested gets `grace_s` seconds,
    and then `give_up` is called, too; what is under way at the end, because the block was cut short, is given up."""
    upserter = Upserter(sink)

    async def give_up_after_grace() -> None:
        await stop.wait()
        await asyncio.sleep(grace_s)
        upserter.give_up(INTERRUPTED)
        give_up(INTERRUPTED)

    watching = asyncio.create_task(give_up_after_grace())
    try:
        yield upserter
    finally:
        watching.cancel()
        await upserter.cut()


class Upserter:
    """Sends batches to a sink. Every batch that is put in comes out as a result, whatever happens to the sink."""

    def __init__(self, sink: Sink, in_flight: RoomSize = IN_FLIGHT) -> None:
        self._sink = sink
        self._room = Room(in_flight)
        self._under_way: set[asyncio.Task[None]] = set()
        self._bugs: list[BaseException] = []
        self._given_up = False
        self.down: PortSyncError | None = None
        """Why nothing more is sent, once the sink has said that going on makes no sense."""

    @property
    def writes(self) -> bool:
        """Whether what the sink accepts is there afterwards, so that others can point to it."""
        return self._sink.writes

    def at_once(self, blueprint: str) -> int:
        """How many entities the sink takes together."""
        return self._sink.at_once(blueprint)

    async def put(self, batch: Batch, done: Callable[[BatchResult], None]) -> None:
        """Begin to send `batch` as soon as there is room; `done` gets its result."""
        await self._room.enter()
        task = asyncio.create_task(self._send(batch, done))
        self._under_way.add(task)
        task.add_done_callback(self._finished)

    async def settle(self) -> None:
        """Wait for all that is under way. Raises what a sink raised that it should not have."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        if self._bugs:
            raise self._bugs.pop()

    async def cut(self) -> None:
        """Give up all that is under way, and wait until it has ended: nobody is there any more to take its bugs."""
        if self._under_way:
            self.give_up(INTERRUPTED)
            await asyncio.wait(self._under_way)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._bugs.append(bug)

    def fail(self, error: PortSyncError) -> None:
        """Send nothing more, for this reason."""
        self.down = self.down or error

    def give_up(self, problem: Problem) -> None:
        """Stop waiting for what is under way, and send nothing more; all of it counts as rejected."""
        self.down = self.down or PortUnreachableError(problem)
        self._given_up = True
        for task in self._under_way:
            task.cancel()

    async def _send(self, batch: Batch, done: Callable[[BatchResult], None]) -> None:
        result = None
        try:
            result = await self._outcome(batch)
        finally:
            # Whatever happened: a batch without a result would be records that nobody accounts for.
            if result is None:
                result = not_sent(batch.entities, Problem("bug", "a bug in portsync kept the entity from being sent"))
            done(result)
            self._room.leave(went_well=result.went_well)

    async def _outcome(self, batch: Batch) -> BatchResult:
        if self.down is None:
            try:
                return await self._sink.upsert(batch)
            except (PortError, StateLostError) as error:
                self.fail(error)
            except asyncio.CancelledError:
                if not self._given_up:
                    raise
        assert self.down is not None
        return not_sent(batch.entities, self.down.problems[0])


def not_sent(entities: Sequence[Entity], problem: Problem) -> BatchResult:
    """The result of entities that nobody sends, for this reason."""
    return BatchResult(
        tuple(Outcome(e, Fate.REJECTED, problem.code, problem.message, problem.hint) for e in entities),
        went_well=False,
    )
