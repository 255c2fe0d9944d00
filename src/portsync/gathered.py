"""Entities of small pages, which are written together: to look each page up in the state by itself would cost more than
all else that is done for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from portsync.lanes import end

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType

    from portsync.flow import Entity

TOGETHER = 100
_LONGEST_S = 0.05
"""What has come is not kept for longer from being written: the next page may take its time."""


class Gathered:
    """What pages brought, until it is worth writing. All of it is written when the block ends, and nothing more where
    it is cut short."""

    def __init__(self, write: Callable[[Sequence[Entity]], Awaitable[None]]) -> None:
        self._write = write
        self._some: list[Entity] = []
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None
        """Writes what has waited for long enough, while the next page is waited for."""

    async def add(self, entities: Sequence[Entity]) -> None:
        """Take what a page brought. Raises what writing raises, be it of what was taken before."""
        await self._wait_for_late()
        self._some += entities
        if len(self._some) >= TOGETHER:
            await self._flush()
        elif self._some and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LONGEST_S, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._late = asyncio.create_task(self._flush())

    async def _wait_for_late(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            await late

    async def _flush(self) -> None:
        self._cancel_timer()
        some, self._some = self._some, []
        if some:
            await self._write(some)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._cancel_timer()
        if error is None:
            await self._wait_for_late()
            await self._flush()
        elif self._late is not None:
            await end([self._late])
