"""What can be told from some records of an API about a mapping of them. Each proposal comes with its reason, and
nothing is taken over without a click.

This is the one place where the studio proposes: it knows records and answers only, and nothing of the page.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.identifiers import fault_of
from portsync.masking import is_secret_name
from portsync.studio.paths import name_of, path_of
from portsync.studio.writing import blueprint_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.flow import Json

_IDENTIFIERS = ("identifier", "id", "uuid", "guid", "key", "slug", "full_name", "name", "number", "code", "email")
_TITLES = (
    "title",
    "display_name",
    "displayName",
    "name",
    "full_name",
    "fullName",
    "subject",
    "summary",
    "label",
    "key",
)
_MOST_PROPERTIES = 25
_DEEPEST_LIST = 3
_MOST_KEYS = 200
_FORMATS = {
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)"),
    "url": re.compile(r"https?://[^\s/]+\S*"),
    "email": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"),
}
_WORDS = {"date-time": "a date and time", "url": "an address", "email": "an e-mail address"}


@dataclass(frozen=True, slots=True)
class FieldProposal:
    """A value of the records that could become a property."""

    name: str
    expression: str
    schema: dict[str, Any]
    """As a blueprint's property has it."""
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping of some records."""

    entity: dict[str, Any]
    reasons: tuple[tuple[str, str, str], ...]
    """For each part: its name, the expression, and why."""


@dataclass(frozen=True, slots=True)
class RecordsAt:
    """Where the records of an answer may be."""

    keys: tuple[str, ...]
    reason: str

    @property
    def data_path(self) -> str:
        return path_of(self.keys)


def records_in(body: Json) -> list[RecordsAt]:
    """The lists of an answer, those of objects first, then the longest; the answer itself where it is one."""
    found = sorted(_lists(body, ()), key=lambda each: (not _of_objects(each[1]), len(each[0]), -len(each[1])))
    return [RecordsAt(keys, _said(value)) for keys, value in found]


def _lists(value: Json, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Json]]]:
    if isinstance(value, list):
        yield keys, value
    elif isinstance(value, dict) and len(keys) < _DEEPEST_LIST:
        for key, item in list(value.items())[:_MOST_KEYS]:
            yield from _lists(item, (*keys, key))


def _of_objects(values: list[Json]) -> bool:
    return bool(values) and isinstance(values[0], dict)


def _said(values: list[Json]) -> str:
    what = "objects" if _of_objects(values) else "values"
    return f"a list of {len(values):,} {what}" if values else "an empty list"


def propose(records: Sequence[Json], kind: str) -> Proposal | None:
    """An entity for these records; None where they are no objects."""
    objects = [record for record in records if isinstance(record, dict)]
    if not objects or len(objects) < len(records):
        return None
    identifier, why = _identifier(objects)
    reasons = [("identifier", identifier, why)]
    entity: dict[str, Any] = {"identifier": identifier}
    if (title := _title(objects, identifier)) is not None:
        entity["title"] = title[0]
        reasons.append(("title", *title))
    entity["blueprint"] = json.dumps(blueprint_name(kind))
    reasons.append(("blueprint", entity["blueprint"], "after the name of the endpoint"))
    taken = {identifier, entity.get("title")}
    fields = [each for each in fields_of(objects) if each.expression not in taken]
    entity["properties"] = {each.name: each.expression for each in fields}
    reasons += [(f"properties.{each.name}", each.expression, each.reason) for each in fields]
    return Proposal(entity, tuple(reasons))


def _identifier(objects: list[dict[str, Json]]) -> tuple[str, str]:
    count = f"of {len(objects)}" if len(objects) > 1 else "in the one record"
    names = [*_IDENTIFIERS, *(name for name in objects[0] if name.lower().endswith(("id", "key")))]
    for name in dict.fromkeys(names):
        values = [record.get(name) for record in objects]
        if all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
            texts = {str(value) for value in values}
            if len(texts) == len(values) and not any(fault_of(text) for text in texts) and not is_secret_name(name):
                return path_of([name]), f"there, and different, in all {count}" if len(objects) > 1 else count
    return ".id", "a guess: no field is there and different in every record"


def _title(objects: list[dict[str, Json]], identifier: str) -> tuple[str, str] | None:
    for name in _TITLES:
        values = [record.get(name) for record in objects]
        if all(isinstance(value, str) and value for value in values) and path_of([name]) != identifier:
            return path_of([name]), "a text in every record"
    return None


def fields_of(objects: Sequence[dict[str, Json]]) -> list[FieldProposal]:
    """The values that could become properties: those of the record, and those one level below. Under names that
    secrets have, none."""
    found: dict[str, FieldProposal] = {}
    for keys in _keys(objects):
        values = [value for record in objects if (value := _at(record, keys)) is not None]
        schema = schema_of(values)
        if schema is None or len(found) >= _MOST_PROPERTIES:
            continue
        name = "_".join(name_of([key]) for key in keys)
        if name not in found:
            there = f"in {len(values)} of {len(objects)} records"
            found[name] = FieldProposal(name, path_of(keys), schema, f"{_kind(schema)}, {there}")
    return list(found.values())


def _keys(objects: Sequence[dict[str, Json]]) -> list[tuple[str, ...]]:
    """The ways to values, those of the record itself first."""
    near: dict[tuple[str, ...], None] = {}
    far: dict[tuple[str, ...], None] = {}
    for record in objects:
        for key, value in list(record.items())[:_MOST_KEYS]:
            if is_secret_name(key):
                continue
            if isinstance(value, dict):
                far.update({(key, name): None for name in list(value)[:_MOST_KEYS] if not is_secret_name(name)})
            else:
                near[(key,)] = None
    return [*near, *far]


def _at(record: Json, keys: Sequence[str]) -> Json:
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def schema_of(values: Sequence[Json]) -> dict[str, Any] | None:
    """The type of a property that takes all these values; None where there is none of them, or they differ."""
    kinds = {_type(value) for value in values}
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    if kind != "string":
        return None if kind == "array" and not all(_is_plain(value) for value in values) else {"type": kind}
    for name, pattern in _FORMATS.items():
        if all(pattern.fullmatch(value) for value in values):
            return {"type": "string", "format": name}
    return {"type": "string"}


def _is_plain(values: list[Json]) -> bool:
    return not any(isinstance(value, dict | list) for value in values)


def _type(value: Json) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _kind(schema: dict[str, str]) -> str:
    words = {**_WORDS, "array": "a list", "object": "an object", "string": "a text", "number": "a number"}
    return words.get(schema.get("format", schema["type"]), "true or false")


def draft(name: str, entities: Sequence[dict[str, Json]], known: Sequence[str]) -> dict[str, Any]:
    """A blueprint that takes these entities, of the properties and relations that the mapping gives them. `known` are
    the blueprints that there are."""
    properties: dict[str, list[Json]] = {}
    relations: dict[str, list[Json]] = {}
    for entity in entities:
        for section, found in (("properties", properties), ("relations", relations)):
            for key, value in (entity.get(section) or {}).items():
                found.setdefault(key, []).extend([] if value is None else [value])
    return {
        "identifier": name,
        "title": titled(name),
        "schema": {
            "properties": {
                key: {"title": titled(key), **(_of_blueprint(values) or {"type": "string"})}
                for key, values in properties.items()
            },
            "required": [],
        },
        "relations": {
            key: {
                "title": titled(key),
                "target": _target(key, values, known),
                "required": False,
                "many": any(isinstance(value, list) for value in values),
            }
            for key, values in relations.items()
        },
    }


def _of_blueprint(values: list[Json]) -> dict[str, Any] | None:
    """The schema of mapped values: a list of anything is an array, as Port has it."""
    return {"type": "array"} if values and all(isinstance(value, list) for value in values) else schema_of(values)


def _target(key: str, values: list[Json], known: Sequence[str]) -> str:
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    if texts and all(isinstance(text, str) and _FORMATS["email"].fullmatch(text) for text in texts):
        return "_user"
    singular = key.removesuffix("s")
    return next((name for name in (key, singular) if name in known), singular)


def bare(name: str) -> dict[str, Any]:
    """A blueprint of which nothing is known but its name: relations point at it."""
    schema: dict[str, Any] = {"properties": {}, "required": []}
    return {"identifier": name, "title": titled(name), "schema": schema, "relations": {}}


def titled(name: str) -> str:
    """`html_url` as a person writes it: `Html url`."""
    words = re.sub(r"[^A-Za-z0-9]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)).strip()
    return words[:1].upper() + words[1:].lower() if words else name
