"""The values that travel along the line, in the order in which they appear. Read this first, then sync.py.

All are frozen: a stage makes new values and never changes the ones that it was given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.errors import Problem

_PROOF = re.compile(r"(?i)(?:^|&)[^=&]*(?:key|token|sig|secret|auth|cred|pass|pwd|session|code|jwt)[^=&]*=")
"""The names of query parameters by which a link proves that it may be followed."""

Json = Any
"""A parsed JSON value. The one place where Any is honest: its shape belongs to somebody else."""


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """One HTTP request, as data. `params` may repeat a name."""

    method: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: Json = None
    """Nothing is sent where it is None."""
    body_type: Literal["json", "form", "text"] = "json"
    is_link: bool = False
    """Whether the source, and not the mapping, made the URL up: then `params` are already in it."""
    retried: frozenset[int] | None = None
    """The statuses that are worth another attempt, where they are not the usual ones."""

    def __str__(self) -> str:
        """Method and URL, without what a link of the source's may carry to prove itself."""
        url = self.url
        if self.is_link and "?" in url and _PROOF.search(url.partition("?")[2]):
            url = f"{url.partition('?')[0]}?..."
        return f"{self.method} {url}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the transport brings back for one request, after all its attempts."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    requests: int
    """How many attempts it took."""
    waited_s: float
    """Seconds spent waiting, between attempts and for its turn."""
    url: str = ""
    """Where it came from in the end: redirects may have led away from the request's own."""
    rate_limited: int = 0
    """How many of the attempts the peer refused as too many."""

    @property
    def spent(self) -> Spent:
        return Spent(self.requests, self.requests - 1, self.rate_limited, self.waited_s)

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True)
class Spent:
    """What reading something cost."""

    requests: int = 0
    """Attempts, the repeated ones included."""
    retries: int = 0
    rate_limited: int = 0
    """How many attempts the source refused as too many."""
    waited_s: float = 0.0
    """Seconds spent waiting between attempts and for the rate limit."""

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.requests + other.requests,
            self.retries + other.retries,
            self.rate_limited + other.rate_limited,
            self.waited_s + other.waited_s,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the source that holds records, or a piece of a large one."""

    request: RequestSpec
    number: int
    """Counted from 1 within its chain."""
    body: bytes
    """One JSON value."""
    chain: str = ""
    """Which of its resource's chains it belongs to, in words; empty where there is only one."""
    first_record: int = 0
    """How many records of the same page stand in the pieces before this one."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a paginator may know of a page: how many records it held, and the values of its `*_path` expressions."""

    records: int
    values: Mapping[str, Json] = field(default_factory=dict)
    received: int = 0
    """How many records its chain has given so far, this page's included."""
    number: int = 1
    """The page's number within its chain."""
    empty_pages: int = 0
    """How many pages in a row, this one's included, had no record."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers of the answer; their names match in any case."""
    missing: bool = False
    """Whether `data_path` gave null."""
    data_path_error: str | None = None
    edges: bytes = b""
    """Of a glance: a hash of the first and the last record. Pages that differ in it do not repeat each other."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity, ready to be sent."""

    blueprint: str
    identifier: str
    body: bytes
    """The entity as JSON, as it goes into a bulk request."""
    digest: bytes
    """A hash of `body`: equal digests, equal content."""
    page: int
    record: int
    """Counted from 1 within its page."""
    chain: str = ""
    absorbed: int = 0
    """How many earlier conflicting entities this one stands for."""
    is_search: bool = False
    """Whether `identifier` is the text of a search, by which Port is to find the entity."""

    @property
    def place(self) -> str:
        return place_of(self.page, self.record, self.chain)


@dataclass(frozen=True, slots=True)
class Failure:
    """One record or entity that did not make it, and why. A value in the report, not an exception."""

    code: str
    message: str
    page: int
    record: int
    identifier: str | None = None
    hint: str | None = None
    chain: str = ""

    @property
    def place(self) -> str:
        return place_of(self.page, self.record, self.chain)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One property, relation or title that its expression could not give; the entity went without it."""

    field: str
    message: str
    page: int
    record: int
    identifier: str | None = None
    chain: str = ""

    @property
    def place(self) -> str:
        return place_of(self.page, self.record, self.chain)


@dataclass(frozen=True, slots=True)
class MappedPage:
    """A page after the mapping: what became of each of its records."""

    number: int
    facts: PageFacts
    filtered: int
    entities: tuple[Entity, ...]
    failures: tuple[Failure, ...] = ()
    field_errors: tuple[FieldError, ...] = ()
    content: bytes = b""
    """A hash of the records: equal hashes, a page that repeats another."""


class Verdict(StrEnum):
    """Whether a resource was read to its last record."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    SKIPPED = "skipped"


P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[P]):
    """What one page came to, beside what it cost to get it."""

    page: P | None
    """None where an answer without a body said that there is nothing."""
    spent: Spent = Spent()
    pages: int = 1
    """How many answers it is made of; none for a piece of one that was counted already."""
    to_come: int | None = None
    """How many more requests its chain will take, where the source tells."""


OF_THE_SOURCE = frozenset({"unreachable", "timeout", "connection", "auth"})
"""Reasons of an End that are not those of one request, but would have ended any other too."""


@dataclass(frozen=True, slots=True)
class End:
    """The last thing that reading a chain gives: its verdict, and why."""

    verdict: Verdict
    reason: str | None = None
    problem: Problem | None = None
    spent: Spent = Spent()
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entities of one blueprint that go out in one bulk request."""

    blueprint: str
    entities: tuple[Entity, ...]


class Fate(StrEnum):
    """What Port did with an entity."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entity of a batch."""

    entity: Entity
    fate: Fate
    code: str | None = None
    message: str | None = None
    hint: str | None = None
    identifier: str | None = None
    """The entity's identifier in Port's own words, where it said it."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One outcome for each entity of a batch, in its order."""

    outcomes: tuple[Outcome, ...]
    went_well: bool = True
    """Whether the sink took it at its first attempt."""


def place_of(page: int, record: int, chain: str = "") -> str:
    """The place of a record as every report and error writes it."""
    return f"{chain}, page {page}, record {record}" if chain else f"page {page}, record {record}"
