"""The mapping file as types. Field docstrings feed the JSON Schema that editors read.

Keys that Port's Ocean framework defines keep its spelling, so that a block can be pasted from an Ocean configuration
or from Port's documentation (docs.port.io, custom integration).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from portsync.jq.expression import Below, Expression, as_text, compiled, fault_in, not_usable
from portsync.mapping.live import Live
from portsync.mapping.requests import Lookup, PathParameter, Request, Window
from portsync.mapping.section import Section
from portsync.mapping.source import Source
from portsync.mapping.templates import TemplateText

if TYPE_CHECKING:
    from portsync.jq.fault import Fault
    from portsync.jq.program import Template


def _search_or_expression(value: Any, info: ValidationInfo) -> Template:
    """Ocean's search form `{combinator, rules}` is evaluated leaf by leaf; anything else is an expression."""
    if not isinstance(value, dict):
        return compiled(value, info)
    if not {"combinator", "rules"} <= value.keys():
        hint = "Port's search form is {combinator: '\"and\"', rules: [{property, operator, value}]}"
        raise PydanticCustomError("search-form", "a search needs `combinator` and `rules`", {"hint": hint})
    faults: list[tuple[Below, int | None, Fault]] = []
    template: Template = {key: _leaves(item, info, (str(key),), faults) for key, item in value.items()}
    if faults:
        raise not_usable(faults)
    return template


def _leaves(value: Any, info: ValidationInfo, below: Below, faults: list[tuple[Below, int | None, Fault]]) -> Template:
    """The template that `value` is; what is wrong with its leaves is added to `faults`."""
    match value:
        case dict():
            return {key: _leaves(item, info, (*below, str(key)), faults) for key, item in value.items()}
        case list():
            return [_leaves(item, info, (*below, index), faults) for index, item in enumerate(value)]
        case _:
            text = as_text(value)
            if (fault := fault_in(text, info)) is not None:
                faults.append((below, fault.offset, fault))
            return text


SearchOrExpression = Annotated[
    Any,
    BeforeValidator(_search_or_expression),
    WithJsonSchema({"type": ["string", "boolean", "number", "object"], "description": "a JQ expression, or a search"}),
]


def _one_or_many(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _null_or_text(value: Any) -> Any:
    return "null" if value is None else value


class Selector(Request):
    """Which records, and by which request."""

    query: Expression = "true"
    """JQ that gives true or false for each record; only the true ones are kept."""
    path_parameters: dict[str, PathParameter] = Field(default_factory=dict)
    """For each `{name}` in `kind`, where its values come from."""
    window: Window | None = None
    """Ask for a span of time piece by piece; requests and entities see `$window.start` and `$window.end`."""
    slurp: bool = False
    """Whether `data_path` gets the list of all pages of a request at once, in place of one page after another."""
    on_conflict: Literal["report", "last", "first", "fail"] = "report"
    """Two records, one identifier, different content: send the last and say so, or keep last or first, or fail."""
    delete_stale: bool = True
    """false: entities that this resource no longer returns are kept, as history."""


class EntityMapping(Section):
    """How a record becomes an entity. Every value is a JQ expression over the record."""

    identifier: SearchOrExpression
    """Tells the entity from all others of its blueprint; a text or a number."""
    blueprint: Expression
    """A constant is a JQ string: `'"service"'`."""
    title: Expression | None = None
    """The name that people see."""
    icon: Expression | None = None
    """One of Port's icons; null leaves it out."""
    team: SearchOrExpression = None
    """The owning team or teams."""
    properties: dict[str, Expression] = Field(default_factory=dict)
    """By the names that the blueprint gives them."""
    relations: dict[str, SearchOrExpression] = Field(default_factory=dict)
    """Identifiers of related entities, or searches for them, by the names of the blueprint's relations."""


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
    """What each record becomes."""


class Resource(Section):
    """One kind of thing that the source has."""

    kind: Annotated[TemplateText, Field(min_length=1)]
    """The endpoint's path, joined to the base URL; a query string in it is kept, and `{name}` is a path parameter."""
    selector: Selector = Selector()
    """Which of its records are read, and how they are asked for."""
    port: PortSection
    """What the records become in Port."""
    live: Live | None = None
    """Webhooks that change its entities at once."""


class MappingFile(Section):
    """A mapping file: `resources`, Ocean's switches, and portsync's own `source`."""

    source: Source = Source()
    """The API that is read; its parts may come from the environment."""
    context: dict[str, Lookup] = Field(default_factory=dict)
    """Small requests made once in a run, whose answers every expression sees as `$context.<name>`."""
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
    missing_users: Annotated[Literal["null", "fail"], BeforeValidator(_null_or_text)] = "null"
    """A relation to a user or team whom Port does not have: leave it empty and count it, or make it a failure."""
    resources: Annotated[list[Resource], Field(min_length=1)]
    """What is read, in this order."""
