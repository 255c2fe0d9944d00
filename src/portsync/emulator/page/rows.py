"""The rows of a widget that is a table."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portsync.emulator.entity import Entity
    from portsync.emulator.rules import Predicate


class RowsMeasure:
    """The first entities in an order, by which the first is the largest, and how many there are."""

    def __init__(self, matches: Predicate, order: Callable[[Mapping[str, Any]], Any], most: int) -> None:
        self.matches = matches
        self.total = 0
        self._order = order
        self._most = most
        self._numbers = count()
        self._heap: list[tuple[Any, int, Entity]] = []

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:
        self.total += 1
        item = (self._order(printed), -next(self._numbers), entity)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def rows(self) -> list[Entity]:
        return [entity for _, _, entity in sorted(self._heap, key=lambda item: item[:2], reverse=True)]
