"""What one resource has given so far in this run: finds records that share an identifier, in bounded memory.

In JQ `null + "@" + null` is `"@"`: a mapping that does not fit its API would quietly make one entity of all records.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, Protocol, Self

import msgspec

from portsync.flow import Entity, Failure, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

OnConflict = Literal["report", "last", "first", "fail"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two records of one identifier with different content."""

    identifier: str
    blueprint: str
    first_place: str
    second_place: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """The entities of a page, told apart."""

    to_send: tuple[Entity, ...]
    duplicates: int
    """Records that said again what an earlier one had said."""
    conflicts: tuple[Conflict, ...] = ()
    failures: tuple[Failure, ...] = ()
    dropped: int = 0
    """Conflicting entities that gave way to the first one."""
    overtakes: bool = False
    """Whether an entity of an earlier page is sent again: what is under way has to arrive before it."""


class Sorter(Protocol):
    """Tells the entities of a resource apart, for as long as its block lasts."""

    def sort(self, entities: Sequence[Entity]) -> Sorted:
        """Tell what of a page is new, a duplicate, or in conflict; remember it."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class SeenEntities:
    """The digests of a resource's entities, in a private database that SQLite keeps on disk when it grows."""

    def __init__(self, on_conflict: OnConflict, *, is_merge: bool = False) -> None:
        """`is_merge`: whether Port keeps what an earlier entity said and a later one does not."""
        self._is_merge = is_merge
        self._on_conflict = on_conflict
        self._turn = 0
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE seen (key BLOB PRIMARY KEY, digest BLOB, turn INTEGER, chain TEXT, page INTEGER, "
            "record INTEGER) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.close()

    def sort(self, entities: Sequence[Entity]) -> Sorted:
        """Tell what of a page is new, a duplicate, or in conflict; remember it."""
        keyed = [(key_of(entity), entity) for entity in entities]
        if keyed and self._insert_new(keyed):
            return Sorted(tuple(entities), duplicates=0)
        return self._sort_one_by_one(keyed)

    def _insert_new(self, keyed: list[tuple[bytes, Entity]]) -> bool:
        """Remember all of a page at once; False, and nothing remembered, where an identifier is not new."""
        self._turn += 1
        self._database.execute("BEGIN")
        try:
            self._database.executemany(_INSERT, (self._row(key, entity) for key, entity in keyed))
        except sqlite3.IntegrityError:
            # Without a journal there is nothing to roll back to, so the rows of this page are taken out by hand.
            self._database.execute("COMMIT")
            ours = ((key, self._turn) for key, _ in keyed)
            self._database.executemany("DELETE FROM seen WHERE key = ? AND turn = ?", ours)
            return False
        self._database.execute("COMMIT")
        return True

    def _sort_one_by_one(self, keyed: list[tuple[bytes, Entity]]) -> Sorted:
        sending: dict[bytes, Entity] = {}
        conflicts: list[Conflict] = []
        failures: list[Failure] = []
        duplicates = dropped = 0
        overtakes = False
        for key, entity in keyed:
            row = self._database.execute(_SELECT, (key,)).fetchone()
            if row is None:
                self._remember(key, entity)
                sending[key] = entity
            elif row[0] == entity.digest:
                duplicates += 1
            else:
                first_place = place_of(*row[1:])
                conflict = Conflict(entity.identifier, entity.blueprint, first_place, entity.place)
                if self._on_conflict == "fail":
                    failures.append(conflict_failure(entity, first_place))
                    continue
                conflicts.append(conflict)
                if self._on_conflict == "first":
                    dropped += 1
                    continue
                earlier = sending.get(key)
                overtakes = overtakes or earlier is None
                sending[key] = entity if earlier is None else self._absorbing(earlier, entity)
                self._remember(key, entity)
        return Sorted(tuple(sending.values()), duplicates, tuple(conflicts), tuple(failures), dropped, overtakes)

    def _absorbing(self, earlier: Entity, entity: Entity) -> Entity:
        """One entity in place of two that were to be sent one after the other."""
        if not self._is_merge:
            return replace(entity, absorbed=earlier.absorbed + 1)
        body = merged(earlier.body, entity.body)
        return replace(entity, body=body, digest=blake2b(body, digest_size=16).digest(), absorbed=earlier.absorbed + 1)

    def _remember(self, key: bytes, entity: Entity) -> None:
        self._database.execute(_REPLACE, self._row(key, entity))

    def _row(self, key: bytes, entity: Entity) -> tuple[bytes, bytes, int, str, int, int]:
        return key, entity.digest, self._turn, entity.chain, entity.page, entity.record


_INSERT = "INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?)"
_REPLACE = "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT digest, page, record, chain FROM seen WHERE key = ?"


def merged(earlier: bytes, later: bytes) -> bytes:
    """What Port makes of two upserts of one entity. Values are carried over as they are written."""
    old, new = (msgspec.json.decode(body, type=dict[str, msgspec.Raw]) for body in (earlier, later))
    sections = {
        name: msgspec.Raw(
            msgspec.json.encode(
                {
                    **msgspec.json.decode(old[name], type=dict[str, msgspec.Raw]),
                    **msgspec.json.decode(new[name], type=dict[str, msgspec.Raw]),
                }
            )
        )
        for name in ("properties", "relations")
        if name in old and name in new
    }
    return msgspec.json.encode({**old, **new, **sections})


def key_of(entity: Entity) -> bytes:
    """By which two entities are the same one: blueprint and identifier, in few bytes."""
    return blake2b(f"{entity.blueprint}\0{entity.identifier}".encode(), digest_size=16).digest()


def conflict_failure(entity: Entity, first_place: str) -> Failure:
    """The failure of an entity that another record, at `first_place`, gave with other content."""
    return Failure(
        "conflict",
        f"the identifier is that of {first_place}, with different content",
        entity.page,
        entity.record,
        entity.identifier,
        hint="`on_conflict: fail` refuses it; make `identifier` tell the two apart",
        chain=entity.chain,
    )
