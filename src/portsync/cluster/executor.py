"""Runs the resources of a mapping over a cluster: in slices, each after what has to come before it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from portsync.chains.stream import is_single
from portsync.cluster.brief import Brief
from portsync.cluster.cluster import LOST_LINE, cluster_lost
from portsync.cluster.line import LineLostError
from portsync.cluster.sharing import answer_questions
from portsync.cluster.slicing import Slicing
from portsync.errors import ClusterError, PortError, StateLostError
from portsync.executor import LocalExecutor
from portsync.plan import constant_blueprints
from portsync.state.slice_book import SliceBook

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from types import TracebackType

    from sqlalchemy import Connection

    from portsync.cluster.cluster import Cluster
    from portsync.cluster.slots import Slots
    from portsync.resource_run import ResourceRun
    from portsync.tools import Tools


@dataclass(frozen=True, slots=True)
class Clustered:
    """The cluster that runs are done on, and their shares of it."""

    cluster: Cluster
    slots: Slots
    creating: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while blueprints are created, which several mappings may have at hand."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What workers cannot find out by themselves."""

    run_id: str
    catalog: str
    """The name of the state's part that is written."""
    manner: str
    environment: Mapping[str, str]
    is_full: bool
    wanted: tuple[int, ...]


class ClusterExecutor:
    """Gives slices to a cluster. What the slices of a resource cannot do apart from each other is done here."""

    def __init__(self, clustered: Clustered, connection: Connection, tools: Tools, facts: RunFacts) -> None:
        """`connection` is that of the state, `tools` those of the run."""
        self._cluster = clustered.cluster
        self._slots = clustered.slots
        self._tools = tools
        self._facts = facts
        catalog = tools.into.catalog
        self._book = SliceBook(connection, catalog.id, catalog.run)
        self._announcing = asyncio.Lock()
        self._answering: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(LineLostError):
            await self._cluster.line.ask("end", run=self._facts.run_id)
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
        if error is None:
            self._book.clear()

    async def in_turn(
        self,
        order: Sequence[int],
        before: Callable[[int], Collection[int]],
        one: Callable[[int], Awaitable[None]],
    ) -> None:
        """Do `one` for each index, several at once, each after those that have to come before it."""
        tasks: dict[int, asyncio.Task[None]] = {}

        async def after_those_before(index: int) -> None:
            await asyncio.gather(*(tasks[other] for other in before(index)))
            await one(index)

        async with asyncio.TaskGroup() as group:
            for index in order:
                tasks[index] = group.create_task(after_those_before(index))

    async def run(self, part: ResourceRun) -> None:
        """Bring one resource along the line."""
        if part.resource.selector.on_conflict in ("first", "last") and not is_single(part.resource):
            # Which of two records of different chains is the later one, only he can say who sees all of them.
            await LocalExecutor().run(part)
            return
        recheck = part.tools.into.recheck
        try:
            await self._announce(part)
            for blueprint in sorted(constant_blueprints(part.resource)):
                await recheck.begin(blueprint)
        except (PortError, ClusterError) as error:
            part.writer.upserter.fail(error)
            return
        with self._slots.wanted(self._facts.run_id):
            await Slicing(self._cluster, self._book, self._slots, self._facts.run_id, part).run()
        self._see_that_questions_are_answered()
        try:
            part.tools.into.catalog.refresh()
        except StateLostError as error:
            part.writer.upserter.fail(error)
        if not part.is_over:
            part.report.close()

    def _see_that_questions_are_answered(self) -> None:
        """Raise what a bug raised; a line that is lost is known otherwise."""
        if self._answering is not None and self._answering.done():
            with suppress(LineLostError):
                self._answering.result()

    async def _announce(self, part: ResourceRun) -> None:
        """Let workers know of the run, before the first of its slices. Raises ClusterError."""
        async with self._announcing:
            if self._answering is not None:
                return
            mapping, access, facts, catalog = part.mapping, part.lookups.access, self._facts, self._tools.into.catalog
            brief = Brief(
                facts.run_id,
                mapping.document.text,
                str(mapping.path),
                mapping.name,
                facts.environment,
                facts.catalog,
                catalog.id,
                facts.manner,
                catalog.run,
                access.now,
                access.context.values,
                facts.is_full,
                facts.wanted,
            )
            line, port = self._cluster.line, self._tools.into.port
            assert port is not None
            assert port.renewed is not None
            try:
                await line.ask("begin", run=facts.run_id, brief=brief.packed())
            except LineLostError as error:
                raise cluster_lost(LOST_LINE) from error
            answering = answer_questions(line, facts.run_id, port.renewed, self._tools.client)
            self._answering = asyncio.create_task(answering)
