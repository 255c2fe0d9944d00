"""Resources -> request chains: the first request of each, rendered with JQ, and the programs for its pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from portsync.auth import AnyAuth, NoAuth
from portsync.errors import ExpressionError, Problem, SettingsError
from portsync.flow import Json, RequestSpec
from portsync.jq.items import Items
from portsync.jq.program import EntityExpressions, PageProgram, encoded_variables, program_head
from portsync.mapping.fit import constant
from portsync.mapping.templates import as_program, body_program
from portsync.pagination import NoPagination, Paginator
from portsync.urls import Origins, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portsync.jq.pool import JqPool
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import EntityMapping, MappingFile, PortSection, Resource
    from portsync.mapping.source import RateLimit, Retry, Timeout
    from portsync.settings import Settings

_ABSOLUTE = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")
_ORIGIN_HINT = "give a path, or add the origin to `source.allow_origins`; no credentials are sent there"


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """The source, after the file and the environment have both had their say; the file wins."""

    base_url: str
    auth: AnyAuth
    headers: dict[str, str]
    paginator: Paginator
    retry: Retry
    timeout: Timeout
    verify_tls: bool
    rate_limit: RateLimit | None = None
    concurrency: int = 10
    allow_origins: tuple[str, ...] = ()

    @property
    def origins(self) -> Origins:
        """Where requests may go."""
        return Origins.around(self.base_url, self.allow_origins)


@dataclass(frozen=True, slots=True)
class RequestChain:
    """How one resource is read: its first request, what follows a page, and what maps one."""

    first: RequestSpec
    paginator: Paginator
    program: PageProgram
    variables: Mapping[str, Json]
    """What `$context`, `$params` and `$window` stand for."""


def plan_source(mapping: MappingFile, settings: Settings) -> SourcePlan:
    """Where requests go, and as whom. Raises SettingsError where nobody says where."""
    source = mapping.source
    base_url = source.base_url or settings.source_base_url
    if base_url is None:
        raise SettingsError(
            Problem(
                "no-source",
                "the source's base URL is not known",
                place="source.base_url",
                hint="write `source: {base_url: https://...}` into the mapping, or set PORTSYNC_SOURCE_BASE_URL",
            )
        )
    return SourcePlan(
        base_url.rstrip("/"),
        source.auth or settings.source_auth or NoAuth(),
        source.headers,
        source.pagination or settings.source_pagination or NoPagination(),
        source.retry,
        source.timeout,
        source.verify_tls,
        source.rate_limit,
        source.concurrency,
        source.allow_origins,
    )


async def plan_resource(resource: Resource, source: SourcePlan, pool: JqPool, now: float) -> RequestChain:
    """The chain of a resource. Raises ExpressionError where an expression of its request fails or gives null."""
    selector = resource.selector
    paginator = selector.pagination or source.paginator
    program = PageProgram(
        selector.data_path,
        selector.query,
        tuple(_expressions(mapping) for mapping in resource.port.entity.mappings),
        paginator.facts(),
        _items(resource.port),
    )
    return RequestChain(await _render_request(resource, source, pool, now), paginator, program, {})


async def _render_request(resource: Resource, source: SourcePlan, pool: JqPool, now: float) -> RequestSpec:
    selector = resource.selector
    parts = {
        "kind": as_program(resource.kind, "kind"),
        "params": as_program(selector.query_params, "selector.query_params"),
        "source_headers": as_program(source.headers, "source.headers"),
        "headers": as_program(selector.headers, "selector.headers"),
        "body": "null" if selector.body is None else body_program(selector.body),
    }
    code = ", ".join(f"{name}: {part}" for name, part in parts.items())
    try:
        outputs = await pool.run([f"{program_head(now)}{{{code}}} | tojson"], encoded_variables({}), b"null")
    except ExpressionError as error:
        problem = error.problems[0]
        message = f"the request cannot be made: {problem.message}"
        raise ExpressionError(Problem(problem.code, message, f"resource `{resource.kind}`", problem.hint)) from error
    try:
        rendered = orjson.loads(outputs.lines[0])
    except orjson.JSONDecodeError as error:
        message = "the request cannot be made: it holds a number that no JSON reader takes"
        raise ExpressionError(Problem("request-value", message, f"resource `{resource.kind}`")) from error
    return RequestSpec(
        selector.method,
        _url(rendered["kind"], source),
        tuple(_pairs(rendered["params"])),
        tuple((name, _text(value, name)) for name, value in _headers(rendered).items()),
        rendered["body"],
        selector.body_type,
    )


def origin_problems(mapping: LoadedMapping, origins: Origins) -> list[Problem]:
    """The resources whose `kind` is a URL of an origin that requests may not go to."""
    problems = []
    for index, resource in enumerate(mapping.file.resources):
        if (refusal := _refusal(resource.kind, origins)) is not None:
            place = mapping.document.place(("resources", index, "kind"))
            message = f"resources[{index}].kind: {refusal}"
            excerpt = mapping.document.excerpt(place)
            problems.append(Problem("foreign-origin", message, str(place), _ORIGIN_HINT, excerpt=excerpt))
    return problems


def _refusal(kind: str, origins: Origins) -> str | None:
    """Why no request may go to `kind`, or None."""
    if _ABSOLUTE.match(kind) is None:
        return None
    try:
        origin = origin_of(kind)
    except ValueError:
        return "it is no URL"
    refusal = origins.refusal(origin)
    return None if refusal is None else f"{origin} {refusal}"


def _headers(rendered: Json) -> dict[str, Any]:
    """The source's headers and the resource's own, which win whatever their case."""
    own = {name.lower() for name in rendered["headers"]}
    kept = {name: value for name, value in rendered["source_headers"].items() if name.lower() not in own}
    return {**kept, **rendered["headers"]}


def _url(kind: str, source: SourcePlan) -> str:
    """`kind` joined to the base URL; an absolute one has to be of an origin that the mapping names."""
    if _ABSOLUTE.match(kind) is None:
        return f"{source.base_url}/{kind.lstrip('/')}"
    if (refusal := _refusal(kind, source.origins)) is not None:
        raise ExpressionError(Problem("foreign-origin", f"`kind`: {refusal}", f"resource `{kind}`", _ORIGIN_HINT))
    return kind


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
            message = (
                f"the request cannot be made: `{name}` gave {orjson.dumps(value).decode()[:100]}, which is no text"
            )
            raise ExpressionError(Problem("request-value", message, hint="make the expression give a text or a number"))


def _items(port: PortSection) -> Items | None:
    if port.items_to_parse is None:
        return None
    return Items(port.items_to_parse, port.items_to_parse_name, port.items_to_parse_top_level_transform)


def _expressions(mapping: EntityMapping) -> EntityExpressions:
    return EntityExpressions(
        mapping.identifier,
        mapping.blueprint,
        mapping.title,
        mapping.icon,
        mapping.team,
        mapping.properties,
        mapping.relations,
    )


def constant_blueprints(resource: Resource) -> set[str]:
    """The blueprints that a resource names by a constant, `'"service"'`."""
    names = (constant(mapping.blueprint) for mapping in resource.port.entity.mappings)
    return {name for name in names if name is not None}
