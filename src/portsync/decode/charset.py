"""Bodies that are not in UTF-8, as a byte order mark or the content type tells."""

from __future__ import annotations

import codecs
import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark is the beginning of this one.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(r"""(?i)\bcharset\s*=\s*["']?([\w.:-]+)""", re.ASCII)
_CHARSETS = re.compile(
    r"utf-(16|32)(-[bl]e)?|ascii|iso8859-\d+|cp\d+|koi8-[rtu]|mac-roman|gb\w+|hz|big5\w*|shift_jis\w*|euc_\w+|iso2022_\w+"
)
"""By Python's names. Not all that Python knows: `punycode` takes time that grows with the square of the text."""
_SAID_UNSEEN = frozenset({"ascii", "iso8859-1", "cp1252"})
"""What servers say of every answer, whatever is in it."""
_STEP = 2**16
"""Bytes that are looked at at once, so that a large body is not there twice as a whole."""


def as_utf8(body: bytes, content_type: str) -> bytes:
    """`body` in UTF-8 and without a byte order mark, where the mark or the content type tells what it is in."""
    for mark, charset in _MARKS:
        if body.startswith(mark):
            rest = body[len(mark) :]
            return rest if charset == "utf-8" else _transcoded(rest, charset)
    named = _charset_of(content_type)
    return body if named is None or _contradicts(body, named) else _transcoded(body, named)


def _charset_of(content_type: str) -> str | None:
    """The character set that a content type names, by Python's name; None where it is UTF-8 or nothing that we know."""
    found = _CHARSET.search(content_type)
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1]).name
    except (LookupError, ValueError):
        return None
    if name in ("utf-16", "utf-32"):
        # Without a mark it is what the least significant byte comes first in (Encoding Standard, 4.2).
        return f"{name}-le"
    return name if _CHARSETS.fullmatch(name) else None


def _contradicts(body: bytes, charset: str) -> bool:
    """Whether a body cannot be in the character set that its content type names, or is not likely to be."""
    if charset.startswith(("utf-16", "utf-32")):
        # Every quote, comma and line break has a zero byte there; no text in UTF-8 has one.
        return b"\0" not in body
    return charset in _SAID_UNSEEN and _is_utf8(body)


def _is_utf8(body: bytes) -> bool:
    try:
        for _ in _texts(body, "utf-8"):
            pass
    except UnicodeError:
        return False
    return True


def _transcoded(body: bytes, charset: str) -> bytes:
    """`body` in UTF-8; as it is where it is not in `charset`, for whoever reads it will say so."""
    output = io.BytesIO()
    try:
        output.writelines(text.encode() for text in _texts(body, charset))
    except UnicodeError:
        return body
    return output.getvalue()


def _texts(body: bytes, charset: str) -> Iterator[str]:
    """`body` as text, piece by piece. Raises UnicodeError."""
    decoder = codecs.getincrementaldecoder(charset)()
    for start in range(0, len(body), _STEP):
        yield decoder.decode(body[start : start + _STEP])
    yield decoder.decode(b"", final=True)
