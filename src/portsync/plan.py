"""The source, after all have had their say, and what the pages of a resource go through."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from portsync.auth import AnyAuth, NoAuth
from portsync.errors import ExpressionError, Problem, SettingsError
from portsync.jq.items import Items
from portsync.jq.program import EntityExpressions, PageProgram
from portsync.mapping.fit import constant
from portsync.mapping.source import Timeout
from portsync.pagination import NoPagination, Paginator
from portsync.urls import Origins, origin_of

if TYPE_CHECKING:
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import EntityMapping, MappingFile, PortSection, Resource
    from portsync.mapping.source import RateLimit, Retry, Source, Tls
    from portsync.settings import Settings

T = TypeVar("T")
_ABSOLUTE = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")
_ORIGIN_HINT = "give a path, or add the origin to `source.allow_origins`; no credentials are sent there"


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """The source, after the file and the environment have both had their say; the file wins."""

    base_url: str
    auth: AnyAuth
    headers: dict[str, str]
    paginator: Paginator
    concurrency: int
    retry: Retry
    timeout: Timeout
    verify_tls: bool
    tls: Tls
    rate_limit: RateLimit | None = None
    allow_origins: tuple[str, ...] = ()

    @property
    def origins(self) -> Origins:
        """Where requests may go."""
        return Origins.around(self.base_url, self.allow_origins)


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
    timeout = None if settings.source_timeout is None else Timeout.of(settings.source_timeout)
    return SourcePlan(
        base_url.rstrip("/"),
        source.auth or settings.source_auth or NoAuth(),
        {**settings.source_headers, **source.headers},
        source.pagination or settings.source_pagination or NoPagination(),
        _chosen(source, "concurrency", settings.source_concurrency),
        source.retry,
        _chosen(source, "timeout", timeout),
        _chosen(source, "verify_tls", settings.source_verify_tls),
        source.tls,
        source.rate_limit,
        source.allow_origins,
    )


def _chosen(source: Source, key: str, from_environment: T | None) -> T:
    """What the file says, else the environment, else the default."""
    said: T = getattr(source, key)
    return said if key in source.model_fields_set or from_environment is None else from_environment


def page_program(resource: Resource, source: SourcePlan) -> PageProgram:
    """All expressions that the pages of a resource go through."""
    selector = resource.selector
    return PageProgram(
        selector.data_path,
        selector.query,
        tuple(_expressions(mapping) for mapping in resource.port.entity.mappings),
        (selector.pagination or source.paginator).facts(),
        _items(resource.port),
        is_enriched=bool(selector.path_parameters),
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


def url_of(kind: str, source: SourcePlan) -> str:
    """`kind` joined to the base URL; an absolute one has to be of an origin that the mapping names."""
    if _ABSOLUTE.match(kind) is None:
        return f"{source.base_url}/{kind.lstrip('/')}"
    if (refusal := _refusal(kind, source.origins)) is not None:
        raise ExpressionError(Problem("foreign-origin", f"`kind`: {refusal}", f"resource `{kind}`", _ORIGIN_HINT))
    return kind


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


def has_computed_blueprint(resource: Resource) -> bool:
    """Whether a mapping of the resource finds out its blueprint from the record."""
    return any(constant(mapping.blueprint) is None for mapping in resource.port.entity.mappings)


def constant_blueprints(resource: Resource) -> set[str]:
    """The blueprints that a resource names by a constant, `'"service"'`."""
    names = (constant(mapping.blueprint) for mapping in resource.port.entity.mappings)
    return {name for name in names if name is not None}
