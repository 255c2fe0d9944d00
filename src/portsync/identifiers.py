"""Port's rule for entity identifiers, checked before sending so that the record can be named."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 1000
_PLAIN = re.compile(r"[A-Za-z0-9@_.+:\\/=-]+")
_ALLOWED_MARKS = frozenset("@_.+:\\/=-0123456789")


def fault_of(identifier: object) -> str | None:
    """Why Port would refuse `identifier`, or None.

    At most 1000 characters, letters of any script, ASCII digits and `@ _ . + : \\ / = -`, not `.` or `..` (Port's API
    reference, create an entity). Ocean's search form, an object, is Port's to resolve.
    """
    if isinstance(identifier, dict):
        return None
    if identifier is None:
        return "is null"
    if not isinstance(identifier, str):
        return f"is {'true or false' if isinstance(identifier, bool) else 'a list'}, not a text or number"
    if identifier == "":
        return "is empty"
    if len(identifier) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if identifier in (".", ".."):
        return "is `.` or `..`"
    if _PLAIN.fullmatch(identifier):
        return None
    for character in identifier:
        if character not in _ALLOWED_MARKS and unicodedata.category(character)[0] != "L":
            return f"holds {character!r}, which Port does not allow"
    return None
