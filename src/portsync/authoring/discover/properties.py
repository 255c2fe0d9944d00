"""The properties of a blueprint, from the records that were seen. None contradicts any of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from genson import SchemaBuilder

from portsync.authoring.discover.formats import DAY, format_of
from portsync.authoring.discover.naming import human, property_name
from portsync.authoring.discover.places import at, jq_path
from portsync.authoring.discover.proposal import Confidence, LeftOut, Path, Property, Proposal
from portsync.masking import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.flow import Json

_TYPES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
    "array": "array",
}
"""Port's type for each of JSON's."""
_ENVELOPES = frozenset({"attributes", "fields", "properties"})
"""Names of members that hold what the record is about: their members become properties, as those of the record."""
_MANY = 20
_SOME = 3
_MOST_ELEMENTS = 50
_MOST_FIELDS = 250
_MOST_CHOICES = 10
_CHOICES_AMONG, _CHOICES_AMONG_SOME = 30, 100
"""So many values have to be there before a few different ones count as all that there are: where all records were read,
and where only some were."""
_LONGEST_CHOICE = 40
_TEXT = 'if . == null or type == "string" then . else tojson end'
_DESCRIBED = 200


def find_properties(
    records: Sequence[Json], schema: Mapping[str, Json] | None = None, *, is_whole: bool = False
) -> tuple[tuple[Proposal[Property], ...], tuple[LeftOut, ...]]:
    """The properties that `records`, which are objects, have, and the fields that become none. `schema` is what a
    document says of a record; the records count for more. `is_whole` says that there are no others."""
    enough = _CHOICES_AMONG if is_whole else _CHOICES_AMONG_SOME
    found: list[Proposal[Property]] = []
    left_out: list[LeftOut] = []
    taken: set[str] = set()
    paths = paths_of(records)
    for path in paths[:_MOST_FIELDS]:
        shown = ".".join(path)
        values = [value for record in records if (value := at(record, path)) is not None]
        said = _said(schema, path)
        if is_secret_name(path[-1]) and any(isinstance(value, str) for value in values):
            left_out.append(LeftOut(shown, "its name is that of a secret, and properties are for all to see"))
        elif (proposal := _property(path, values, said, taken, len(records), enough)) is None:
            left_out.append(LeftOut(shown, f"null in all {len(records)} records, so its type is not known"))
        else:
            taken.add(proposal.value.name)
            found.append(proposal)
    if len(paths) > _MOST_FIELDS:
        reason = f"a record has {len(paths)} different fields, and no more than {_MOST_FIELDS} are looked at"
        left_out.append(LeftOut(f"{len(paths) - _MOST_FIELDS} fields", reason, "map what you want of them by hand"))
    return tuple(found), tuple(left_out)


def paths_of(records: Sequence[Json]) -> list[Path]:
    """The fields of the records, in the order in which they come up; those of an envelope in its place."""
    names = {name: None for record in records for name in record}
    found: dict[Path, None] = {}
    for name in names:
        inside = [record[name] for record in records if record.get(name) is not None]
        if name.lower() in _ENVELOPES and inside and all(isinstance(value, dict) for value in inside):
            found |= {(name, inner): None for value in inside for inner in value}
        else:
            found[(name,)] = None
    return list(found)


def _property(
    path: Path, values: Sequence[Json], said: Mapping[str, Json], taken: set[str], records: int, enough: int
) -> Proposal[Property] | None:
    names = [property_name(path[-1], ())]
    if len(path) > 1:
        names.append(property_name("_".join(path), ()))
    name = next((one for one in names if one not in taken), None) or property_name(names[-1], taken)
    schema, expression, confidence, reason = _type(path, values, said, records, enough)
    if schema is None:
        return None
    shown: dict[str, Json] = {"type": schema.pop("type"), "title": human(path[-1])}
    if isinstance(text := said.get("description"), str) and text.strip():
        shown["description"] = " ".join(text.split())[:_DESCRIBED]
    return Proposal(Property(name, expression, {**shown, **schema}, path), confidence, reason)


def _type(
    path: Path, values: Sequence[Json], said: Mapping[str, Json], records: int, enough: int
) -> tuple[dict[str, Json] | None, str, Confidence, str]:
    """Schema, expression, confidence and reason; the schema is None where nothing is known."""
    expression = jq_path(path)
    count = f"{len(values)} of {records} records"
    sure = Confidence.SURE if len(values) >= _MANY else Confidence.LIKELY if len(values) >= _SOME else Confidence.GUESS
    types = sorted({_TYPES[name] for name in json_types(values)})
    match types:
        case []:
            known = _TYPES.get(str(_one_type(said)))
            if known is None:
                return None, expression, sure, ""
            reason = f"null in all {records} records; the document says {known}"
            return {"type": known}, expression, Confidence.LIKELY, reason
        case ["string"]:
            return _text(expression, values, said, sure, count, enough)
        case ["array"]:
            return _array(values), expression, sure, f"an array in {count}"
        case [only]:
            return {"type": only}, expression, sure, f"{only} in {count}"
        case _:
            counts = Counter(_TYPES[next(iter(json_types([value])))] for value in values)
            mixed = ", ".join(f"{name} in {number}" for name, number in sorted(counts.items()))
            reason = f"of several types ({mixed}), so all of them become texts"
            return {"type": "string"}, f"{expression} | {_TEXT}", Confidence.GUESS, reason


def json_types(values: Sequence[Json]) -> set[str]:
    """The types of JSON that the values have, without null."""
    builder = SchemaBuilder()
    for value in values:
        builder.add_object(_shell(value))
    found = builder.to_schema()
    types = [found["type"]] if "type" in found else [each["type"] for each in found.get("anyOf", ())]
    return {name for kind in types for name in ([kind] if isinstance(kind, str) else kind)} - {"null"}


def _shell(value: Json) -> Json:
    """The value without what is inside of it: its own type is all that counts, however deep it nests."""
    return type(value)() if isinstance(value, dict | list) else value


def _text(
    expression: str, values: Sequence[Json], said: Mapping[str, Json], sure: Confidence, count: str, enough: int
) -> tuple[dict[str, Json], str, Confidence, str]:
    texts = [text for text in values if text]
    distinct = Counter(texts)
    kind = format_of(distinct)
    or_nothing = f'{expression} | if . == "" then null else . end' if len(texts) < len(values) else expression
    empty = f", the other {len(values) - len(texts)} are empty" if len(texts) < len(values) else ""
    if kind == DAY:
        day = f'{expression} | if . == null or . == "" then null else . + "T00:00:00Z" end'
        reason = f"a day in {len(texts)} of {len(values)} texts{empty}; Port has instants, so it is the day's midnight"
        return {"type": "string", "format": "date-time"}, day, sure.at_most(Confidence.LIKELY), reason
    if kind is not None:
        reason = f"{_FORMAT_WORDS[kind]} in {count}{empty}"
        return {"type": "string", "format": kind}, or_nothing, sure, reason
    choices = _choices(distinct, said, enough)
    if choices is not None and len(texts) == len(values):
        confidence, reason = choices
        listed = sorted({*distinct, *_documented(said)})
        return {"type": "string", "enum": listed}, expression, confidence, reason
    return {"type": "string"}, expression, sure, f"string in {count}"


_FORMAT_WORDS = {
    "date-time": "an instant",
    "url": "a URL",
    "email": "an e-mail address",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
}


def _choices(distinct: Counter[str], said: Mapping[str, Json], enough: int) -> tuple[Confidence, str] | None:
    """Whether the values are some of few that are possible. One that was seen once says that there may be others that
    were not seen at all."""
    known = _documented(said)
    if known and distinct.keys() <= known:
        return Confidence.SURE, f"the document lists the values, and {len(distinct)} of its {len(known)} were seen"
    number = sum(distinct.values())
    are_few = 2 <= len(distinct) <= _MOST_CHOICES and number >= max(enough, 5 * len(distinct))  # noqa: PLR2004
    if are_few and min(distinct.values()) >= _SOME and all(len(text) <= _LONGEST_CHOICE for text in distinct):
        return Confidence.GUESS, f"{len(distinct)} different values in {number} records, none of them rare"
    return None


def _documented(said: Mapping[str, Json]) -> set[str]:
    values = said.get("enum")
    if not isinstance(values, list):
        return set()
    return {value for value in values if isinstance(value, str) and value}


def _array(values: Sequence[Json]) -> dict[str, Json]:
    """The schema of arrays; their elements have a type where all have the same one."""
    elements = [element for value in values for element in value]
    types = {_TYPES[name] for name in json_types(elements[:_MOST_ELEMENTS])}
    is_whole = len(elements) <= _MOST_ELEMENTS or types == {_TYPES[name] for name in json_types(elements)}
    if len(types) == 1 and is_whole and None not in elements:
        return {"type": "array", "items": {"type": next(iter(types))}}
    return {"type": "array"}


def _said(schema: Mapping[str, Json] | None, path: Path) -> Mapping[str, Json]:
    """What a document says of the field at `path`."""
    here: Json = schema
    for name in path:
        inside = here.get("properties") if isinstance(here, dict) else None
        here = inside.get(name) if isinstance(inside, dict) else None
    return here if isinstance(here, dict) else {}


def _one_type(said: Mapping[str, Json]) -> Json:
    """The type that a document gives, less null, where it is one."""
    kind = said.get("type")
    kinds = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
    return kinds[0] if len(kinds) == 1 else None
