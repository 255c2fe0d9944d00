"""A clock that moves only where somebody sleeps, so that no wait takes time and every run sees the same instants."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Standstill:
    """`now` is in epoch seconds."""

    instant: float

    def now(self) -> float:
        """The instant, after all that was slept."""
        return self.instant

    async def sleep(self, seconds: float) -> None:
        """Let the clock go on; nobody waits."""
        self.instant += max(seconds, 0)
