"""How the service is, for those who have to decide whether to start it anew or to send it requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portsync.serve.job import Job
    from portsync.stop import Stop

_BEAT_S = 1.0
_STANDSTILL_S = 60.0
"""A run never keeps the loop to itself for so long."""


class Health:
    """Asked from another thread than that of the jobs."""

    def __init__(self, jobs: Sequence[Job], stop: Stop, monotonic: Callable[[], float]) -> None:
        self.is_standing_by = False
        """Whether another replica runs, and this one waits for its turn."""
        self._jobs = jobs
        self._stop = stop
        self._monotonic = monotonic
        self._beat = monotonic()

    async def beat(self) -> None:
        """Note that the loop moves, for as long as it does."""
        while True:
            self._beat = self._monotonic()
            await asyncio.sleep(_BEAT_S)

    @property
    def is_ending(self) -> bool:
        """Whether the service is on its way down."""
        return self._stop.is_requested

    def standstill(self) -> str | None:
        """Why nothing will come of this process any more, or None."""
        silent = self._monotonic() - self._beat
        if silent >= _STANDSTILL_S:
            return f"the loop stands still for {silent:.0f} s"
        stuck = [job.supply.name for job in self._jobs if job.is_stuck]
        return f"{stuck[0]}: a run that was ended does not end" if stuck else None

    def faults(self) -> list[str]:
        """Why the service is not ready; nothing where it is."""
        waiting = [] if self.is_standing_by else self._jobs
        faults = [f"{job.supply.name}: no mapping that can be used" for job in waiting if job.loaded is None]
        return [*faults, *(["the service is going down"] if self.is_ending else [])]
