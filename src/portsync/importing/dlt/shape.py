"""What a dlt configuration says of records: their key, and their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.importing.names import property_name
from portsync.importing.proposal import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.keys import Keys
    from portsync.importing.notes import Notes
    from portsync.mapping.places import Place

_SCHEMAS = {
    "text": {"type": "string"},
    "bigint": {"type": "number"},
    "double": {"type": "number"},
    "decimal": {"type": "number"},
    "wei": {"type": "number"},
    "bool": {"type": "boolean"},
    "timestamp": {"type": "string", "format": "date-time"},
    "date": {"type": "string"},
    "time": {"type": "string"},
    "binary": {"type": "string"},
    "json": {"type": "object"},
    "complex": {"type": "object"},
}


def shape_of(keys: Keys, name: str, place: Place, notes: Notes, included: Mapping[str, str]) -> Shape:
    """The shape of a resource's records, with what they include of their parent."""
    # A value of a parameter is a text or a number, and the property has to be one of the two.
    texts = {property_name(key): f"{code} | if . == null then . else tostring end" for key, code in included.items()}
    return Shape(name, place, _key(keys, notes), _columns(keys, notes), texts)


def _key(keys: Keys, notes: Notes) -> tuple[tuple[str, ...], ...]:
    names = [piece.plain for piece in keys.items("primary_key")]
    if not all(isinstance(name, str) and name for name in names):
        notes.lost(keys.place_of("primary_key"), "`primary_key` is no field, and no list of fields")
        return ()
    return tuple((name,) for name in names)


def _columns(keys: Keys, notes: Notes) -> Mapping[str, Any] | None:
    piece = keys.piece("columns")
    plain = None if piece is None else piece.plain
    if isinstance(plain, list):
        plain = {str(column.get("name", "")): column for column in plain if isinstance(column, dict)}
    if plain is None:
        return None
    if not isinstance(plain, dict):
        notes.lost(keys.place_of("columns"), "`columns` are no mapping, and no list")
        return None
    kinds = {name: column.get("data_type") for name, column in plain.items() if isinstance(column, dict)}
    return {
        name: _SCHEMAS.get(kind, {}) if isinstance(kind, str) else {}
        for name, kind in kinds.items()
        if isinstance(name, str) and name
    } or None
