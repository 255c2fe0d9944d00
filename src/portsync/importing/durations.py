"""Durations as ISO 8601 writes them, `P1D` and `PT6H`, in the forms of a mapping."""

from __future__ import annotations

import re

_ISO = re.compile(
    r"P(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_LONGEST = 12
"""Digits: what is longer is no duration that anybody meant."""


def span_of(text: str) -> str | None:
    """The duration as a mapping writes it, such as `1d`, `6h` and `1mo`; None where that cannot say it.

    Less than a second becomes an empty text.
    """
    parts = _parts(text)
    if parts is None:
        return None
    if "y" in parts or "mo" in parts:
        months = int(parts.pop("y", "0")) * 12 + int(parts.pop("mo", "0"))
        return f"{months}mo" if not parts and months else None
    seconds = seconds_of(text)
    if seconds is None or seconds != int(seconds):
        return None if seconds is None or seconds >= 1 else ""
    for unit, length in _SECONDS.items():
        if seconds and seconds % length == 0:
            return f"{int(seconds // length)}{unit}"
    return None


def seconds_of(text: str) -> float | None:
    """How long it is, in seconds; None where that depends on the month, or it is no duration."""
    parts = _parts(text)
    if parts is None or "y" in parts or "mo" in parts:
        return None
    return sum(float(number) * _SECONDS[unit] for unit, number in parts.items())


def _parts(text: str) -> dict[str, str] | None:
    found = _ISO.fullmatch(text)
    parts = {} if found is None else {unit: number for unit, number in found.groupdict().items() if number is not None}
    return parts if parts and all(len(number) <= _LONGEST for number in parts.values()) else None
