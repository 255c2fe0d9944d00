"""The names of the spans of time on a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.emulator.measures.buckets import MONTHS_OF_QUARTER

if TYPE_CHECKING:
    from datetime import datetime


def label(start: datetime, interval: str) -> str:
    """The name of a span, short as on an axis."""
    match interval:
        case "hour":
            return f"{start:%H:%M}"
        case "month":
            return f"{start:%b %Y}"
        case "quarter":
            return f"Q{(start.month - 1) // MONTHS_OF_QUARTER + 1} {start.year}"
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
