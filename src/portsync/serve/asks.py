"""Requests for a run, remembered until one begins that answers them: none is lost, and none aborts a run."""

from __future__ import annotations

import asyncio
from typing import Literal

Reason = Literal["start", "schedule", "port", "http", "mapping", "retry"]
"""Who asks for a run: the start of the service, its schedule, Port's page, `POST /resync`, a new mapping, or the
failure of the last run."""


class Asks:
    """The reasons for the next run."""

    def __init__(self) -> None:
        self._reasons: dict[Reason, None] = {}
        self._event = asyncio.Event()

    def add(self, reason: Reason) -> None:
        """Ask for a run. Whoever asks during a run gets another one after it."""
        self._reasons[reason] = None
        self._event.set()

    def taken(self) -> tuple[Reason, ...]:
        """The reasons so far, which the run that begins now answers."""
        reasons = tuple(self._reasons)
        self._reasons.clear()
        self._event.clear()
        return reasons

    @property
    def waiting(self) -> int:
        return len(self._reasons)

    async def wait(self) -> None:
        """Return when there is a reason."""
        await self._event.wait()
