"""Entities that wait for others of the same run, because they point to them. They wait on disk."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Self

import msgspec

from portsync.flow import Entity
from portsync.relations import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType


MOST_ROUNDS = 200
"""A longer row of entities, each of which points to the next, is treated as a circle: that costs two requests for
each entity, but no round."""


class HeldEntities:
    """Entities that wait. `add` takes them; `rounds` gives them back in an order in which each comes after those that
    it points to, and `circles` gives those for which there is no such order."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {pragma}")
        for statement in _TABLES:
            self._database.execute(statement)
        self.count = 0
        self.blueprints: set[str] = set()
        """Of which blueprints there are entities that wait, or waited."""

    def add(self, resource: int, entity: Entity, targets: Sequence[Target]) -> None:
        """Let an entity of the resource with this index wait for the targets."""
        row = (entity.blueprint, entity.identifier, resource, msgspec.msgpack.encode(entity))
        added = self._database.execute(
            "INSERT INTO held (blueprint, identifier, resource, parked) VALUES (?, ?, ?, ?)", row
        )
        waits = ((added.lastrowid, target.blueprint, target.identifier) for target in targets)
        self._database.executemany("INSERT INTO waits VALUES (?, ?, ?)", waits)
        self.count += 1
        self.blueprints.add(entity.blueprint)

    def waiting(self) -> Iterator[tuple[Entity, tuple[Target, ...]]]:
        """All that wait, each with what it waits for."""
        last = 0
        while rows := self._database.execute(_LEFT, (0, last)).fetchall():
            for last, _, parked in rows:
                targets = self._database.execute("SELECT blueprint, identifier FROM waits WHERE id = ?", (last,))
                yield msgspec.msgpack.decode(parked, type=Entity), tuple(Target(*row) for row in targets)

    def is_held(self, target: Target) -> bool:
        """Whether this entity waits itself, and is not among those given back."""
        if not self.count:
            return False
        return self._database.execute(_IS_HELD, (target.blueprint, target.identifier)).fetchone() is not None

    def rounds(self) -> Iterator[Iterator[tuple[int, Entity]]]:
        """Round after round of entities, each with the index of its resource. None of a round waits for another of
        it or of a later one; what a round gives has to have arrived before the next is asked for."""
        for number in range(1, MOST_ROUNDS + 1):
            if not self._database.execute(_MARK_READY, {"round": number}).rowcount:
                return
            yield self._read(_OF_ROUND, number)

    def circles(self) -> Iterator[tuple[int, Entity]]:
        """What is left when no round can be made. May be read more than once."""
        return self._read(_LEFT, 0)

    def _read(self, query: str, number: int) -> Iterator[tuple[int, Entity]]:
        last = 0
        while rows := self._database.execute(query, (number, last)).fetchall():
            for last, resource, parked in rows:  # noqa: B007 - it outlives the loop on purpose
                yield resource, msgspec.msgpack.decode(parked, type=Entity)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.close()


_TABLES = (
    """CREATE TABLE held (
        id INTEGER PRIMARY KEY, blueprint TEXT, identifier TEXT, resource INTEGER, round INTEGER, parked BLOB
    )""",
    "CREATE INDEX by_name ON held (blueprint, identifier)",
    "CREATE INDEX by_round ON held (round)",
    "CREATE TABLE waits (id INTEGER, blueprint TEXT, identifier TEXT)",
    "CREATE INDEX by_id ON waits (id)",
)
_IS_HELD = "SELECT 1 FROM held WHERE blueprint = ? AND identifier = ? AND round IS NULL LIMIT 1"
# What this very statement has marked is not there yet either.
_MARK_READY = """
UPDATE held SET round = :round WHERE round IS NULL AND NOT EXISTS (
    SELECT 1 FROM waits JOIN held AS other ON other.blueprint = waits.blueprint AND other.identifier = waits.identifier
    WHERE waits.id = held.id AND (other.round IS NULL OR other.round = :round)
)
"""
_OF_ROUND = "SELECT id, resource, parked FROM held WHERE round = ? AND id > ? ORDER BY id LIMIT 500"
_LEFT = "SELECT id, resource, parked FROM held WHERE round IS NULL AND ? = 0 AND id > ? ORDER BY id LIMIT 500"
