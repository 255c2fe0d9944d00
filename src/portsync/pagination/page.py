"""Pages that have numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from portsync.pagination import claims
from portsync.pagination.base import Paginator, pages_for
from portsync.pagination.paths import PathExpression
from portsync.pagination.placement import Into, number_in, put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portsync.flow import PageFacts, RequestSpec


class PagePagination(Paginator):
    """Ask for one page after the other by its number."""

    type: Literal["page"]
    """Which way from page to page this is."""
    page_param: str = "page"
    """Carries the number of the page wanted."""
    size_param: str | None = "size"
    """Carries how many records a page shall have; null: it is not sent."""
    start_page: Annotated[int, Field(ge=0)] = 1
    """The number of the first page."""
    page_size: Annotated[int, Field(ge=1)] = 100
    """How many records a page shall have."""
    total_path: PathExpression | None = None
    """Over the answer's body: how many records there are in all."""
    total_pages_path: PathExpression | None = None
    """Over the answer's body: how many pages there are in all."""
    has_more_path: PathExpression | None = None
    """Over the answer's body: whether there are more; `false` ends the run."""
    last_page_path: PathExpression | None = None
    """Over the answer's body: whether this is the last page; `true` ends the run."""
    into: Into = "query"
    """Where the parameters go: query, body (then the names are dotted paths) or header."""
    until: Literal["empty", "short"] = "empty"
    """Where nothing else speaks: an empty page ends the run, or already a short one."""

    def first(self, request: RequestSpec) -> RequestSpec:
        begun = self._at(request, self.start_page)
        return begun if self.size_param is None else put(begun, self.into, self.size_param, self.page_size)

    def next(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        number = self._number(request)
        more = claims.has_more(facts)
        if more is None:
            more = self._has_more(number, facts)
        return self._at(request, number + 1) if more else None

    def ahead(self, request: RequestSpec, facts: PageFacts) -> Iterable[RequestSpec]:
        pages = claims.total_pages(facts)
        if pages is None and facts.records == self.page_size and (total := self.total(facts)) is not None:
            pages = pages_for(total, self.page_size)
        if pages is None or claims.has_more(facts) is False:
            return ()
        number = self._number(request)
        later = self._allowed(self.start_page + pages - 1 - number, facts)
        return (self._at(request, number + step) for step in range(1, later + 1))

    def to_come(self, request: RequestSpec, facts: PageFacts) -> int | None:
        pages = claims.total_pages(facts)
        if pages is None or claims.has_more(facts) is False:
            return super().to_come(request, facts)
        return self._allowed(max(0, self.start_page + pages - 1 - self._number(request)), facts)

    def _has_more(self, number: int, facts: PageFacts) -> bool:
        """Whether there are pages after `number`, where the source does not say so itself.

        Unlike an offset, a number can be counted on after an empty page: sources that filter after they cut the pages
        have such in the middle. So one ends the chain only where nothing says that there are pages after it.
        """
        read = number - self.start_page + 1
        if (pages := claims.total_pages(facts)) is not None:
            return read < pages
        if (total := self.total(facts)) is not None:
            return facts.received < total and (facts.records > 0 or read * self.page_size < total)
        if self.until == "short":
            return facts.records >= self.page_size
        return facts.records > 0

    def _at(self, request: RequestSpec, number: int) -> RequestSpec:
        return put(request, self.into, self.page_param, number)

    def _number(self, request: RequestSpec) -> int:
        return number_in(request, self.into, self.page_param)
