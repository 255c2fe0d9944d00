"""The statements on the rows of entities, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from importlib import import_module
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from sqlalchemy import ARRAY, Connection, String, and_, any_, bindparam, cast, func, literal, null, select, true, update

from portsync.errors import Problem, StateLostError
from portsync.state.tables import ENTITIES, SCOPES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.exc import DatabaseError


T = TypeVar("T")

AT_ONCE = 500
"""So many identifiers go into one statement."""


def dialect_of(connection: Connection) -> Any:
    """SQLAlchemy's module of what this database alone understands. The others are not read: that of PostgreSQL is
    some forty modules, which most runs have no use for."""
    return import_module(f"sqlalchemy.dialects.{connection.dialect.name}")


class EntityRows:
    """Reads and writes rows of entities, many at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = dialect_of(connection)

    def add_scope(self, values: Mapping[str, Any]) -> None:
        """Let there be a scope with these values, whoever makes it."""
        self._connection.execute(self._dialect.insert(SCOPES).values(values).on_conflict_do_nothing())

    def digests(self, scope: int, identifiers: Sequence[str]) -> dict[str, bytes | None]:
        """What Port accepted of these entities last."""
        chosen = select(ENTITIES.c.identifier, ENTITIES.c.digest).where(
            ENTITIES.c.scope == scope, self.is_among(identifiers)
        )
        return {row.identifier: row.digest for row in self._connection.execute(chosen)}

    def give(self, scope: int, identifiers: Sequence[str], run: int) -> None:
        """Write down entities as given in this run, and not known to be accepted. What a later run gave stays."""
        if not identifiers:
            return
        # In one order, so that two who write the same rows wait for each other, and not for ever.
        listed = self._list(sorted(set(identifiers)))
        rows = select(literal(scope), listed, null(), literal(run)).where(true())
        given = self._dialect.insert(ENTITIES).from_select(["scope", "identifier", "digest", "run"], rows)
        given = given.on_conflict_do_update(
            index_elements=["scope", "identifier"],
            set_={"digest": None, "run": given.excluded.run},
            where=ENTITIES.c.run <= given.excluded.run,
        )
        self._connection.execute(given)

    def see(self, scope: int, identifiers: Sequence[str], run: int) -> None:
        """Write down entities as given in this run, and otherwise as they were."""
        if identifiers:
            is_meant = and_(ENTITIES.c.scope == scope, self.is_among(identifiers), ENTITIES.c.run <= run)
            self._connection.execute(update(ENTITIES).where(is_meant).values(run=run))

    def settle(self, rows: Sequence[tuple[int, str, bytes | None]], run: int) -> None:
        """Write down scope, identifier and digest of what Port accepted in this run; what a later one gave stays."""
        if self._connection.dialect.name == "postgresql":
            for scope, some in groupby(sorted(rows, key=itemgetter(0)), key=itemgetter(0)):
                self._settle_together(scope, {identifier: digest for _, identifier, digest in some}, run)
            return
        taken = (
            update(ENTITIES)
            .where(ENTITIES.c.scope == bindparam("of_scope"), ENTITIES.c.identifier == bindparam("of_identifier"))
            .where(ENTITIES.c.run == run)
            .values(digest=bindparam("with_digest"))
        )
        names = ("of_scope", "of_identifier", "with_digest")
        # In one order, as in `give`.
        listed = sorted(rows, key=itemgetter(0, 1))
        self._connection.execute(taken, [dict(zip(names, row, strict=True)) for row in listed])

    def _settle_together(self, scope: int, digests: Mapping[str, bytes | None], run: int) -> None:
        """The same, of one scope, with one statement: each row by itself takes PostgreSQL three times as long."""
        hexed = {identifier: None if digest is None else digest.hex() for identifier, digest in digests.items()}
        by_identifier = cast(literal(orjson.dumps(hexed).decode(), String), self._dialect.JSONB)
        digest = func.decode(by_identifier[ENTITIES.c.identifier].astext, "hex")
        is_meant = and_(ENTITIES.c.scope == scope, self.is_among(list(digests)), ENTITIES.c.run == run)
        self._connection.execute(update(ENTITIES).where(is_meant).values(digest=digest))

    def unsettle(self, scopes: Collection[int], identifiers: Sequence[str], run: int) -> None:
        """Forget what Port accepted of these entities, where this run did not come to them yet."""
        is_later = and_(ENTITIES.c.scope.in_(scopes), self.is_among(identifiers), ENTITIES.c.run < run)
        self._connection.execute(update(ENTITIES).where(is_later).values(digest=None))

    def is_among(self, identifiers: Sequence[str]) -> ColumnElement[bool]:
        """The condition for rows of these entities."""
        if self._connection.dialect.name == "postgresql":
            # Of a list, PostgreSQL expects so few rows that it takes the index. Of a query it believes what it was told
            # of the table last; in a first run that is nothing, and every page would read the whole table.
            listed = func.array(select(self._list(identifiers)).scalar_subquery(), type_=ARRAY(String))
            return ENTITIES.c.identifier == any_(listed)
        return ENTITIES.c.identifier.in_(select(self._list(identifiers)))

    def _list(self, identifiers: Sequence[str]) -> Any:
        """A column of these texts. They travel as one parameter, which costs a fifth of one for each."""
        text = orjson.dumps(identifiers).decode()
        if self._connection.dialect.name == "postgresql":
            # As a value of the type JSONB, the text itself would be made a JSON string.
            return func.jsonb_array_elements_text(cast(literal(text, String), self._dialect.JSONB)).column_valued(
                "listed"
            )
        return func.json_each(text).table_valued("value").c.value


def pieces(items: Iterable[T]) -> Iterator[list[T]]:
    """So many of them as go into one statement, again and again."""
    rest = iter(items)
    while piece := list(islice(rest, AT_ONCE)):
        yield piece


def trouble(error: DatabaseError) -> StateLostError:
    """What an error of the database means in the middle of a run."""
    said = str(error.orig).splitlines()[0] if error.orig is not None else "the database failed"
    hint = "what Port has is as it was; check the disk, and run it again"
    return StateLostError(Problem("state-lost", f"the state can no longer be used: {said}", "PORTSYNC_STATE", hint))
