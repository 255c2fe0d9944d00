"""The body of an answer -> the bytes of one JSON value in UTF-8, whatever the source made it of.

First what it is packed in (portsync/packed.py), then the character set (charset.py), then the form (forms.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.decode.charset import as_utf8
from portsync.decode.forms import array_of_lines, array_of_rows
from portsync.errors import DecodeError, Problem
from portsync.excerpts import first_words, is_html
from portsync.packed import unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.mapping.requests import Decoder

_EXCERPT = 200


def decoded(body: bytes, headers: Mapping[str, str], decoder: Decoder, *, delimiter: str, largest: int) -> bytes:
    """One JSON value that says what `body` says.

    `headers` are the answer's; their names match in any case. `delimiter` stands between the fields of a line of CSV.
    `largest` is in bytes, after decompression. JSON is given through as it is, and not looked at: whether it is JSON,
    and UTF-8, JQ finds out. Raises DecodeError, whose problem has no place.
    """
    body = as_utf8(unpacked(body, largest), headers.get("content-type", ""))
    if decoder == "json":
        if not body or body.isspace():
            raise DecodeError(Problem("not-json", "the answer is empty", hint="check `selector.method` and the path"))
        return body
    if is_html(body):
        raise DecodeError(not_json(body, "it is HTML"))
    return array_of_lines(body) if decoder == "jsonl" else array_of_rows(body, delimiter, largest)


def not_json(body: bytes, said: str, place: str | None = None) -> Problem:
    """The problem of a body that is no JSON, of which a parser said `said`: an HTML page is named as such, with its
    first words."""
    words = first_words(body, _EXCERPT)
    if is_html(body):
        return Problem(
            "html-answer",
            f"the answer is an HTML page, not JSON: {words}",
            place,
            "check the URL; a login page means that the credentials were not taken",
        )
    return Problem(
        "not-json",
        f"the answer is not JSON ({said}); it begins: {words}",
        place,
        "check the URL and the `accept` header",
    )
