"""From an address to the endpoints behind it: the address itself, links in its answer, an OpenAPI document nearby."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from portsync.authoring.discover.asking import text_of
from portsync.authoring.discover.openapi import credentials_of, endpoints_of
from portsync.authoring.discover.openapi_document import base_url_of, is_document, read_document
from portsync.authoring.discover.places import key_of
from portsync.authoring.discover.proposal import Endpoint, LeftOut
from portsync.authoring.discover.records import find_records
from portsync.errors import DecodeError, Problem, SourceError
from portsync.urls import origin_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from portsync.authoring.discover.asking import Heard
    from portsync.flow import Json

WELL_KNOWN = (
    "/openapi.json",
    "/swagger.json",
    "/v3/api-docs",
    "/openapi.yaml",
    "/swagger/v1/swagger.json",
    "/api-docs",
    "/.well-known/openapi.json",
    "/.well-known/api-catalog",
)
"""Where frameworks put the document of their API; the last one is RFC 9727's."""
_OPTIONAL = re.compile(r"\{[?&#/;][^{}]*\}")
_LINKS = frozenset({"href", "url", "uri", "path", "link", "endpoint", "anchor"})
_NOT_RECORDS = frozenset(
    "self docs doc documentation help terms home login logout license support status health schema".split()  # noqa: SIM905
)
_DOCUMENTS = ("openapi", "swagger", "api-docs", "servicedesc", "service-desc")
_MOST_LINKS = 30
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Found:
    """The endpoints behind an address."""

    endpoints: tuple[Endpoint, ...]
    left_out: tuple[LeftOut, ...] = ()
    base_url: str | None = None
    """Where the endpoints are joined to, when it is another place than was thought."""
    credentials: str | None = None
    """How a document wants to be told who asks."""


class Search:
    """Looks behind an address, which is `base_url` or below it."""

    def __init__(self, ask: Callable[[str], Awaitable[Heard]], base_url: str, *, is_named: bool = False) -> None:
        """`ask` gives what comes of a URL below `base_url`, which counts for more than a document's own where it
        `is_named`."""
        self._ask = ask
        self._base_url = base_url
        self._is_named = is_named

    async def run(self, endpoint: Endpoint, *, is_bare: bool) -> Found:
        """The endpoints. `is_bare` says that the address is only where an API begins, so that its documents are looked
        for. Raises SourceError where nothing is found."""
        address = self._base_url + endpoint.kind if endpoint.kind != "/" else f"{self._base_url}/"
        heard = await self._ask(address)
        if heard.answer is not None and heard.answer.is_success:
            document = _document_in(heard)
            if document is not None:
                return self.of_document(document, address)
            links = list(links_in(heard.value, address, self._base_url))
            if (
                heard.problem is None
                and (records := find_records(heard.value)) is not None
                and not (links and _are_links(records.records))
            ):
                return Found((endpoint,))
            if links:
                return await self._of_links(links)
            if heard.problem is None and not is_bare:
                return Found((endpoint,))
        if is_bare and heard.reason not in ("unreachable", "budget", "timeout"):
            nearby = await self._nearby()
            if nearby is not None:
                return nearby
        if not is_bare:
            return Found((endpoint,))
        raise SourceError(_nothing(heard, address))

    async def _of_links(self, links: list[tuple[str, str]]) -> Found:
        """The endpoints that an answer names; those of a document, where it names one."""
        for name, url in links:
            if any(word in url.lower() or word in name.lower() for word in _DOCUMENTS):
                heard = await self._ask(url)
                if (document := _document_in(heard)) is not None:
                    return self.of_document(document, url)
        found: dict[str, Endpoint] = {}
        left_out: list[LeftOut] = []
        for name, url in links:
            kind = url.removeprefix(self._base_url) or "/"
            if key_of(name) in _NOT_RECORDS or kind == "/":
                continue
            if len(found) == _MOST_LINKS:
                left_out.append(LeftOut(kind, f"{_MOST_LINKS} links are followed already"))
            else:
                found[kind] = Endpoint(kind, f"linked as `{name}` at the root" if name else "linked at the root")
        return Found(tuple(found.values()), tuple(left_out))

    async def _nearby(self) -> Found | None:
        """What a document at one of the usual places says."""
        for place in WELL_KNOWN:
            url = self._base_url + place
            heard = await self._ask(url)
            if heard.reason == "budget":
                return None
            if (document := _document_in(heard)) is not None:
                return self.of_document(document, url)
            if place == WELL_KNOWN[-1] and heard.value is not None:
                links = list(links_in(heard.value, url, self._base_url))
                return await self._of_links(links) if links else None
        return None

    def of_document(self, document: dict[str, Json], at: str | None) -> Found:
        """The endpoints of an OpenAPI document. Raises SourceError where its server is of an origin that nobody
        named."""
        base_url = self._base_url if self._is_named else base_url_of(document, at) or self._base_url
        if origin_of(base_url) != origin_of(self._base_url):
            raise unnamed_origin(base_url, at or "the document")
        endpoints, left_out = endpoints_of(document)
        if not endpoints:
            message = "the OpenAPI document names no endpoint whose answer is a list of records"
            hint = "; ".join(f"{one.name}: {one.reason}" for one in left_out[:3]) or "ask an endpoint by its URL"
            raise SourceError(Problem("nothing-found", message, at, hint))
        return Found(tuple(endpoints), tuple(left_out), base_url, credentials_of(document))


def unnamed_origin(base_url: str, place: str) -> SourceError:
    """The error of a document whose server nobody named: it could be anybody's, and gets no credentials unasked."""
    message = f"the document's server is {base_url}, which you have not named"
    hint = f"if that is where requests may go, say so: --base-url {base_url}"
    return SourceError(Problem("foreign-origin", message, place, hint))


def links_in(value: Json, at: str, base_url: str, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The links below `base_url` in an answer from `at`, absolute, each with its name; optional parts of templates, as
    RFC 6570 writes them, are cut off."""
    match value:
        case str() if (url := _link(value, at, base_url)) is not None:
            yield name, url
        case dict() if depth < _DEEPEST:
            own = value.get("rel") or value.get("name") or value.get("title")
            for key, item in value.items():
                is_named = key_of(key) in _LINKS
                yield from links_in(item, at, base_url, str(own or name) if is_named else key, depth + 1)
        case list() if depth < _DEEPEST:
            for item in value[: 10 * _MOST_LINKS]:
                yield from links_in(item, at, base_url, name, depth + 1)
        case _:
            pass


def _link(text: str, at: str, base_url: str) -> str | None:
    """`text` as a URL below `base_url`, or None."""
    text = _OPTIONAL.sub("", text.strip())
    if not re.fullmatch(r"https?://\S+|/[^\s/]\S*", text) or "{" in text:
        return None
    try:
        url = urljoin(at, text)
        if text.startswith("/") and not url.startswith(f"{base_url}/"):
            url = base_url + text  # written as seen from the root of the API
    except ValueError:
        return None
    return url if url.startswith(f"{base_url}/") else None


def _are_links(records: tuple[Json, ...]) -> bool:
    """Whether the records of an answer are only links to others."""
    return all(
        isinstance(record, dict) and any(key_of(name) in _LINKS for name in record) for record in records
    ) and all(len(record) <= _DEEPEST for record in records)


def _document_in(heard: Heard) -> dict[str, Json] | None:
    """The OpenAPI document that an answer is, be it JSON or YAML."""
    if heard.answer is None or not heard.answer.is_success:
        return None
    if heard.problem is None:
        return heard.value if is_document(heard.value) else None
    if "yaml" not in heard.answer.headers.get("content-type", "") and not heard.request.url.endswith((".yaml", ".yml")):
        return None
    try:
        return read_document(text_of(heard.answer), str(heard.request))
    except (DecodeError, SourceError):
        return None


def _nothing(heard: Heard, address: str) -> Problem:
    """Why nothing was found behind a bare address."""
    if heard.problem is not None and heard.status in (None, 401, 403, 429):
        return heard.problem
    said = heard.problem.message if heard.problem is not None else "its answer has no records and no links"
    message = f"nothing to read was found: {said}, and no OpenAPI document is at the usual places"
    return Problem(
        "nothing-found", message, f"GET {address}", "name an endpoint, such as URL/v1/users, or the document"
    )
