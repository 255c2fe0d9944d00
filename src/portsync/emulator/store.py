"""The database of the local Port: its SQLite connections and their transactions."""

from __future__ import annotations

import threading
import weakref
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import QueuePool, StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable

from portsync.emulator.history import TRIGGERS
from portsync.emulator.instants import stamp
from portsync.emulator.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

_PATIENCE_S = 60
"""So long a write waits for that of another process."""
_PAGE_BYTES = 8192
"""Most entities fit into a quarter of a page, so that few rows overflow."""
_READERS = 8


class Store:
    """One connection that writes, behind a lock, so that any thread may serve requests, and some that only read.

    A memory database lives and dies with its connection, hence exactly one, which also reads. The connections close
    when the store is no longer referenced: an application in process has nobody to call a close. `clock` dates the
    history. Several processes may use one file: who writes waits for the other, and who reads waits for nobody.
    """

    def __init__(self, database: str, clock: Callable[[], float]) -> None:
        connect_args = {"check_same_thread": False, "timeout": _PATIENCE_S}
        writer = create_engine(database, poolclass=StaticPool, connect_args=connect_args)
        weakref.finalize(self, writer.dispose)
        # Read and then written, what was read has to stay true: so a transaction has the database from its beginning.
        _begin_by(writer, "BEGIN IMMEDIATE")
        self._writer = writer
        self._lock = threading.Lock()
        is_file = self._prepare()
        self._readers: Engine | None = None
        self._watcher: Engine | None = None
        self._watching = threading.Lock()
        if is_file:
            readers = create_engine(
                database, poolclass=QueuePool, pool_size=_READERS, max_overflow=-1, connect_args=connect_args
            )
            weakref.finalize(self, readers.dispose)
            _begin_by(readers, "BEGIN")
            event.listen(readers, "connect", _only_read)
            self._readers = readers
            watcher = create_engine(database, poolclass=StaticPool, connect_args=connect_args)
            weakref.finalize(self, watcher.dispose)
            self._watcher = watcher
        with self.transaction() as connection:
            driver = _driver(connection)
            for statement in _definitions():
                driver.execute(statement)
            if "wide" not in {row[1] for row in driver.execute("PRAGMA table_info(entities)")}:
                driver.execute("ALTER TABLE entities ADD COLUMN wide TEXT")
            driver.create_function("clock_stamp", 0, lambda: stamp(clock()))
            for trigger in TRIGGERS:
                driver.execute(trigger)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run the block as one transaction: committed at its end, undone when it raises."""
        with self._lock, self._writer.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Run the block on the database as it is now, whatever is written meanwhile; it cannot write."""
        if self._readers is None:
            with self.transaction() as connection:
                yield connection
            return
        with self._readers.begin() as connection:
            yield connection

    def changes(self) -> int:
        """What differs after every change that was committed, by this process or by another one. A snapshot that is
        taken after it was asked is of this state, or of a newer one."""
        if self._watcher is None:
            with self._lock, self._writer.connect() as connection:
                total: int = _driver(connection).total_changes
                return total
        # It counts what all connections but its own commit, and waits for none of them.
        with self._watching, self._watcher.connect() as connection:
            version: int = _driver(connection).execute("PRAGMA data_version").fetchone()[0]
            return version

    def _prepare(self) -> bool:
        """Settings that cannot be made within a transaction; whether the database is a file."""
        with self._writer.connect() as connection:
            driver = _driver(connection)
            # A local stand-in may lose the last moments before a power cut; it must not wait for the disk. A process
            # that is killed loses nothing that it has committed.
            driver.execute("PRAGMA synchronous = OFF")
            driver.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            is_file: bool = driver.execute("PRAGMA database_list").fetchone()[2] != ""
            if is_file:
                driver.execute("PRAGMA journal_mode = WAL")
            return is_file


@cache
def _definitions() -> tuple[str, ...]:
    """The statements that make what is missing of the tables and indexes: a file may be older than an index. A process
    may open a hundred stores, as tests do, and to write these down takes longer than to run them."""
    tables = METADATA.sorted_tables
    made: list[CreateTable | CreateIndex] = [CreateTable(table, if_not_exists=True) for table in tables]
    made += [CreateIndex(index, if_not_exists=True) for table in tables for index in table.indexes]
    return tuple(str(each.compile(dialect=sqlite.dialect())) for each in made)


def _begin_by(engine: Engine, statement: str) -> None:
    """Let transactions begin by this statement, and not where the driver thinks that one has to."""

    def connected(driver: Any, _record: object) -> None:
        driver.isolation_level = None
        # Half as long as SQLite's own `instr`, over texts of some hundred letters.
        driver.create_function("has_text", 2, _has_text, deterministic=True)

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _has_text(text: str | None, piece: str) -> bool:
    return text is not None and piece in text


def _only_read(driver: Any, _record: object) -> None:
    driver.execute("PRAGMA query_only = ON")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
