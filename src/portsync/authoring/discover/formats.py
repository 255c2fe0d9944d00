"""What texts are: instants, days, links, addresses. Only what Port would take under the format's name counts."""

from __future__ import annotations

import ipaddress
import re
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

DAY = "date"
"""No format of Port's: a day becomes an instant, its midnight."""
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONGEST = 2048
"""Characters; nobody writes longer addresses."""
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_URL = re.compile(r"https?://[^\s/?#\[\]{}|\\^`<>\"]+(?:[/?#][^\s{}|\\^`<>\"]*)?")


def format_of(texts: Collection[str]) -> str | None:
    """The one format that all of `texts` have: one of Port's, or `date`. None where there is none, or no text."""
    if not texts or any(len(text) > _LONGEST for text in texts):
        return None
    return next((name for name, holds in _FORMATS.items() if all(map(holds, texts))), None)


def _is_instant(text: str) -> bool:
    found = _INSTANT.fullmatch(text)
    if found is None or not _is_day(found[1]):
        return False
    try:
        # Beyond the years that a moment in UTC can have, it names none.
        datetime.fromisoformat(text).utctimetuple()
    except (ValueError, OverflowError):
        return False
    return True


def _is_day(text: str) -> bool:
    if _DAY.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None


def _is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def _is_ipv4(text: str) -> bool:
    return _is_address(ipaddress.IPv4Address, text)


def _is_ipv6(text: str) -> bool:
    return "%" not in text and _is_address(ipaddress.IPv6Address, text)


def _is_address(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _is_instant,
    DAY: _is_day,
    "url": _is_url,
    "email": _is_email,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
}
