"""The ways in which servers write a moment, or a span of time, in a header."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EPOCH_FROM = 1e9
"""A number from here on is a moment and not a span: as seconds since 1970 it is 2001, as a span it is 30 years."""
_EPOCH_MS_FROM = 1e11
"""A moment from here on is in milliseconds: as seconds it would be the year 5138."""
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_until(text: str, now: float) -> float | None:
    """How many seconds from `now` (epoch seconds) the moment is that `text` names; 0 where it is past, None where it is
    no moment.

    Read are spans in seconds, seconds and milliseconds since 1970, ISO 8601, the three forms of an HTTP date (RFC 9110,
    5.6.7), and spans such as `6m0s`, which OpenAI sends.
    """
    text = text.strip()
    if (number := number_of(text)) is not None:
        if number < _EPOCH_FROM:
            return number if number >= 0 else None
        return max(0.0, (number / 1000 if number >= _EPOCH_MS_FROM else number) - now)
    if _SPAN.fullmatch(text):
        return math.fsum(float(count) * _SECONDS[unit] for count, unit in _PARTS.findall(text))
    if (moment := _date(text)) is None:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, aware.timestamp() - now)


def number_of(text: str) -> float | None:
    """The finite number that `text` is, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def back_at(now: float, wait_s: float) -> str:
    """The moment after a wait, for people."""
    try:
        return datetime.fromtimestamp(now + wait_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "a time beyond the calendar"


def _date(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(text)
        except (ValueError, OverflowError, TypeError):
            continue
    return None
