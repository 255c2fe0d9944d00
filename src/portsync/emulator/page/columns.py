"""What a blueprint's entities can be shown by: their own fields, properties, calculated values and relations."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from portsync.emulator.page.texts import clipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.emulator.blueprints import Blueprint

RELATION = "relation."
"""Before the name of a relation, which may be that of a property too; names hold no dots."""
_DEFAULT_NUMBER = 8
_FIELDS = {
    "$identifier": ("Identifier", "identifier", "string"),
    "$title": ("Title", "title", "string"),
    "$team": ("Team", "team", "array"),
    "$createdAt": ("Created", "createdAt", "date-time"),
    "$updatedAt": ("Updated", "updatedAt", "date-time"),
}


class Origin(StrEnum):
    """Where a column's value stands in an entity."""

    FIELD = "field"
    PROPERTY = "property"
    COMPUTED = "computed"
    RELATION = "relation"


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that entities are shown by. `target` is the blueprint that a relation leads to."""

    name: str
    key: str
    title: str
    origin: Origin
    type: str = "string"
    format: str | None = None
    colors: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    description: str | None = None
    target: str | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the database holds the value, so that it can sort and filter by it."""
        return self.origin is not Origin.COMPUTED

    @property
    def is_number(self) -> bool:
        return self.type == "number"

    def of(self, printed: Mapping[str, Any]) -> Any:
        """The value in an entity's printed form, None where it has none."""
        match self.origin:
            case Origin.FIELD:
                return printed[self.key]
            case Origin.RELATION:
                return printed["relations"].get(self.key)
            case _:
                return printed["properties"].get(self.key)


def columns_of(blueprint: Blueprint) -> dict[str, Column]:
    """All columns by name: fields, properties, computed values, relations."""
    found = [_field(name) for name in ("$title", "$identifier", "$team")]
    found += [_property(name, schema, Origin.PROPERTY) for name, schema in blueprint.properties.items()]
    for section in ("calculationProperties", "mirrorProperties", "aggregationProperties"):
        found += [_property(name, schema, Origin.COMPUTED) for name, schema in blueprint.body[section].items()]
    for name, relation in blueprint.relations.items():
        title = blueprint.body["relations"][name].get("title")
        found.append(
            Column(RELATION + name, name, _title(title, name), Origin.RELATION, "relation", target=relation.target)
        )
    found += [_field(name) for name in ("$createdAt", "$updatedAt")]
    return {column.name: column for column in found}


def default_columns(columns: Mapping[str, Column]) -> list[Column]:
    """Those that are shown where nobody chose: the title and the first that fit, objects last and so mostly not."""
    title = columns["$title"]
    rest = [column for column in columns.values() if column.origin is not Origin.FIELD]
    rest.sort(key=lambda column: column.type in ("object", "array"))
    # Relations stand behind the properties and would not be seen, but they are what makes a catalogue.
    relations = [column for column in rest if column.origin is Origin.RELATION][:3]
    others = [column for column in rest if column.origin is not Origin.RELATION][: _DEFAULT_NUMBER - len(relations)]
    return [title, *relations, *others]


def by_widget_name(columns: Mapping[str, Column], name: str) -> Column | None:
    """The column that a widget names: bare or prefixed (`property#x`, `relation#x`, `properties.x`), `$title`."""
    prefix, _, bare = name.rpartition("#")
    if prefix == "relation":
        return columns.get(RELATION + bare)
    bare = bare.removeprefix("properties.")
    return columns.get(bare) or columns.get(RELATION + bare.removeprefix("relations."))


def _field(name: str) -> Column:
    title, key, kind = _FIELDS[name]
    is_date = kind == "date-time"
    return Column(
        name, key, title, Origin.FIELD, "string" if is_date else kind, format="date-time" if is_date else None
    )


def _property(name: str, schema: Mapping[str, Any], origin: Origin) -> Column:
    colors = schema.get("enumColors") or (schema.get("colors") if schema.get("colorized") else None)
    choices = schema.get("enum")
    description = schema.get("description")
    return Column(
        name,
        name,
        _title(schema.get("title"), name),
        origin,
        str(schema.get("type", "string")),
        schema.get("format"),
        colors if isinstance(colors, dict) else {},
        tuple(str(choice) for choice in choices) if isinstance(choices, list) else (),
        clipped(description, 300) if isinstance(description, str) else None,
    )


def _title(title: object, name: str) -> str:
    return clipped(title if isinstance(title, str) and title else name, 80)
