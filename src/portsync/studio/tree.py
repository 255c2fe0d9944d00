"""Values of any size, shown a slice at a time: what a page gets is small, whatever the answer holds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from portsync.masking import MASK, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.flow import Json
    from portsync.masking import Masking

_MOST_CHILDREN = 100
_MOST_NODES = 600
"""In one slice; what lies deeper is asked for when somebody opens it."""
_DEEPEST = 4


def holds(value: Json, key: str | int) -> bool:
    """Whether there is something at `key` of a value."""
    if isinstance(key, str):
        return isinstance(value, dict) and key in value
    return isinstance(value, list) and 0 <= key < len(value)


@dataclass
class Slicer:
    """Cuts a slice out of a value."""

    masking: Masking
    """Texts are shortened, and secrets covered, as it says."""
    _left: int = _MOST_NODES

    def slice(self, value: Json, keys: Sequence[str | int] = (), first: int = 0) -> dict[str, Any] | None:
        """The node at `keys` and some of what lies below, its children from the one with the index `first`; None where
        there is nothing at `keys`. A node has its `type`, and `text` or `children` with `count` and `first`."""
        is_secret = False
        for key in keys:
            is_secret = is_secret or (isinstance(key, str) and is_secret_name(key))
            if not holds(value, key):
                return None
            value = value[key]
        return self._node(value, is_secret=is_secret, depth=0, first=first)

    def _node(self, value: Json, *, is_secret: bool, depth: int, first: int = 0) -> dict[str, Any]:
        self._left -= 1
        match value:
            case dict():
                pairs: Any = ((key, item, is_secret or is_secret_name(key)) for key, item in value.items())
                return self._branch("object", pairs, len(value), depth, first)
            case list():
                pairs = ((index, item, is_secret) for index, item in enumerate(value))
                return self._branch("array", pairs, len(value), depth, first)
            case str():
                return {"type": "string", "text": MASK if is_secret and value else self.masking.of(value)}
            case bool():
                return {"type": "boolean", "text": "true" if value else "false"}
            case None:
                return {"type": "null", "text": "null"}
            case _:
                # As a text: a browser's numbers end at 2^53.
                return {"type": "number", "text": str(value)}

    def _branch(self, kind: str, pairs: Any, count: int, depth: int, first: int) -> dict[str, Any]:
        node: dict[str, Any] = {"type": kind, "count": count}
        if count and (depth >= _DEEPEST or self._left <= 0):
            return node
        most = _MOST_CHILDREN if depth == 0 else min(_MOST_CHILDREN, max(self._left, 1), 20 if kind == "array" else 100)
        node["first"] = first
        node["children"] = [
            # The key itself may hold a secret; the page sends back the index where it cannot send the key.
            [self.masking.of(key) if isinstance(key, str) else key, self._node(item, is_secret=hides, depth=depth + 1)]
            for key, item, hides in islice(pairs, first, first + most)
        ]
        return node
