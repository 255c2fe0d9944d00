"""The requests of a resource, a lookup or a path parameter: templates that are rendered with JQ."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from portsync.errors import ExpressionError, Problem
from portsync.flow import Json, RequestSpec
from portsync.jq.records import encoded_variables, program_head
from portsync.mapping.templates import as_program, body_program, path_parts
from portsync.plan import url_of
from portsync.transport.retry import RETRIED_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portsync.chains.access import Access
    from portsync.jq.variables import Variables
    from portsync.mapping.requests import Request

_VARIABLE = re.compile(r"\$(params|window)\b")


@dataclass(frozen=True, slots=True)
class _Made:
    """A request without its URL, and the parts of the path that it goes to."""

    path: tuple[Json, ...]
    request: RequestSpec


class RequestTemplate:
    """Makes the first request of each chain."""

    def __init__(self, path: str, request: Request, place: str, access: Access) -> None:
        """`place` is where the request stands in the mapping, such as `selector`."""
        self._path = path
        self._request = request
        self._place = place
        self._access = access
        self._texts = [*self.texts(), *texts_of(access.source.headers)]
        self._is_constant = not any(_VARIABLE.search(text) for text in self._texts)
        self._context = access.context.of(self._texts)
        self._made: _Made | None = None
        """What is the same for all chains, where that is all but the values in the path."""

    def texts(self) -> Iterator[str]:
        """The texts that may hold expressions, but for the source's own headers."""
        yield self._path
        request = self._request
        yield from texts_of([request.body, request.query_params, request.headers])

    async def render(self, variables: Variables) -> RequestSpec:
        """The request of a chain. Raises ExpressionError where an expression fails or gives null, and where a value
        cannot stand in a path."""
        made = self._made or self._make(await self._run(variables))
        if self._is_constant:
            self._made = made
        path = "".join(self._path_part(part, variables) for part in made.path)
        return replace(made.request, url=url_of(path, self._access.source))

    def _make(self, rendered: Json) -> _Made:
        request = RequestSpec(
            self._request.method,
            "",
            tuple(_pairs(rendered["params"])),
            tuple((name, _text(value, name)) for name, value in _headers(rendered).items()),
            rendered["body"],
            self._request.body_type,
            retried=_retried(self._request),
        )
        return _Made(tuple(rendered["path"]), request)

    async def _run(self, variables: Variables) -> Json:
        request, place = self._request, self._place
        if not isinstance(request.body, str) and not any("{{" in text for text in self._texts):
            # Nothing to evaluate, so nobody has to wait for a JQ worker to be there.
            return {
                "path": [{"name": part.text} if part.is_parameter else part.text for part in path_parts(self._path)],
                "params": request.query_params,
                "source_headers": self._access.source.headers,
                "headers": request.headers,
                "body": request.body,
            }
        path = ", ".join(
            json.dumps({"name": part.text}) if part.is_parameter else as_program(part.text, place)
            for part in path_parts(self._path)
        )
        parts = {
            "path": f"[{path}]",
            "params": as_program(request.query_params, f"{place}.query_params"),
            "source_headers": as_program(self._access.source.headers, "source.headers"),
            "headers": as_program(request.headers, f"{place}.headers"),
            "body": "null" if request.body is None else body_program(request.body, f"{place}.body"),
        }
        code = ", ".join(f"{name}: {part}" for name, part in parts.items())
        program = f"{program_head(self._access.now)}{{{code}}} | tojson"
        try:
            outputs = await self._access.pool.run(
                [program], encoded_variables(variables), b"null", context=self._context
            )
        except ExpressionError as error:
            problem = error.problems[0]
            raise _unmade(problem.code, problem.message, problem.hint) from error
        try:
            return orjson.loads(outputs.lines[0])
        except orjson.JSONDecodeError as error:
            raise _unmade("request-value", "it holds a number that no JSON reader takes") from error

    def _path_part(self, part: Json, variables: Variables) -> str:
        """A part of the path: text as it is, the value of a parameter percent-encoded, so that it stays one segment."""
        if not isinstance(part, dict):
            return _text(part, "path")
        value = str(variables.params[part["name"]])
        if value in (".", ".."):
            # Servers and clients alike take them for steps up and down, encoded or not.
            message = f"the path parameter `{part['name']}` has the value `{value}`, which no path can hold"
            raise _unmade("path-parameter", message, "leave it out with `filter`")
        return quote(value, safe="-_.~")


def texts_of(value: Any) -> Iterator[str]:
    """All texts in a template."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts_of(item)
        case dict():
            for item in value.values():
                yield from texts_of(item)


def _unmade(code: str, message: str, hint: str | None = None) -> ExpressionError:
    return ExpressionError(Problem(code, f"the request cannot be made: {message}", hint=hint))


def _retried(request: Request) -> frozenset[int] | None:
    if not request.on_status:
        return None
    asked = {status for status, meaning in request.on_status.items() if meaning == "retry"}
    return (RETRIED_STATUSES - request.on_status.keys()) | asked


def _headers(rendered: Json) -> dict[str, Any]:
    """The source's headers and the request's own, which win whatever their case."""
    own = {name.lower() for name in rendered["headers"]}
    kept = {name: value for name, value in rendered["source_headers"].items() if name.lower() not in own}
    return {**kept, **rendered["headers"]}


def _pairs(params: dict[str, Json]) -> Iterable[tuple[str, str]]:
    for name, value in params.items():
        for item in value if isinstance(value, list) else [value]:
            yield name, _text(item, name)


def _text(value: Json, name: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            message = f"`{name}` gave {orjson.dumps(value).decode()[:100]}, which is no text"
            raise _unmade("request-value", message, "make the expression give a text or a number")
