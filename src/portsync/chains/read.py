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
    from portsync.chains.stream import Places
    from portsync.flow import End, Fetched, Page, Spent
    from portsync.mapping.models import Resource

M = TypeVar("M", bound=Mapped)


async def read_resource(
    resource: Resource,
    access: Access,
    found: Places,
    mapping_of: Callable[[Chain], Callable[[Page], Awaitable[M]]],
) -> AsyncGenerator[Fetched[M] | End | Spent]:
    """What the pages of `resource` become, along its chains at the places that were found; an End for each of them, and
    what else was spent.

    Several chains are read at once, and their pages come as they are there; in the chains' order only where it
    matters which of two conflicting records is the later one. `mapping_of` gives what maps the pages of a chain.
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
    begun = breaker.passing(chains(resource, access, found))
    async with aclosing(interleaved(begun, read, 1 if is_single(resource) else workers, in_order=in_order)) as items:
        async for item in items:
            breaker.look(item)
            yield item
    if breaker.end is not None:
        yield breaker.end
