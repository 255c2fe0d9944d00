"""Live events between the moment at which their sender is told that they are taken, and the moment at which they are
applied."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from portsync.state.hook_tables import DELIVERIES, EVENTS
from portsync.state.touched import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portsync.state.hook_store import HookStore
    from portsync.state.touched import Named

_REMEMBERED_S = 86400.0
"""For so long a delivery is known again."""
_LARGEST_TAKE = 4 << 20
"""Bytes of bodies in memory at once, unless one alone has more."""


class Taken(StrEnum):
    """What becomes of an event that arrives."""

    QUEUED = "accepted"
    DUPLICATE = "duplicate"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook, as it came."""

    mapping: str
    hook: str
    delivery: str | None
    """The sender's own id of it."""
    received_at: float
    """Epoch seconds."""
    body: bytes
    id: int = 0
    """The place in the row; 0 before it has one."""


class HookQueue:
    """The events that wait. Every method may raise StateLostError, and may be called from any thread."""

    def __init__(self, store: HookStore, most: int) -> None:
        """`most`: how many events may wait, of all mappings together."""
        self._store = store
        self._most = most

    def put(self, event: Event) -> Taken:
        """Take an event. What is QUEUED is on the disk when this returns."""
        with self._store.writing() as connection:
            if event.delivery is not None:
                key = (DELIVERIES.c.mapping == event.mapping) & (DELIVERIES.c.hook == event.hook)
                known = select(DELIVERIES.c.at).where(key, DELIVERIES.c.delivery == event.delivery)
                if connection.execute(known).first() is not None:
                    return Taken.DUPLICATE
            if int(connection.execute(select(func.count(EVENTS.c.mapping))).scalar_one()) >= self._most:
                return Taken.FULL
            named = {"mapping": event.mapping, "hook": event.hook, "delivery": event.delivery}
            values = {**named, "received_at": event.received_at, "body": event.body}
            connection.execute(insert(EVENTS).values(values))
            if event.delivery is not None:
                connection.execute(delete(DELIVERIES).where(DELIVERIES.c.at < event.received_at - _REMEMBERED_S))
                connection.execute(insert(DELIVERIES).values({**named, "at": event.received_at}))
        return Taken.QUEUED

    def first(self, mapping: str, count: int) -> list[Event]:
        """The events of a mapping that waited longest, in the order in which they came."""
        chosen = select(EVENTS).where(EVENTS.c.mapping == mapping).order_by(EVENTS.c.id).limit(count)
        found: list[Event] = []
        size = 0
        with self._store.reading() as connection:
            for row in connection.execute(chosen).yield_per(1):
                size += len(row.body)
                if found and size > _LARGEST_TAKE:
                    break
                found.append(Event(row.mapping, row.hook, row.delivery, row.received_at, bytes(row.body), row.id))
        return found

    def done(self, events: Sequence[Event], failed: Iterable[Event], catalog: str, touched: Iterable[Named]) -> None:
        """Take out events that are applied, or never will be, and settle what they touched. A delivery that `failed`
        may come again."""
        with self._store.writing() as connection:
            connection.execute(delete(EVENTS).where(EVENTS.c.id.in_([event.id for event in events])))
            for event in failed:
                if event.delivery is not None:
                    key = (DELIVERIES.c.mapping == event.mapping) & (DELIVERIES.c.hook == event.hook)
                    connection.execute(delete(DELIVERIES).where(key, DELIVERIES.c.delivery == event.delivery))
            settle(connection, catalog, touched)

    def depth(self, mapping: str) -> int:
        """How many events of a mapping wait."""
        with self._store.reading() as connection:
            counted = select(func.count(EVENTS.c.mapping)).where(EVENTS.c.mapping == mapping)
            return int(connection.execute(counted).scalar_one())

    def oldest(self, mapping: str) -> float | None:
        """When the event came that waits longest, in epoch seconds."""
        with self._store.reading() as connection:
            chosen = select(EVENTS.c.received_at).where(EVENTS.c.mapping == mapping).order_by(EVENTS.c.id).limit(1)
            return connection.execute(chosen).scalar_one_or_none()

    def last(self, mapping: str) -> int:
        """The id of the newest event that waits; 0 where none does."""
        with self._store.reading() as connection:
            found = connection.execute(select(func.max(EVENTS.c.id)).where(EVENTS.c.mapping == mapping)).scalar_one()
            return int(found or 0)

    def waits_until(self, mapping: str, last: int) -> bool:
        """Whether an event of the mapping waits that is not newer than the one with the id `last`."""
        with self._store.reading() as connection:
            chosen = select(EVENTS.c.id).where(EVENTS.c.mapping == mapping, EVENTS.c.id <= last).limit(1)
            return connection.execute(chosen).first() is not None
