"""The middle of the line: one resource, or a slice of one, from its request chains to what the sink made of its
entities. Several chains, and the next page of each, are read while batches are under way."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from portsync.chains.read import read_resource
from portsync.errors import Problem
from portsync.flow import End, Fetched, Verdict
from portsync.gathered import Gathered
from portsync.plan import constant_blueprints, page_program
from portsync.report import ResourceReport
from portsync.state.seen import SeenEntities
from portsync.stop import StalledError
from portsync.transform import Mapper, map_page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from portsync.chains.lookups import LookedUp
    from portsync.chains.stream import Chain, Places
    from portsync.chains.taken import TakenValues
    from portsync.dead_letters import DeadLetters
    from portsync.flow import Entity, MappedPage, Page
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import MappingFile, Resource
    from portsync.producers import Producers
    from portsync.showing import Showing
    from portsync.state.seen import Sorter
    from portsync.tools import Tools
    from portsync.write import Writer


@dataclass(frozen=True, slots=True)
class ResourceRun:
    """One resource of a run, with what its part of the line needs."""

    mapping: LoadedMapping
    lookups: LookedUp
    taken: TakenValues
    showing: Showing
    tools: Tools
    writer: Writer
    report: ResourceReport
    """Takes the counts and the verdict."""
    producers: Producers
    unread: Collection[int]
    """The resources that are not read to their end yet, this one among them. It shrinks as the run goes on."""
    awaited: frozenset[str] = frozenset()
    """Blueprints of which entities wait elsewhere, for others of the run."""

    @property
    def resource(self) -> Resource:
        return self.mapping.file.resources[self.report.index]

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be read or written in this run."""
        return self.tools.stop.is_requested or self.writer.upserter.down is not None

    def is_to_come(self, blueprint: str) -> bool:
        """Whether entities of the blueprint may still come in this run."""
        return blueprint in self.awaited or not set(self.unread).isdisjoint(self.producers.of(blueprint))


def begun_report(index: int, file: MappingFile, letters: DeadLetters | None) -> ResourceReport:
    """The report of the resource with this index, before anything is read."""
    resource = file.resources[index]
    takes_conflicts = resource.selector.on_conflict in ("first", "last")
    report = ResourceReport(
        index, resource.kind, constant_blueprints(resource), takes_conflicts, hints=file.source.hints
    )
    if letters is not None:
        report.letter = partial(_write_letter, letters, index)
    return report


def _write_letter(letters: DeadLetters, index: int, problem: Problem, entity: Entity | None) -> None:
    if entity is None:
        letters.add(problem, index, None, None)
    else:
        letters.add(problem, index, entity.blueprint, entity.body)


def sorter_of(part: ResourceRun) -> SeenEntities:
    """What tells entities of the resource apart, where all of them come by here."""
    return SeenEntities(part.resource.selector.on_conflict, is_merge=part.mapping.file.enable_merge_entity)


async def run_along(part: ResourceRun, found: Places, sorter: Sorter) -> None:
    """Read, map and write the chains of the resource that are at these places."""
    resource, tools, writer, report = part.resource, part.tools, part.writer, part.report
    access = part.lookups.access
    program = page_program(resource, access.source)
    mapper = Mapper(program, access.now, tools.pool, access.context.of(program.texts()))
    programs = mapper.programs()

    def mapping_of(chain: Chain) -> Callable[[Page], Awaitable[MappedPage]]:
        mapped = partial(map_page, mapper=mapper, programs=programs, variables=chain.variables)
        return part.showing.watched(resource, chain, part.taken.tapped(report.index, chain, mapped))

    pages = read_resource(resource, access, found, mapping_of)
    stalled = None
    with sorter as seen:

        async def write(entities: Sequence[Entity]) -> None:
            await writer.write(report.index, seen.sort(entities), part.is_to_come)

        until = tools.stop.until(pages, lambda: tools.client.attempts + tools.pool.runs, tools.patience_s)
        async with Gathered(write) as gathered, aclosing(pages), aclosing(until) as until_stopped:
            try:
                async for item in until_stopped:
                    report.add(item)
                    tools.log_item(resource.kind, item)
                    if isinstance(item, Fetched) and item.page is not None:
                        tools.progress(report)
                        await gathered.add(item.page.entities)
                    if writer.upserter.down:
                        break
            except StalledError:
                stalled = stalled_end(tools.patience_s)
    await writer.settle(report.index)
    if stalled is not None:
        report.add(stalled)
    if not part.is_over:
        report.close()


def stalled_end(patience_s: float) -> End:
    """The end of a resource that hangs."""
    message = f"nothing happened for {patience_s:.0f} s, although every wait has its end: a bug in portsync"
    return End(Verdict.INCOMPLETE, "stalled", Problem("stalled", message, hint="please report it, and run it again"))
