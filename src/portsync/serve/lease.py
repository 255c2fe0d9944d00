"""Which of several replicas runs: the one that holds a lock in the PostgreSQL database of the state.

The lock belongs to a connection, so that it ends with its process, however that ends. A replica that loses the
connection stops its runs, and a run holds the state besides, so that two of them never run one mapping.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from portsync.state.postgres import postgres_engine
from portsync.state.store import lock_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection

T = TypeVar("T")
_LOOK_EVERY_S = 5.0
_ANSWER_WITHIN_S = 10.0


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
        # One thread: what is still under way when somebody gives up waiting comes before what he does next.
        self._thread = ThreadPoolExecutor(1, "lease")

    async def wait(self) -> None:
        is_silent = False
        while True:
            try:
                if await self._aside(self._taken):
                    return
                is_silent = False
            except SQLAlchemyError as error:
                await self._aside(self._drop)
                if not is_silent:
                    said = str(getattr(error, "orig", error)).partition("\n")[0]
                    structlog.get_logger().warning("lease.unreachable", reason=said)
                is_silent = True
            await self._sleep(_LOOK_EVERY_S)

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

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _taken(self) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect()
        is_ours = self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar_one()
        self._connection.commit()
        return bool(is_ours)

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
