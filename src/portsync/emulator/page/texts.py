"""Numbers, times and long texts as people read them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from portsync.emulator.instants import parse_date_time

if TYPE_CHECKING:
    from datetime import datetime

_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_BEYOND = 1e15
_SMALL = 0.01


def clipped(text: str, most: int) -> str:
    """The text, or its beginning and a mark of `most` characters together."""
    return text if len(text) <= most else text[: most - 1] + "…"


def number(value: float, places: int | None = None) -> str:
    """With thousands marked; `places` behind the point, else none for whole numbers and two for others."""
    if isinstance(value, int) and places is None:
        return f"{value:,}" if abs(value) < _BEYOND else str(value)
    if not math.isfinite(value) or abs(value) >= _BEYOND:
        return f"{value:g}"
    if places is None:
        if 0 < abs(value) < _SMALL:
            return f"{value:.2g}"
        places = 0 if value == int(value) else 2
    return f"{value:,.{places}f}"


def short_number(value: float) -> str:
    """As on an axis: 1.2M, 340k, 0.5."""
    for size, letter in _STEPS:
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def moment(text: str) -> str:
    """An RFC 3339 date-time to the minute, without the time where it is midnight in UTC; other text as it is."""
    at = parse_date_time(text)
    if at is None:
        return text
    return f"{at:%Y-%m-%d}" if (at.hour, at.minute, at.second) == (0, 0, 0) else f"{at:%Y-%m-%d %H:%M}"


def ago(text: str | None, now: datetime) -> str:
    """How long ago a moment was, in its largest unit; other text as it is, nothing for None."""
    at = parse_date_time(text) if text else None
    if at is None:
        return text or ""
    seconds = int((now - at).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def seconds(value: float) -> str:
    """A duration."""
    if value < 60:  # noqa: PLR2004 - of a minute
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"
