"""Where a paging value goes in a request: the query, a header, or a place in the body."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from portsync.pagination.error import PaginationError

if TYPE_CHECKING:
    from portsync.flow import Json, RequestSpec

Into = Literal["query", "body", "header"]


def put(request: RequestSpec, into: Into, name: str, value: str | float) -> RequestSpec:
    """`request` with the paging value in its place; in a body, `name` is a dotted path (`page.cursor`), and the value
    keeps its type. Raises PaginationError where the body has no such place."""
    match into:
        case "query":
            others = tuple(pair for pair in request.params if pair[0] != name)
            return replace(request, params=(*others, (name, str(value))))
        case "header":
            kept = tuple(pair for pair in request.headers if pair[0].lower() != name.lower())
            return replace(request, headers=(*kept, (name, str(value))))
        case "body":
            return replace(request, body=_with(request.body, name.split("."), value))


def number_in(request: RequestSpec, into: Into, name: str) -> int:
    """The number that `put` put there."""
    match into:
        case "query":
            return int(dict(request.params)[name])
        case "header":
            return int(dict(request.headers)[name])
        case "body":
            value: Json = request.body
            for part in name.split("."):
                value = value[part]
            return int(value)


def _with(body: Json, path: list[str], value: str | float) -> Json:
    if body is not None and not isinstance(body, dict):
        raise PaginationError(f"`into: body` needs a body that is an object; at `{path[0]}` it is none")
    inside = body or {}
    if len(path) == 1:
        return {**inside, path[0]: value}
    return {**inside, path[0]: _with(inside.get(path[0]), path[1:], value)}
