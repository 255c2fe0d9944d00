"""The two ways in which the Admin API hands out pages: by opaque token, and after the id of an item."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

from portsync.demo.admin.parameters import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.demo.admin.parameters import Parameters

T = TypeVar("T")

_DEFAULT_ITEMS = 20
_MOST_ITEMS = 1000


def page_start(parameters: Parameters, prefix: str) -> int:
    """Where the page begins that the request's token is for: 0 without one. Raises InvalidRequestError."""
    token = parameters.text("page")
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.removeprefix(prefix)).decode("ascii")
    except (ValueError, binascii.Error) as error:
        raise InvalidRequestError("page: not a token of this report") from error
    found = re.fullmatch(r"([0-9a-f]{8})/([0-9]{1,9})", text)
    if found is None or not token.startswith(prefix):
        raise InvalidRequestError("page: not a token of this report")
    if found[1] != _digest(parameters):
        raise InvalidRequestError("page: the token is of a request with other parameters")
    return int(found[2])


def page_of(rows: Sequence[T], start: int, limit: int, parameters: Parameters, prefix: str) -> dict[str, Any]:
    """The envelope of a page of `rows`, with the token of the next one where there is one."""
    end = start + limit
    more = end < len(rows)
    token = base64.urlsafe_b64encode(f"{_digest(parameters)}/{end}".encode()).decode()
    return {"data": rows[start:end], "has_more": more, "next_page": prefix + token if more else None}


def list_page(items: Sequence[dict[str, Any]], parameters: Parameters) -> dict[str, Any]:
    """The envelope of a page of a list whose items have ids. Raises InvalidRequestError."""
    limit = parameters.number("limit", default=_DEFAULT_ITEMS, most=_MOST_ITEMS)
    after, before = parameters.text("after_id"), parameters.text("before_id")
    if after is not None and before is not None:
        raise InvalidRequestError("after_id: cannot be given together with before_id")
    if before is not None:
        end = _place(items, before, "before_id")
        start = max(0, end - limit)
        more = start > 0
    else:
        start = 0 if after is None else _place(items, after, "after_id") + 1
        end = start + limit
        more = end < len(items)
    page = items[start:end]
    return {
        "data": page,
        "has_more": more,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }


def _place(items: Sequence[dict[str, Any]], identifier: str, name: str) -> int:
    for place, item in enumerate(items):
        if item["id"] == identifier:
            return place
    raise InvalidRequestError(f"{name}: no item of the list")


def _digest(parameters: Parameters) -> str:
    return f"{crc32(parameters.digest_text().encode()):08x}"
