"""Port's rules for identifiers, checked before sending, so that the record can be named."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 1000
LONGEST_BLUEPRINT = 100
_PLAIN = re.compile(r"[A-Za-z0-9@_.+:\\/=-]+")
_PLAIN_BLUEPRINT = re.compile(r"[A-Za-z0-9@_.+:\\/-]+")
_ALLOWED_MARKS = frozenset("@_.+:\\/=-0123456789")


def fault_of(identifier: object) -> str | None:
    """Why Port would refuse `identifier`, or None. A `{type}` stands for a value that is no text at all, a `{search}`
    for Ocean's search form, which is Port's to resolve.

    At most 1000 characters: letters of any script, ASCII digits and `@ _ . + : \\ / = -`, but not `.` or `..` (Port's
    API reference, create an entity).
    """
    match identifier:
        case None:
            return "is null"
        case {"search": _}:
            return None
        case {"type": kind}:
            return f"is a value of type {kind}, not a text or number"
        case str():
            return _text_fault(identifier, _PLAIN, _ALLOWED_MARKS, LONGEST)
        case _:
            return "is not a text or number"


def blueprint_fault_of(blueprint: str) -> str | None:
    """Why `blueprint` cannot be a blueprint's identifier, or None: like an entity's, but at most 100 characters and
    no `=` (Port's API reference, create a blueprint)."""
    return _text_fault(blueprint, _PLAIN_BLUEPRINT, _ALLOWED_MARKS - {"="}, LONGEST_BLUEPRINT)


def _text_fault(text: str, plain: re.Pattern[str], marks: frozenset[str], longest: int) -> str | None:
    if text == "":
        return "is empty"
    if len(text) > longest:
        return f"is longer than {longest} characters"
    if text in (".", ".."):
        return "is `.` or `..`"
    if plain.fullmatch(text):
        return None
    for character in text:
        if character not in marks and unicodedata.category(character)[0] != "L":
            return f"holds {character!r}, which Port does not allow"
    return None
