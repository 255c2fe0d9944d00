"""Runs of mappings, one after the other: what `sync`, `plan` and `demo` have in common."""

from __future__ import annotations

import asyncio
import signal
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import structlog

from portsync.auth import TokenStore
from portsync.batch import MOST_ENTITIES
from portsync.blueprints import beside, read_blueprints
from portsync.cli.progress import SyncProgress
from portsync.cli.wiring import port_client, source_tools
from portsync.comparison import Comparison
from portsync.errors import PortSyncError
from portsync.port.deletion import Deletion
from portsync.port.entities import UpsertSwitches
from portsync.port.holdings import Holdings
from portsync.port.owner import owner_of
from portsync.producers import Producers
from portsync.provision import Change, apply_steps, plan_blueprints
from portsync.reconcile import DeletionRule
from portsync.report import Report
from portsync.sinks.compared import AT_ONCE, ComparedSink
from portsync.sinks.planned import PlannedSink
from portsync.sinks.planned_deletion import PlannedDeletion
from portsync.sinks.port import PortSink
from portsync.state.catalog import Catalog
from portsync.state.place import StatePlace, state_place
from portsync.state.store import opened_state
from portsync.stop import Stop
from portsync.sync import sync as run_sync
from portsync.tools import PortSide, RunOptions, Tools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from sqlalchemy import Connection

    from portsync.changes import PlannedChanges
    from portsync.cli.wiring import Surroundings
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import MappingFile
    from portsync.plan import SourcePlan
    from portsync.port.client import PortClient
    from portsync.port.owner import Owner

Loaded = tuple["LoadedMapping", "SourcePlan"]


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
    keeps_state: bool = True

    def rule(self, mapping: MappingFile) -> DeletionRule:
        """What may be deleted."""
        threshold = mapping.entity_deletion_threshold if self.max_delete is None else self.max_delete
        return DeletionRule(threshold, self.allow_empty, self.no_delete)


async def run(loaded: Sequence[Loaded], around: Surroundings, order: Order) -> list[Report]:
    """Run each mapping in turn; one that Port cannot be reached for has a report that says so."""
    stop = Stop()
    # One for all mappings: what a server gave in place of a token counts for all that name the token.
    store = TokenStore(around.settings.token_folder)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request, number)
    reports: list[Report] = []
    for mapping, source in loaded:
        if stop.is_requested and reports:
            break
        others = [other for other, _ in loaded if other is not mapping]
        one = _Run(mapping, source, around, order, stop, store, str(uuid.uuid4()))
        started_at = around.runtime.clock()
        try:
            reports.append(await one.report(others))
        except PortSyncError as error:
            ended_at, code = around.runtime.clock(), error.exit_code
            reports.append(Report(one.run_id, str(mapping.path), started_at, ended_at, code, (), error.problems))
    return reports


@dataclass(frozen=True)
class _Run:
    """One mapping's run."""

    mapping: LoadedMapping
    source: SourcePlan
    around: Surroundings
    order: Order
    stop: Stop
    store: TokenStore
    run_id: str

    async def report(self, others: Sequence[LoadedMapping]) -> Report:
        """What it came to. Raises PortError, StateError and StoppedError where it could not begin."""
        settings, order, mapping = self.around.settings, self.order, self.mapping
        owner = owner_of(settings, mapping.name)
        place = state_place(settings, owner.identifier) if order.keeps_state else StatePlace()
        with opened_state(place) as connection:
            catalog = self._catalog(connection, owner)
            async with port_client(settings, owner, self.around) as port:
                await self.stop.race(port.sign_in())
                if settings.initialize_resources and order.planned is None:
                    await self.stop.race(create_missing_blueprints(port, mapping))
                async with self._tools(port, owner, catalog) as tools:
                    given_elsewhere = _given_by([other for other in others if owner_of(settings, other.name) == owner])
                    options = RunOptions(order.rule(mapping.file), order.kinds, order.is_strict, given_elsewhere)
                    report = await run_sync(mapping, self.source, tools, run_id=self.run_id, options=options)
        log = structlog.get_logger().bind(run_id=self.run_id, mapping=str(mapping.path))
        for resource in report.resources:
            log.info("resource.ended", **resource.as_json())
        log.info("run.ended", exit_code=report.exit_code, **report.totals())
        return report

    def _catalog(self, connection: Connection, owner: Owner) -> Catalog:
        settings, file = self.around.settings, self.mapping.file
        # The credentials stand for the organisation: the same name in another one is another catalog.
        key = blake2b((settings.client_id or "").encode(), digest_size=8).hexdigest()
        name = f"{settings.port_url} {key} {owner.prefix}*{owner.suffix}"
        manner = f"merge={file.enable_merge_entity} related={file.create_missing_related_entities}"
        return Catalog(connection, name, manner, is_dry=self.order.planned is not None)

    @asynccontextmanager
    async def _tools(self, port: PortClient, owner: Owner, catalog: Catalog) -> AsyncIterator[Tools]:
        settings, runtime, order, file = self.around.settings, self.around.runtime, self.order, self.mapping.file
        holdings = Holdings(port, owner)
        now, every_s = runtime.clock(), settings.compare_every
        comparison = Comparison(catalog, holdings, now=now, every_s=every_s, is_full=order.is_full)
        merges, cascades = file.enable_merge_entity, file.delete_dependent_entities
        sink: PlannedSink | ComparedSink
        deletes: PlannedDeletion | Deletion
        if order.planned is not None:
            sink = PlannedSink(holdings, comparison.is_due, order.planned.write, is_merge=merges)
            deletes = PlannedDeletion(holdings, sink.relations_of, order.planned.delete, with_dependents=cascades)
        else:
            to_port = PortSink(port, UpsertSwitches(merges, file.create_missing_related_entities))
            sink = ComparedSink(to_port, holdings, comparison.is_due, is_merge=merges)
            deletes = Deletion(port, with_dependents=cascades)
        asks_of_all = order.planned is not None or (comparison.of_all and not order.is_full)
        with SyncProgress(self.source.rate_limit) as progress:
            async with source_tools(self.mapping, self.source, self.around, self.store) as from_source:
                yield Tools(
                    from_source.client,
                    from_source.pool,
                    sink,
                    PortSide(holdings, deletes),
                    catalog,
                    comparison,
                    self.stop,
                    runtime.clock,
                    progress.show,
                    from_source.patience_s,
                    batch_size=AT_ONCE if asks_of_all else MOST_ENTITIES,
                )


def _given_by(mappings: Sequence[LoadedMapping]) -> Callable[[str], bool]:
    """Whether one of the mappings may give entities of a blueprint."""
    producers = [Producers(mapping.file.resources) for mapping in mappings]
    return lambda blueprint: any(one.may_give(blueprint) for one in producers)


async def create_missing_blueprints(port: PortClient, mapping: LoadedMapping) -> None:
    """Create the blueprints at hand that Port does not have. Existing ones are never changed by a sync."""
    if (folder := beside(mapping.path)) is None:
        return
    steps = await plan_blueprints(port, read_blueprints(folder))
    await apply_steps(port, [step for step in steps if step.change is Change.CREATE])
