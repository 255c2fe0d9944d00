"""`path_parameters.<name>.from`: what one resource's records give for the paths of others.

Where both are read in the same run, the values are taken on the way, without another request; the resource that gives
them is read first. Otherwise its records are read for their values alone.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from portsync.chains.parameters import reason_of
from portsync.chains.read import read_resource
from portsync.chains.shelf import Shelf
from portsync.chains.stream import places
from portsync.chains.values import ValuesPage, ValuesReader, values_reader
from portsync.errors import Problem
from portsync.extract import Mapped
from portsync.flow import End, Fetched, Spent, Verdict
from portsync.jq.values import ValuesProgram

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
    from types import TracebackType

    from portsync.chains.access import Access
    from portsync.chains.parameters import Records
    from portsync.chains.stream import Chain
    from portsync.chains.values import RecordValues
    from portsync.flow import Page
    from portsync.mapping.models import Resource
    from portsync.mapping.requests import PathParameter

M = TypeVar("M", bound=Mapped)


@dataclass(frozen=True, slots=True)
class _Tap:
    """What is taken of one resource's records."""

    reader: ValuesReader
    shelf: Shelf


class TakenValues:
    """The values that resources of a run give to each other."""

    def __init__(self, resources: Sequence[Resource], wanted: Collection[int], access: Access) -> None:
        """`wanted` are the indexes of the resources that are read in this run."""
        self._resources = resources
        self._access = access
        self._shelves = ExitStack()
        self._taps: dict[int, dict[str, _Tap]] = {}
        for index in wanted:
            for name, parameter in resources[index].selector.path_parameters.items():
                giver = giver_of(parameter, resources)
                if giver is not None and giver in wanted:
                    tap = _Tap(self._reader(name, parameter, resources[giver]), self._shelves.enter_context(Shelf()))
                    self._taps.setdefault(giver, {})[f"{index} {name}"] = tap

    def tapped(
        self, index: int, chain: Chain, map_page: Callable[[Page], Awaitable[M]]
    ) -> Callable[[Page], Awaitable[M]]:
        """`map_page` of the resource with this index, with the values taken beside."""
        taps = list(self._taps.get(index, {}).values())
        if not taps:
            return map_page

        async def mapped(page: Page) -> M:
            taking = asyncio.gather(*(tap.reader.read(page, chain.variables) for tap in taps))
            result, found = await asyncio.gather(map_page(page), taking)
            for tap, values in zip(taps, found, strict=True):
                tap.shelf.add(values.records)
            return result

        return mapped

    def given_by(self, index: int) -> Iterator[tuple[str, RecordValues]]:
        """What the resource with this index has given so far, each with the name of what it is for."""
        for name, tap in self._taps.get(index, {}).items():
            for record in tap.shelf.read():
                yield name, record

    def give(self, index: int, name: str, record: RecordValues) -> None:
        """Take what somebody else read of the resource with this index."""
        self._taps[index][name].shelf.add((record,))

    def finished(self, index: int, *, is_whole: bool) -> None:
        """Take to the records that the resource with this index was read, and whether all of it was."""
        for tap in self._taps.get(index, {}).values():
            tap.shelf.is_whole = is_whole

    def records_for(self, index: int) -> Callable[[str, PathParameter], Records]:
        """What gives the resource with this index the values that it takes from others."""

        def taken_from(name: str, parameter: PathParameter) -> Records:
            giver = giver_of(parameter, self._resources)
            assert giver is not None, "the mapping was checked"
            tap = self._taps.get(giver, {}).get(f"{index} {name}")
            if tap is not None:
                return _kept(tap.shelf, name, parameter)
            return self._read(giver, self._reader(name, parameter, self._resources[giver]))

        return taken_from

    async def _read(self, index: int, reader: ValuesReader) -> Records:
        """The values of a resource that this run does not read otherwise."""

        def mapping_of(chain: Chain) -> Callable[[Page], Awaitable[ValuesPage]]:
            return partial(reader.read, variables=chain.variables)

        resource = self._resources[index]
        found = places(resource, self._access, self.records_for(index))
        items = read_resource(resource, self._access, found, mapping_of)
        async with aclosing(items):
            async for item in items:
                if isinstance(item, Fetched):
                    yield item.spent
                    for record in item.page.records if item.page is not None else ():
                        yield record
                elif isinstance(item, Spent):
                    yield item
                elif item.verdict is not Verdict.COMPLETE:
                    yield replace(item, reason=reason_of(item))

    def _reader(self, name: str, parameter: PathParameter, giver: Resource) -> ValuesReader:
        selector = giver.selector
        paginator = selector.pagination or self._access.source.paginator
        program = ValuesProgram(
            selector.data_path,
            {name: parameter.field, **parameter.with_},
            query=selector.query,
            filter=parameter.filter,
            facts=paginator.facts(),
            is_enriched=bool(selector.path_parameters),
        )
        return values_reader(program, self._access)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._shelves.close()


def giver_of(parameter: PathParameter, resources: Sequence[Resource]) -> int | None:
    """The index of the resource that a parameter takes its values from; None where it takes none."""
    return next((i for i, resource in enumerate(resources) if resource.kind == parameter.from_), None)


def givers_of(resource: Resource, resources: Sequence[Resource]) -> list[int]:
    """The indexes of the resources that one takes values from, in the order of its parameters."""
    givers = (giver_of(parameter, resources) for parameter in resource.selector.path_parameters.values())
    return [giver for giver in givers if giver is not None]


def reading_order(
    resources: Sequence[Resource], wanted: Sequence[int], first: Callable[[int], Collection[int]] = lambda _: ()
) -> list[int]:
    """The wanted indexes in the order of the file, but each after those that it takes values from, and as far as that
    is possible after those that `first` names for it."""
    order: dict[int, None] = {}
    visiting: set[int] = set()

    def visit(index: int) -> None:
        if index in order or index in visiting:
            return
        visiting.add(index)
        for other in (*givers_of(resources[index], resources), *first(index)):
            if other in wanted:
                visit(other)
        order[index] = None

    for index in wanted:
        visit(index)
    return list(order)


async def _kept(shelf: Shelf, name: str, parameter: PathParameter) -> Records:
    for record in shelf.read():
        yield record
    if not shelf.is_whole:
        message = f"`{name}`: not all records of `{parameter.from_}` were read, from which it takes its values"
        problem = Problem("path-parameter", message, f"path_parameters.{name}", "see that resource's problem")
        yield End(Verdict.INCOMPLETE, "parameter", problem)
