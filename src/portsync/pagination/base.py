"""What every paginator is: its own configuration model, frozen and stateless."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portsync.flow import PageFacts, RequestSpec


class Paginator(BaseModel):
    """The base of all paginators. One knows nothing but the page just read, so it can be shared, and tested with
    values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def first(self, request: RequestSpec) -> RequestSpec:
        """The first request of a chain, made from the resource's own."""

    @abstractmethod
    def next(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        """The request after `request`, which gave `facts`; None at the end. Raises PaginationError."""

    def following(self, request: RequestSpec, facts: PageFacts) -> RequestSpec | None:
        """What `next` gives. Raises PaginationError."""
        return self.next(request, facts)

    def to_come(self, request: RequestSpec, facts: PageFacts) -> int | None:  # noqa: ARG002
        """How many requests will come after `request`; None where the source does not say enough."""
        return None

    def ahead(self, request: RequestSpec, facts: PageFacts) -> Iterable[RequestSpec]:  # noqa: ARG002
        """The requests that will probably follow `request`, which gave `facts`, in their order; none where a page has
        to be read before the next one can be known. They may be sent early; `next` alone decides what counts."""
        return ()

    def facts(self) -> Mapping[str, str]:
        """The expressions over the page's body whose values `next` needs, by name."""
        return {}

    def total(self, facts: PageFacts) -> int | None:  # noqa: ARG002 - the interface's signature
        """How many records the source says there are in all. Where it does, a page like the one before it is no sign
        of a loop by itself, and a chain that ends before it was reached is truncated."""
        return None


class PaginationError(Exception):
    """This means that a page says something about its successor that cannot be followed."""

    def __init__(self, message: str, *, reason: str = "pagination") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
