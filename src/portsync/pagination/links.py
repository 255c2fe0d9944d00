"""Links from a page to the next, as URLs in bodies and in `Link` headers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

from portsync.pagination.error import PaginationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.flow import RequestSpec

_TARGET = re.compile(r"(?:^|,)\s*<([^<>]*)>")
_PARAMETER = re.compile(
    r"\s*;\s*(?P<name>[^\s=;,\"<>]*)"
    r"(?:\s*=\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^\s;,\"]*)))?"
)
_ESCAPED = re.compile(r"\\(.)")


def follow(request: RequestSpec, link: str) -> RequestSpec:
    """The request that `link` means on a page that `request` gave: relative links are joined as RFC 3986 says, and
    what is percent-encoded stays so. Raises PaginationError.

    Whether the link may lead to another origin is for the transport to say, which sees redirects too.
    """
    try:
        target = urldefrag(link.strip()).url
        url = urljoin(request.url, target)
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https")
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise PaginationError("the link to the next page is not a URL") from error
    if not target:
        raise PaginationError("the link to the next page leads to the page itself", reason="loop")
    if not is_web:
        raise PaginationError(f"the link to the next page leads to `{parts.scheme}:`", reason="origin")
    if parts.username is not None:
        raise PaginationError("the link to the next page holds credentials", reason="origin")
    if not is_whole:
        raise PaginationError("the link to the next page is not a URL")
    return replace(request, url=url, params=(), is_link=True)


def linked(header: str, rel: str) -> str | None:
    """The first target of relation `rel` in a `Link` header (RFC 8288, appendix B.2); None where there is none.

    Several header lines are joined by commas. Raises PaginationError where the header holds no link at all: then the
    one that leads on may be what cannot be read.
    """
    links = list(_links(header))
    if not links and header.strip(", \t"):
        raise PaginationError("the `Link` header cannot be read: no `<...>` is in it")
    return next((target for target, relations in links if rel.lower() in relations), None)


def link_header(headers: Mapping[str, str]) -> str:
    """All `Link` headers of an answer as one; their name matches in any case."""
    return ", ".join(value for name, value in headers.items() if name.lower() == "link")


def _links(header: str) -> Iterator[tuple[str, list[str]]]:
    """Each link of a `Link` header: its target, and its relations in lower case."""
    position = 0
    # Searched for, not matched: what stands between two links and is no parameter is skipped, as the RFC has it.
    while target := _TARGET.search(header, position):
        position = target.end()
        relations: str | None = None
        while parameter := _PARAMETER.match(header, position):
            position = parameter.end()
            # Of several `rel`, the first counts.
            if parameter["name"].lower() == "rel" and relations is None:
                relations = _ESCAPED.sub(r"\1", parameter["quoted"] or parameter["bare"] or "")
        yield target[1].strip(), (relations or "").lower().split()
