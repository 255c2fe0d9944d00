"""What entities were before they changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, select

from portsync.emulator.stored_values import joined
from portsync.emulator.tables import HISTORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select

TRIGGERS = (
    """CREATE TEMP TRIGGER entity_changed AFTER UPDATE ON main.entities
    WHEN old.body <> new.body OR old.wide IS NOT new.wide BEGIN
        INSERT INTO history (blueprint, identifier, changed_at, changed_by, datasource, before, after)
        VALUES (old.blueprint, old.identifier, clock_stamp(), new.updated_by, new.datasource,
            '[' || old.body || ',' || coalesce(old.wide, 'null') || ']',
            '[' || new.body || ',' || coalesce(new.wide, 'null') || ']');
    END""",
    """CREATE TEMP TRIGGER entity_deleted AFTER DELETE ON main.entities BEGIN
        INSERT INTO history (blueprint, identifier, changed_at, before)
        VALUES (old.blueprint, old.identifier, clock_stamp(),
            '[' || old.body || ',' || coalesce(old.wide, 'null') || ']');
    END""",
    # The newest 20 changes of each entity are kept.
    """CREATE TEMP TRIGGER history_bounded AFTER INSERT ON main.history BEGIN
        DELETE FROM history WHERE blueprint = new.blueprint AND identifier = new.identifier AND number <= (
            SELECT number FROM history WHERE blueprint = new.blueprint AND identifier = new.identifier
            ORDER BY number DESC LIMIT 1 OFFSET 20);
    END""",
)
"""They write the history, because no way of writing entities can then forget to. A creation leaves no row: the entity
itself says when it was made. They belong to the connection and not to the file, which other programs may open."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an entity; `after` is None for its deletion."""

    blueprint: str
    identifier: str
    at: str
    by: str | None
    datasource: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any] | None


class HistoryStore:
    """The changes, as one transaction sees them, newest first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, blueprint: str, identifier: str) -> list[Change]:
        """The kept changes of one entity."""
        is_it = (HISTORY.c.blueprint == blueprint) & (HISTORY.c.identifier == identifier)
        return self._read(select(HISTORY).where(is_it).order_by(HISTORY.c.number.desc()))

    def newest(self, limit: int) -> list[Change]:
        """The last changes of all entities."""
        return self._read(select(HISTORY).order_by(HISTORY.c.number.desc()).limit(limit))

    def _read(self, statement: Select[Any]) -> list[Change]:
        return [
            Change(
                row.blueprint,
                row.identifier,
                row.changed_at,
                row.changed_by,
                row.datasource,
                _values(row.before),
                None if row.after is None else _values(row.after),
            )
            for row in self._connection.execute(statement)
        ]


def _values(text: str) -> Mapping[str, Any]:
    """What an entity was: body and wide as a list; in rows from before there was wide, the body alone."""
    stored = orjson.loads(text)
    return joined(*stored) if isinstance(stored, list) else stored
