"""Spans of time that are counted in: hours, days, ISO weeks, months and quarters, as a time zone has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from portsync.emulator.instants import PRESETS, preset_range

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

INTERVALS = ("hour", "day", "isoWeek", "month", "quarter")
MONTHS_OF_QUARTER = 3
_MONTHS = 12
_MOST = 1000
# Beyond those of searches (Port's API reference, aggregate over time).
LONG_PRESETS = {"last2Years": 730, "last3Years": 1095}


def start_of(at: datetime, interval: str, zone: tzinfo = UTC) -> datetime:
    """The first moment of the span that holds this one, in UTC: two moments of the hour that a clock shows twice would
    be equal in the zone's own time."""
    hour = at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0, fold=0)
    match interval:
        case "hour":
            start = hour
        case "isoWeek":
            start = day - timedelta(days=day.weekday())
        case "month":
            start = day.replace(day=1)
        case "quarter":
            start = day.replace(day=1, month=(day.month - 1) // MONTHS_OF_QUARTER * MONTHS_OF_QUARTER + 1)
        case _:
            start = day
    return start.astimezone(UTC)


def next_start(start: datetime, interval: str, zone: tzinfo = UTC) -> datetime:
    """The first moment of the span after the one that starts here."""
    if interval == "hour":
        return start + timedelta(hours=1)
    local = start.astimezone(zone)
    match interval:
        case "isoWeek":
            local += timedelta(days=7)
        case "month" | "quarter":
            months = local.month - 1 + (1 if interval == "month" else MONTHS_OF_QUARTER)
            local = local.replace(year=local.year + months // _MONTHS, month=months % _MONTHS + 1)
        case _:
            local += timedelta(days=1)
    # A midnight that the clock leaps over is the moment of the leap, an hour by the clock behind it.
    return start_of(local.astimezone(UTC), "day", zone)


def starts_between(
    first: datetime, last: datetime, interval: str, zone: tzinfo = UTC, hours: int = _MOST
) -> Iterator[datetime]:
    """The start of every span from the one of `first` to the one of `last`, but of `hours` the newest only."""
    start = start_of(first, interval, zone)
    if interval == "hour":
        start = max(start, start_of(last, interval, zone) - timedelta(hours=hours))
    while start <= last:
        yield start
        start = next_start(start, interval, zone)


def time_range(preset: object, now: datetime) -> tuple[datetime, datetime]:
    """The ends of a named range, seen from `now`, whose zone says when a day begins; the last month where the name
    says nothing."""
    if isinstance(preset, str) and preset in PRESETS:
        return preset_range(preset, now)
    return now - timedelta(days=LONG_PRESETS.get(str(preset), 30)), now
