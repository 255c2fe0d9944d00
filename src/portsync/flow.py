"""The values that travel along the line, in the order in which they appear. Read this first, then sync.py.

All are frozen: a stage makes new values and never changes the ones that it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.errors import Problem

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
        return f"{self.method} {self.url}"


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
    """How many of the attempts were answered 429."""

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the source that holds records."""

    request: RequestSpec
    number: int
    """Counted from 1 within its resource."""
    body: bytes


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a paginator may know of a page: how many records it held, and the values of its `*_path` expressions."""

    records: int
    values: Mapping[str, Json] = field(default_factory=dict)
    received: int = 0
    """How many records its chain has given so far, this page's included."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers of the answer; their names match in any case."""
    missing: bool = False
    """Whether `data_path` gave null."""
    data_path_error: str | None = None


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
    absorbed: int = 0
    """How many earlier conflicting entities this one stands for."""

    @property
    def place(self) -> str:
        return place_of(self.page, self.record)


@dataclass(frozen=True, slots=True)
class Failure:
    """One record or entity that did not make it, and why. A value in the report, not an exception."""

    code: str
    message: str
    page: int
    record: int
    identifier: str | None = None
    hint: str | None = None

    @property
    def place(self) -> str:
        return place_of(self.page, self.record)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One property, relation or title that its expression could not give; the entity went without it."""

    field: str
    message: str
    page: int
    record: int
    identifier: str | None = None


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
    requests: int = 0
    waited_s: float = 0.0


class Verdict(StrEnum):
    """Whether a resource was read to its last record."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class End:
    """The last thing that reading a resource gives: its verdict, and why."""

    verdict: Verdict
    reason: str | None = None
    problem: Problem | None = None
    requests: int = 0
    waited_s: float = 0.0


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


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One outcome for each entity of a batch, in its order."""

    outcomes: tuple[Outcome, ...]


def place_of(page: int, record: int) -> str:
    """The place of a record as every report and error writes it."""
    return f"page {page}, record {record}"
