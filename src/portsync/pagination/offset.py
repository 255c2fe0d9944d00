"""Pages that begin at a record number."""

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


class OffsetPagination(Paginator):
    """Ask for records from a number on. The number advances by what was received, not by what was asked for, so a
    server that caps the page size loses nothing."""

    type: Literal["offset"]
    """Which way from page to page this is."""
    offset_param: str = "offset"
    """Carries the number of the first record wanted."""
    limit_param: str | None = "limit"
    """Carries how many records are wanted; null: it is not sent."""
    page_size: Annotated[int, Field(ge=1)] = 100
    """How many records are wanted."""
    total_path: PathExpression | None = None
    """Over the answer's body: how many records there are in all."""
    has_more_path: PathExpression | None = None
    """Over the answer's body: whether there are more; `false` ends the run."""
    into: Into = "query"
    """Where the parameters go: query, body (then the names are dotted paths) or header."""
    until: Literal["empty", "short"] = "empty"
    """Where neither total nor has_more speaks: an empty page ends the run, or already a short one."""

    def first(self, request: RequestSpec) -> RequestSpec:
        begun = self._at(request, 0)
        return begun if self.limit_param is None else put(begun, self.into, self.limit_param, self.page_size)

    def next(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        more = claims.has_more(facts)
        # Nothing came, so there is nothing to advance by: the same request would come again.
        if more is False or facts.records == 0:
            return None
        offset = self._after(request, facts)
        if more is None:
            total = self.total(facts)
            if total == offset:
                return None
            if total is None and self.until == "short" and facts.records < self.page_size:
                return None
        return self._at(request, offset)

    def ahead(self, request: RequestSpec, facts: PageFacts) -> Iterable[RequestSpec]:
        total = self.total(facts)
        # A page of another size means that the source cuts them as it likes.
        if total is None or facts.records != self.page_size or claims.has_more(facts) is False:
            return ()
        begin = self._after(request, facts)
        later = self._allowed(pages_for(total - begin, self.page_size), facts)
        return (self._at(request, begin + step * self.page_size) for step in range(later))

    def _at(self, request: RequestSpec, offset: int) -> RequestSpec:
        return put(request, self.into, self.offset_param, offset)

    def _after(self, request: RequestSpec, facts: PageFacts) -> int:
        """Where the page after the one of `facts` begins."""
        return number_in(request, self.into, self.offset_param) + facts.records
