"""Entity mappings and blueprints for records of which nobody said what they become in Port."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portsync.importing.names import blueprint_name, path_of, property_name
from portsync.importing.tree import Remark, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portsync.importing.notes import Notes
    from portsync.mapping.places import Place

_TITLES = ("name", "title", "display_name", "displayName", "full_name", "fullName", "label", "slug", "email", "login")
_TYPES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
    "array": "array",
}
_FORMATS = {"date-time": "date-time", "email": "email", "uri": "url", "url": "url", "ipv4": "ipv4", "ipv6": "ipv6"}
_LONGEST_TITLE = 100


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of the records of one stream."""

    name: str
    place: Place
    key: tuple[tuple[str, ...], ...] = ()
    """The paths of the fields that tell one record from another; none where nobody said."""
    fields: Mapping[str, Any] | None = None
    """JSON Schemas of the fields by name; None where they are not known."""
    calculated: Mapping[str, str] = field(default_factory=dict)
    """JQ of properties that are no fields of the record as it comes."""
    left_out: frozenset[str] = frozenset()


def proposed(shape: Shape, notes: Notes) -> tuple[Tree, dict[str, Any]]:
    """The entity mapping for records of this shape, and its blueprint."""
    if not shape.key:
        hint = "name the fields that tell one record from another"
        notes.said(shape.place, f"`{shape.name}` has no primary key: `identifier` is a guess", hint)
    if shape.fields is None:
        hint = "add those that Port is to have, to the mapping and to the blueprint"
        notes.said(shape.place, f"the fields of `{shape.name}` are not known: no properties are made of them", hint)
    schemas = {} if shape.fields is None else _schemas(shape, notes)
    identifier, title = blueprint_name(shape.name), _title(shape.fields or {})
    mapping: Tree = {"identifier": _identifier(shape.key)}
    if not shape.key:
        mapping = {Remark("A guess: nobody said what tells one record from another."): None, **mapping}
    mapping["title"] = title
    mapping["blueprint"] = f'"{identifier}"'
    mapping["properties"] = {property_name(name): path_of([name]) for name in schemas} | dict(shape.calculated)
    if not mapping["properties"]:
        mapping[Remark("The fields are not known. Those that Port is to have go here:\nproperties:\n  name: .name")] = (
            None
        )
    schemas |= {name: {"type": "string"} for name in shape.calculated}
    blueprint = {
        "identifier": identifier,
        "title": shape.name[:_LONGEST_TITLE],
        "schema": {"properties": {property_name(name): schema for name, schema in schemas.items()}, "required": []},
        "relations": {},
    }
    return {
        key: value for key, value in mapping.items() if isinstance(key, Remark) or value not in (None, {})
    }, blueprint


def _identifier(key: Sequence[Sequence[str]]) -> str:
    paths = [path_of(path) for path in key] or [".id"]
    return paths[0] if len(paths) == 1 else ' + "-" + '.join(f"({path} | tostring)" for path in paths)


def _title(fields: Mapping[str, Any]) -> str | None:
    texts = (name for name in _TITLES if isinstance(fields.get(name), dict) and _type(fields[name]) == "string")
    found = next(texts, None)
    return None if found is None else path_of([found])


def _schemas(shape: Shape, notes: Notes) -> dict[str, dict[str, Any]]:
    """The properties of a blueprint for the fields whose type is known."""
    found: dict[str, dict[str, Any]] = {}
    unknown: list[str] = []
    for name, schema in (shape.fields or {}).items():
        kind = _type(schema)
        if name in shape.left_out or name in shape.calculated:
            continue
        if kind is None:
            unknown.append(name)
        else:
            found[name] = {"title": name[:_LONGEST_TITLE], "type": kind, **_format(schema, kind)}
    if unknown:
        names = ", ".join(f"`{name}`" for name in unknown)
        notes.said(shape.place, f"the type of {names} of `{shape.name}` is not known: no property is made of it")
    return found


def _type(schema: Any) -> str | None:
    """Port's type for a JSON Schema; the first that is not null, where it allows several."""
    return next((_TYPES[kind] for kind in _kinds(schema, 0) if kind in _TYPES), None)


def _kinds(schema: Any, depth: int) -> Iterator[str]:
    if not isinstance(schema, dict) or depth > 5:  # noqa: PLR2004 - nobody nests alternatives deeper
        return
    kinds = schema.get("type")
    yield from (kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str))
    for name in ("anyOf", "oneOf", "allOf"):
        options = schema.get(name)
        for option in options if isinstance(options, list) else ():
            yield from _kinds(option, depth + 1)


def _format(schema: Any, kind: str) -> dict[str, str]:
    form = schema.get("format") if isinstance(schema, dict) else None
    # Port takes a moment with its offset, and nothing less.
    has_zone = isinstance(schema, dict) and schema.get("airbyte_type") != "timestamp_without_timezone"
    if kind != "string" or not isinstance(form, str) or form not in _FORMATS or not has_zone:
        return {}
    return {"format": _FORMATS[form]}
