"""What Port takes in one request, as far as its answers have shown. Its own limit is on bytes that are measured before
they are sent (batch.py), but a proxy on the way may have another."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from portsync.batch import bulk_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.flow import Entity

_FRAME = len(bulk_body(())) - 1
"""Bytes around the entities, each of which brings a comma along, but for one."""


class Sizes:
    """The largest body that was taken, and the smallest that was too large. All bulk requests of a run share it."""

    def __init__(self) -> None:
        self._taken = 0
        self._refused: float = math.inf

    def took(self, size: int) -> None:
        """A body of so many bytes was not too large."""
        self._taken = max(self._taken, size)
        if size >= self._refused:
            self._refused = math.inf  # it was not for its size

    def refused(self, size: int) -> None:
        """A body of so many bytes was too large."""
        self._refused = min(self._refused, size)
        if self._taken >= size:
            self._taken = 0

    def fitting(self, entities: Sequence[Entity]) -> int:
        """How many of the first of `entities` go together in one request that is not known to be too large; at least
        one."""
        sizes = list(accumulate((1 + len(entity.body) for entity in entities), initial=_FRAME))
        count = len(entities)
        if sizes[count] < self._refused:
            return count
        if self._taken:
            return max(1, bisect_right(sizes, self._taken) - 1)
        while count > 1 and sizes[count] >= self._refused:
            count //= 2
        return count
