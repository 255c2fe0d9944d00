"""The values of path parameters: listed, fetched, or taken from another resource; every combination once.

Each parameter is a stage of a pipe: it takes sets of values and gives larger ones. Nothing in the pipe holds all of
them, so 50,000 parents wait where they come from, not in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from portsync.chains.interleave import interleaved
from portsync.chains.shelf import Shelf
from portsync.chains.template import RequestTemplate
from portsync.chains.values import RecordValues, ValuesReader, is_text_or_number, values_reader
from portsync.errors import ExpressionError, Problem
from portsync.excerpts import cut
from portsync.extract import fetch_pages
from portsync.flow import OF_THE_SOURCE, End, Fetched, Json, Spent, Verdict
from portsync.jq.values import ValuesProgram
from portsync.jq.variables import Variables
from portsync.mapping.templates import parameters_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.chains.access import Access
    from portsync.extract import Reading
    from portsync.mapping.models import Resource
    from portsync.mapping.requests import PathParameter
    from portsync.pagination import Paginator

ParameterSet = Mapping[str, Json]
"""The values of the parameters known so far, by name."""

Item = ParameterSet | Spent | End
"""What the pipe carries: sets, what fetching them cost, and what is wrong with one that could not be had."""


Records = AsyncGenerator[RecordValues | Spent | End]
"""The values of records, from wherever they come."""


async def parameter_sets(
    resource: Resource, access: Access, taken_from: Callable[[str, PathParameter], Records]
) -> AsyncGenerator[Item]:
    """Each combination of the values of the resource's parameters, once. `taken_from` gives the values
    that the parameter of this name takes from another resource."""
    stages = _once()
    for name in order_of(resource):
        stages = _stage(stages, name, resource.selector.path_parameters[name], access, taken_from)
    names = list(resource.selector.path_parameters)
    seen: set[bytes] = set()
    async with aclosing(stages):
        async for item in stages:
            if isinstance(item, Mapping):
                # What `with` adds does not make another request.
                digest = blake2b(orjson.dumps([item[name] for name in names]), digest_size=16).digest()
                if digest in seen:
                    continue
                seen.add(digest)
            yield item


def order_of(resource: Resource) -> list[str]:
    """The resource's parameters, each after those in its own endpoint."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in found:
            for other in needs_of(resource.selector.path_parameters[name]):
                visit(other)
            found[name] = None

    for name in resource.selector.path_parameters:
        visit(name)
    return list(found)


def needs_of(parameter: PathParameter) -> list[str]:
    """The parameters that its endpoint holds."""
    return parameters_in(parameter.endpoint) if parameter.endpoint is not None else []


async def _once() -> AsyncGenerator[Item]:
    yield {}


async def _stage(
    sets: AsyncGenerator[Item],
    name: str,
    parameter: PathParameter,
    access: Access,
    taken_from: Callable[[str, PathParameter], Records],
) -> AsyncGenerator[Item]:
    """Each of `sets` with each value of the parameter `name`, in order."""

    async def widened(item: Item) -> AsyncGenerator[Item]:
        if not isinstance(item, Mapping):
            yield item
            return
        async with aclosing(values(item)) as found:
            async for more in found:
                yield {**item, **more} if isinstance(more, Mapping) else more

    with Shelf() as shelf:
        values = _values(name, parameter, access, taken_from, shelf)
        async with aclosing(interleaved(sets, widened, access.source.concurrency, in_order=True)) as items:
            async for item in items:
                yield item


def _values(
    name: str,
    parameter: PathParameter,
    access: Access,
    taken_from: Callable[[str, PathParameter], Records],
    shelf: Shelf,
) -> Callable[[ParameterSet], AsyncGenerator[Item]]:
    """What gives the values of a parameter beside those that are known already. Those that do not depend on others are
    fetched once, and kept on `shelf`."""
    listed = parameter.values
    if listed is not None:

        async def of_list(_known: ParameterSet) -> AsyncGenerator[Item]:
            for value in listed:
                yield {name: str(value)}

        return of_list
    if parameter.endpoint is None:
        records = _Once(taken_from(name, parameter), shelf)
        return lambda _known: _sets(name, parameter, records.read())
    template = RequestTemplate(parameter.endpoint, parameter, _place(name), access)
    paginator = parameter.pagination or access.source.paginator
    fields = {name: parameter.field, **parameter.with_}
    program = ValuesProgram(parameter.data_path, fields, filter=parameter.filter, facts=paginator.facts())
    reader = values_reader(program, access)
    fetch = partial(_records, _place(name), template, paginator, access.reading(parameter), reader)
    if needs_of(parameter) or any("$params" in text for text in template.texts()):
        return lambda known: _sets(name, parameter, fetch(known))
    once = _Once(fetch({}), shelf)
    return lambda _known: _sets(name, parameter, once.read())


class _Once:
    """Records that are fetched once, however often they are wanted."""

    def __init__(self, records: Records, shelf: Shelf) -> None:
        self._records = records
        self._shelf = shelf
        self._turn = asyncio.Lock()
        self._is_read = False

    async def read(self) -> Records:
        async with self._turn:
            if not self._is_read:
                async with aclosing(self._records) as records:
                    async for item in records:
                        if isinstance(item, RecordValues):
                            self._shelf.add((item,))
                        yield item
                self._is_read = True
                return
        for record in self._shelf.read():
            yield record


async def _records(
    place: str,
    template: RequestTemplate,
    paginator: Paginator,
    reading: Reading,
    reader: ValuesReader,
    known: ParameterSet,
) -> Records:
    """The values of the records that a parameter's own endpoint gives."""
    variables = Variables(params=known)
    read = partial(reader.read, variables=variables)
    try:
        request = await template.render(variables)
    except ExpressionError as error:
        yield End(Verdict.INCOMPLETE, "parameter", replace(error.problems[0], place=place))
        return
    async with aclosing(fetch_pages(request, paginator, reading, read, chain_name(place, known))) as pages:
        async for got in pages:
            if isinstance(got, Fetched):
                yield got.spent
                for record in got.page.records if got.page is not None else ():
                    yield record
            elif got.verdict is not Verdict.COMPLETE:
                yield replace(got, reason=reason_of(got))


def reason_of(end: End) -> str | None:
    """Why a resource is incomplete whose parameter's values came to this end."""
    return end.reason if end.reason in OF_THE_SOURCE else "parameter"


async def _sets(name: str, parameter: PathParameter, records: Records) -> AsyncGenerator[Item]:
    """The values of a parameter, and those beside it, that records gave; each that cannot be used is an End."""
    async with aclosing(records):
        async for item in records:
            if not isinstance(item, RecordValues):
                yield item
            elif (fault := _fault(name, item)) is not None:
                hint = f"correct `field`, or leave such records out with `{_place(name)}.filter`"
                problem = Problem("path-parameter", f"`{name}`: {fault}", f"{_place(name)}, {item.place}", hint)
                yield End(Verdict.INCOMPLETE, "parameter", problem)
            else:
                others = {other: orjson.loads(item.values[other]) for other in parameter.with_}
                yield {**others, name: _text(item.values[name])}


def _fault(name: str, record: RecordValues) -> str | None:
    """Why a record gives no value, or None."""
    for field, message in record.errors.items():
        return f"`{'field' if field == name else f'with.{field}'}` failed: {message}"
    if not is_text_or_number(record.values[name]) or not _text(record.values[name]):
        return f"`field` gave {cut(record.values[name], _EXCERPT)}, which no path can hold"
    return None


_EXCERPT = 100


def _text(value: str) -> str:
    """A JSON text as it stands in a path: numbers keep their digits."""
    return str(orjson.loads(value)) if value.startswith('"') else value


def chain_name(start: str, params: ParameterSet) -> str:
    """What a chain with these values is called in places and problems."""
    return " ".join(filter(None, [start, ", ".join(f"{name}={value}" for name, value in params.items())]))


def _place(name: str) -> str:
    return f"path_parameters.{name}"
