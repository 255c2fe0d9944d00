"""The database of the local Port: one SQLite connection and its transactions."""

from __future__ import annotations

import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from portsync.emulator.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator


class Store:
    """One connection behind a lock, so that any thread may serve requests, from a file or from memory.

    A memory database lives and dies with its connection, hence exactly one. The connection closes when the
    store is no longer referenced: an application in process has nobody to call a close.
    """

    def __init__(self, database: str) -> None:
        engine = create_engine(database, poolclass=StaticPool, connect_args={"check_same_thread": False})
        weakref.finalize(self, engine.dispose)
        self._engine = engine
        self._lock = threading.Lock()
        with self.transaction() as connection:
            # A local stand-in may lose the last moments before a power cut; it must not wait for the disk.
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
            METADATA.create_all(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run the block as one transaction: committed at its end, undone when it raises."""
        with self._lock, self._engine.begin() as connection:
            yield connection
