"""Pages joined by a cursor that each answer gives to the next request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from portsync.pagination import claims
from portsync.pagination.base import Paginator
from portsync.pagination.error import PaginationError
from portsync.pagination.paths import PathExpression
from portsync.pagination.placement import Into, put

if TYPE_CHECKING:
    from portsync.flow import PageFacts, RequestSpec

_LARGEST = 2**63 - 1
"""Beyond it, not every writer of JSON can write an integer down."""


class CursorPagination(Paginator):
    """Send the last answer's cursor with the next request, until there is none. A page without records ends nothing:
    sources that filter after they cut the pages have such in the middle."""

    type: Literal["cursor"]
    """Which way from page to page this is."""
    cursor_path: PathExpression
    """Over the answer's body: the cursor of the next page; null, an empty text or `false` ends the run."""
    cursor_param: str = "cursor"
    """Carries the cursor."""
    limit_param: str | None = None
    """Carries how many records are wanted; nothing does where it is missing."""
    page_size: Annotated[int, Field(ge=1)] = 100
    """How many records are wanted; sent only with `limit_param`."""
    has_more_path: PathExpression | None = None
    """Over the answer's body: whether there are more; `false` ends the run even where there is a cursor."""
    into: Into = "query"
    """Where the parameters go: query, body (then the names are dotted paths) or header."""

    def first(self, request: RequestSpec) -> RequestSpec:
        return request if self.limit_param is None else put(request, self.into, self.limit_param, self.page_size)

    def next(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        if claims.has_more(facts) is False:
            return None
        cursor = claims.value_of(facts, "cursor")
        # By identity: 0 equals False, and is a cursor.
        if cursor is None or cursor is False or cursor == "":
            return None
        if cursor is True or not isinstance(cursor, str | int | float):
            raise PaginationError(f"`cursor_path` gave {claims.shown(cursor)}, which is neither a text nor a number")
        if self.into == "body" and isinstance(cursor, int) and abs(cursor) > _LARGEST:
            raise PaginationError(f"`cursor_path` gave {cursor}, which is too large for a JSON body")
        return put(request, self.into, self.cursor_param, cursor)
