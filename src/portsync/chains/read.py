"""A resource, from its chains to what its pages become."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from portsync.chains.breaker import Breaker
from portsync.chains.interleave import interleaved
from portsync.chains.slurp import facts_reader, fetch_slurped
from portsync.chains.stream import Chain, chains, is_single
from portsync.extract import Mapped, fetch_pages

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from portsync.chains.access import Access
    from portsync.chains.parameters import Records
    from portsync.flow import End, Fetched, Page, Spent
    from portsync.mapping.models import Resource
    from portsync.mapping.requests import PathParameter

M = TypeVar("M", bound=Mapped)


async def read_resource(
    resource: Resource,
    access: Access,
    taken_from: Callable[[str, PathParameter], Records],
    mapping_of: Callable[[Chain], Callable[[Page], Awaitable[M]]],
) -> AsyncGenerator[Fetched[M] | End | Spent]:
    """What the pages of `resource` become, an End for each of its chains, and what else was spent.

    Several chains are read at once, and their pages come as they are there; in the chains' order only where it
    matters which of two conflicting records is the later one. `mapping_of` gives what maps the pages of a chain,
    `taken_from` the values that a path parameter takes from another resource.
    """
    selector = resource.selector
    paginator = selector.pagination or access.source.paginator
    workers = access.source.concurrency
    width = workers if is_single(resource) else 1
    reading = access.reading(selector, width=width)
    reader = facts_reader(selector, paginator, access)

    async def read(item: Chain | Spent | End) -> AsyncGenerator[Fetched[M] | End | Spent]:
        if not isinstance(item, Chain):
            yield item
            return
        map_page = mapping_of(item)
        if selector.slurp:
            pages = fetch_slurped(item, paginator, reading, reader, map_page)
        else:
            pages = fetch_pages(item.first, paginator, reading, map_page, item.name)
        async with aclosing(pages):
            async for page in pages:
                yield page

    in_order = selector.on_conflict in ("first", "last")
    breaker = Breaker()
    found = breaker.passing(chains(resource, access, taken_from))
    async with aclosing(interleaved(found, read, 1 if is_single(resource) else workers, in_order=in_order)) as items:
        async for item in items:
            breaker.look(item)
            yield item
    if breaker.end is not None:
        yield breaker.end
