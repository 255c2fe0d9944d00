"""How the naive reader gets from one page to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from tests.conformance.naive.ending import Gone
from tests.conformance.naive.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.conformance.naive.fetch import Request
    from tests.conformance.naive.tools import Kit

_PARAMETER = r'\s*;\s*([^\s=;,]+)\s*=\s*("[^"]*"|[^\s;,"]+)'
LINKS = ("next_link", "header_link")


@dataclass(frozen=True)
class Seen:
    """A page, as far as paging is concerned."""

    records: int
    body: Any
    headers: httpx.Headers
    pages: int
    """How many there were so far, with this one."""


class Paging:
    """One `pagination` section."""

    def __init__(self, section: Mapping[str, Any], kit: Kit) -> None:
        self._section = section
        self._expressions = kit.expressions
        self._wire = kit.wire
        self._faults = kit.faults
        self._first_total: int | None = None
        self._last: Any = None
        """What a reader that shares its state between chains goes on from."""

    @property
    def kind(self) -> str:
        return str(self._section["type"])

    def first(self, request: Request) -> Request:
        section = self._section
        match self.kind:
            case "offset":
                start = self._last if self._last is not None and Fault.SHARES_PAGE_STATE in self._faults else 0
                return self._sized(self._put(request, section.get("offset_param", "offset"), start), "limit", 100)
            case "page":
                start = 1 if Fault.IGNORES_START_PAGE in self._faults else section.get("start_page", 1)
                if self._last is not None and Fault.SHARES_PAGE_STATE in self._faults:
                    start = self._last
                return self._sized(self._put(request, section.get("page_param", "page"), start), "size", 100)
            case "cursor" if "limit_param" in section:
                return self._sized(request, "limit", 100)
            case _:
                return request

    def _sized(self, request: Request, param: str, size: int) -> Request:
        section = self._section
        return self._put(request, section.get(f"{param}_param", param), section.get("page_size", size))

    def _unsized(self, request: Request) -> Request:
        """`request` as a reader sends it that forgets its limit."""
        limit = self._section.get("limit_param", "limit")
        return replace(request, params=tuple(pair for pair in request.params if pair[0] != limit))

    def following(self, request: Request, seen: Seen) -> Request | None:
        """The next request, or None at the end. Raises Gone where the answer cannot be followed."""
        most = self._section.get("max_pages")
        if Fault.FIRST_PAGE_ONLY in self._faults:
            return None
        following = self._by_kind(request, seen)
        if following is not None and Fault.LIMITS_THE_FIRST_PAGE_ONLY in self._faults:
            following = self._unsized(following)
        if most == seen.pages and Fault.MAX_PAGES_ALWAYS_CUTS in self._faults:
            raise Gone("truncated", "pagination")
        if following is not None and most is not None and seen.pages >= most:
            if Fault.IGNORES_MAX_PAGES in self._faults:
                return following
            if Fault.MAX_PAGES_IS_COMPLETE in self._faults:
                return None
            raise Gone("truncated", "pagination", f"more than {most} pages")
        return following

    def _by_kind(self, request: Request, seen: Seen) -> Request | None:
        match self.kind:
            case "offset" | "page":
                return self._counted(request, seen)
            case "cursor":
                return self._by_cursor(request, seen)
            case "next_link":
                return self._linked(request, self._value("next_link", seen))
            case "header_link":
                return self._linked(request, self._header_link(seen.headers))
            case _:
                return None

    def _value(self, name: str, seen: Seen) -> Any:
        path = self._section.get(f"{name}_path")
        if path is None:
            return None
        path = str(path)
        if not path.startswith("."):
            path = f'."{path}"' if "@" in path else f".{path}"
        return self._expressions.first(path, seen.body)

    def has_total(self, body: Any) -> bool:
        """Whether the source says how many records there are: then a page that repeats proves nothing by itself."""
        return "total_path" in self._section and body is not None

    def _has_more(self, seen: Seen) -> bool | None:
        if "has_more_path" not in self._section or seen.body is None or Fault.IGNORES_HAS_MORE in self._faults:
            return None
        value = self._value("has_more", seen)
        if Fault.TRUSTS_ANY_FLAG in self._faults:
            return bool(value)
        known = {True: True, False: False, "true": True, "false": False}
        if not isinstance(value, bool | str) or value not in known:
            if Fault.MISSING_PATHS_ARE_SILENT in self._faults:
                return None
            raise Gone("pagination", "pagination", f"`has_more_path` gave {value!r}")
        return known[value]

    def _number(self, name: str, seen: Seen) -> int | None:
        if f"{name}_path" not in self._section or seen.body is None or Fault.IGNORES_TOTALS in self._faults:
            return None
        value = self._value(name, seen)
        if isinstance(value, str) and value.isdecimal():
            return None if Fault.IGNORES_TEXT_TOTALS in self._faults else int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            if Fault.MISSING_PATHS_ARE_SILENT in self._faults:
                return None
            raise Gone("pagination", "pagination", f"`{name}_path` gave {value!r}")
        return value

    def _counted(self, request: Request, seen: Seen) -> Request | None:
        by_page = self.kind == "page"
        section = self._section
        name = section.get("page_param", "page") if by_page else section.get("offset_param", "offset")
        size = section.get("page_size", 100)
        step = 1 if by_page else size if Fault.ADVANCES_BY_LIMIT in self._faults else seen.records
        position = int(self._taken(request, name)) + step
        self._last = position
        following = self._put(request, name, position)
        more = self._has_more(seen)
        total = self._number("total_pages", seen) if by_page else self._number("total", seen)
        if Fault.FIRST_TOTAL_COUNTS in self._faults:
            total = self._first_total = self._first_total or total
        start = section.get("start_page", 1) if by_page and Fault.TOTAL_IS_LAST_NUMBER not in self._faults else by_page
        reached = position - start if by_page else position
        if more is None and by_page and self._value("last_page", seen) is True:
            more = None if Fault.IGNORES_LAST_PAGE_FLAG in self._faults else False
        if more is None and total is not None:
            more = reached < total
        if Fault.REPEATS_AFTER_AN_EMPTY_PAGE in self._faults and more and seen.records == 0:
            return request
        if Fault.EMPTY_PAGE_ENDS in self._faults and seen.records == 0:
            return None
        if more and seen.records == 0 and not by_page:
            if Fault.EMPTY_PAGE_IS_THE_END in self._faults:
                return None
            raise Gone("truncated", "pagination", f"an empty page after {position} of {total} records")
        if more is None:
            short = section.get("until") == "short" and Fault.SHORT_PAGE_NEVER_ENDS not in self._faults
            more = seen.records >= size if short or Fault.SHORT_PAGE_ENDS in self._faults else seen.records > 0
        return following if more else None

    def _by_cursor(self, request: Request, seen: Seen) -> Request | None:
        cursor = self._value("cursor", seen)
        more = self._has_more(seen)
        ends: list[Any] = [None]
        if Fault.EMPTY_TEXT_IS_A_CURSOR not in self._faults:
            ends.append("")
        if Fault.FALSE_IS_A_CURSOR not in self._faults:
            ends.append(False)
        if more is False or (seen.records == 0 and Fault.EMPTY_PAGE_ENDS in self._faults):
            return None
        if any(cursor is end or (cursor == end and isinstance(cursor, str)) for end in ends):
            if more is True and Fault.EMPTY_PAGE_IS_THE_END not in self._faults:
                raise Gone("truncated", "pagination", "there is more, and no cursor to it")
            return None
        if cursor == 0 and Fault.ZERO_IS_NO_CURSOR in self._faults:
            return None
        is_odd = isinstance(cursor, bool) or not isinstance(cursor, str | int)
        if is_odd and Fault.ANYTHING_IS_A_CURSOR not in self._faults and cursor is not False:
            raise Gone("pagination", "pagination", f"`cursor_path` gave {cursor!r}")
        return self._put(request, self._section.get("cursor_param", "cursor"), cursor)

    def _taken(self, request: Request, name: str) -> Any:
        match self._section.get("into", "query"):
            case "query":
                return dict(request.params)[name]
            case "header":
                return request.headers[name]
            case _:
                value = request.body
                for part in name.split("."):
                    value = value[part]
                return value

    def _put(self, request: Request, name: str, value: Any) -> Request:
        match self._section.get("into", "query"):
            case "query":
                kept = tuple(pair for pair in request.params if pair[0] != name)
                return replace(request, params=(*kept, (name, str(value))))
            case "header":
                return replace(request, headers={**request.headers, name: str(value)})
            case _:
                body = {} if Fault.FORGETS_THE_TEMPLATE_BODY in self._faults else request.body or {}
                if Fault.CURSORS_ARE_TEXT in self._faults:
                    value = str(value)
                if Fault.SHARES_BODIES in self._faults:
                    _write(body, name.split("."), value)
                    return request
                return replace(request, body=_with(body, name.split("."), value))

    def _linked(self, request: Request, link: Any) -> Request | None:
        if link is None and Fault.KEEPS_COUNTING in self._faults:
            return replace(request, params=(*request.params, ("page", "2")))
        if link is None or (link == "" and Fault.EMPTY_LINK_IS_A_LINK not in self._faults):
            return None
        if not isinstance(link, str) and Fault.ANYTHING_IS_A_CURSOR in self._faults:
            return None
        if not isinstance(link, str):
            raise Gone("pagination", "pagination", f"the next link is {link!r}")
        if Fault.GLUES_LINKS_TO_THE_BASE in self._faults and "://" not in link:
            url = f"{self._wire.base_url}/{link.lstrip('/')}"
        elif Fault.ABSOLUTE_LINKS_ONLY in self._faults and "://" not in link:
            return None
        else:
            url = urljoin(request.url, link)
        if Fault.DECODES_LINKS in self._faults:
            url = quote(url, safe=":/?&=")
        if Fault.FOLLOWS_FOREIGN_LINKS not in self._faults:
            self._wire.check_origin(url)
        params = request.params if Fault.RESENDS_PARAMS in self._faults else ()
        if Fault.RESENDS_PARAMS in self._faults:
            url += ("&" if "?" in url else "?") + "&".join(f"{name}={value}" for name, value in params)
        return replace(request, url=url, params=())

    def _header_link(self, headers: httpx.Headers) -> str | None:
        """The target of the link whose relation is ours (RFC 8288)."""
        rel = self._section.get("rel", "next")
        lines = headers.get_list("link")
        text = lines[0] if lines and Fault.FIRST_LINK_LINE_ONLY in self._faults else ", ".join(lines)
        if Fault.SPLITS_LINKS_AT_COMMAS in self._faults:
            found = [re.fullmatch(r"\s*<([^>]*)>(.*)", part) for part in text.split(",")]
            links = [(match[1], match[2]) for match in found if match is not None]
        else:
            links = [(link[1], link[2]) for link in re.finditer(rf"<([^>]*)>((?:{_PARAMETER})*)", text)]
        for target, parameters in links:
            if Fault.FIRST_LINK_COUNTS in self._faults or rel in self._relations(parameters):
                return str(target)
        return None

    def total(self, body: Any) -> int | None:
        """How many records the source says there are in all."""
        value = self._expressions.first(str(self._section["total_path"]), body) if self.has_total(body) else None
        return value if isinstance(value, int) else None

    def _relations(self, parameters: str) -> list[str]:
        known = {found[1]: found[2] for found in re.finditer(_PARAMETER, parameters)}
        is_first = next(iter(known), None) == "rel"
        value = "" if Fault.WANTS_REL_FIRST in self._faults and not is_first else known.get("rel", "")
        if not value.startswith('"') and Fault.WANTS_QUOTED_REL in self._faults:
            return []
        value = value.strip('"')
        return [value] if Fault.WANTS_ONE_REL in self._faults else value.split()


def _write(body: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body[path[-1]] = value


def _with(body: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    if len(path) == 1:
        return {**body, path[0]: value}
    return {**body, path[0]: _with(body.get(path[0]) or {}, path[1:], value)}
