"""A look at what a mapping makes of its source: pages with their records beside what became of each. Nothing is written
anywhere, and little more is read than somebody looks at: a page or two may be under way already."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from portsync.chains.access import Access
from portsync.chains.lookups import look_up
from portsync.chains.read import read_resource
from portsync.chains.stream import places
from portsync.chains.taken import TakenValues
from portsync.examples import first_records
from portsync.flow import End, Spent
from portsync.pieces import USUAL
from portsync.plan import page_program
from portsync.transform import Mapper, map_page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping

    from portsync.chains.lookups import LookedUp
    from portsync.chains.stream import Chain
    from portsync.flow import Entity, Failure, FieldError, Json, MappedPage, Page, PageFacts
    from portsync.jq.variables import Variables
    from portsync.mapping.loader import LoadedMapping
    from portsync.pieces import PieceSizes
    from portsync.plan import SourcePlan
    from portsync.wiring import FromSource


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A page, and what became of each of its records."""

    page: Page
    mapped: MappedPage
    variables: Variables
    """What `$params` and `$window` stood for."""

    @property
    def facts(self) -> PageFacts:
        return self.mapped.facts

    @property
    def content(self) -> bytes:
        return self.mapped.content


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """One record, and what became of it."""

    page: SeenPage
    number: int
    """Counted from 1 within its page."""
    value: Json
    """As the source gave it."""
    entities: tuple[Entity, ...]
    failures: tuple[Failure, ...]
    field_errors: tuple[FieldError, ...]

    @property
    def is_filtered(self) -> bool:
        """Whether `selector.query` left it out."""
        return not self.entities and not self.failures

    @property
    def bodies(self) -> list[dict[str, Json]]:
        """The entities, as they would be sent."""
        return [orjson.loads(entity.body) for entity in self.entities]


class Look:
    """Reads resources of a mapping as far as somebody looks: `async with looking(...) as look`."""

    def __init__(self, mapping: LoadedMapping, lookups: LookedUp) -> None:
        self._resources = mapping.file.resources
        self._hints = mapping.file.source.hints
        self._lookups = lookups

    async def pages(self, index: int) -> AsyncGenerator[SeenPage | End]:
        """The pages of the resource with this index, and the end of each of its chains. Raises nothing that a source
        or a mapping can cause."""
        resource = self._resources[index]
        if (missing := self._lookups.missing_for(resource)) is not None:
            yield self._advised(missing)
            return
        access = self._lookups.access
        program = page_program(resource, access.source)
        mapper = Mapper(program, access.now, access.pool, access.context.of(program.texts()))
        programs = mapper.programs()

        def mapping_of(chain: Chain) -> Callable[[Page], Awaitable[SeenPage]]:
            async def mapped(page: Page) -> SeenPage:
                return SeenPage(page, await map_page(page, mapper, programs, chain.variables), chain.variables)

            return mapped

        # Nobody knows how far another resource will be looked at: what is taken from it is read for that alone.
        with TakenValues(self._resources, (), access) as taken:
            items = read_resource(resource, access, places(resource, access, taken.records_for(index)), mapping_of)
            async with aclosing(items):
                async for item in items:
                    match item:
                        case End():
                            yield self._advised(item)
                        case Spent():
                            pass
                        case _ if item.page is not None:
                            yield item.page

    def _advised(self, end: End) -> End:
        return end if end.problem is None else replace(end, problem=end.problem.advised(self._hints))

    async def records(self, index: int, seen: SeenPage, most: int, *, first: int = 1) -> list[SeenRecord]:
        """At most `most` records of a page of the resource with this index, from the one with the number `first`."""
        access, path = self._lookups.access, self._resources[index].selector.data_path
        values = await first_records(
            seen.page,
            path,
            access.pool,
            now=access.now,
            variables=seen.variables,
            context=access.context.of([path]),
            most=first - 1 + most,
        )
        before = seen.page.first_record
        return [
            _record(seen, before + number, value, self._hints)
            for number, value in enumerate(values[first - 1 :], start=first)
        ]


def _record(seen: SeenPage, number: int, value: Json, hints: Mapping[str, str]) -> SeenRecord:
    mapped = seen.mapped
    return SeenRecord(
        seen,
        number,
        value,
        tuple(entity for entity in mapped.entities if entity.record == number),
        tuple(
            replace(failure, hint=hints.get(failure.code, failure.hint))
            for failure in mapped.failures
            if failure.record == number
        ),
        tuple(error for error in mapped.field_errors if error.record == number),
    )


@asynccontextmanager
async def looking(
    mapping: LoadedMapping,
    source: SourcePlan,
    tools: FromSource,
    clock: Callable[[], float],
    sizes: PieceSizes = USUAL,
) -> AsyncIterator[Look]:
    """Looks at `mapping`; its lookups are made first. `clock` is in epoch seconds; `sizes` say which answers are large
    enough to be mapped in pieces."""
    access = Access(source, tools.client.send, tools.pool, clock, clock(), sizes=sizes)
    yield Look(mapping, await look_up(mapping.file.context, access))
