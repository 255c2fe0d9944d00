"""THE LINE: mapping -> request chains -> pages -> entities -> batches -> outcomes -> report, and at the end what is
no longer there.

Resources are read in the order of the file, as Ocean does, but each after those that its entities point to. What
becomes of one is `resource_run.py`, the middle of the line; an executor says where that happens.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from portsync.blueprint_run import blueprint_runs
from portsync.chains.access import Access
from portsync.chains.lookups import LookedUp, look_up
from portsync.chains.taken import TakenValues, givers_of, reading_order
from portsync.errors import ClusterError, PortError, Problem, StateLostError, StoppedError
from portsync.flow import End, Verdict
from portsync.held import HeldEntities
from portsync.producers import Producers, resource_names
from portsync.reconcile import Reconciler, Refused, dependents_first, problems_of
from portsync.relations import Relations
from portsync.report import Report, exit_code_of
from portsync.resource_run import ResourceRun, begun_report
from portsync.showing import Showing
from portsync.upsert import INTERRUPTED, upserting
from portsync.write import Giver, Writer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from portsync.executor import Executor
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import Resource
    from portsync.mapping.requests import Lookup
    from portsync.plan import SourcePlan
    from portsync.port.holdings import Relation
    from portsync.reconcile import Deletion
    from portsync.report import ResourceReport
    from portsync.stop import Stop
    from portsync.tools import RunOptions, Tools
    from portsync.upsert import Upserter


async def sync(
    mapping: LoadedMapping,
    source: SourcePlan,
    tools: Tools,
    executor: Executor,
    *,
    run_id: str,
    options: RunOptions,
) -> Report:
    """Bring the resources of `mapping` from the source into the sink, where `executor` does it. Raises nothing that a
    source or a mapping can cause: it is all in the report."""
    started_at = tools.clock()
    resources = mapping.file.resources
    wanted = wanted_of(resources, options.kinds)
    reports = {index: begun_report(index, mapping.file, tools.letters) for index in wanted}
    producers = Producers(resources)
    relations = None
    if tools.into.port is not None:
        relations = Relations(tools.into.port.holdings, producers.may_give, mapping.file.missing_users, tools.log)
    async with upserting(tools.into.sink, tools.stop, tools.grace_s, tools.give_up) as upserter:
        pointing = await _pointing(producers, relations, tools.stop, upserter)
        access = Access(source, tools.client.send, tools.pool, tools.clock, started_at)
        lookups = await _look_up(mapping.file.context, access, tools.stop)
        order = reading_order(resources, wanted, lambda index: producers.first(index, pointing))
        unread = set(order)
        names = resource_names(resources)
        port = tools.into.port
        seen_by = (None, None) if port is None else (port.integration, port.metrics)
        async with Showing(*seen_by, lookups.access) as showing:
            with HeldEntities() as held, TakenValues(resources, wanted, lookups.access) as taken:
                writer = Writer(
                    upserter,
                    tools.into.catalog,
                    tools.into.recheck,
                    relations,
                    held,
                    told=tools.progress,
                )

                async def one(index: int) -> None:
                    report = reports[index]
                    writer.begin(Giver(names[index], report))
                    if tools.stop.is_requested or upserter.down:
                        return
                    showing.told(report, has_ended=False)
                    part = ResourceRun(mapping, lookups, taken, showing, tools, writer, report, producers, unread)
                    try:
                        await _run(part, executor)
                    except Exception as error:  # noqa: BLE001 - one of the two places: a bug in one resource must not stop the others
                        message = f"a bug in portsync: {type(error).__name__}: {error}"
                        report.end(End(Verdict.INCOMPLETE, "bug", Problem("bug", message, hint="please report it")))
                    unread.discard(index)
                    taken.finished(index, is_whole=report.verdict is Verdict.COMPLETE)
                    tools.progress(report)
                    showing.told(report, has_ended=True)

                await executor.in_turn(order, partial(_before, order, resources, producers, pointing), one)
                if tools.stop.is_requested and held.count:
                    upserter.give_up(INTERRUPTED)
                await writer.release()
        deletions = await _reconcile(mapping, tools, options, producers, pointing, reports, writer)
        return _report(mapping, tools, options, run_id, started_at, reports, writer, deletions, lookups)


def wanted_of(resources: Sequence[Resource], kinds: Collection[str]) -> list[int]:
    """The indexes of the resources of these kinds, of all where none is named."""
    return [index for index, resource in enumerate(resources) if not kinds or resource.kind in kinds]


async def _run(part: ResourceRun, executor: Executor) -> None:
    if (missing := part.lookups.missing_for(part.resource)) is not None:
        part.report.end(missing)
    else:
        await executor.run(part)


def _before(
    order: Sequence[int],
    resources: Sequence[Resource],
    producers: Producers,
    pointing: Mapping[str, Mapping[str, Relation]],
    index: int,
) -> set[int]:
    """Which of the resources before this one in the order have to be read before it: those that it takes values from,
    those that its entities point to, and those that may give the same entities."""
    earlier = set(order[: order.index(index)])
    givers = givers_of(resources[index], resources)
    return earlier & {*givers, *producers.first(index, pointing), *producers.alike(index)}


async def _pointing(
    producers: Producers, relations: Relations | None, stop: Stop, upserter: Upserter
) -> dict[str, Mapping[str, Relation]]:
    """The relations of the blueprints that the mapping names."""
    if relations is None:
        return {}
    names = sorted(producers.blueprints)
    try:
        return dict(zip(names, await stop.race(asyncio.gather(*map(relations.of, names))), strict=True))
    except StoppedError:
        return {}
    except PortError as error:
        upserter.fail(error)
        return {}


async def _look_up(lookups: Mapping[str, Lookup], access: Access, stop: Stop) -> LookedUp:
    try:
        return await stop.race(look_up(lookups, access))
    except StoppedError:
        return LookedUp(access)  # no resource is begun then


async def _reconcile(
    mapping: LoadedMapping,
    tools: Tools,
    options: RunOptions,
    producers: Producers,
    pointing: Mapping[str, Mapping[str, Relation]],
    reports: Mapping[int, ResourceReport],
    writer: Writer,
) -> tuple[Deletion, ...]:
    """Delete what is no longer in the source, where the rule allows it."""
    if tools.into.port is None or tools.stop.is_requested or writer.upserter.down is not None:
        return ()
    runs = blueprint_runs(
        mapping.file.resources, producers, reports, writer.fates, tools.into.catalog, options.given_elsewhere
    )
    ordered = [runs[name] for name in dependents_first(runs, pointing)]
    port = tools.into.port
    reconciler = Reconciler(tools.into.catalog, port.holdings, port.deletes, options.rule, port.left_alone)
    try:
        deletions = await reconciler.reconcile(ordered, tools.into.recheck.is_listed)
        is_read = len(reports) == len(mapping.file.resources) and all(
            report.verdict is Verdict.COMPLETE for report in reports.values()
        )
        # What Port did not list, nobody knows of: the next run has to ask again.
        if is_read and not any(deletion.refused is Refused.PORT for deletion in deletions):
            tools.into.recheck.is_whole()
        if mapping.file.delete_dependent_entities and any(deletion.deleted for deletion in deletions):
            # Port may have deleted along with them what the state says is there.
            tools.into.catalog.compared(None)
    except StateLostError as error:
        writer.upserter.fail(error)
        return ()
    return tuple(deletions)


def _report(
    mapping: LoadedMapping,
    tools: Tools,
    options: RunOptions,
    run_id: str,
    started_at: float,
    reports: Mapping[int, ResourceReport],
    writer: Writer,
    deletions: tuple[Deletion, ...],
    lookups: LookedUp,
) -> Report:
    try:
        tools.into.catalog.close()
    except StateLostError as error:
        writer.upserter.fail(error)
    down = writer.upserter.down
    if down is not None and not tools.stop.is_requested:
        for report in reports.values():
            reason = {StateLostError: "state", ClusterError: "cluster"}.get(type(down), "port")
            report.reason = reason if report.reason == "interrupted" else report.reason
    in_file_order = [reports[index] for index in sorted(reports)]
    problems = [
        *(down.problems if down is not None else ()),
        *(p for d in deletions for p in problems_of(d, options.rule)),
    ]
    stopped = tools.stop.exit_code if tools.stop.is_requested else None
    exit_code = exit_code_of(in_file_order, deletions, stopped=stopped, down=down, is_strict=options.is_strict)
    dead_letters = None
    if tools.letters is not None:
        if len(reports) == len(mapping.file.resources):
            tools.letters.settle(exit_code)
        dead_letters = tools.letters.path_or_none
        problems += [tools.letters.problem] if tools.letters.problem is not None else []
    return Report(
        run_id,
        str(mapping.path),
        started_at,
        tools.clock(),
        exit_code,
        tuple(in_file_order),
        tuple(problems),
        lookups.spent,
        deletions,
        None if dead_letters is None else str(dead_letters),
    )
