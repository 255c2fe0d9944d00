"""Time that passes only when everybody waits: an hour of waiting takes no time, and happens in the right order."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

NOW = 1_795_348_800.0
"""2026-11-22T12:00:00Z."""


class VirtualTime:
    """A clock, and a sleep that the clock waits for."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []
        """The seconds of each sleep, in the order in which they began."""
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def clock(self) -> float:
        return self.now

    @property
    def elapsed(self) -> float:
        return self.now - NOW

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.until(self.now + seconds)

    async def until(self, moment: float) -> None:
        """Sleep, without it being noted in `slept`."""
        wake = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._numbers), wake))
        await wake

    def run(self, work: Coroutine[None, None, T]) -> T:
        """What comes of `work`; fails where it waits for something that will never come."""
        return asyncio.run(self._driven(work))

    async def _driven(self, work: Coroutine[None, None, T]) -> T:
        task = asyncio.ensure_future(work)
        while True:
            await _quiet()
            if task.done():
                return task.result()
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            assert self._sleepers, "everybody waits, and nobody for the clock"
            moment, _, wake = heapq.heappop(self._sleepers)
            self.now = max(self.now, moment)
            wake.set_result(None)


async def _quiet() -> None:
    """Let everything happen that can happen at this moment: until nobody but the caller has anything to do."""
    loop: Any = asyncio.get_running_loop()
    is_quiet = False
    while not is_quiet:
        await asyncio.sleep(0)
        is_quiet = not loop._ready
