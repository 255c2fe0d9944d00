"""Searches over the stored entities, and their paging."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from portsync.emulator.errors import invalid_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.emulator.entity import Entity
    from portsync.emulator.entity_store import EntityStore
    from portsync.emulator.query import Query


@dataclass(frozen=True, slots=True)
class Page:
    """Some matches, and the mark of the next page; None on the last one."""

    entities: list[Entity]
    next: str | None


def search_page(store: EntityStore, blueprint: str, query: Query, *, limit: int, mark: str | None) -> Page:
    """One page in the order of the identifiers. Pages hold their place by identifier, so deletions in between
    neither skip nor repeat anything. ApiError 422 for a mark that no page gave."""
    after = "" if mark is None else _read_mark(mark)
    found = list(islice(_matches(store, blueprint, query, after), limit + 1))
    if len(found) <= limit:
        return Page(found, None)
    return Page(found[:limit], _mark(found[limit - 1].identifier))


def search_all(store: EntityStore, blueprints: list[str], query: Query) -> Iterator[Entity]:
    """Every match in these blueprints, unpaged, as the org-wide search answers."""
    for blueprint in blueprints:
        if query.blueprints is None or blueprint in query.blueprints:
            yield from _matches(store, blueprint, query, "")


def _matches(store: EntityStore, blueprint: str, query: Query, after: str) -> Iterator[Entity]:
    if query.identifiers is None:
        return filter(query.matches, store.scan(blueprint, after=after, within=query.within))
    named = store.load(blueprint, query.identifiers)
    ordered = (named[identifier] for identifier in sorted(named) if identifier > after)
    return filter(query.matches, ordered)


def _mark(identifier: str) -> str:
    return base64.urlsafe_b64encode(identifier.encode()).decode()


def _read_mark(mark: str) -> str:
    try:
        return base64.b64decode(mark.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, UnicodeEncodeError):
        raise invalid_request('"body.from" must be the "next" of an earlier page') from None
