"""THE LINE: mapping -> request chains -> pages -> entities -> batches -> outcomes -> report.

The only module that knows every stage. Resources are read in the order of the file, as Ocean does, because a later
one may relate to what an earlier one made; within a resource the next page is read while batches are under way.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from portsync.batch import Batcher
from portsync.errors import ExpressionError, Problem, StoppedError
from portsync.extract import fetch_pages, one_ahead
from portsync.flow import End, MappedPage, Verdict
from portsync.plan import RequestChain, SourcePlan, constant_blueprints, plan_resource
from portsync.report import Report, ResourceReport, exit_code_of
from portsync.state.seen import SeenEntities
from portsync.transform import Mapper, map_page
from portsync.upsert import Upserter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from portsync.flow import Batch, BatchResult
    from portsync.jq.pool import JqPool
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import Resource
    from portsync.sinks.base import Sink
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
    grace_s: float = 10.0
    """What is under way when a stop is requested gets so many seconds to end."""


async def sync(
    mapping: LoadedMapping,
    source: SourcePlan,
    tools: Tools,
    *,
    run_id: str,
    kinds: frozenset[str] = frozenset(),
) -> Report:
    """Bring every resource of `mapping` (or those of `kinds`) from the source into the sink. Raises nothing that a
    source, Port or a mapping can cause: it is all in the report."""
    started_at = tools.clock()
    wanted = [(i, r) for i, r in enumerate(mapping.file.resources) if not kinds or r.kind in kinds]
    reports = [ResourceReport(index, resource.kind, constant_blueprints(resource)) for index, resource in wanted]
    upserter = Upserter(tools.sink)
    watch = asyncio.create_task(_give_up_after_grace(tools, upserter))
    for (_, resource), report in zip(wanted, reports, strict=True):
        if tools.stop.is_requested or upserter.down:
            break
        try:
            await _sync_resource(resource, source, tools, upserter, report, started_at)
        except Exception as error:  # noqa: BLE001 - one of the two places: a bug in one resource must not stop the others
            message = f"a bug in portsync: {type(error).__name__}: {error}"
            report.end(End(Verdict.INCOMPLETE, "bug", Problem("bug", message, hint="please report it")))
        tools.progress(report)
    watch.cancel()
    down = upserter.down
    if down is not None:
        for report in reports:
            report.reason = "port" if report.reason == "interrupted" else report.reason
    return Report(
        run_id,
        str(mapping.path),
        started_at,
        tools.clock(),
        _exit_code(reports, [resource for _, resource in wanted], tools.stop, upserter),
        tuple(reports),
        down.problems if down is not None else (),
    )


async def _sync_resource(
    resource: Resource,
    source: SourcePlan,
    tools: Tools,
    upserter: Upserter,
    report: ResourceReport,
    now: float,
) -> None:
    """Read, map and write one resource; `report` takes the counts and the verdict."""
    chain = await _plan(resource, source, tools, report, now)
    if chain is None:
        return
    mapper = Mapper(chain.program, chain.variables, now, tools.pool)
    mapping = partial(map_page, mapper=mapper, programs=mapper.programs())
    pages = fetch_pages(chain.first, chain.paginator, tools.client.send, mapping, tools.clock)
    ahead = one_ahead(pages)
    batcher = Batcher()
    put = partial(_put, tools=tools, upserter=upserter, report=report)
    with SeenEntities(resource.selector.on_conflict) as seen:
        async with aclosing(pages), aclosing(ahead), aclosing(tools.stop.until(ahead)) as until_stopped:
            async for item in until_stopped:
                match item:
                    case MappedPage():
                        report.add_page(item)
                        found = seen.sort(item.entities)
                        report.add_sorted(found)
                        if found.overtakes:
                            # The later of two conflicting entities has to arrive last.
                            await put(batcher.flush())
                            await upserter.settle()
                        await put(batch for entity in found.to_send for batch in batcher.add(entity))
                    case End():
                        report.end(item)
                if upserter.down:
                    break
    await put(batcher.flush())
    await upserter.settle()


async def _plan(
    resource: Resource, source: SourcePlan, tools: Tools, report: ResourceReport, now: float
) -> RequestChain | None:
    """The resource's request chain; None where there is none, which `report` then says."""
    try:
        return await tools.stop.race(plan_resource(resource, source, tools.pool, now))
    except ExpressionError as error:
        reason = "origin" if error.problems[0].code == "foreign-origin" else "jq"
        report.end(End(Verdict.INCOMPLETE, reason, error.problems[0]))
    except StoppedError:
        pass  # the report says so of every resource that has no verdict
    return None


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


def _exit_code(reports: list[ResourceReport], resources: list[Resource], stop: Stop, upserter: Upserter) -> int:
    if any(report.reason == "bug" for report in reports):
        return 70
    if stop.is_requested:
        return stop.exit_code
    if upserter.down is not None:
        accepted = sum(report.counts[fate] for report in reports for fate in ("created", "updated", "unchanged"))
        return 1 if accepted else upserter.down.exit_code
    counts = [resource.selector.on_conflict in ("report", "fail") for resource in resources]
    return exit_code_of(reports, conflicts_count=counts)
