"""Which entities a writer wrote: found by the ends of their datasource, and handed over to another writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import and_, func, select, tuple_, update

from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from portsync.emulator.entity_store import Key

# The body is not among them: it is most of a row.
_SHOWN = (
    ENTITIES.c.blueprint,
    ENTITIES.c.identifier,
    ENTITIES.c.datasource,
    ENTITIES.c.created_at,
    ENTITIES.c.updated_at,
)


class EntitySources:
    """The datasources of the entities, as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def written_by(
        self, prefix: str, suffix: str, *, before: str | None, after: Key, limit: int
    ) -> list[Mapping[str, Any]]:
        """At most so many entities beyond `after`, in the order of their keys, whose datasource has these ends and
        which were written last before that moment, as `stamp` prints it."""
        source = ENTITIES.c.datasource
        found = select(*_SHOWN).where(
            tuple_(ENTITIES.c.blueprint, ENTITIES.c.identifier) > after,
            func.substr(source, 1, len(prefix)) == prefix,
            # Both ends may not share letters, as with `a/` and `/b` in `a/b`.
            func.length(source) >= len(prefix) + len(suffix),
            func.substr(source, func.length(source) - len(suffix) + 1) == suffix,
        )
        if before is not None:
            found = found.where(ENTITIES.c.updated_at < before)
        rows = self._connection.execute(found.order_by(ENTITIES.c.blueprint, ENTITIES.c.identifier).limit(limit))
        return [
            {
                "identifier": row.identifier,
                "blueprint": row.blueprint,
                "datasource": row.datasource,
                "createdAt": row.created_at,
                "updatedAt": row.updated_at,
            }
            for row in rows
        ]

    def hand_over(self, blueprint: str, identifiers: Collection[str], datasource: str) -> None:
        """Give those of the entities that exist another datasource; nothing else of them changes."""
        # One parameter, for SQLite bounds their number.
        given = func.json_each(orjson.dumps(list(identifiers)).decode()).table_valued("value")
        named = and_(ENTITIES.c.blueprint == blueprint, ENTITIES.c.identifier.in_(select(given.c.value)))
        self._connection.execute(update(ENTITIES).where(named).values(datasource=datasource))
