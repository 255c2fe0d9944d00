"""What Port takes in one request, as far as its answers have shown. Its own limit is on bytes that are measured before
they are sent (batch.py), but a proxy on the way may have another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from portsync.batch import bulk_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.flow import Entity


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

    def pieces(self, indexes: Sequence[int], entities: Sequence[Entity]) -> list[list[int]]:
        """`indexes` of entities, in their order, in pieces of which none is known to be too large but for one that
        holds a single entity."""
        if len(indexes) <= 1 or self._size(indexes, entities) < self._refused:
            return [list(indexes)]
        if not self._taken:
            middle = len(indexes) // 2
            return self.pieces(indexes[:middle], entities) + self.pieces(indexes[middle:], entities)
        found: list[list[int]] = [[]]
        for index in indexes:
            if found[-1] and self._size([*found[-1], index], entities) > self._taken:
                found.append([])
            found[-1].append(index)
        return found

    def _size(self, indexes: Sequence[int], entities: Sequence[Entity]) -> int:
        return len(bulk_body(entities[index] for index in indexes))
