"""When a job runs next by itself, and the sleep until then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from portsync.schedule import Cron, Interval, with_jitter

if TYPE_CHECKING:
    from portsync.runtime import Runtime
    from portsync.schedule import Schedule

_FIRST_RETRY_S = 60.0
_LAST_RETRY_S = 3600.0
_MOST_SLEEP_S = 30.0
"""The clock is looked at this often: it may be set, and it goes on where the machine sleeps."""


@dataclass(frozen=True, slots=True)
class Due:
    """A run that nobody asked for."""

    reason: Literal["schedule", "retry"]
    at: float
    """Epoch seconds, jitter included."""
    delay_s: float
    """How long that is from now."""
    jitter_s: float
    cron: Cron | None = None
    """Where the clock on the wall decides, and not the time that passes."""


def next_due(schedule: Schedule | None, failures: int, now: float, chance: float) -> Due | None:
    """The run that comes after `failures` runs in a row that came to nothing; None where only somebody who asks brings
    one about. `now` is in epoch seconds, `chance` between 0 and 1."""
    if failures:
        first = min(_FIRST_RETRY_S, schedule.seconds) if isinstance(schedule, Interval) else _FIRST_RETRY_S
        moment = now + min(_LAST_RETRY_S, first * 2.0 ** min(failures - 1, 12))
    elif schedule is None:
        return None
    else:
        moment = schedule.next(now)
    at = with_jitter(moment, now, chance)
    cron = schedule if isinstance(schedule, Cron) and not failures else None
    return Due("retry" if failures else "schedule", at, at - now, at - moment, cron)


async def sleep_until(due: Due, runtime: Runtime) -> None:
    """Return when the run is due: at its moment by the clock, or, where a span of time decides, when that has passed,
    whatever the clock says."""
    at, slept = due.at, 0.0
    while (now := runtime.clock()) < at and (due.cron is not None or slept < due.delay_s):
        left = at - now if due.cron is not None else min(at - now, due.delay_s - slept)
        span = min(left, _MOST_SLEEP_S)
        await runtime.sleep(span)
        slept += span
        if due.cron is not None:
            # Where the clock was set back, an earlier moment of the text is to come again.
            at = min(at, due.cron.next(runtime.clock()) + due.jitter_s)
