"""What can be written as JSON at all: the library that does it stops at 254 levels and at 64 bits."""

from __future__ import annotations

from typing import Any

import orjson


def is_writable(value: Any) -> bool:
    """Whether a value can be written also where it stands some levels deep: in an entity, an answer or a history."""
    try:
        orjson.dumps([[[[[[[[[[value]]]]]]]]]])
    except TypeError:  # a recursion limit, an integer beyond 64 bits, half a surrogate pair
        return False
    return True


def json_of(value: Any) -> bytes | None:
    """The JSON of a value that is writable; None for one that is not."""
    return orjson.dumps(value) if is_writable(value) else None
