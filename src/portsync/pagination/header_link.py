"""Pages of which each names the URL of the next in a `Link` header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from portsync.pagination.base import Paginator
from portsync.pagination.links import follow, link_header, linked

if TYPE_CHECKING:
    from portsync.flow import PageFacts, RequestSpec


class HeaderLinkPagination(Paginator):
    """Follow the link of a relation in the answer's `Link` header (RFC 8288), until there is none."""

    type: Literal["header_link"]
    """Which way from page to page this is."""
    rel: Annotated[str, Field(min_length=1)] = "next"
    """The relation of the next page's link."""

    def first(self, request: RequestSpec) -> RequestSpec:
        return request

    def next(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        link = linked(link_header(facts.headers), self.rel)
        return follow(request, link) if link else None
