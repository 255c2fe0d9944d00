"""The request budget that Port states in headers on every answer."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of the window after one request."""

    limit: int
    period: int
    remaining: int
    seconds_left: int
    resets_at: int
    exceeded: bool

    def headers(self, *, reset_as_epoch: bool) -> list[tuple[bytes, bytes]]:
        """The x-ratelimit-* headers (Port's API reference, rate limits)."""
        reset = self.resets_at if reset_as_epoch else self.seconds_left
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-period", b"%d" % self.period),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % reset),
        ]


class RateWindow:
    """Counts requests in fixed windows that start with their first request."""

    def __init__(self, *, limit: int, period: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._period = period
        self._clock = clock
        self._ends = -math.inf
        self._used = 0
        self._lock = threading.Lock()

    def take(self) -> Budget:
        """Count one request and give the budget after it; `exceeded` when it no longer fits."""
        with self._lock:
            now = self._clock()
            if now >= self._ends:
                self._ends = now + self._period
                self._used = 0
            self._used += 1
            return Budget(
                limit=self._limit,
                period=self._period,
                remaining=max(0, self._limit - self._used),
                seconds_left=math.ceil(self._ends - now),
                resets_at=math.ceil(self._ends),
                exceeded=self._used > self._limit,
            )
