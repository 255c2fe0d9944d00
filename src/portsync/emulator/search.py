"""Searches over the stored entities, and their paging."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from portsync.emulator.marks import mark_of, read_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from portsync.emulator.entity import Entity
    from portsync.emulator.entity_store import EntityStore
    from portsync.emulator.query import Query

    Matching = Callable[[str, Iterable[Entity]], Iterator[Entity]]
    """Those of a blueprint's entities that a query matches."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some matches, and the mark of the next page; None on the last one."""

    entities: list[Entity]
    next: str | None


def search_page(
    store: EntityStore, blueprint: str, query: Query, *, limit: int, mark: str | None, matching: Matching | None = None
) -> Page:
    """One page in the order of the identifiers. Pages hold their place by identifier, so deletions in between
    neither skip nor repeat anything. `matching` is for queries that read computed properties. ApiError 422 for a mark
    that no page gave."""
    after = "" if mark is None else read_mark(mark, parts=1)[0]
    found = list(islice(_matches(store, blueprint, query, after, matching), limit + 1))
    if len(found) <= limit:
        return Page(found, None)
    return Page(found[:limit], mark_of(found[limit - 1].identifier))


def search_all(
    store: EntityStore, blueprints: list[str], query: Query, matching: Matching | None = None
) -> Iterator[Entity]:
    """Every match in these blueprints, unpaged, as the org-wide search answers."""
    for blueprint in blueprints:
        if query.blueprints is None or blueprint in query.blueprints:
            yield from _matches(store, blueprint, query, "", matching)


def _matches(
    store: EntityStore, blueprint: str, query: Query, after: str, matching: Matching | None
) -> Iterator[Entity]:
    entities = store.scan(blueprint, after=after, where=query.where)
    return filter(query.matches, entities) if matching is None else matching(blueprint, entities)
