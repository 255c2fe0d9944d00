"""The coordinator's part of what a run's slices have in common, in PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import DatabaseError

from portsync.state.rows import trouble
from portsync.state.slice_tables import CLAIMS, SLICE_METADATA, SLICES, SPOOL
from portsync.state.store import make_alone

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT_ONCE = 200


class SliceBook:
    """Gives slices their numbers, and takes what they spooled. Every method may raise StateLostError."""

    def __init__(self, connection: Connection, catalog: int, run: int) -> None:
        """`catalog` and `run` are those of the state. What an earlier run left is dropped."""
        self._connection = connection
        self._catalog = catalog
        self._run = run
        self._last = 0
        with self._writing():
            make_alone(connection)
            SLICE_METADATA.create_all(connection)
        self.clear()

    def new(self) -> int:
        """The number of a new slice."""
        self._last += 1
        values = {"catalog": self._catalog, "number": self._last, "run": self._run, "attempt": 0, "accepted": "{}"}
        with self._writing():
            self._connection.execute(insert(SLICES).values(values))
        return self._last

    def spooled(self, number: int) -> Iterator[tuple[str, bytes]]:
        """What a slice spooled, in its order: what it is about, and its content."""
        last = -1
        while True:
            with self._writing():
                chosen = (
                    select(SPOOL.c.place, SPOOL.c.about, SPOOL.c.content)
                    .where(SPOOL.c.catalog == self._catalog, SPOOL.c.slice == number, SPOOL.c.place > last)
                    .order_by(SPOOL.c.place)
                    .limit(_AT_ONCE)
                )
                rows = self._connection.execute(chosen).all()
            if not rows:
                return
            for last, about, content in rows:  # noqa: B007 - it outlives the loop on purpose
                yield about, content

    def close(self, number: int) -> None:
        """Let nobody work on a slice any more, and drop what it spooled."""
        with self._writing():
            self._connection.execute(delete(SLICES).where(SLICES.c.catalog == self._catalog, SLICES.c.number == number))
            self._connection.execute(delete(SPOOL).where(SPOOL.c.catalog == self._catalog, SPOOL.c.slice == number))

    def clear(self) -> None:
        """Drop all slices: whoever is still at work on one is told so when he next writes."""
        with self._writing():
            for table in (SLICES, CLAIMS, SPOOL):
                self._connection.execute(delete(table).where(table.c.catalog == self._catalog))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
            self._connection.commit()
        except DatabaseError as error:
            self._connection.rollback()
            raise trouble(error) from error
