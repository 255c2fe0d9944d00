"""What every paginator is: its own configuration model, frozen and stateless."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from portsync.pagination import claims
from portsync.pagination.error import PaginationError
from portsync.pagination.paths import program_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portsync.flow import PageFacts, RequestSpec

MOST_EMPTY_PAGES = 1000
"""So many pages without a record may follow each other. Sources that filter after they cut the pages give some in a
row; one that gives a thousand, each with a way to the next, would go on for ever."""


class Paginator(BaseModel):
    """The base of all paginators. One knows nothing but the page just read, so it can be shared, and tested with
    values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_pages: Annotated[int, Field(ge=1)] | None = None
    """The most pages that are read; where the source has more of them, the resource is incomplete."""

    @abstractmethod
    def first(self, request: RequestSpec) -> RequestSpec:
        """The first request of a chain, made from the resource's own. Raises PaginationError."""

    @abstractmethod
    def next(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        """The request after `request`, which gave `facts`; None at the end. Raises PaginationError."""

    def following(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        """What `next` gives, after what holds for every way of paging was checked: this is what is to be called.

        Raises PaginationError, with reason `truncated` where the pages end before what the source claims to have, or
        go on after `max_pages`; with reason `loop` where page after page is empty.
        """
        following = self.next(request, facts)
        if following is None:
            claims.check_end(facts)
        elif self.max_pages is not None and facts.number >= self.max_pages:
            raise PaginationError(
                f"the source has more pages than the {self.max_pages} that `max_pages` allows", reason="truncated"
            )
        elif facts.empty_pages >= MOST_EMPTY_PAGES:
            raise PaginationError(
                f"{facts.empty_pages} pages in a row have no record, and each leads to another", reason="loop"
            )
        return following

    def ahead(self, request: RequestSpec, facts: PageFacts) -> Iterable[RequestSpec]:  # noqa: ARG002
        """The requests that will probably follow `request`, which gave `facts`, in their order; none where a page has
        to be read before the next one can be known. They may be sent early; `following` alone decides what counts.
        Raises PaginationError where that does."""
        return ()

    def to_come(self, request: RequestSpec, facts: PageFacts) -> int | None:  # noqa: ARG002 - some need it
        """How many requests will come after `request`, if all pages are like the one that gave `facts`; None where the
        source does not say enough. Raises PaginationError where `following` does."""
        if claims.has_more(facts) is False:
            return 0
        total = self.total(facts)
        if total is None or facts.records == 0:
            return None
        return self._allowed(pages_for(total - facts.received, facts.records), facts)

    def claims(self) -> Mapping[str, str]:
        """The expressions of all `*_path` keys, by name: what a page is asked about the pages around it."""
        paths = {name: getattr(self, name) for name in type(self).model_fields if name.endswith("_path")}
        return {name.removesuffix("_path"): path for name, path in paths.items() if path is not None}

    def facts(self) -> Mapping[str, str]:
        """The programs over the page's body that give the values of `claims`."""
        return {name: program_of(path) for name, path in self.claims().items()}

    def total(self, facts: PageFacts) -> int | None:
        """How many records the source says there are in all. Where it does, a page like the one before it is no sign
        of a loop by itself, and a chain that ends before it was reached is truncated. Raises PaginationError."""
        return claims.total(facts)

    def _allowed(self, pages: int, facts: PageFacts) -> int:
        """`pages`, as far as `max_pages` lets them follow the page of `facts`."""
        return pages if self.max_pages is None else max(0, min(pages, self.max_pages - facts.number))


def pages_for(records: int, page_size: int) -> int:
    """How many pages `records` fill."""
    return max(0, -(-records // page_size))
