"""The naive reader's way from bytes to a JSON value."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any

from tests.conformance.naive.ending import Gone
from tests.conformance.naive.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.naive.fetch import Response

_BOM = "\ufeff"


def decoded(response: Response, section: Mapping[str, Any], faults: frozenset[Fault]) -> Any:
    """The body as `section.decode` says. Raises Gone, reason `decode`."""
    body = response.body
    while body.startswith(b"\x1f\x8b") and Fault.GZIP_ONLY_WHERE_NAMED not in faults:
        body = _unpacked(body, faults)
    text = _text(body, response.headers.get("content-type", ""), faults)
    if Fault.CHOKES_ON_A_BOM not in faults:
        text = text.removeprefix(_BOM)
    if not text.strip():
        if Fault.NO_BODY_IS_NO_RECORDS in faults:
            return {"data": []}
        raise Gone("decode", "not-json", "the answer is empty")
    match section.get("decode", "json"):
        case "jsonl":
            lines = text.splitlines()
            if Fault.LAST_LINE_LOST in faults and not text.endswith("\n"):
                lines = lines[:-1]
            return [_json(line, faults) for line in lines if line.strip()]
        case "csv":
            return _csv(text, section.get("csv_delimiter", ","), faults)
        case _:
            return _json(text, faults)


def _unpacked(body: bytes, faults: frozenset[Fault]) -> bytes:
    try:
        return gzip.decompress(body)
    except EOFError as error:
        if Fault.TAKES_HALF_AN_ANSWER in faults:
            return b"[]"
        raise Gone("decode", "not-json", "the archive ends too early") from error


def _text(body: bytes, content_type: str, faults: frozenset[Fault]) -> str:
    charset = re.search(r"charset=\"?([\w-]+)", content_type)
    if Fault.ALL_TEXT_IS_UTF8 in faults:
        return body.decode("utf-8", errors="replace")
    try:
        return body.decode(charset[1] if charset is not None else "utf-8")
    except UnicodeDecodeError as error:
        raise Gone("decode", "not-json", "the answer is not UTF-8") from error


def _json(text: str, faults: frozenset[Fault]) -> Any:
    try:
        return json.loads(text, parse_int=_double if Fault.NUMBERS_ARE_DOUBLES in faults else int)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("<"):
            if Fault.HTML_IS_NO_RECORDS in faults:
                return {"data": []}
            raise Gone("decode", "html-answer", text[:200]) from error
        if Fault.TAKES_HALF_AN_ANSWER in faults:
            return {"data": []}
        raise Gone("decode", "not-json", f"{error}: {text[:200]}") from error


def _double(digits: str) -> int:
    return int(float(digits))


def _csv(text: str, delimiter: str, faults: frozenset[Fault]) -> list[dict[str, str]]:
    if Fault.SPLITS_CSV_AT_EVERY_COMMA in faults:
        names, *rows = [line.split(delimiter) for line in text.splitlines()]
        return [dict(zip(names, row, strict=False)) for row in rows]
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
