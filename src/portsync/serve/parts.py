"""What the jobs of a service share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.schedule import Interval

if TYPE_CHECKING:
    from portsync.auth import TokenStore
    from portsync.logs import Redactor
    from portsync.running import Order
    from portsync.runtime import Runtime
    from portsync.serve.history import RunHistory
    from portsync.serve.metrics import Metrics
    from portsync.settings import Settings
    from portsync.wiring import Surroundings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the jobs of a service share."""

    around: Surroundings
    order: Order
    store: TokenStore
    history: RunHistory
    metrics: Metrics
    patience_s: float = 1200.0
    """A run that neither sends a request nor maps a page for so long stands still: no single wait takes that long."""

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
