"""Date-times as Port takes and gives them (RFC 3339), and the time ranges its queries name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_DATE_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d+)?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_LEAP_SECOND = 60

# Port's API reference, search: the presets of a time range, as days back from now.
_DAYS_BACK = {
    "lastDay": 1,
    "lastWeek": 7,
    "last2Weeks": 14,
    "lastMonth": 30,
    "last3Months": 90,
    "last6Months": 180,
    "last12Months": 365,
}
_DAYS_FROM_TODAY = {"yesterday": -1, "today": 0, "tomorrow": 1}
PRESETS = frozenset({*_DAYS_BACK, *_DAYS_FROM_TODAY})


@lru_cache(maxsize=4096)
def parse_date_time(text: str) -> datetime | None:
    """The instant an RFC 3339 date-time names (a time and a zone are compulsory), or None when it is none.

    The last ones are kept: a pass over a blueprint meets the same few days again and again."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = match.groups()
    leap = int(second) == _LEAP_SECOND
    zone = UTC
    if sign is not None:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        zone = timezone(-offset if sign == "-" else offset)
    microsecond = int(float(fraction) * 1_000_000) if fraction else 0
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            59 if leap else int(second),
            microsecond,
            zone,
        ).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February; a zone that leaves year 1 or 9999
        return None
    if leap and (moment.hour, moment.minute) != (23, 59):
        return None
    return moment


def stamp(seconds: float) -> str:
    """Epoch seconds as Port prints its own times: UTC, milliseconds, `Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def floor_stamp(moment: datetime) -> str:
    """The last of Port's own times that is not after this one, as `stamp` prints it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def preset_range(preset: str, now: datetime) -> tuple[datetime, datetime]:
    """First and last instant of a named range, seen from `now`; KeyError for a name not in PRESETS."""
    if preset in _DAYS_FROM_TODAY:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight + timedelta(days=_DAYS_FROM_TODAY[preset])
        return first, first + timedelta(days=1) - timedelta(microseconds=1)
    return now - timedelta(days=_DAYS_BACK[preset]), now
