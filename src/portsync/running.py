"""The run of one mapping, from its parts to its report: what `sync`, `plan`, `demo` and `serve` have in common."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from portsync.at_hand import blueprints_at_hand, create_missing_blueprints
from portsync.cluster.brief import environment_for
from portsync.cluster.executor import ClusterExecutor, RunFacts
from portsync.errors import PortSyncError
from portsync.executor import LocalExecutor
from portsync.integration import Integration, installation_of
from portsync.into_port import sink_into
from portsync.left_alone import SparingDeletes
from portsync.letters import letters_of
from portsync.logs import log_of
from portsync.mapping.hooks import hooks_of
from portsync.port.deletion import Deletion
from portsync.port.holdings import Holdings
from portsync.port.owner import owner_of
from portsync.producers import Producers
from portsync.recheck import Recheck
from portsync.reconcile import DeletionRule
from portsync.report import Report
from portsync.sinks.planned import PlannedSink
from portsync.sinks.planned_deletion import PlannedDeletion
from portsync.state.catalog import Catalog
from portsync.state.place import StatePlace, state_place
from portsync.state.store import opened_state
from portsync.state.touched import left_alone_in
from portsync.sync import sync as run_sync
from portsync.sync import wanted_of
from portsync.sync_metrics import SyncMetrics, Telling
from portsync.tools import Destination, PortSide, RunOptions, Tools
from portsync.under_way import UnderWay
from portsync.wiring import catalog_name, port_client, port_ingest, signed_in, source_tools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from portsync.auth import TokenStore
    from portsync.changes import PlannedChanges
    from portsync.cluster.executor import Clustered
    from portsync.executor import Executor
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import MappingFile
    from portsync.mapping.source import RateLimit
    from portsync.plan import SourcePlan
    from portsync.port.client import PortClient
    from portsync.port.owner import Owner
    from portsync.report import ResourceReport
    from portsync.sinks.base import Sink
    from portsync.state.touched import LeftAlone, Named
    from portsync.stop import Stop
    from portsync.surroundings import Surroundings

Loaded = tuple["LoadedMapping", "SourcePlan"]
Shown = Callable[["RateLimit | None"], AbstractContextManager[Callable[["ResourceReport"], None]]]
"""From the source's limit to what shows how a run goes, for as long as it goes."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks of a run."""

    kinds: frozenset[str] = frozenset()
    is_strict: bool = False
    is_full: bool = False
    """Send everything, whatever was sent before."""
    no_delete: bool = False
    max_delete: float | None = None
    """In place of the mapping's threshold."""
    allow_empty: bool = False
    planned: PlannedChanges | None = None
    """Where this is a plan: what takes it down. Nothing is written then."""
    dead_letters: Path | None = None
    """The file for what did not make it, in place of one beside the state."""
    sink: Sink | None = None
    """Where the entities go, when that is not Port. Nothing is known of what is there, and no state is kept."""
    keeps_state: bool = True

    def rule(self, mapping: MappingFile) -> DeletionRule:
        """What may be deleted."""
        threshold = mapping.entity_deletion_threshold if self.max_delete is None else self.max_delete
        return DeletionRule(threshold, self.allow_empty, self.no_delete)


class Pulse:
    """Whether something happens in a run: a number that rises with every request and every page."""

    def __init__(self) -> None:
        self._parts: list[Callable[[], int]] = []
        self.workers_lost: Callable[[], int] = lambda: 0
        """How many JQ workers were late or died so far."""

    def feel(self, part: Callable[[], int]) -> None:
        """Count this too."""
        self._parts.append(part)

    def count(self) -> int:
        return sum(part() for part in self._parts)


@dataclass(frozen=True)
class MappingRun:
    """One mapping's run."""

    mapping: LoadedMapping
    source: SourcePlan
    around: Surroundings
    order: Order
    stop: Stop
    store: TokenStore
    others: Sequence[LoadedMapping] = ()
    """What else gives entities to Port beside this mapping, perhaps under the same integration."""
    shown: Shown = lambda _: nullcontext(lambda _: None)
    pulse: Pulse = field(default_factory=Pulse)
    interval_s: float | None = None
    """How long after its end the next run begins, where somebody knows."""
    under_way: UnderWay[Named] = field(default_factory=UnderWay)
    """What it has on its way to Port, for live events to wait for."""
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    has_unknown_others: bool = False
    """Whether there is a mapping under the same integration of which nobody knows what it gives."""
    clustered: Clustered | None = None
    """What does the work, where that is not this process."""

    async def run(self) -> Report:
        """What it came to, also where it could not begin."""
        started_at = self.around.runtime.clock()
        try:
            report = await self._report()
        except PortSyncError as error:
            ended_at, code = self.around.runtime.clock(), error.exit_code
            report = Report(self.run_id, str(self.mapping.path), started_at, ended_at, code, (), error.problems)
        for resource in report.resources:
            self._log.info("resource.ended", **resource.as_json())
        self._log.info("run.ended", status=report.status, exit_code=report.exit_code, **report.totals())
        return report

    @property
    def _log(self) -> Any:
        return log_of(run_id=self.run_id, mapping=self.mapping.name)

    async def _report(self) -> Report:
        """Raises PortError, StateError and StoppedError where it could not begin."""
        settings, order, mapping = self.around.settings, self.order, self.mapping
        owner = owner_of(settings, mapping.name)
        keeps_state = order.keeps_state and order.sink is None
        others = [other for other in self.others if owner_of(settings, other.name) == owner]
        given_elsewhere = (lambda _: True) if self.has_unknown_others else _given_by(others)
        options = RunOptions(order.rule(mapping.file), order.kinds, order.is_strict, given_elsewhere)
        place = state_place(settings, owner.identifier) if keeps_state else StatePlace()
        name = catalog_name(settings, owner, mapping.name)
        has_hooks = bool(hooks_of(mapping.file))
        with (
            opened_state(place) as connection,
            left_alone_in(place, name, self.under_way, has_hooks=has_hooks) as left_alone,
        ):
            catalog = self._catalog(connection, name)
            left_alone.begin(catalog, is_dry=order.planned is not None)
            async with self._tools(catalog, owner, left_alone) as tools:
                port = tools.into.port
                if port is not None:
                    await port.begin()
                async with self._executor(connection, name, tools) as executor:
                    report = await run_sync(mapping, self.source, tools, executor, run_id=self.run_id, options=options)
                if port is not None:
                    await port.end(report)
        return report

    @asynccontextmanager
    async def _executor(self, connection: Connection, catalog: str, tools: Tools) -> AsyncIterator[Executor]:
        """What runs the resources: a cluster, where there is one."""
        if self.clustered is None:
            yield LocalExecutor()
            return
        file, order = self.mapping.file, self.order
        wanted = wanted_of(file.resources, order.kinds)
        environment = environment_for(self.mapping, self.around.runtime.environment)
        facts = RunFacts(self.run_id, catalog, manner_of(file), environment, order.is_full, tuple(wanted))
        async with ClusterExecutor(self.clustered, connection, tools, facts) as executor:
            yield executor

    def _catalog(self, connection: Connection, name: str) -> Catalog:
        return Catalog(connection, name, manner_of(self.mapping.file), is_dry=self.order.planned is not None)

    @asynccontextmanager
    async def _tools(self, catalog: Catalog, owner: Owner, left_alone: LeftAlone) -> AsyncIterator[Tools]:
        """Raises PortError where Port cannot be used."""
        runtime = self.around.runtime
        async with AsyncExitStack() as stack:
            show = stack.enter_context(self.shown(self.source.rate_limit))
            into = await self._into(stack, catalog, owner, left_alone)
            source = await stack.enter_async_context(source_tools(self.mapping, self.source, self.around, self.store))
            self.pulse.feel(lambda: source.client.attempts + source.pool.runs)
            self.pulse.workers_lost = lambda: source.pool.lost
            letters = None
            if into.port is not None and self.order.planned is None:
                letters = letters_of(self.mapping, owner, self.around, self.run_id, self.order.dead_letters)
            if letters is not None:
                stack.enter_context(letters)
            yield Tools(
                source.client,
                source.pool,
                into,
                self.stop,
                runtime.clock,
                show,
                source.patience_s,
                self._log,
                letters=letters,
            )

    async def _into(self, stack: AsyncExitStack, catalog: Catalog, owner: Owner, left_alone: LeftAlone) -> Destination:
        """Port, signed in, or what stands in its place."""
        if self.order.sink is None:
            return await self._into_port(stack, catalog, owner, left_alone)
        recheck = Recheck(catalog, None, now=self.around.runtime.clock(), every_s=0, is_full=True)
        return Destination(self.order.sink, None, catalog, recheck)

    async def _into_port(
        self, stack: AsyncExitStack, catalog: Catalog, owner: Owner, left_alone: LeftAlone
    ) -> Destination:
        """Port, signed in, with the blueprints at hand."""
        settings, order, file = self.around.settings, self.order, self.mapping.file
        port = await stack.enter_async_context(port_client(settings, owner, self.around))
        self.pulse.feel(lambda: port.attempts)
        await self.stop.race(signed_in(port, settings.port_url, self._log))
        if settings.initialize_resources and order.planned is None:
            async with nullcontext() if self.clustered is None else self.clustered.creating:
                await self.stop.race(create_missing_blueprints(port, self.mapping))
        holdings = Holdings(port, owner)
        now, every_s = self.around.runtime.clock(), settings.compare_every
        recheck = Recheck(catalog, holdings, now=now, every_s=every_s, is_full=order.is_full)
        merges, cascades = file.enable_merge_entity, file.delete_dependent_entities
        if (planned := order.planned) is not None:
            at_hand = blueprints_at_hand(self.mapping) if settings.initialize_resources else []
            names = frozenset(blueprint["identifier"] for blueprint in at_hand)
            plan = PlannedSink(holdings, recheck.is_due, planned.write, is_merge=merges, at_hand=names)
            would_delete = PlannedDeletion(holdings, plan.relations_of, planned.delete, with_dependents=cascades)
            return Destination(plan, PortSide(holdings, would_delete, give_up=port.give_up), catalog, recheck)
        sink = sink_into(port, holdings, recheck, left_alone, file)
        deletes = SparingDeletes(Deletion(port, with_dependents=cascades), left_alone)
        side = PortSide(
            holdings,
            deletes,
            port.give_up,
            port.renewed,
            left_alone.among,
            *await self._page(stack, port, owner),
            lambda report: port.hand_in(self.around.redactor.clean_json(report.as_json())),
        )
        return Destination(sink, side, catalog, recheck)

    async def _page(self, stack: AsyncExitStack, port: PortClient, owner: Owner) -> tuple[Integration, SyncMetrics]:
        """What tells Port's page of data sources how the run goes."""
        settings, redactor, clock = self.around.settings, self.around.redactor, self.around.runtime.clock
        installed = installation_of(self.mapping, owner.identifier, owner.type, redactor)
        interval_min = None if self.interval_s is None else self.interval_s / 60
        integration = Integration(
            port,
            installed,
            redactor,
            clock,
            self._log,
            sends_examples=settings.raw_examples,
            interval_min=interval_min,
        )
        blueprints = [resource.port.entity.mappings[0].blueprint for resource in self.mapping.file.resources]
        telling = Telling(self.run_id, installed, blueprints, redactor)
        opened = partial(port_ingest, port=port, owner=owner, around=self.around)
        metrics = SyncMetrics(telling, settings.port_url, opened, clock, self._log)
        return integration, await stack.enter_async_context(metrics)


def manner_of(file: MappingFile) -> str:
    """How a mapping's entities are sent, as the state remembers it."""
    return f"merge={file.enable_merge_entity} related={file.create_missing_related_entities}"


def _given_by(mappings: Sequence[LoadedMapping]) -> Callable[[str], bool]:
    """Whether one of the mappings may give entities of a blueprint."""
    producers = [Producers(mapping.file.resources) for mapping in mappings]
    return lambda blueprint: any(one.may_give(blueprint) for one in producers)
