"""Pages that begin at a record number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from portsync.jq.expression import Expression
from portsync.pagination.base import PaginationError, Paginator
from portsync.pagination.placement import Into, put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.flow import Json, PageFacts, RequestSpec


class OffsetPagination(Paginator):
    """Ask for records from a number on. The number advances by what was received, not by what was asked for, so a
    server that caps the page size loses nothing."""

    type: Literal["offset"]
    offset_param: str = "offset"
    """Carries the number of the first record wanted."""
    limit_param: str = "limit"
    """Carries how many records are wanted."""
    page_size: Annotated[int, Field(ge=1)] = 100
    total_path: Expression | None = None
    """Over the answer's body: how many records there are in all."""
    has_more_path: Expression | None = None
    """Over the answer's body: whether there are more; `false` ends the run."""
    into: Into = "query"
    """Where the parameters go: query, body (then the names are dotted paths) or header."""
    until: Literal["empty", "short"] = "empty"
    """Where neither total nor has_more speaks: an empty page ends the run, or already a short one."""

    def first(self, request: RequestSpec) -> RequestSpec:
        return put(self._at(request, 0), self.into, self.limit_param, self.page_size)

    def facts(self) -> Mapping[str, str]:
        paths = {"total": self.total_path, "has_more": self.has_more_path}
        return {name: text for name, text in paths.items() if text is not None}

    def total(self, facts: PageFacts) -> int | None:
        return _total(facts.values.get("total"))

    def next(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        offset = self._offset(request) + facts.records
        has_more = facts.values.get("has_more")
        total = self.total(facts)
        if has_more is not None and not isinstance(has_more, bool):
            raise PaginationError(f"`has_more_path` gave {has_more!r}, which is neither true nor false")
        if has_more is False:
            return None
        if facts.records == 0:
            # Nothing came, so there is nothing to advance by; where the source claims more, it is not whole.
            if has_more is True or (total is not None and offset < total):
                claim = "more" if total is None else f"{total} records in all"
                raise PaginationError(
                    f"an empty page at offset {offset}, while the source says that there are {claim}",
                    reason="truncated",
                )
            return None
        if total is not None and offset >= total and has_more is None:
            return None
        if self.until == "short" and has_more is None and total is None and facts.records < self.page_size:
            return None
        return self._at(request, offset)

    def _at(self, request: RequestSpec, offset: int) -> RequestSpec:
        return put(request, self.into, self.offset_param, offset)

    def _offset(self, request: RequestSpec) -> int:
        match self.into:
            case "query":
                return int(dict(request.params)[self.offset_param])
            case "header":
                return int(dict(request.headers)[self.offset_param])
            case "body":
                value: Json = request.body
                for part in self.offset_param.split("."):
                    value = value[part]
                return int(value)


def _total(value: Json) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PaginationError(f"`total_path` gave {value!r}, which is not a number of records")
    return value
