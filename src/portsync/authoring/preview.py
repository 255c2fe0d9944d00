"""The first records of each resource, with the requests that brought them and the entities that they become."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.flow import End, Verdict

if TYPE_CHECKING:
    from portsync.authoring.look import Look, SeenPage, SeenRecord
    from portsync.flow import RequestSpec


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are shown."""

    limit: int = 3
    """How many of each resource."""
    page: int | None = None
    """Only of the page with this number."""
    record: int | None = None
    """Only the one with this number within its page."""


@dataclass(frozen=True, slots=True)
class PreviewedPage:
    """One page that was looked at."""

    request: RequestSpec
    number: int
    chain: str
    records: int
    """How many it holds."""
    filtered: int
    """How many of them `selector.query` left out."""
    shown: tuple[SeenRecord, ...]


@dataclass(frozen=True, slots=True)
class Previewed:
    """What was seen of one resource."""

    index: int
    kind: str
    pages: tuple[PreviewedPage, ...]
    end: End | None
    """How reading ended; None where it was given up, because enough was seen."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing went wrong as far as somebody looked."""
        if self.end is not None and self.end.verdict is Verdict.INCOMPLETE:
            return False
        return not any(record.failures or record.field_errors for page in self.pages for record in page.shown)


async def preview(look: Look, index: int, kind: str, wanted: Wanted) -> Previewed:
    """The wanted records of the resource with this index. Reading ends with the last of them."""
    pages: list[PreviewedPage] = []
    rest, end = 1 if wanted.record is not None else wanted.limit, None
    async with aclosing(look.pages(index)) as found:
        async for page in found:
            if isinstance(page, End):
                # The first that went wrong says more than those that follow.
                end = end if end is not None and end.verdict is Verdict.INCOMPLETE else page
                continue
            shown = () if _is_passed_over(page, wanted) else await _shown(look, index, page, wanted, rest)
            rest -= len(shown)
            if wanted.page is None or shown or page.page.number == wanted.page:
                pages.append(_previewed(page, shown))
            if rest <= 0 or (wanted.page is not None and page.page.number >= wanted.page):
                break
    return Previewed(index, kind, tuple(pages), end)


def _is_passed_over(page: SeenPage, wanted: Wanted) -> bool:
    return wanted.page is not None and page.page.number != wanted.page


async def _shown(look: Look, index: int, page: SeenPage, wanted: Wanted, rest: int) -> tuple[SeenRecord, ...]:
    if wanted.record is None:
        return tuple(await look.records(index, page, rest))
    return tuple(await look.records(index, page, 1, first=wanted.record))


def _previewed(page: SeenPage, shown: tuple[SeenRecord, ...]) -> PreviewedPage:
    source = page.page
    return PreviewedPage(source.request, source.number, source.chain, page.facts.records, page.mapped.filtered, shown)
