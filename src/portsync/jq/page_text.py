"""What a page's text holds that libjq, or Python, would not carry through unchanged."""

from __future__ import annotations

import re

_ROW_OF_DIGITS = b"0" * 16
_DIGITS_ALIKE = bytes.maketrans(b"123456789.", b"0000000000")
_LONG_NUMBER = re.compile(rb"[\s:,\[-]\d[\d.]{15}")
_ESCAPE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.")
_LENGTH_OF_HALF = len(rb"\ud800")


def has_long_numbers(body: bytes) -> bool:
    """Whether `body` has numbers of which a double would lose digits; it keeps 15 of any."""
    # Every page is asked. The regular expression costs more, and only pages with some long row of digits get to see it.
    has_row = _ROW_OF_DIGITS in body.translate(_DIGITS_ALIKE)
    return has_row and _LONG_NUMBER.search(body) is not None


def with_whole_characters(body: bytes) -> bytes:
    """`body` with the replacement character for each half of a surrogate pair that stands alone.

    JSON allows them, and texts that were cut in the middle have them; libjq would refuse the whole page.
    """
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPE.sub(_whole_character, body)


def _whole_character(escape: re.Match[bytes]) -> bytes:
    text = escape.group()
    return b"\\ufffd" if len(text) == _LENGTH_OF_HALF else text
