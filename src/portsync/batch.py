"""Entities -> batches: of one blueprint, at most 20 entities, at most 1 MiB as sent (Port's API reference, create
multiple entities)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.flow import Batch, Entity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MOST_ENTITIES = 20
MOST_BYTES = 1 << 20
_OPEN, _CLOSE = b'{"entities":[', b"]}"
LARGEST_ENTITY = MOST_BYTES - len(_OPEN) - len(_CLOSE)
"""Bytes: an entity of more fits into no request."""


def bulk_body(entities: Iterable[Entity]) -> bytes:
    """The body of a bulk request."""
    return _OPEN + b",".join(entity.body for entity in entities) + _CLOSE


class Batcher:
    """Collects entities by blueprint and gives them back in batches. What `add` keeps, `flush` gives: none is lost."""

    def __init__(
        self, most_entities: Callable[[str], int] = lambda _: MOST_ENTITIES, most_bytes: int = MOST_BYTES
    ) -> None:
        """`most_entities` is asked for each blueprint."""
        self._most_entities = most_entities
        self._most_bytes = most_bytes
        self._waiting: dict[str, list[Entity]] = {}
        self._sizes: dict[str, int] = {}

    def add(self, entity: Entity) -> Iterator[Batch]:
        """Take an entity, of at most LARGEST_ENTITY bytes; give the batches that are full."""
        size = len(entity.body)
        waiting = self._waiting.setdefault(entity.blueprint, [])
        used = self._sizes.get(entity.blueprint, 0)
        if waiting and used + 1 + size + len(_CLOSE) > self._most_bytes:
            yield self._take(entity.blueprint)
            waiting, used = self._waiting.setdefault(entity.blueprint, []), 0
        waiting.append(entity)
        self._sizes[entity.blueprint] = (used + 1 if used else len(_OPEN)) + size
        if len(waiting) >= self._most_entities(entity.blueprint):
            yield self._take(entity.blueprint)

    def flush(self) -> Iterator[Batch]:
        """Give what is left."""
        for blueprint in list(self._waiting):
            yield self._take(blueprint)

    def _take(self, blueprint: str) -> Batch:
        self._sizes.pop(blueprint)
        return Batch(blueprint, tuple(self._waiting.pop(blueprint)))
