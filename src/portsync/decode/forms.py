"""JSON Lines and CSV -> one JSON array."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING

import orjson

from portsync.errors import DecodeError, Problem
from portsync.excerpts import cut, first_words
from portsync.jq.page_text import with_whole_characters
from portsync.packed import Output

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXCERPT = 200
_WHITE_SPACE = b" \t\r\n"
"""What JSON takes for it (RFC 8259, 2)."""
_CSV_HINT = "check `csv_delimiter`, and whether the answer is CSV at all"


def array_of_lines(body: bytes) -> bytes:
    """The values of JSON Lines as one array. Their bytes are taken over: digits and order of keys stay."""
    output = io.BytesIO()
    before = b"["
    for number, line in enumerate(io.BytesIO(body), start=1):
        if not (text := line.strip(_WHITE_SPACE)):
            continue
        if (fault := _json_fault(text)) is not None:
            message = f"line {number} of the answer is not JSON ({fault}); it begins: {first_words(text, _EXCERPT)}"
            hint = "`decode: json` reads one value that goes over several lines"
            raise DecodeError(Problem("not-json", message, hint=hint))
        output.write(before + text)
        before = b","
    output.write(b"]" if before == b"," else b"[]")
    return output.getvalue()


def _json_fault(text: bytes) -> str | None:
    """Why `text` is no JSON value, or None."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        whole = with_whole_characters(text)
        return f"{error.msg}, column {error.colno}" if whole == text else _json_fault(whole)
    return None


def array_of_rows(body: bytes, delimiter: str, largest: int) -> bytes:
    """The lines of CSV (RFC 4180) as an array of objects of texts; the first line names the members."""
    if not body or body.isspace():
        return b"[]"
    if body[:_EXCERPT].lstrip()[:1] in (b"{", b"[") and _json_fault(body) is None:
        raise DecodeError(Problem("not-csv", "the answer is JSON, not CSV", hint="remove `decode: csv`"))
    output = Output(largest)
    # Strict, because a quote that is never closed would quietly take all that follows into one field.
    rows = csv.reader(_text_lines(body), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    before = b"["
    line = 1
    try:
        for row in rows:
            if row and names is None:
                names = _names(row)
            elif row and names is not None:
                output.add(before + _object(names, row, line))
                before = b","
            line = rows.line_num + 1
    except csv.Error as error:
        raise DecodeError(
            Problem("not-csv", f"line {line} of the answer is not CSV: {error}", hint=_CSV_HINT)
        ) from error
    output.add(b"]" if before == b"," else b"[]")
    return output.value()


def _text_lines(body: bytes) -> Iterator[str]:
    for number, line in enumerate(io.BytesIO(body), start=1):
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            message = f"line {number} of the answer is not UTF-8: {error.reason} at its byte {error.start + 1}"
            hint = "the source has to name its character set in `content-type`, or send a byte order mark"
            raise DecodeError(Problem("not-csv", message, hint=hint)) from error


def _names(row: list[str]) -> list[str]:
    for name, count in Counter(row).items():
        if not name.strip():
            message = "the first line of the answer leaves a field without a name"
            raise DecodeError(Problem("not-csv", message, hint=_CSV_HINT))
        if count > 1:
            message = f"the first line of the answer names {count} fields `{cut(name, _EXCERPT)}`"
            raise DecodeError(Problem("not-csv", message, hint=_CSV_HINT))
    return row


def _object(names: list[str], row: list[str], line: int) -> bytes:
    if len(row) > len(names):
        message = f"line {line} of the answer has {len(row)} fields, but the first line names {len(names)}"
        raise DecodeError(Problem("not-csv", message, hint=_CSV_HINT))
    return orjson.dumps(dict(zip_longest(names, row)))
