"""One request, one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portsync.pagination.base import Paginator

if TYPE_CHECKING:
    from portsync.flow import PageFacts, RequestSpec


class NoPagination(Paginator):
    """The answer to the one request holds everything."""

    type: Literal["none"] = "none"
    """Which way from page to page this is."""

    def first(self, request: RequestSpec) -> RequestSpec:
        return request

    def next(self, request: RequestSpec, facts: PageFacts) -> None:  # noqa: ARG002 - the interface's signature
        return None

    def to_come(self, request: RequestSpec, facts: PageFacts) -> int:  # noqa: ARG002 - the interface's signature
        return 0
