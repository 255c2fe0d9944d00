"""Single values of many entities, taken out of the database without reading the entities."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, bindparam, func, literal, select

from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement

# SQLite bounds the number of parameters in one statement.
_CHUNK = 10_000
_COLUMNS: Mapping[str, ColumnElement[Any]] = MappingProxyType(
    {"$createdAt": ENTITIES.c.created_at, "$updatedAt": ENTITIES.c.updated_at}
)


def stored_values(
    connection: Connection, blueprint: str, identifiers: Sequence[str], names: Sequence[str | None]
) -> Iterator[tuple[Any, ...]]:
    """The identifier of each entity and its values by these names: numbers and texts as they are stored, null for None.
    Other types do not come out of the database as what they are."""
    values = [literal(None) if name is None else _value(name) for name in names]
    statement = select(ENTITIES.c.identifier, *values).where(
        ENTITIES.c.blueprint == blueprint, ENTITIES.c.identifier.in_(bindparam("identifiers", expanding=True))
    )
    for start in range(0, len(identifiers), _CHUNK):
        rows = connection.execute(statement, {"identifiers": identifiers[start : start + _CHUNK]})
        yield from (tuple(row) for row in rows)


def _value(name: str) -> ColumnElement[Any]:
    known = _COLUMNS.get(name)
    return _of_property(orjson.dumps(name).decode()) if known is None else known


def _of_property(quoted: str) -> ColumnElement[Any]:
    """From either column; a date-time may be a long text."""
    in_body = func.json_extract(ENTITIES.c.body, f"$.properties.{quoted}")
    return func.coalesce(in_body, func.json_extract(ENTITIES.c.wide, f"$.{quoted}"))
