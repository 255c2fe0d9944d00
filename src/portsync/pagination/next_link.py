"""Pages of which each holds the URL of the next in its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portsync.pagination import claims
from portsync.pagination.base import Paginator
from portsync.pagination.error import PaginationError
from portsync.pagination.links import follow
from portsync.pagination.paths import PathExpression

if TYPE_CHECKING:
    from portsync.flow import PageFacts, RequestSpec


class NextLinkPagination(Paginator):
    """Follow the link that each answer's body holds, until there is none."""

    type: Literal["next_link"]
    """Which way from page to page this is."""
    next_link_path: PathExpression
    """Over the answer's body: the URL of the next page, whole or relative; null or an empty text ends the run."""

    def first(self, request: RequestSpec) -> RequestSpec:
        return request

    def next(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        link = claims.value_of(facts, "next_link")
        if link is None or link is False:
            return None
        if not isinstance(link, str):
            raise PaginationError(f"`next_link_path` gave {claims.shown(link)}, which is not a text")
        return follow(request, link) if link.strip() else None
