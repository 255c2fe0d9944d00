"""A worker's part of what a run's slices have in common, in PostgreSQL: the page of one slice."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import orjson
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from portsync.errors import Problem, StateLostError
from portsync.flow import place_of
from portsync.state.rows import trouble
from portsync.state.seen import Conflict, Sorted, conflict_failure, key_of
from portsync.state.slice_tables import CLAIMS, SLICES, SPOOL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from sqlalchemy import ColumnElement

    from portsync.flow import Entity
    from portsync.state.catalog import Accepted
    from portsync.state.seen import OnConflict, SeenEntities

_CLAIM = text("""
INSERT INTO portsync_claims (catalog, resource, key, digest, slice, chain, page, record)
SELECT :catalog, :resource, decode(one.key, 'hex'), decode(one.digest, 'hex'), :slice, one.chain, one.page, one.record
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS one (key text, digest text, chain text, page int, record int)
ORDER BY one.key
ON CONFLICT (catalog, resource, key) DO UPDATE SET digest = excluded.digest
WHERE portsync_claims.slice = excluded.slice
""")
"""In the order of the keys, so that two who claim the same ones wait for each other and not for ever. The rows travel
as one text: as lists, each of their values would cost as much as all else that is done for it here."""

Counts = dict[str, dict[str, int]]
"""How many entities of each blueprint came to what fate."""


class SlicePage:
    """What one attempt at a slice writes. Every method may raise StateLostError: also where the attempt is not the
    last one any more, so that nobody waits for what it does."""

    def __init__(self, connection: Connection, catalog: int, run: int, number: int) -> None:
        """Begins a new attempt; what an earlier one spooled is dropped."""
        self._connection = connection
        self._catalog = catalog
        self._run = run
        self._number = number
        self._spooled = 0
        is_meant = self._is_mine()
        with self._writing():
            begun = update(SLICES).where(is_meant).values(attempt=SLICES.c.attempt + 1)
            row = connection.execute(begun.returning(SLICES.c.attempt, SLICES.c.accepted)).one_or_none()
            if row is None:
                raise _superseded()
            connection.execute(delete(SPOOL).where(SPOOL.c.catalog == catalog, SPOOL.c.slice == number))
        self.attempt = int(row.attempt)
        self.accepted_before: Counts = json.loads(row.accepted)
        """What Port accepted of earlier attempts."""
        self._accepted: Counts = json.loads(row.accepted)

    def claim(self, resource: int, entities: Sequence[Entity]) -> dict[bytes, tuple[bytes, str]]:
        """Take these entities of the resource with this index for the slice. Those that are another slice's: digest and
        place of what that one gave, by `key_of`."""
        if not entities:
            return {}
        keyed = {key_of(entity): entity for entity in entities}
        rows = [
            {
                "key": key.hex(),
                "digest": entity.digest.hex(),
                # A value of the source's may hold what PostgreSQL can not.
                "chain": entity.chain.replace("\0", ""),
                "page": entity.page,
                "record": entity.record,
            }
            for key, entity in keyed.items()
        ]
        values = {"catalog": self._catalog, "resource": resource, "slice": self._number}
        with self._writing():
            self._check()
            claimed = self._connection.execute(_CLAIM, {**values, "rows": orjson.dumps(rows).decode()}).rowcount
            return {} if claimed == len(rows) else self._of_others(resource, list(keyed))

    def spool(self, about: str, contents: Sequence[bytes]) -> None:
        """Put these aside for the coordinator, who takes them when the slice is done."""
        if not contents:
            return
        rows = [
            {"catalog": self._catalog, "slice": self._number, "place": place, "about": about, "content": content}
            for place, content in enumerate(contents, self._spooled)
        ]
        self._spooled += len(rows)
        with self._writing():
            self._check()
            self._connection.execute(insert(SPOOL), rows)

    def note(self, accepted: Sequence[Accepted]) -> None:
        """Write down how many entities Port accepted, within the transaction that writes down which: that one has to be
        rolled back where this raises."""
        for one in accepted:
            if one.fate is not None:
                counts = self._accepted.setdefault(one.blueprint, {})
                counts[one.fate] = counts.get(one.fate, 0) + 1
        noted = update(SLICES).where(self._is_mine(), SLICES.c.attempt == self.attempt)
        if not self._connection.execute(noted.values(accepted=json.dumps(self._accepted))).rowcount:
            raise _superseded()

    def _of_others(self, resource: int, keys: Sequence[bytes]) -> dict[bytes, tuple[bytes, str]]:
        is_meant = (CLAIMS.c.catalog == self._catalog) & (CLAIMS.c.resource == resource) & CLAIMS.c.key.in_(keys)
        chosen = select(CLAIMS).where(is_meant, CLAIMS.c.slice != self._number)
        rows = self._connection.execute(chosen)
        return {bytes(row.key): (bytes(row.digest), place_of(row.page, row.record, row.chain)) for row in rows}

    def _is_mine(self) -> ColumnElement[bool]:
        return (SLICES.c.catalog == self._catalog) & (SLICES.c.number == self._number) & (SLICES.c.run == self._run)

    def _check(self) -> None:
        """See that the slice is still given to this attempt, and let it not be given to another one, nor dropped,
        until the transaction ends."""
        given = select(SLICES.c.attempt).where(self._is_mine()).with_for_update()
        attempt = self._connection.execute(given).scalar_one_or_none()
        if attempt != self.attempt:
            raise _superseded()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
            self._connection.commit()
        except StateLostError:
            self._connection.rollback()
            raise
        except DatabaseError as error:
            self._connection.rollback()
            raise trouble(error) from error


class ClaimedEntities:
    """Tells the entities of a slice apart, and from those of all other slices of its resource."""

    def __init__(self, seen: SeenEntities, page: SlicePage, resource: int, on_conflict: OnConflict) -> None:
        """`seen` does it within the slice."""
        self._seen = seen
        self._page = page
        self._resource = resource
        self._on_conflict = on_conflict

    def sort(self, entities: Sequence[Entity]) -> Sorted:
        """Tell what is new, a duplicate, or in conflict. Of two slices that give different content, the first one's
        counts: nobody can say which of the two records is the later one. Raises StateLostError."""
        found = self._seen.sort(entities)
        theirs = self._page.claim(self._resource, found.to_send)
        return found if not theirs else self._without(found, theirs)

    def _without(self, found: Sorted, theirs: Mapping[bytes, tuple[bytes, str]]) -> Sorted:
        claimed = [(entity, theirs[key]) for entity in found.to_send if (key := key_of(entity)) in theirs]
        differing = [(entity, place) for entity, (digest, place) in claimed if digest != entity.digest]
        conflicts = tuple(Conflict(e.identifier, e.blueprint, place, e.place) for e, place in differing)
        is_failure = self._on_conflict == "fail"
        failures = tuple(conflict_failure(entity, place) for entity, place in differing) if is_failure else ()
        return replace(
            found,
            to_send=tuple(entity for entity in found.to_send if key_of(entity) not in theirs),
            duplicates=found.duplicates + len(claimed) - len(differing),
            conflicts=found.conflicts if is_failure else (*found.conflicts, *conflicts),
            failures=(*found.failures, *failures),
            dropped=found.dropped + (0 if is_failure else len(differing)),
        )

    def __enter__(self) -> Self:
        self._seen.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._seen.__exit__(kind, error, traceback)


def _superseded() -> StateLostError:
    message = "somebody else has been given this slice of the run, or the run is over"
    return StateLostError(Problem("superseded", message, hint="nothing is lost; the other one does it"))
