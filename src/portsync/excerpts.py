"""The first words of what somebody else said: short, on one line, without HTML tags, and with the cut marked."""

from __future__ import annotations

import json
import re

CUT = "\u2026"
"""Stands where an excerpt ends before its text does."""

_LONGEST = 4096
"""Bytes of an answer that anybody looks at."""
_TAGS = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>")
_HTML = re.compile(r"(?i)<(!doctype html|html|head|body)\b")


def cut(text: str, length: int) -> str:
    """At most `length` characters of `text`; where it goes on, the cut is marked."""
    return text if len(text) <= length else text[:length] + CUT


def is_html(body: bytes) -> bool:
    """Whether an answer begins as an HTML page does."""
    return _HTML.match(_beginning(body)) is not None


def first_words(body: bytes, length: int) -> str:
    """At most `length` characters of what a person would read in an answer."""
    text = _beginning(body)
    if _HTML.match(text):
        text = _TAGS.sub(" ", text)
    words = " ".join(text.split())
    is_whole = len(body) <= _LONGEST or len(words) > length
    return cut(words, length) if is_whole else words + CUT


def _beginning(body: bytes) -> str:
    return body[:_LONGEST].decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")


def cut_json(value: object, longest: int) -> str:
    """`value` as JSON, of which at most `longest` characters are shown."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else text[: longest - 1] + CUT
