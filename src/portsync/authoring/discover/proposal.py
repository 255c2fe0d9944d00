"""What is found out about a source, and how sure it is. All values are frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.flow import Answer, Json, RequestSpec

V_co = TypeVar("V_co", covariant=True)
Path = tuple[str, ...]
"""The names of the members that lead from a value to one inside it."""


class Confidence(StrEnum):
    """How much speaks for a proposal."""

    SURE = "sure"
    """It was tried, or nothing else is possible."""
    LIKELY = "likely"
    """Everything that was seen agrees with it."""
    GUESS = "guess"
    """Somebody has to look at it."""

    def at_most(self, other: Confidence) -> Confidence:
        """The less sure one of the two."""
        order = list(Confidence)
        return max(self, other, key=order.index)


@dataclass(frozen=True, slots=True)
class Proposal(Generic[V_co]):
    """A value, and what speaks for it."""

    value: V_co
    confidence: Confidence
    reason: str
    """What was seen, as the end of a sentence. It may quote the source."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was met and not taken, and why."""

    name: str
    reason: str
    hint: str | None = None
    is_refused: bool = False
    """Whether the source gave no answer, or none to whoever asked."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where records may be, and how to ask for them."""

    kind: str
    """The path below the base URL, with its query; `{name}` is a path parameter."""
    reason: str
    """Where it was found."""
    method: str = "GET"
    query_params: Mapping[str, Json] = field(default_factory=dict)
    """Sent with every request; may hold `{{ jq }}` spans."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    """Likewise: a literal with spans."""
    filled: tuple[Proposal[str], ...] = ()
    """What was put into parameters and body because the source wants something there."""
    known_params: frozenset[str] | None = None
    """The names of all query parameters and body members that a document knows; None where there is no document."""
    schema: Mapping[str, Json] | None = None
    """What a document says of an answer, its references resolved as far as they are looked at."""
    title: str | None = None
    is_window: bool = False
    """Whether it asks for a span of time: what is older is not gone because it is not returned."""

    def __str__(self) -> str:
        return f"{self.method} {self.kind}"


@dataclass(frozen=True, slots=True)
class Paging:
    """A way from one page to the next."""

    config: Mapping[str, Json]
    """As `pagination` in a mapping."""
    places: Mapping[str, Path] = field(default_factory=dict)
    """Where in a body the claims of its `*_path` keys stand, by the key without `_path`."""


@dataclass(frozen=True, slots=True)
class SeenPage:
    """One page as it was read."""

    request: RequestSpec
    answer: Answer
    records: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """The first pages of an endpoint."""

    pages: tuple[SeenPage, ...]
    is_whole: bool
    """Whether there is nothing after them."""
    fault: str | None = None
    """Why reading them ended, where it ended badly."""

    @property
    def records(self) -> list[Json]:
        return [record for page in self.pages for record in page.records]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the blueprint, and how a record gives it."""

    name: str
    expression: str
    schema: Mapping[str, Json]
    path: Path


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a record is told from the others."""

    expression: str
    fields: tuple[Path, ...]
    """The fields that it is made of."""
    is_plain: bool = False
    """Whether it is one field as it stands."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation to the entities of another resource."""

    name: str
    expression: str
    target: str
    """A blueprint."""
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """Where the values of a path parameter come from."""

    kind: str
    """That of another resource."""
    field: str
    """The expression over its records."""
    examples: tuple[Json, ...]
    """The values whose requests were tried."""


@dataclass(frozen=True, slots=True)
class ResourceProposal:
    """Everything that is proposed for one endpoint."""

    endpoint: Endpoint
    blueprint: str
    title: str
    """The blueprint's."""
    data_path: Proposal[str]
    records_at: Path
    """Where in a body the records stand."""
    pagination: Proposal[Paging]
    identifier: Proposal[Identity]
    entity_title: Proposal[str]
    properties: tuple[Proposal[Property], ...]
    sample: Sample
    relations: tuple[Proposal[Relation], ...] = ()
    parents: Mapping[str, Proposal[Parent]] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    @property
    def kind(self) -> str:
        return self.endpoint.kind


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found out about a source."""

    resources: tuple[ResourceProposal, ...]
    left_out: tuple[LeftOut, ...]
    """Endpoints that are not proposed."""
    requests: int
    """How many were sent."""
    most_requests: int
