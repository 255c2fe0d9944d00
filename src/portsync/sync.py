"""THE LINE: mapping -> request chains -> pages -> entities -> batches -> outcomes -> report.

The only module that knows every stage. Resources are read in the order of the file, as Ocean does, because a later
one may relate to what an earlier one made; within a resource several chains, and the next page of each, are read while
batches are under way.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from portsync.batch import Batcher
from portsync.chains.access import Access
from portsync.chains.lookups import LookedUp, look_up
from portsync.chains.read import read_resource
from portsync.chains.taken import TakenValues, reading_order
from portsync.errors import Problem, StoppedError
from portsync.flow import End, Fetched, Verdict
from portsync.plan import constant_blueprints, page_program
from portsync.report import Report, ResourceReport, exit_code_of
from portsync.state.seen import SeenEntities
from portsync.stop import StalledError
from portsync.transform import Mapper, map_page
from portsync.upsert import Upserter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from portsync.chains.stream import Chain
    from portsync.flow import Batch, BatchResult, MappedPage, Page
    from portsync.jq.pool import JqPool
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import Resource
    from portsync.mapping.requests import Lookup
    from portsync.plan import SourcePlan
    from portsync.sinks.base import Sink
    from portsync.state.seen import Sorted
    from portsync.stop import Stop
    from portsync.transport.client import Client


@dataclass(frozen=True)
class Tools:
    """What a run needs from outside."""

    client: Client
    """Sends to the source."""
    pool: JqPool
    sink: Sink
    stop: Stop
    clock: Callable[[], float]
    """Epoch seconds."""
    progress: Callable[[ResourceReport], None]
    """Is told of a resource's counts whenever they change."""
    patience_s: float
    """Longer than anything may take while a resource is read, in seconds: then the run hangs."""
    grace_s: float = 10.0
    """What is under way when a stop is requested gets so many seconds to end."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is asked of one run."""

    kinds: frozenset[str] = frozenset()
    """Only resources of these kinds; all where it is empty."""
    is_strict: bool = False
    """Whether skipped resources and field errors make the run partial."""


async def sync(
    mapping: LoadedMapping,
    source: SourcePlan,
    tools: Tools,
    *,
    run_id: str,
    options: RunOptions,
) -> Report:
    """Bring the resources of `mapping` from the source into the sink. Raises nothing that a source, Port or a mapping
    can cause: it is all in the report."""
    started_at = tools.clock()
    resources = mapping.file.resources
    wanted = [index for index, resource in enumerate(resources) if not options.kinds or resource.kind in options.kinds]
    reports = {
        index: ResourceReport(index, resources[index].kind, constant_blueprints(resources[index])) for index in wanted
    }
    upserter = Upserter(tools.sink)
    watch = asyncio.create_task(_give_up_after_grace(tools, upserter))
    access = Access(source, tools.client.send, tools.pool, tools.clock, started_at)
    lookups = await _look_up(mapping.file.context, access, tools.stop)
    with TakenValues(resources, wanted, lookups.access) as taken:
        for index in reading_order(resources, wanted):
            if tools.stop.is_requested or upserter.down:
                break
            report = reports[index]
            try:
                await _sync_resource(resources[index], lookups, taken, tools, upserter, report)
            except Exception as error:  # noqa: BLE001 - one of the two places: a bug in one resource must not stop the others
                message = f"a bug in portsync: {type(error).__name__}: {error}"
                report.end(End(Verdict.INCOMPLETE, "bug", Problem("bug", message, hint="please report it")))
            taken.finished(index, is_whole=report.verdict is Verdict.COMPLETE)
            tools.progress(report)
    watch.cancel()
    down = upserter.down
    if down is not None:
        for report in reports.values():
            report.reason = "port" if report.reason == "interrupted" else report.reason
    in_file_order = [reports[index] for index in wanted]
    return Report(
        run_id,
        str(mapping.path),
        started_at,
        tools.clock(),
        _exit_code(
            in_file_order, [resources[index] for index in wanted], tools.stop, upserter, is_strict=options.is_strict
        ),
        tuple(in_file_order),
        down.problems if down is not None else (),
        lookups.spent,
    )


async def _look_up(lookups: Mapping[str, Lookup], access: Access, stop: Stop) -> LookedUp:
    try:
        return await stop.race(look_up(lookups, access))
    except StoppedError:
        return LookedUp(access)  # no resource is begun then


async def _sync_resource(
    resource: Resource,
    lookups: LookedUp,
    taken: TakenValues,
    tools: Tools,
    upserter: Upserter,
    report: ResourceReport,
) -> None:
    """Read, map and write one resource; `report` takes the counts and the verdict."""
    if (missing := lookups.missing_for(resource)) is not None:
        report.end(missing)
        return
    access = lookups.access
    program = page_program(resource, access.source)
    mapper = Mapper(program, access.now, tools.pool, access.context.of(program.texts()))
    programs = mapper.programs()

    def mapping_of(chain: Chain) -> Callable[[Page], Awaitable[MappedPage]]:
        mapping = partial(map_page, mapper=mapper, programs=programs, variables=chain.variables)
        return taken.tapped(report.index, chain, mapping)

    pages = read_resource(resource, access, taken.records_for(report.index), mapping_of)
    batcher = Batcher()
    stalled = None
    put = partial(_put, tools=tools, upserter=upserter, report=report)
    with SeenEntities(resource.selector.on_conflict) as seen:
        until = tools.stop.until(pages, lambda: tools.client.attempts + tools.pool.runs, tools.patience_s)
        async with aclosing(pages), aclosing(until) as until_stopped:
            try:
                async for item in until_stopped:
                    report.add(item)
                    if isinstance(item, Fetched) and item.page is not None:
                        await _write(seen.sort(item.page.entities), report, batcher, put, upserter)
                    if upserter.down:
                        break
            except StalledError:
                stalled = _stalled(tools.patience_s)
    await put(batcher.flush())
    await upserter.settle()
    if stalled is not None:
        report.add(stalled)
    if not (tools.stop.is_requested or upserter.down):
        report.close()


def _stalled(patience_s: float) -> End:
    message = f"nothing happened for {patience_s:.0f} s, although every wait has its end: a bug in portsync"
    return End(Verdict.INCOMPLETE, "stalled", Problem("stalled", message, hint="please report it, and run it again"))


async def _write(
    found: Sorted,
    report: ResourceReport,
    batcher: Batcher,
    put: Callable[[Iterable[Batch]], Awaitable[None]],
    upserter: Upserter,
) -> None:
    """Send what a page brought that is new."""
    report.add_sorted(found)
    if found.overtakes:
        # The later of two conflicting entities has to arrive last.
        await put(batcher.flush())
        await upserter.settle()
    await put(batch for entity in found.to_send for batch in batcher.add(entity))


async def _put(batches: Iterable[Batch], *, tools: Tools, upserter: Upserter, report: ResourceReport) -> None:
    def done(result: BatchResult) -> None:
        report.add_result(result)
        tools.progress(report)

    for batch in batches:
        await upserter.put(batch, done)


async def _give_up_after_grace(tools: Tools, upserter: Upserter) -> None:
    await tools.stop.wait()
    await asyncio.sleep(tools.grace_s)
    upserter.give_up(Problem("interrupted", "the run was stopped before Port answered", hint="run it again"))


def _exit_code(
    reports: list[ResourceReport], resources: list[Resource], stop: Stop, upserter: Upserter, *, is_strict: bool
) -> int:
    if any(report.reason == "bug" for report in reports):
        return 70
    if stop.is_requested:
        return stop.exit_code
    if upserter.down is not None:
        accepted = sum(report.counts[fate] for report in reports for fate in ("created", "updated", "unchanged"))
        return 1 if accepted else upserter.down.exit_code
    counts = [resource.selector.on_conflict in ("report", "fail") for resource in resources]
    return exit_code_of(reports, conflicts_count=counts, is_strict=is_strict)
