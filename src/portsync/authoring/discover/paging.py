"""From what an answer says of the pages around it to ways of paging, the most telling first. None is believed here:
trying.py tries them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urljoin, urlsplit

from portsync.authoring.discover import paging_names as names
from portsync.authoring.discover.places import jq_path, key_of, members
from portsync.authoring.discover.proposal import Paging, Path
from portsync.pagination.error import PaginationError
from portsync.pagination.links import link_header, linked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.authoring.discover.asking import Heard
    from portsync.authoring.discover.proposal import Endpoint
    from portsync.authoring.discover.records import Found
    from portsync.flow import Json

_LINK = re.compile(r"https?://\S+|/[^\s/]\S*|\?\S+=\S*")
_CAPPED = 10_000
"""Search engines count no further; a total of just that much says nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way of paging that may be the source's."""

    paging: Paging
    seen: str
    """What speaks for it, as the end of a sentence."""
    size_names: tuple[str, ...] = ()
    """Parameters that may carry the size of a page; the first one that works is taken."""
    is_said: bool = True
    """Whether the answer, or a document, says so; what is only usual counts less."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a body says beside its records."""

    members: tuple[tuple[Path, Json], ...]
    records: int
    links: tuple[str, ...] = field(default=())

    def first(self, wanted: Sequence[str], kind: type | tuple[type, ...]) -> tuple[Path, Json] | None:
        """The nearest member with one of these names, the first of the names first, and a value of this type."""
        found = [
            (wanted.index(key_of(path[-1])), len(path), path, value)
            for path, value in self.members
            if key_of(path[-1]) in wanted and isinstance(value, kind) and (isinstance(value, bool) <= (kind is bool))
        ]
        return min(found, key=lambda one: one[:2])[2:] if found else None

    def optional(self) -> tuple[dict[str, Json], dict[str, Path]]:
        """The keys with which a way of paging by number knows its end, and where they look."""
        config: dict[str, Json] = {}
        places: dict[str, Path] = {}
        if (more := self.first(names.MORE, bool)) is not None:
            config["has_more_path"] = jq_path(more[0])
            places["has_more"] = more[0]
        elif (last := self.first(names.LAST, bool)) is not None:
            config["has_more_path"] = f"{jq_path(last[0])} | not"
            places["last_page"] = last[0]
        if (total := self.total()) is not None:
            config["total_path"] = jq_path(total[0])
            places["total"] = total[0]
        return config, places

    def total(self) -> tuple[Path, int] | None:
        """How many records there are in all, where a member says so that can be meant."""
        found = self.first(names.TOTALS, int)
        if found is None or found[1] < self.records or found[1] == _CAPPED:
            return None
        # `count` alone is often the number of records on the page.
        return None if key_of(found[0][-1]) == "count" and found[1] == self.records else found


def claims_of(heard: Heard, found: Found) -> Claims:
    """What the body of `heard` says beside the records that were found in it."""
    beside = tuple(members(heard.value, without=found.at)) if isinstance(heard.value, dict) and found.at else ()
    links = tuple(value for _, value in beside if isinstance(value, str) and _LINK.fullmatch(value))
    return Claims(beside, len(found.records), links)


def candidates(heard: Heard, found: Found, endpoint: Endpoint, identifier: str | None) -> Iterator[Candidate]:
    """Every way of paging that something speaks for. `identifier` is a record's plain identifier, as an expression."""
    claims = claims_of(heard, found)
    known = endpoint.known_params
    yield from _header(heard)
    yield from _links(claims)
    yield from _cursors(claims, heard, known)
    if identifier is not None and (more := claims.first(names.MORE, bool)) is not None:
        yield from _after_last(found, more, identifier, known)
    yield from _numbered(claims, known)


def _header(heard: Heard) -> Iterator[Candidate]:
    assert heard.answer is not None
    try:
        link = linked(link_header(heard.answer.headers), "next")
    except PaginationError:
        return
    if link:
        yield Candidate(Paging({"type": "header_link"}), 'the `Link` header names a page with rel="next"')


def _links(claims: Claims) -> Iterator[Candidate]:
    for path, value in claims.members:
        if not _leads_on(path) or not (value is None or isinstance(value, str)):
            continue
        place = jq_path(path)
        paging = Paging({"type": "next_link", "next_link_path": place}, {"next_link": path})
        if isinstance(value, str) and _LINK.fullmatch(value):
            kind = "a URL" if value.startswith("http") else "a relative URL"
            yield Candidate(paging, f"`{place}` holds {kind}", names.USUAL_SIZES)
        elif not value and key_of(path[-1]) in names.LINKS[:9]:
            yield Candidate(paging, f"`{place}` is there, and empty on this page", names.USUAL_SIZES)


def _leads_on(path: Path) -> bool:
    """Whether a member's name, or its place, is that of the next page's link."""
    name = key_of(path[-1])
    above = key_of(path[-2]) if len(path) > 1 else ""
    return (name in names.LINKS and name.startswith(("next", "odata"))) or (name in names.LINKS and above == "next")


def _cursors(claims: Claims, heard: Heard, known: frozenset[str] | None) -> Iterator[Candidate]:
    more = claims.first(names.MORE, bool)
    for name, usual in names.CURSORS.items():
        for path, value in claims.members:
            if key_of(path[-1]) != name or isinstance(value, bool | dict | list | float):
                continue
            if isinstance(value, str) and _LINK.fullmatch(value) and value.startswith("http"):
                continue
            if isinstance(value, int) and (name in ("offset", "next") and value == 0):
                continue
            place = jq_path(path)
            in_links = _parameters_with(value, claims.links, heard)
            where = "in the URL that the answer names itself" if in_links else "as the parameter is usually called"
            for param in _ordered((*in_links, *usual, path[-1]), known, has_said=bool(in_links)):
                config: dict[str, Json] = {"type": "cursor", "cursor_path": place, "cursor_param": param}
                places = {"cursor": path}
                if more is not None:
                    config["has_more_path"] = jq_path(more[0])
                    places["has_more"] = more[0]
                state = "holds a cursor" if value not in (None, "") else "is there, and empty on this page"
                yield Candidate(Paging(config, places), f"`{place}` {state}; `{param}` {where}", _sizes(known))


def _parameters_with(value: Json, links: Sequence[str], heard: Heard) -> tuple[str, ...]:
    """The parameters that carry `value` in one of the links of a body."""
    if value in (None, ""):
        return ()
    queries = (urlsplit(urljoin(heard.request.url, link)).query for link in links)
    return tuple({name: None for query in queries for name, held in parse_qsl(query) if held == str(value)})


def _ordered(usual: Sequence[str], known: frozenset[str] | None, *, has_said: bool = False) -> list[str]:
    """The names to try, each once; where a document knows all names, no others, unless the answer itself says one."""
    order = list(dict.fromkeys(usual))
    if known is None or has_said:
        return order
    keys = {key_of(name): name for name in known}
    return list(dict.fromkeys(keys[key_of(name)] for name in order if key_of(name) in keys))


def _sizes(known: frozenset[str] | None) -> tuple[str, ...]:
    if known is None:
        return names.USUAL_SIZES
    return tuple(name for wanted in names.LIMITS for name in sorted(known) if key_of(name) == wanted)


def _after_last(
    found: Found, more: tuple[Path, Json], identifier: str, known: frozenset[str] | None
) -> Iterator[Candidate]:
    last = f"{jq_path(found.at)}[-1]" if found.at else ".[-1]"
    for param in _ordered(names.AFTER_LAST, known):
        config = {
            "type": "cursor",
            "cursor_path": f"{last}{identifier}",
            "cursor_param": param,
            "has_more_path": jq_path(more[0]),
        }
        seen = f"`{jq_path(more[0])}` says whether there is more, and `{param}` takes the last record's identifier"
        yield Candidate(Paging(config, {"has_more": more[0]}), seen, _sizes(known))


def _numbered(claims: Claims, known: frozenset[str] | None) -> Iterator[Candidate]:
    """Paging by record numbers and by page numbers: as the body names them, as a document does, as is usual."""
    optional, places = claims.optional()
    sizes = _said_names(claims, names.LIMITS)
    for kind, wanted, usual in (
        ("offset", names.OFFSETS, names.USUAL_OFFSETS),
        ("page", names.PAGES, names.USUAL_PAGES),
    ):
        documented = [name for want in wanted for name in sorted(known or ()) if key_of(name) == want]
        said = [name for name in _said_names(claims, wanted) if known is None or name in known]
        more, spots = dict(optional), dict(places)
        if kind == "page" and (pages := claims.first(names.TOTAL_PAGES, int)) is not None:
            more.pop("total_path", None)
            spots.pop("total", None)
            more["total_pages_path"] = jq_path(pages[0])
            spots["total_pages"] = pages[0]
        for param in dict.fromkeys((*documented, *said, *(usual[0][:1] if said and known is None else ()))):
            origin = "the document names" if param in documented else "the answer speaks of"
            config = {"type": kind, f"{kind}_param": param, **more}
            size_names = tuple(dict.fromkeys((*_sizes(known), *sizes) if known else (*sizes, *names.USUAL_SIZES)))
            yield Candidate(Paging(config, spots), f"{origin} `{param}`", size_names)
    if known is None:
        for kind, pairs in (("page", names.USUAL_PAGES[:1]), ("offset", names.USUAL_OFFSETS)):
            for param, size in pairs:
                config = {"type": kind, f"{kind}_param": param, **optional}
                size_names = tuple(dict.fromkeys((size, *names.USUAL_SIZES))) if size else names.USUAL_SIZES
                seen = f"`{param}` is a usual name"
                yield Candidate(Paging(config, dict(places)), seen, size_names, is_said=bool(optional))


def _said_names(claims: Claims, wanted: Sequence[str]) -> list[str]:
    """The names of numbers in the body that are among `wanted`, in that order."""
    found = [path[-1] for path, value in claims.members if isinstance(value, int) and not isinstance(value, bool)]
    return [name for want in wanted for name in dict.fromkeys(found) if key_of(name) == want]
