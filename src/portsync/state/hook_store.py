"""The database of live events, beside the state. The state belongs to a run as long as that lasts; this one is shared:
the thread that answers HTTP, the worker that applies events and a run use it at once."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from portsync.errors import Problem, StateError
from portsync.state.hook_tables import HOOK_METADATA
from portsync.state.postgres import postgres_engine
from portsync.state.rows import trouble
from portsync.state.store import make_alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portsync.state.place import StatePlace

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000")
"""What was answered with 202 is on the disk, also when the power goes."""
_HINT = "check PORTSYNC_STATE, the disk, and who may write there"
_OURS_ALONE = 0o600


def hooks_path(place: StatePlace) -> Path | None:
    """The file beside the state; None where there is none, or the state is a database of a server."""
    return None if place.path is None else place.path.with_name(f"{place.path.name}.hooks")


class HookStore:
    """The database, opened. May be used by several threads."""

    def __init__(self, place: StatePlace) -> None:
        """Raises StateError where it cannot be opened, or where there is no place for it."""
        self.place = place
        try:
            self._engine = _engine(place)
            with self._engine.begin() as connection:
                make_alone(connection)
                HOOK_METADATA.create_all(connection)
        except (OSError, DatabaseError) as error:
            said = str(getattr(error, "orig", None) or error).splitlines()[0]
            message = f"live events cannot be kept beside the state {place}: {said}"
            raise StateError(Problem("bad-state", message, str(place), _HINT)) from error
        self._reading = self._engine.execution_options(is_reading=True)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are there as a whole, or not at all. Raises StateLostError."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise trouble(error) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that waits for nobody who writes. Raises StateLostError."""
        try:
            with self._reading.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise trouble(error) from error

    def close(self) -> None:
        self._engine.dispose()


def _engine(place: StatePlace) -> Engine:
    """Raises StateError where nothing is to be kept."""
    if place.url is not None:
        return postgres_engine(place.url, QueuePool)
    path = hooks_path(place)
    if path is None:
        message = "live events have to be kept until they are applied, and there is no state"
        raise StateError(Problem("bad-state", message, "PORTSYNC_STATE", "name a path that can be written"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(_OURS_ALONE)

    def connect() -> sqlite3.Connection:
        # Transactions are begun below: left to itself, sqlite3 begins one that may fail at its first change.
        return sqlite3.connect(path, check_same_thread=False, isolation_level=None)

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        is_reading = connection.get_execution_options().get("is_reading", False)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return engine
