"""When the next run is due: a span of time after the last one, or a cron text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_JITTER = 0.1
_MOST_JITTER_S = 30.0
_LONGEST_S = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Interval:
    """So many seconds after the end of the last run."""

    seconds: float

    def next(self, now: float) -> float:
        """When a run is due whose predecessor ended at `now`; both in epoch seconds."""
        return now + self.seconds


@dataclass(frozen=True, slots=True)
class Cron:
    """The moments of a cron text, in UTC."""

    text: str

    def next(self, now: float) -> float:
        """The first of the moments after `now`; both in epoch seconds."""
        return next(CronSim(self.text, datetime.fromtimestamp(now, UTC))).timestamp()


Schedule = Interval | Cron


def read_schedule(text: str) -> Schedule | None:
    """The schedule that `120`, `90s`, `2h` or `*/5 * * * *` says; a bare number counts minutes, as Ocean's do, and `0`
    is no schedule. Raises ValueError with what is wrong, in words that follow the name of the setting."""
    text = text.strip()
    if text == "0":
        return None
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text)) is not None:
        seconds = float(found[1]) * _SECONDS[found[2] or "m"]
        if seconds < 1:
            raise ValueError("is less than a second")
        if seconds > _LONGEST_S:
            raise ValueError("is more than a year")
        return Interval(seconds)
    try:
        # A text may be well-formed and yet name no moment, such as the 31st of February.
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"is neither a span of time, such as 30m or 2h, nor a cron text: {error}") from error
    except StopIteration:
        raise ValueError("is a cron text that names no moment") from None
    return Cron(text)


def with_jitter(due: float, now: float, chance: float) -> float:
    """`due` a little later, so that not everybody who has the same schedule asks at the same moment: by a tenth of the
    time until then, and 30 seconds, at most. `chance` is between 0 and 1."""
    return due + chance * min(_MOST_JITTER_S, max(0.0, due - now) * _JITTER)
