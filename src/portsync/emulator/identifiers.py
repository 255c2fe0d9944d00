"""Which strings Port takes as identifiers (Port's API reference, create an entity, create a blueprint)."""

from __future__ import annotations

import re
import secrets
import string
import unicodedata

ENTITY_PATTERN = r"^(?!\.{1,2}$)[\p{L}0-9@_.+:\\/=-]+$"
BLUEPRINT_PATTERN = r"^(?!\.{1,2}$)[\p{L}0-9@_.+:\\/-]+$"
PAGE_PATTERN = r"^[A-Za-z0-9@_.:\\/=-]+$"
PROPERTY_PATTERN = r"^[A-Za-z0-9@_=\\-]+$"

MAX_ENTITY_LENGTH = 1000
MAX_BLUEPRINT_LENGTH = 100

_ASCII_ENTITY = re.compile(r"[A-Za-z0-9@_.+:\\/=-]+")
_ASCII_BLUEPRINT = re.compile(r"[A-Za-z0-9@_.+:\\/-]+")
_PAGE = re.compile(r"[A-Za-z0-9@_.:\\/=-]+")
_PROPERTY = re.compile(r"[A-Za-z0-9@_=\\-]+")
_GENERATED_ALPHABET = string.ascii_letters + string.digits
_GENERATED_LENGTH = 16


def is_entity_identifier(text: str) -> bool:
    """Any Unicode letter, digits and `@ _ . + : \\ / = -`; at most 1000 characters; neither `.` nor `..`."""
    return _fits(text, _ASCII_ENTITY, MAX_ENTITY_LENGTH)


def is_blueprint_identifier(text: str) -> bool:
    """As for entities, but without `=` and at most 100 characters."""
    return _fits(text, _ASCII_BLUEPRINT, MAX_BLUEPRINT_LENGTH)


def is_page_identifier(text: str) -> bool:
    """Identifiers of pages: ASCII letters, digits and `@ _ . : \\ / = -`."""
    return _PAGE.fullmatch(text) is not None


def is_property_identifier(text: str) -> bool:
    """Identifiers of properties, relations and calculations: ASCII letters, digits and `@ _ = \\ -`."""
    return _PROPERTY.fullmatch(text) is not None


def generated_identifier() -> str:
    """An identifier for an entity sent without one, in the shape Port's reference shows."""
    return "e_" + "".join(secrets.choice(_GENERATED_ALPHABET) for _ in range(_GENERATED_LENGTH))


def _fits(text: str, ascii_pattern: re.Pattern[str], longest: int) -> bool:
    if text in {".", ".."} or len(text) > longest:
        return False
    # Python's re has no \p{L}: letters beyond ASCII are replaced by one that the pattern takes. A full match,
    # because `$` would let a trailing newline through.
    if not text.isascii():
        text = "".join("a" if unicodedata.category(character)[0] == "L" else character for character in text)
    return ascii_pattern.fullmatch(text) is not None
