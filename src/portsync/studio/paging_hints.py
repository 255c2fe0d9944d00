"""What an answer says of pages behind it, where a mapping reads only the first one.

Like proposals.py it is a guess with its reason: whether it is right shows when the source is asked again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.studio.paths import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.flow import Json

_DEEPEST = 3
_MOST_KEYS = 100
_NEXT_LINK = re.compile(r"""<[^>]*>\s*;[^,]*\brel="?next\b""")
_LINKS = ("next", "next_url", "nextUrl", "next_link", "nextLink", "next_page_url", "@odata.nextLink", "href")
_CURSORS = {
    "next_cursor": "cursor",
    "nextCursor": "cursor",
    "end_cursor": "after",
    "endCursor": "after",
    "next_page_token": "page_token",
    "nextPageToken": "pageToken",
    "next_token": "next_token",
    "nextToken": "nextToken",
    "continuation_token": "continuation_token",
    "last_id": "after_id",
}
"""Members that hold a cursor, each with the parameter that usually takes it back."""
_TOTALS = ("total", "total_count", "totalCount", "totalResults", "total_results", "count", "totalElements")
_OFFSETS = ("offset", "startAt", "start", "skip")
_PAGES = ("page", "page_number", "pageNumber", "current_page", "currentPage")


@dataclass(frozen=True, slots=True)
class PagingHint:
    """A way to the next page, as `pagination` of a mapping says it, and what speaks for it."""

    config: dict[str, Any]
    reason: str


def paging_hint(body: Json, headers: Mapping[str, str], records: int) -> PagingHint | None:
    """How the pages behind this first one may be read, or None where nothing speaks of any."""
    if _NEXT_LINK.search(headers.get("link", "")):
        return PagingHint({"type": "header_link"}, "a `Link` header leads to a next page")
    members = list(_members(body, ()))
    for keys, value in members:
        if keys[-1] in _LINKS and isinstance(value, str) and value and _is_next(keys):
            path = path_of(keys)
            return PagingHint({"type": "next_link", "next_link_path": path}, f"{path} leads to a next page")
    for keys, value in members:
        if keys[-1] in _CURSORS and isinstance(value, str | int) and value and not isinstance(value, bool):
            config = {"type": "cursor", "cursor_path": path_of(keys), "cursor_param": _CURSORS[keys[-1]]}
            return PagingHint(config, f"{path_of(keys)} is a cursor; look up which parameter takes it back")
    return _numbered(members, records)


def _numbered(members: list[tuple[tuple[str, ...], Json]], records: int) -> PagingHint | None:
    total = next(((keys, value) for keys, value in members if keys[-1] in _TOTALS and _is_more(value, records)), None)
    if total is None:
        return None
    names = {keys[-1] for keys, _ in members}
    reason = f"{path_of(total[0])} is {total[1]:,}, and {records:,} records are here"
    offset = next((name for name in _OFFSETS if name in names), None)
    path = path_of(total[0])
    if offset is not None:
        return PagingHint({"type": "offset", "offset_param": offset, "page_size": records, "total_path": path}, reason)
    page = next((name for name in _PAGES if name in names), "page")
    return PagingHint({"type": "page", "page_param": page, "page_size": records}, reason)


def _is_more(value: Json, records: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > records > 0


def _is_next(keys: tuple[str, ...]) -> bool:
    return keys[-1] != "href" or "next" in keys


def _members(value: Json, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The members of objects that are no list, the nearest first."""
    if not isinstance(value, dict) or len(keys) >= _DEEPEST:
        return
    items = list(value.items())[:_MOST_KEYS]
    for key, item in items:
        if not isinstance(item, dict | list):
            yield (*keys, key), item
    for key, item in items:
        yield from _members(item, (*keys, key))
