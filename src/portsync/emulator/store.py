"""The database of the local Port: one SQLite connection and its transactions."""

from __future__ import annotations

import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from portsync.emulator.history import TRIGGERS
from portsync.emulator.instants import stamp
from portsync.emulator.tables import ENTITIES, METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Store:
    """One connection behind a lock, so that any thread may serve requests, from a file or from memory.

    A memory database lives and dies with its connection, hence exactly one. The connection closes when the
    store is no longer referenced: an application in process has nobody to call a close. `clock` dates the history.
    """

    def __init__(self, database: str, clock: Callable[[], float]) -> None:
        engine = create_engine(database, poolclass=StaticPool, connect_args={"check_same_thread": False})
        weakref.finalize(self, engine.dispose)
        self._engine = engine
        self._lock = threading.Lock()
        with self.transaction() as connection:
            # A local stand-in may lose the last moments before a power cut; it must not wait for the disk.
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
            METADATA.create_all(connection)
            for index in ENTITIES.indexes:  # a file may be older than an index
                index.create(connection, checkfirst=True)
            driver: Any = connection.connection.driver_connection
            driver.create_function("clock_stamp", 0, lambda: stamp(clock()))
            # Half as long as SQLite's own `instr`, over texts of some hundred letters.
            driver.create_function("has_text", 2, lambda text, piece: piece in text, deterministic=True)
            for trigger in TRIGGERS:
                connection.exec_driver_sql(trigger)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run the block as one transaction: committed at its end, undone when it raises."""
        with self._lock, self._engine.begin() as connection:
            yield connection

    def changes(self) -> int:
        """A number that grows whenever a row is written."""
        with self.transaction() as connection:
            driver: Any = connection.connection.driver_connection
            total: int = driver.total_changes
            return total
