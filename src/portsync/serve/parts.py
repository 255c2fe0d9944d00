"""What the jobs of a service share."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.schedule import Interval

if TYPE_CHECKING:
    from portsync.auth import TokenStore
    from portsync.logs import Redactor
    from portsync.port.owner import Owner
    from portsync.running import Order
    from portsync.runtime import Runtime
    from portsync.serve.history import RunHistory
    from portsync.serve.metrics import Metrics
    from portsync.settings import Settings
    from portsync.state.place import StatePlace
    from portsync.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the jobs of a service share."""

    around: Surroundings
    order: Order
    store: TokenStore
    history: RunHistory
    metrics: Metrics
    patience_s: float = 1200.0
    """A run that neither sends a request nor maps a page for so long, beyond the longest wait that its mapping allows,
    stands still."""
    ending_s: float = 30.0
    """So long may it take a run that was cut to let go of its workers and its state."""
    turns: defaultdict[StatePlace | Owner, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """For each state, or for each integration where none is kept, whose turn it is: two runs never have one state at
    the same time."""

    @property
    def settings(self) -> Settings:
        return self.around.settings

    @property
    def runtime(self) -> Runtime:
        return self.around.runtime

    @property
    def redactor(self) -> Redactor:
        return self.around.redactor

    @property
    def interval_s(self) -> float | None:
        """How long after its end the next run begins, where it is always the same."""
        schedule = self.settings.schedule
        return schedule.seconds if isinstance(schedule, Interval) else None
