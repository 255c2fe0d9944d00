"""The marks of pages: `next` of one page is `from` of the one after it."""

from __future__ import annotations

import base64
import binascii

import orjson

from portsync.emulator.errors import invalid_request


def mark_of(*place: str) -> str:
    """A mark that holds the place of the last entity of a page."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def read_mark(mark: str, *, parts: int) -> tuple[str, ...]:
    """The place that a mark holds; ApiError 422 for a mark that no page gave."""
    try:
        place = orjson.loads(base64.b64decode(mark.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, orjson.JSONDecodeError, UnicodeEncodeError):
        place = None
    if not isinstance(place, list) or len(place) != parts or not all(isinstance(each, str) for each in place):
        raise invalid_request('"body.from" must be the "next" of an earlier page')
    return tuple(place)
