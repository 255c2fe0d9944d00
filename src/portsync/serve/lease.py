"""Which of several replicas runs: the one that holds a lock in the PostgreSQL database of the state.

The lock belongs to a session, so that it ends with its process, however that ends. A replica that is cut off from the
database knows after `_LOOK_EVERY_S` and `_ANSWER_WITHIN_S`, and stops its runs; what it has sent by then gets the grace
of any run that is stopped. Only after that does the database end its session, if it has not noticed before, and
another replica begins. It first ends what else the one before it has open there: so nobody can write to a state that
somebody else goes on with, and two of them never run one mapping.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from portsync.state.postgres import postgres_engine, session_name
from portsync.state.store import lock_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection

T = TypeVar("T")
_ASK_EVERY_S = 5.0
_LOOK_EVERY_S = 3.0
_ANSWER_WITHIN_S = 5.0
_SILENT_S = 20
"""The database ends the session of a replica that says nothing for so long: something between may keep a connection
up although nothing gets through."""
_SILENCE_SINCE = (14,)
"""The version of PostgreSQL from which on it does."""
_ENDING_S = 0.2
_MOST_LOOKS = 50

_HOLDER = text("""
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = CAST(:key AS oid) AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
_END = text("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = :name AND datname = current_database() AND pid <> pg_backend_pid()
""")


class Lease(Protocol):
    """The right to run."""

    async def wait(self) -> None:
        """Return when it is ours."""

    async def lost(self) -> None:
        """Return when it no longer is."""

    async def release(self) -> None:
        """Let another have it."""


class Alone:
    """The lease of a service that has no replicas: it is always ours."""

    async def wait(self) -> None:
        return

    async def lost(self) -> None:
        await asyncio.Event().wait()

    async def release(self) -> None:
        return


class PostgresLease:
    """A lock in PostgreSQL, held by a connection of its own. A pool between that hands one connection to several
    clients, such as PgBouncer's transaction mode, must not be in between."""

    def __init__(self, url: str, names: tuple[str, ...], sleep: Callable[[float], Awaitable[None]]) -> None:
        """`names` are those of the integrations that this service runs: replicas have the same ones. Raises StateError
        where the URL cannot be used."""
        self._engine = postgres_engine(url, NullPool)
        self._key = lock_key("leader", *sorted(names))
        self._sleep = sleep
        self._connection: Connection | None = None
        self._before: str | None = None
        """The sessions of whoever was seen to have it last."""
        # One thread: what is still under way when somebody gives up waiting comes before what he does next.
        self._thread = ThreadPoolExecutor(1, "lease")

    async def wait(self) -> None:
        is_silent = False
        while True:
            try:
                if await self._aside(self._taken):
                    await self._end_before()
                    return
                is_silent = False
            except SQLAlchemyError as error:
                await self._aside(self._drop)
                if not is_silent:
                    said = str(getattr(error, "orig", error)).partition("\n")[0]
                    structlog.get_logger().warning("lease.unreachable", reason=said)
                is_silent = True
            await self._sleep(_ASK_EVERY_S)

    async def lost(self) -> None:
        while True:
            await self._sleep(_LOOK_EVERY_S)
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    await self._aside(self._look)
            except (SQLAlchemyError, TimeoutError):
                return

    async def release(self) -> None:
        # A thread that waits for a server which is gone comes to its end by itself, and nobody waits for it.
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await self._aside(self._drop)

    async def _end_before(self) -> None:
        """Return when whoever had the lease before has no session any more, or soon after."""
        for _ in range(_MOST_LOOKS):
            if not await self._aside(self._ended):
                return
            await self._sleep(_ENDING_S)

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _taken(self) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect()
            if (self._connection.dialect.server_version_info or ()) >= _SILENCE_SINCE:
                self._connection.execute(text(f"SET idle_session_timeout = '{_SILENT_S}s'"))
        is_ours = self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar_one()
        if not is_ours:
            self._before = self._connection.execute(_HOLDER, {"key": self._key}).scalar() or self._before
        self._connection.commit()
        return bool(is_ours)

    def _ended(self) -> int:
        """How many sessions whoever had the lease before still has; they are told to end."""
        assert self._connection is not None, "the lease is ours"
        if self._before in (None, session_name()):
            return 0
        try:
            ended = len(self._connection.execute(_END, {"name": self._before}).all())
            self._connection.commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            # Not every role may end the sessions of every other one.
            self._connection.rollback()
            return 0
        return ended

    def _look(self) -> None:
        assert self._connection is not None, "the lease is ours"
        self._connection.execute(text("SELECT 1"))
        self._connection.commit()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # Without a farewell, which a dead peer would not take: the end of the connection ends the lock.
            connection.invalidate()
            connection.close()
