"""How the values of an entity lie in its row: plain ones in `body`, the others in `wide` (tables.py).

Both are JSON without blanks, so that a piece of it is found letter by letter, without parsing. In a row of a file from
before there was `wide`, `body` has all properties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, func, or_

from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from portsync.emulator.entity import Entity

LONGEST_PLAIN = 200
"""Characters of a text that is still plain."""


def is_plain(value: object) -> bool:
    """Whether a property stands in `body`: numbers, booleans, and texts that are not long."""
    return len(value) <= LONGEST_PLAIN if isinstance(value, str) else not isinstance(value, dict | list)


def packed(entity: Entity) -> tuple[str, str | None]:
    """`body` and `wide` of an entity's row."""
    properties = entity.properties
    wide = {name: value for name, value in properties.items() if not is_plain(value)}
    body = {
        "title": entity.title,
        "icon": entity.icon,
        "team": entity.team,
        "properties": {name: properties[name] for name in properties if name not in wide} if wide else properties,
        "relations": entity.relations,
    }
    return orjson.dumps(body).decode(), orjson.dumps(wide).decode() if wide else None


def unpacked(body: str, wide: str | None) -> dict[str, Any]:
    """What a row holds, as one object with title, icon, team, properties and relations."""
    return joined(orjson.loads(body), None if wide is None else orjson.loads(wide))


def joined(body: dict[str, Any], wide: dict[str, Any] | None) -> dict[str, Any]:
    """`body` with the properties of `wide` among its own."""
    if wide is not None:
        body["properties"].update(wide)
    return body


def pair_text(name: str, value: str) -> str:
    """A property with its value as it stands within the JSON, where it is found without parsing."""
    return orjson.dumps({name: value}).decode()[1:-1]


def holds_piece(piece: str) -> ColumnElement[bool]:
    """That a piece of JSON stands in the row."""
    return or_(body_holds_piece(piece), func.has_text(ENTITIES.c.wide, piece) == 1)


def body_holds_piece(piece: str) -> ColumnElement[bool]:
    """That a piece of JSON stands in the body."""
    return func.has_text(ENTITIES.c.body, piece) == 1  # a function of the store


def property_value(name: str) -> ColumnElement[Any]:
    """A property as SQLite sees it, objects and lists as their JSON. Its paths know no escapes: the name holds no
    quotes, backslashes and control characters."""
    return func.coalesce(plain_value(name), func.json_extract(ENTITIES.c.wide, f'$."{name}"'))


def plain_value(name: str) -> ColumnElement[Any]:
    """A property that is a number, a boolean or a short text; otherwise as `property_value`."""
    return func.json_extract(ENTITIES.c.body, f'$.properties."{name}"')
