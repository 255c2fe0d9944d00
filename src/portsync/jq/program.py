"""Build the two JQ programs of a resource: the fast one, and the guarded one for pages on which the fast one fails.

Both take the variables and the page's body. Their outputs, which the worker writes down as JSON:

    {"records": 2, "values": {...}}                          once, first: the page's facts
    [0, identifier, blueprint, is_search, entity]            for each entity: the record's index, and what it is
    [0, identifier, blueprint, is_search, entity, errors]    from the guarded program, with what failed
    {"failure": [0, null, code, message]}                    from the guarded program: a record that makes no entity

Where a page holds numbers of so many digits that a double would lose some, the programs are built `exact`: then JQ
itself writes the entity down, which keeps all digits of what is only passed through, and costs a third more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

from portsync.jq.compile import normalised
from portsync.jq.outputs import first_output
from portsync.jq.records import TEXT, each_record, fast_facts, guarded_facts, program_head, tried
from portsync.jq.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from portsync.jq.items import Items

Template = Union[str, dict[str, "Template"], list["Template"]]  # noqa: UP007 - the string needs it at run time
"""An expression, or Ocean's search form: an object whose leaves are expressions."""


@dataclass(frozen=True, slots=True)
class EntityExpressions:
    """The expressions of one entity mapping, as the user wrote them."""

    identifier: Template
    blueprint: str
    title: str | None = None
    icon: str | None = None
    team: Template | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    relations: Mapping[str, Template] = field(default_factory=dict)

    def single_fields(self) -> list[tuple[str, Template]]:
        """Title, icon and team, as far as they are mapped."""
        fields = (("title", self.title), ("icon", self.icon), ("team", self.team))
        return [(name, template) for name, template in fields if template is not None]


@dataclass(frozen=True, slots=True)
class PageProgram:
    """All expressions that a page of one resource goes through."""

    data_path: str
    query: str
    mappings: tuple[EntityExpressions, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the paginator wants to know of the page's body, by name."""
    items: Items | None = None
    """Where each record holds several things, of which each becomes an entity."""
    is_enriched: bool = False
    """Whether records carry the values of path parameters, as `__<name>`."""

    def texts(self) -> Iterator[str]:
        """All its expressions, as the user wrote them."""
        yield from (self.data_path, *(text for _, text in self.named()), *self.facts.values())
        if self.items is not None:
            yield self.items.expression

    def fast(self, now: float, *, exact: bool = False) -> str:
        """The program without guards: it fails as a whole where any expression does."""
        entities = ", ".join(_fast_entity(i, mapping, exact=exact) for i, mapping in enumerate(self.mappings))
        nothings = (f"{_identifier_of_nothing(m.identifier)} as $__nothing{i} | " for i, m in enumerate(self.mappings))
        return (
            f"{program_head(now)}{''.join(nothings)}"
            f"{fast_facts(self.data_path, self.facts)}, "
            f"({self._each} | {_fast_items(self.items)}{first_output(self.query)} as $__keep | "
            f'if $__keep == true then ({entities}) elif $__keep == false then empty else error("selector") end)'
        )

    def guarded(self, now: float, *, exact: bool = False) -> str:
        """The program that names each expression that fails, record by record."""
        entities = ", ".join(_guarded_entity(mapping, exact=exact) for mapping in self.mappings)
        return (
            f"{program_head(now)}"
            f"{guarded_facts(self.data_path, self.facts)}, "
            f"({self._each} | {_guarded_items(self.items)}"
            f'if type == "object" and has("__items_error") then '
            f'{{failure: [$__i, null, "jq", "itemsToParse: " + .__items_error]}} '
            f"else {tried(self.query)} as $__keep | "
            f"if $__keep == [true] then ({entities}) elif $__keep == [false] then empty "
            f'elif ($__keep | type) == "object" then '
            f'{{failure: [$__i, null, "jq", "selector.query: " + $__keep.error]}} '
            f'else {{failure: [$__i, null, "selector-not-boolean", '
            f'"selector.query gave " + ($__keep[0] | tojson | .[0:500])]}} end end)'
        )

    def named(self) -> list[tuple[str, str]]:
        """Each expression that records go through, with the name that users know it by."""
        found: list[tuple[str, Template | None]] = [("selector.query", self.query)]
        for mapping in self.mappings:
            found += [("identifier", mapping.identifier), ("blueprint", mapping.blueprint)]
            found += mapping.single_fields()
            found += [(f"properties.{name}", text) for name, text in mapping.properties.items()]
            found += [(f"relations.{name}", template) for name, template in mapping.relations.items()]
        return [(name, _value(template, first_output)) for name, template in found if template is not None]

    def alone(self, code: str, now: float) -> str:
        """A program that runs one of `named` on the records of the range, and gives nothing."""
        return (
            f"{program_head(now)}{fast_facts(self.data_path, {})}, "
            f"({self._each} | {_fast_items(self.items)}{code} | empty)"
        )

    @property
    def _each(self) -> str:
        return each_record(is_enriched=self.is_enriched)


def _fast_items(items: Items | None) -> str:
    return "" if items is None else f"({items.joined()}) | "


def _guarded_items(items: Items | None) -> str:
    return "" if items is None else f"(try ({items.joined()}) catch {{__items_error: ({TEXT})}}) | "


_FIELDS = (
    'if type == "object" then "the record has " + (keys_unsorted[:20] | join(", ")) else "the record is a " + type end'
)


def _names(mapping: EntityExpressions) -> str:
    """Index, identifier, blueprint, and whether the identifier is Ocean's search form: only where the mapping says so,
    for data of the source must not choose which entity it hits."""
    if isinstance(mapping.identifier, str):
        return "$__i, $__id, $__blueprint, false"
    return "$__i, ($__id | tojson), $__blueprint, true"


def _value(template: Template, wrap: Callable[[str], str]) -> str:
    """The code of a template: its leaves are wrapped expressions."""
    if isinstance(template, str):
        return wrap(template)
    if isinstance(template, list):
        return f"[{', '.join(_value(item, wrap) for item in template)}]"
    return f"{{{', '.join(f'{json.dumps(key)}: {_value(item, wrap)}' for key, item in template.items())}}}"


def _identifier(template: Template) -> str:
    return f'({_value(template, first_output)} | if type == "number" then tostring else . end)'


def _identifier_of_nothing(template: Template) -> str:
    """What the identifier is for a record that has none of its fields: `"@"` for `.id + "@" + .date`.

    A record with this identifier does not fit the mapping. `{}` stands for "cannot be told": the expression is
    constant, or says itself what to do about missing fields.
    """
    if not isinstance(template, str):
        return "{}"
    code = normalised(template)
    if not _is_made_of_fields(code):
        return "{}"
    return f"(try (null | {_identifier(template)}) catch {{}} | if . == null then {{}} else . end)"


def _is_made_of_fields(code: str) -> bool:
    """Whether an expression only joins fields and texts: then a missing field was not thought of."""
    before = ""
    has_field = False
    for token in scan(code):
        is_field = token.kind == "name" and before == "."
        has_field = has_field or is_field
        if token.kind == "name" and not is_field and token.text not in TEXT_FUNCTIONS:
            return False
        if token.kind == "other" and not (token.text in _JOINING or token.text.isspace()):
            return False
        before = token.text
    return has_field


TEXT_FUNCTIONS = frozenset(
    "ascii_downcase ascii_upcase gsub join ltrim ltrimstr rtrim rtrimstr sub tojson tostring trim".split()  # noqa: SIM905
)
_JOINING = frozenset(["+", "|", "(", ")", ".", '"', "\\(", ";", ",", "[", "]"])


def _fast_entity(number: int, mapping: EntityExpressions, *, exact: bool) -> str:
    return (
        f"({_identifier(mapping.identifier)} as $__id | {first_output(mapping.blueprint)} as $__blueprint | "
        f'if $__id == $__nothing{number} then error("identifier") else . end | '
        f"[{_names(mapping)}, ({_members(mapping, first_output)}{_ending(mapping, exact=exact)})])"
    )


def _members(mapping: EntityExpressions, wrap: Callable[[str], str]) -> str:
    members = ["identifier: $__id", "blueprint: $__blueprint"]
    members += [f"{name}: {_value(template, wrap)}" for name, template in mapping.single_fields()]
    for section, fields in (("properties", mapping.properties), ("relations", mapping.relations)):
        values = ", ".join(f"{json.dumps(name)}: {_value(template, wrap)}" for name, template in fields.items())
        members.append(f"{section}: {{{values}}}")
    return f"{{{', '.join(members)}}}"


def _guarded_entity(mapping: EntityExpressions, *, exact: bool) -> str:
    paths: list[tuple[list[str], Template]] = [([name], template) for name, template in mapping.single_fields()]
    paths += [(["properties", name], text) for name, text in mapping.properties.items()]
    paths += [(["relations", name], template) for name, template in mapping.relations.items()]
    tries = ", ".join(f"[{json.dumps(path)}, {_tried_template(template)}]" for path, template in paths)
    # The members stand in the fast program's order, so that equal content has equal text whichever program made it.
    start = _members(mapping, lambda _: "null")
    return (
        f"((try [{_identifier(mapping.identifier)}] catch {{error: ({TEXT})}}) as $__tried_id | "
        f"{tried(mapping.blueprint)} as $__tried_blueprint | "
        f'if ($__tried_id | type) == "object" then {{failure: [$__i, null, "jq", "identifier: " + $__tried_id.error]}} '
        f'elif ($__tried_blueprint | type) == "object" then '
        f'{{failure: [$__i, null, "jq", "blueprint: " + $__tried_blueprint.error]}} '
        f"elif $__tried_id[0] == {_identifier_of_nothing(mapping.identifier)} then "
        f'{{failure: [$__i, null, "identifier", ($__tried_id[0] | tojson | .[0:500]), {_FIELDS}]}} '
        f"else $__tried_id[0] as $__id | $__tried_blueprint[0] as $__blueprint | [{tries}] as $__fields | "
        f"[{_names(mapping)}, (reduce $__fields[] as [$__path, $__tried] "
        f'({start}; if ($__tried | type) == "array" then setpath($__path; $__tried[0]) else delpaths([$__path]) end)'
        f"{_ending(mapping, exact=exact)}), "
        f'[$__fields[] | select(.[1] | type == "object") | [(.[0] | join(".")), .[1].error]]] end)'
    )


def _tried_template(template: Template) -> str:
    return f"(try [{_value(template, first_output)}] catch {{error: ({TEXT})}})"


def _ending(mapping: EntityExpressions, *, exact: bool) -> str:
    """A null title, icon or team is not sent: Port refuses a null icon on creation (its API reference, create an
    entity), and what it does with the others is not written anywhere."""
    dropped = "".join(f" | if .{name} == null then del(.{name}) else . end" for name, _ in mapping.single_fields())
    return f"{dropped} | tojson" if exact else dropped
