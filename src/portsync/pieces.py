"""Large answers in pieces: libjq needs ten times a document's size, so it gets one run of the records after another.

A piece is a document of the same form as the whole: some of the records at the same place, and around them all else
that the document holds. So the programs of a resource need not know of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import orjson

from portsync.jq.compile import normalised
from portsync.jq.page_text import with_whole_characters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str, ...]

_STEP = re.compile(r'\.([A-Za-z_][A-Za-z0-9_]*)|\."([^"\\]*)"|\.?\["([^"\\]*)"\]')
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
"""A Raw is a part of the body, not copied and not parsed: 70 bytes for each record, whatever its size."""


@dataclass(frozen=True, slots=True)
class PieceSizes:
    """Which documents are taken apart, in bytes."""

    piece: int = 2**20
    """How many of the records a piece holds, about."""
    smallest: int = 2**23
    """A document that is smaller stays whole."""


USUAL = PieceSizes()


def pieces(
    body: bytes, data_path: str, facts: Mapping[str, str], *, piece_bytes: int = 2**20, smallest: int = 2**23
) -> Iterator[bytes] | None:
    """The documents that together hold the records of `body`, in their order, each with about `piece_bytes` of them.

    `data_path` and `facts` are what is going to be asked of each: expressions over the page. Records are taken over
    byte for byte; the other members of the objects around them are in every piece.

    None where the body has to stay whole: it is smaller than `smallest`, or no JSON; `data_path` is not the plain path
    of an array; a fact may look into the records; what is around the records is larger than a piece.
    """
    if len(body) < smallest:
        return None
    path = plain_path(data_path)
    if path is None or not all(_is_beside(path, plain_path(text)) for text in facts.values()):
        return None
    try:
        return _split(body, path, piece_bytes)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # No JSON, or no array at the path; or half a surrogate pair, which is legal JSON, but not to this parser.
        whole = with_whole_characters(body)
        return None if whole == body else pieces(whole, data_path, facts, piece_bytes=piece_bytes, smallest=0)


def plain_path(text: str) -> Path | None:
    """The names of the members that lead from the page to what a plain path such as `.a.b` gives, or None.

    `.a.b[]` leads to the same: the programs take an array's elements, whether they come in it or as several outputs.
    """
    code = normalised(text)
    if code.endswith("[]"):
        code = code[:-2].removesuffix(".") or "."
    if code == ".":
        return ()
    names: list[str] = []
    position = 0
    while position < len(code):
        step = _STEP.match(code, position)
        if step is None or code[0] != ".":
            return None
        names.append(next(name for name in step.groups() if name is not None))
        position = step.end()
    return tuple(names)


def _is_beside(path: Path, other: Path | None) -> bool:
    """Whether what `other` gives cannot hold, or be in, what `path` gives."""
    return other is not None and any(a != b for a, b in zip(path, other, strict=False))


def _split(body: bytes, path: Path, piece_bytes: int) -> Iterator[bytes] | None:
    """Raises what msgspec does where `body` is no JSON, or `path` does not lead to an array."""
    before, after = b"", b""
    here: bytes | msgspec.Raw = body
    for name in path:
        members = _OBJECT.decode(here)
        if name not in members:
            return None
        here = members.pop(name)
        if sum(map(len, members.values())) > piece_bytes:
            return None
        before += b"{" + orjson.dumps(name) + b":"
        after = b"".join(b",%b:%b" % (orjson.dumps(key), member) for key, member in members.items()) + b"}" + after
    records = _ARRAY.decode(here)
    ends = _ends(records, piece_bytes)
    return _documents(before + b"[", records, ends, b"]" + after) if len(ends) > 1 else None


def _ends(records: list[msgspec.Raw], piece_bytes: int) -> list[int]:
    """Before which record each piece ends."""
    ends: list[int] = []
    first = size = 0
    for end, record in enumerate(records, start=1):
        size += len(record)
        if size >= piece_bytes and not _is_null_alone(records, first, end):
            ends.append(end)
            first, size = end, 0
    if ends and _is_null_alone(records, first, len(records)):
        ends.pop()
    if first < len(records):
        ends.append(len(records))
    return ends


def _is_null_alone(records: list[msgspec.Raw], first: int, end: int) -> bool:
    """Whether a piece would hold a null and nothing else, which the programs would take for a page without records."""
    return end - first == 1 and bytes(memoryview(records[first])[:1]) == b"n"


def _documents(before: bytes, records: list[msgspec.Raw], ends: list[int], after: bytes) -> Iterator[bytes]:
    first = 0
    for end in ends:
        yield before + b",".join(records[first:end]) + after
        first = end
