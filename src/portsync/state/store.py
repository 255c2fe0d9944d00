"""The database that the state is in: opened, checked, and held by one process at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from portsync.errors import Problem, StateError
from portsync.state.postgres import postgres_engine
from portsync.state.tables import METADATA, SCHEMA_VERSION, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portsync.state.place import StatePlace


_MAGIC = b"SQLite format 3\0"
_STATE_NAMES = (".db", ".sqlite", ".sqlite3", ".state")
_MAKING_KEY = zlib.crc32(b"portsync tables")
_LETTING_GO_MS = 2000
_LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's word for a lock that it has waited for in vain."""
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -16000", "busy_timeout = 5000")
"""A killed process loses nothing with these; a power cut may lose the last moments, which are sent again then."""


@contextmanager
def opened_state(place: StatePlace) -> Iterator[Connection]:
    """A connection to the state, that no other process has meanwhile. Raises StateError."""
    if place.url is not None:
        with _postgres(place) as connection:
            yield connection
    elif place.path is None:
        # A private database, which SQLite keeps on disk when it grows.
        with _connected(_sqlite_engine(""), place) as connection:
            yield connection
    else:
        with _locked(place.path), _connected(_sound_file(place.path, is_ours=place.is_ours), place) as connection:
            yield connection


@contextmanager
def joined_state(place: StatePlace) -> Iterator[Connection]:
    """A connection to the state for whoever takes part in a run that another process has begun. Raises StateError."""
    assert place.url is not None, "only a state in PostgreSQL can be shared"
    with _connected(postgres_engine(place.url, StaticPool), place) as connection:
        yield connection


@contextmanager
def _connected(engine: Engine, place: StatePlace) -> Iterator[Connection]:
    try:
        try:
            connection = engine.connect()
            _establish(connection, place)
        except (OperationalError, DatabaseError) as error:
            raise _unusable(place, str(error.orig)) from error
        with connection:
            yield connection
    finally:
        engine.dispose()


def _establish(connection: Connection, place: StatePlace) -> None:
    """Make the tables, or see that they are those which we know."""
    make_alone(connection)
    is_there = inspect(connection).has_table(VERSION.name)
    version = connection.execute(select(VERSION.c.version)).scalar_one_or_none() if is_there else None
    if version is None:
        # A run that was killed here may have left some of the tables; their version comes last.
        METADATA.create_all(connection)
        connection.execute(insert(VERSION).values(version=SCHEMA_VERSION))
    elif version > SCHEMA_VERSION:
        message = f"the state {place} was written by a newer portsync (its version is {version}, not {SCHEMA_VERSION})"
        raise StateError(Problem("state-version", message, str(place), "use that portsync, or name another state"))
    connection.commit()


def make_alone(connection: Connection) -> None:
    """Let nobody else make tables until the transaction ends: of two that begin at one moment, one would fail."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING_KEY})


def lock_key(*what: str) -> int:
    """The number by which PostgreSQL knows the lock of something."""
    return zlib.crc32(" ".join(("portsync", *what)).encode())


def _sqlite_engine(name: str) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(name, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock beside the file. It ends with the process, however that ends."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        hint = "name a path that can be written in PORTSYNC_STATE, or `none`"
        message = f"the state {path} cannot be written: {error.strerror}"
        raise StateError(Problem("bad-state", message, str(path), hint)) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise _held(str(path), f"process {owner}" if owner else "another process") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _held(place: str, owner: str) -> StateError:
    message = f"the state {place} is in use by {owner}: two runs at once would undo each other's work"
    return StateError(Problem("state-in-use", message, place, "wait until it has ended, or name another state"))


def _sound_file(path: Path, *, is_ours: bool) -> Engine:
    """The file, if it is a sound database; otherwise it is moved aside and a new one begun.

    Nothing is lost by it but time: without a state a run compares with Port. But a file that is not ours stays.
    """
    fault = _fault_of(path)
    if fault is not None:
        if not (is_ours or path.suffix in _STATE_NAMES or _starts_like_a_database(path)):
            hint = "PORTSYNC_STATE names something else; give the state a file of its own"
            raise StateError(Problem("bad-state", f"{path} is no state: {fault}", str(path), hint))
        aside = _moved_aside(path)
        structlog.get_logger().warning("state.damaged", path=str(path), kept_as=str(aside))
    return _sqlite_engine(str(path))


def _fault_of(path: Path) -> str | None:
    """Why the file cannot be used as a database, or None."""
    try:
        if not path.exists() or path.stat().st_size == 0:
            return None
        connection = sqlite3.connect(path)
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        message, hint = f"the state {path} cannot be opened: {error}", "check the disk, and who may write there"
        raise StateError(Problem("bad-state", message, str(path), hint)) from error
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else str(found)


def _starts_like_a_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _moved_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    for tail in ("-wal", "-shm"):
        path.with_name(f"{path.name}{tail}").unlink(missing_ok=True)
    return aside


@contextmanager
def _postgres(place: StatePlace) -> Iterator[Connection]:
    engine = postgres_engine(place.url or "", StaticPool)
    with _connected(engine, place) as connection:
        if not _is_locked(connection, lock_key("state", place.integration)):
            raise _held(str(place), "another process")
        yield connection


def _is_locked(connection: Connection, key: int) -> bool:
    """Whether the lock is ours now. It belongs to the session, so that it ends with the process, however that ends; one
    that has just been ended may not have let go of it yet."""
    try:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LETTING_GO_MS}ms'"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
    except OperationalError as error:
        connection.rollback()
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    connection.commit()
    return True


def _unusable(place: StatePlace, said: str) -> StateError:
    first = said.splitlines()[0] if said else "it cannot be opened"
    hint = "check PORTSYNC_STATE, the disk, and who may write there; `none` keeps no state"
    return StateError(Problem("bad-state", f"the state {place} cannot be used: {first}", str(place), hint))
