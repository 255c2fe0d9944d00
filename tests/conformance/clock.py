"""A clock on which sleeping costs nothing."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class VirtualClock:
    """Stands still but for those who sleep: each sleep moves it to the moment of waking, the earliest first."""

    def __init__(self, now: float) -> None:
        """`now` is in epoch seconds."""
        self.start = now
        self.now = now
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def time(self) -> float:
        return self.now

    def since_start(self) -> float:
        return round(self.now - self.start, 6)

    def skip(self, seconds: float) -> None:
        """Let time pass, for whoever runs without an event loop."""
        self.now += seconds

    async def sleep(self, seconds: float) -> None:
        """As asyncio.sleep, for whoever runs on this clock."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        heapq.heappush(self._sleeping, (self.now + max(0.0, seconds), next(self._numbers), woken))
        # Not at once: who is about to fall asleep as well may have to wake up earlier.
        loop.call_soon(self._wake_the_next)
        await woken

    def _wake_the_next(self) -> None:
        moment, _, woken = heapq.heappop(self._sleeping)
        if not woken.done():
            self.now = max(self.now, moment)
            woken.set_result(None)
