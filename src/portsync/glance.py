"""What can be told of a page at a glance, without JQ: enough to ask for the next one while this one is mapped.

A glance is a guess. What counts is what JQ says of the page later; where the two differ, the early request was in vain.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import orjson

from portsync.flow import Json, PageFacts
from portsync.pieces import plain_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_Path = tuple[str, ...]


def glancing(data_path: str, claims: Mapping[str, str]) -> Callable[[bytes], PageFacts | None]:
    """What glances at pages whose records are at `data_path`, for the values of `claims`, which are expressions over
    the page. It gives None where a page, or one of the expressions, is not plain enough."""
    records = plain_path(data_path)
    paths = {name: plain_path(text) for name, text in claims.items()}
    known = {name: path for name, path in paths.items() if path is not None}
    if records is None or len(known) < len(paths):
        return lambda _: None

    def glance(body: bytes) -> PageFacts | None:
        try:
            found = _ARRAY.decode(_at(body, records))
            values = {name: _scalar(_at(body, path)) for name, path in known.items()}
        except (msgspec.DecodeError, orjson.JSONDecodeError, UnicodeDecodeError, RecursionError, _NotPlainError):
            return None
        ends = blake2b(b"\0".join(bytes(raw) for raw in (*found[:1], *found[1:][-1:])), digest_size=16)
        return PageFacts(len(found), values, edges=ends.digest())

    return glance


class _NotPlainError(Exception):
    """This means that a page is not of the form that a glance can read."""


def _at(body: bytes | msgspec.Raw, path: _Path) -> bytes | msgspec.Raw:
    """The part of `body` at `path`; null where it is not there."""
    for name in path:
        if (inner := _OBJECT.decode(body).get(name)) is None:
            return b"null"
        body = inner
    return body


def _scalar(part: bytes | msgspec.Raw) -> Json:
    value = orjson.loads(bytes(part)) if len(bytes(part)) < _LONGEST else {}
    if isinstance(value, dict | list | float):
        raise _NotPlainError
    return value


_LONGEST = 4096
"""Bytes: what is longer is no cursor, no flag and no number."""
