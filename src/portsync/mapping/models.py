"""The mapping file as types. Field docstrings feed the JSON Schema that editors read.

Keys that Port's Ocean framework defines keep its spelling, so that a block can be pasted from an Ocean configuration
or from Port's documentation (docs.port.io, custom integration).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from portsync.auth import AnyAuth
from portsync.jq.expression import Expression, compiled
from portsync.mapping.templates import BodyTemplate, ParameterValue, TemplateText
from portsync.pagination import AnyPaginator
from portsync.urls import fault_of

if TYPE_CHECKING:
    from portsync.jq.program import Template


class Section(BaseModel):
    """The base of every section: unknown keys are refused, values do not change, secrets stay out of errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )


def _search_or_expression(value: Any) -> Template:
    """Ocean's search form `{combinator, rules}` is evaluated leaf by leaf; anything else is an expression."""
    if isinstance(value, dict):
        if not {"combinator", "rules"} <= value.keys():
            hint = "Port's search form is {combinator: '\"and\"', rules: [{property, operator, value}]}"
            raise PydanticCustomError("search-form", "a search needs `combinator` and `rules`", {"hint": hint})
        return {key: _leaves(item) for key, item in value.items()}
    return compiled(value)


def _leaves(value: Any) -> Template:
    match value:
        case dict():
            return {key: _leaves(item) for key, item in value.items()}
        case list():
            return [_leaves(item) for item in value]
        case _:
            return compiled(value)


SearchOrExpression = Annotated[
    Any,
    BeforeValidator(_search_or_expression),
    WithJsonSchema({"type": ["string", "boolean", "number", "object"], "description": "a JQ expression, or a search"}),
]


def _one_or_many(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _http_url(url: str) -> str:
    if (fault := fault_of(url)) is not None:
        hint = "write it as https://host/path"
        raise PydanticCustomError("url", "the URL {fault}", {"fault": fault, "hint": hint})
    return url.rstrip("/")


_PATH_PARAMETER = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")


def _path(kind: str) -> str:
    if (found := _PATH_PARAMETER.search(kind)) is not None:
        raise PydanticCustomError(
            "path-parameter",
            "the path parameter `{name}` has no values",
            {"name": found[1], "hint": "write the path out; this version knows no path parameters"},
        )
    return kind


HttpUrl = Annotated[str, AfterValidator(_http_url)]


class Retry(Section):
    """How often, and how long, a failing request is tried again."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 5
    """Tries of one request in all."""
    max_wait: Annotated[float, Field(ge=0)] = 120
    """The longest single wait, in seconds. A source that asks for longer ends the resource."""


class Timeout(Section):
    """Time-outs in seconds."""

    connect: Annotated[float, Field(gt=0)] = 30
    read: Annotated[float, Field(gt=0)] = 30
    """The longest silence while an answer arrives."""
    write: Annotated[float, Field(gt=0)] = 30
    pool: Annotated[float, Field(gt=0)] = 30
    total: Annotated[float, Field(gt=0)] = 300
    """For one whole attempt; it ends an answer that drips in for ever."""


def _timeout(value: Any) -> Any:
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return dict.fromkeys(("connect", "read", "write", "pool"), value) | {"total": 10 * value}
    return value


class Source(Section):
    """The API that is read."""

    base_url: HttpUrl | None = None
    """Every resource's path is joined to it. Taken from PORTSYNC_SOURCE_BASE_URL where it is missing."""
    auth: AnyAuth | None = None
    """Who asks: `none`, `bearer`, `basic` or `api_key`."""
    headers: dict[str, TemplateText] = Field(default_factory=dict)
    """Sent with every request. May hold `{{ jq }}` spans."""
    pagination: AnyPaginator | None = None
    """The default for every resource: `none` or `offset`."""
    retry: Retry = Retry()
    timeout: Annotated[Timeout, BeforeValidator(_timeout)] = Timeout()
    verify_tls: bool = True


class Selector(Section):
    """Which records, and by which request."""

    query: Expression = "true"
    """JQ that gives true or false for each record; only the true ones are kept."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    body: BodyTemplate = None
    """A text is one JQ program whose output is the JSON body; a YAML mapping is literal, with `{{ jq }}` spans."""
    query_params: dict[str, ParameterValue] = Field(default_factory=dict)
    """May hold `{{ jq }}` spans; a list repeats the parameter."""
    headers: dict[str, TemplateText] = Field(default_factory=dict)
    """Added to the source's. May hold `{{ jq }}` spans."""
    data_path: Expression = "."
    """JQ from the answer's body to its records: an array, or several outputs."""
    pagination: AnyPaginator | None = None
    """In place of the source's."""
    on_conflict: Literal["report", "last", "first", "fail"] = "report"
    """Two records, one identifier, different content: send the last and say so, or keep last or first, or fail."""
    delete_stale: bool = True
    """false: entities that this resource no longer returns are kept, as history."""


class EntityMapping(Section):
    """How a record becomes an entity. Every value is a JQ expression over the record."""

    identifier: SearchOrExpression
    blueprint: Expression
    """A constant is a JQ string: `'"service"'`."""
    title: Expression | None = None
    icon: Expression | None = None
    team: SearchOrExpression = None
    properties: dict[str, Expression] = Field(default_factory=dict)
    relations: dict[str, SearchOrExpression] = Field(default_factory=dict)


class EntitySection(Section):
    """The entity mappings of a resource."""

    mappings: Annotated[list[EntityMapping], BeforeValidator(_one_or_many), Field(min_length=1)]
    """One mapping, or a list of them: each makes one entity of every record."""


class PortSection(Section):
    """What a resource becomes in Port."""

    items_to_parse: Annotated[Expression | None, Field(alias="itemsToParse")] = None
    """JQ that gives an array: each element becomes an entity, as `.item` beside the record's other fields."""
    items_to_parse_name: Annotated[str, Field(alias="itemsToParseName", min_length=1)] = "item"
    """Under which name the element joins the record."""
    items_to_parse_top_level_transform: Annotated[bool, Field(alias="itemsToParseTopLevelTransform")] = True
    """Whether the array itself leaves the record that its elements join."""
    entity: EntitySection


class Resource(Section):
    """One kind of thing that the source has."""

    kind: Annotated[str, Field(min_length=1), AfterValidator(_path)]
    """The endpoint's path, joined to the base URL; a query string in it is kept."""
    selector: Selector = Selector()
    port: PortSection


class MappingFile(Section):
    """A mapping file: `resources`, Ocean's switches, and portsync's own `source`."""

    source: Source = Source()
    create_missing_related_entities: bool = Field(
        default=True,
        validation_alias=AliasChoices("createMissingRelatedEntities", "create_missing_related_entities"),
    )
    """Whether Port makes a bare entity where a relation points at one that is missing."""
    delete_dependent_entities: bool = Field(
        default=False, validation_alias=AliasChoices("deleteDependentEntities", "delete_dependent_entities")
    )
    """Whether deleting an entity may delete those that relate to it."""
    enable_merge_entity: bool = Field(
        default=True, validation_alias=AliasChoices("enableMergeEntity", "enable_merge_entity")
    )
    """Whether properties that a mapping does not name keep their values in Port."""
    entity_deletion_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.3, validation_alias=AliasChoices("entityDeletionThreshold", "entity_deletion_threshold")
    )
    """The largest share of a blueprint's entities that one run may delete."""
    resources: Annotated[list[Resource], Field(min_length=1)]
