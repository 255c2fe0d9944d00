"""What can be written as JSON at all: the library that does it stops at 254 levels and at 64 bits."""

from __future__ import annotations

from typing import Any

import orjson


def json_of(value: Any) -> bytes | None:
    """The JSON of a value that can be written also where it stands some levels deep, within a stored entity, an answer
    or a history; None for one that cannot."""
    try:
        orjson.dumps([[[[[[[[[[value]]]]]]]]]])
    except TypeError:  # a recursion limit, an integer beyond 64 bits, half a surrogate pair
        return None
    return orjson.dumps(value)
