"""Spans of time that charts count in: hours, days, ISO weeks, months and quarters in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portsync.emulator.instants import PRESETS, preset_range

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERVALS = ("hour", "day", "isoWeek", "month", "quarter")
_MONTHS_OF_QUARTER = 3
_MONTHS = 12
_MOST = 1000
# Beyond those of searches (Port's API reference, aggregate over time).
_LONG_PRESETS = {"last2Years": 730, "last3Years": 1095}


def start_of(at: datetime, interval: str) -> datetime:
    """The first moment of the span that holds this one."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    match interval:
        case "hour":
            return hour
        case "isoWeek":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(day=1, month=(day.month - 1) // _MONTHS_OF_QUARTER * _MONTHS_OF_QUARTER + 1)
        case _:
            return day


def next_start(start: datetime, interval: str) -> datetime:
    """The first moment of the span after the one that starts here."""
    match interval:
        case "hour":
            return start + timedelta(hours=1)
        case "isoWeek":
            return start + timedelta(days=7)
        case "month" | "quarter":
            months = start.month - 1 + (1 if interval == "month" else _MONTHS_OF_QUARTER)
            return start.replace(year=start.year + months // _MONTHS, month=months % _MONTHS + 1)
        case _:
            return start + timedelta(days=1)


def starts_between(first: datetime, last: datetime, interval: str) -> Iterator[datetime]:
    """The start of every span from the one of `first` to the one of `last`, the newest where there are very many."""
    start = start_of(first, interval)
    if interval == "hour":
        start = max(start, start_of(last, interval) - timedelta(hours=_MOST))
    while start <= last:
        yield start
        start = next_start(start, interval)


def time_range(preset: object, now: datetime) -> tuple[datetime, datetime]:
    """The ends of a widget's range; the last month where the name says nothing."""
    if isinstance(preset, str) and preset in PRESETS:
        return preset_range(preset, now)
    return now - timedelta(days=_LONG_PRESETS.get(str(preset), 30)), now


def label(start: datetime, interval: str) -> str:
    """The name of a span, short as on an axis."""
    match interval:
        case "hour":
            return f"{start:%H:%M}"
        case "month":
            return f"{start:%b %Y}"
        case "quarter":
            return f"Q{(start.month - 1) // _MONTHS_OF_QUARTER + 1} {start.year}"
        case _:
            return f"{start.day} {start:%b}"


def long_label(start: datetime, interval: str) -> str:
    """The name of a span with all that it takes to know it."""
    match interval:
        case "hour":
            return f"{start:%Y-%m-%d %H:%M}"
        case "isoWeek":
            return f"Week of {start:%Y-%m-%d}"
        case "month" | "quarter":
            return label(start, interval)
        case _:
            return f"{start:%Y-%m-%d}"
