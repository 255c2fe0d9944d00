"""Walk a paginator over a source that a test makes up: what the engine does, less requests, mapping and reports.

The values of the paginator's expressions come from JQ, as in a run, so that a test of a paginator tests them too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import jq
from hypothesis import settings
from pydantic import TypeAdapter

from portsync.flow import PageFacts, RequestSpec
from portsync.jq.fence import prelude, without_values
from portsync.jq.outputs import first_output
from portsync.pagination import AnyPaginator, PaginationError, Paginator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

unhurried = settings(deadline=None)
"""For tests of many examples: the first that needs a program compiles it, which takes longer than the others."""

REQUEST = RequestSpec("GET", "http://h/things", (("status", "open"),))
_MOST_PAGES = 5000
_ADAPTER: TypeAdapter[Paginator] = TypeAdapter(AnyPaginator)


@dataclass(frozen=True)
class Served:
    """One answer of the source."""

    records: list[Any]
    said: Mapping[str, Any] = field(default_factory=dict)
    """What its body says beside the records."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Walk:
    """What came of a chain."""

    requests: list[RequestSpec]
    pages: list[list[Any]]
    reason: str | None = None
    """Why it is not whole; None where it is."""
    message: str = ""

    @property
    def records(self) -> list[Any]:
        return [record for page in self.pages for record in page]

    def sent(self, name: str) -> list[str | None]:
        """A query parameter of each request."""
        return [dict(request.params).get(name) for request in self.requests]


def paginator(**keys: Any) -> Paginator:
    """The paginator that a mapping with these keys has."""
    return _ADAPTER.validate_python(keys)


def facts_of(paging: Paginator, body: Any, **others: Any) -> PageFacts:
    """The facts of a page with `body`."""
    text = json.dumps(body)
    values = {name: output_of(program, text) for name, program in paging.facts().items()}
    return PageFacts(**{"records": 0, **others}, values=values)


@cache
def _compiled(program: str) -> Any:
    return jq.compile(f"{prelude(0.0)}{without_values()}\n{first_output(program)}")


def output_of(program: str, text: str) -> Any:
    """What a program of `facts` gives for a body."""
    return _compiled(program).input_text(text).first()


def walk(paging: Paginator, serve: Callable[[RequestSpec], Served], first: RequestSpec = REQUEST) -> Walk:
    """Read the chain to its end. A request that was made before ends it as a loop, as in the engine."""
    requests: list[RequestSpec] = []
    pages: list[list[Any]] = []
    seen: set[str] = set()
    received = empty = 0
    request: RequestSpec | None = paging.first(first)
    while request is not None:
        if repr(request) in seen:
            return Walk(requests, pages, "loop")
        assert len(requests) < _MOST_PAGES, "the walk does not end"
        seen.add(repr(request))
        requests.append(request)
        served = serve(request)
        pages.append(served.records)
        received += len(served.records)
        empty = 0 if served.records else empty + 1
        facts = facts_of(
            paging,
            {"data": served.records, **served.said},
            records=len(served.records),
            received=received,
            number=len(requests),
            empty_pages=empty,
            headers=served.headers,
        )
        try:
            request = paging.following(request, facts)
        except PaginationError as error:
            return Walk(requests, pages, error.reason, error.message)
    return Walk(requests, pages)
