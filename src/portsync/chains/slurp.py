"""`slurp: true`: all pages of a chain as one, the list of their bodies."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from portsync.chains.values import ValuesReader, values_reader
from portsync.errors import ExpressionError, Problem
from portsync.extract import Mapped, fetch_pages
from portsync.flow import End, Fetched, Page, PageFacts, Spent, Verdict
from portsync.jq.values import ValuesProgram

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from portsync.chains.access import Access
    from portsync.chains.stream import Chain
    from portsync.extract import Reading
    from portsync.mapping.requests import Request
    from portsync.pagination import Paginator

M = TypeVar("M", bound=Mapped)

LARGEST = 256 * 2**20
"""Bytes that the pages of one chain may have together."""


@dataclass(frozen=True, slots=True)
class _Body:
    """A page of which nothing is read but what the paginator wants to know."""

    facts: PageFacts
    content: bytes
    body: bytes


def facts_reader(request: Request, paginator: Paginator, access: Access) -> ValuesReader:
    """What tells of each page that is going to be slurped what the paginator wants to know. A page counts as many
    records as `data_path` finds in it alone."""
    return values_reader(ValuesProgram(f"[.] | {request.data_path}", {}, facts=paginator.facts()), access)


async def fetch_slurped(
    chain: Chain,
    paginator: Paginator,
    reading: Reading,
    reader: ValuesReader,
    map_page: Callable[[Page], Awaitable[M]],
) -> AsyncGenerator[Fetched[M] | End]:
    """Read a chain to its end and map the list of its pages as one page. A chain that was not read to its end gives
    nothing but its End: what is made of all pages would be wrong if it were made of some. `reader` is that of
    `facts_reader`.
    """

    async def keep(page: Page) -> _Body:
        read = await reader.read(page, chain.variables)
        return _Body(read.facts, read.content, page.body)

    bodies: list[bytes] = []
    spent = Spent()
    end = End(Verdict.INCOMPLETE, "interrupted", chain=chain.name)
    whole_pages = replace(reading, split=lambda _: None, glance=lambda _: None)
    async with aclosing(fetch_pages(chain.first, paginator, whole_pages, keep, chain.name)) as pages:
        async for got in pages:
            spent += got.spent
            if isinstance(got, End):
                end = got
            elif got.page is not None:
                bodies.append(got.page.body)
                if sum(map(len, bodies)) > LARGEST:
                    end = _ended(chain, "too-large", _too_large(chain))
                    break
    if end.verdict is not Verdict.COMPLETE:
        yield replace(end, spent=spent)
        return
    whole = Page(chain.first, 1, b"[" + b",".join(bodies) + b"]", chain.name)
    try:
        mapped = await map_page(whole)
    except ExpressionError as error:
        yield replace(_ended(chain, "jq", error.problems[0]), spent=spent)
        return
    if mapped.facts.missing or mapped.facts.data_path_error is not None:
        said = mapped.facts.data_path_error or "it gave null"
        problem = Problem(
            "data-path", f"`data_path` failed on the list of all pages: {said}", chain.name or None, _HINT
        )
        yield replace(_ended(chain, "data_path", problem), spent=spent)
        return
    yield Fetched(mapped, spent, len(bodies))
    yield end


_HINT = "with `slurp`, `data_path` gets a list of pages: `[.[].data[]]` joins their records"


def _ended(chain: Chain, reason: str, problem: Problem) -> End:
    return End(Verdict.INCOMPLETE, reason, problem, chain=chain.name)


def _too_large(chain: Chain) -> Problem:
    message = f"the pages to slurp have more than {LARGEST // 2**20} MiB together"
    return Problem("answer-too-large", message, chain.name or None, "ask for less at once, with `window`")
