"""One integration's part of the state, in one run: what has to be sent, what was taken, what no longer is there."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import DatabaseError

from portsync.errors import Problem, StateLostError
from portsync.state.rows import AT_ONCE, EntityRows, pieces, trouble
from portsync.state.scopes import Scopes
from portsync.state.tables import CATALOGS, ENTITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from portsync.flow import Entity, Fate

T = TypeVar("T")

RELATED = ""
"""The resource under whose name those are kept that others point to: Port may have made them on our behalf."""
_KEPT_BACK = 500
"""So many accepted entities are written down together: one that a crash loses is sent again, nothing more."""
_PROBED = 10


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entity that Port has as we gave it."""

    resource: str
    blueprint: str
    identifier: str
    digest: bytes | None
    fate: Fate | None = None
    """What Port did with it, where that was said."""


class Catalog:
    """What this integration gave to one Port. Every method that reads or writes may raise StateLostError."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        manner: str,
        *,
        is_dry: bool = False,
        joined: int | None = None,
        noted: Callable[[Sequence[Accepted]], None] | None = None,
    ) -> None:
        """`name` tells integrations and Ports apart, `manner` how entities are sent. Where `is_dry`, nothing is kept
        in the end. A run begins with it, unless `joined` is the number of one that goes on. `noted` is told of what
        was accepted, in the transaction that writes it down."""
        self._connection = connection
        self._noted = noted
        self._is_dry = is_dry
        self._manner = manner
        self._rows = EntityRows(connection)
        self._accepted: list[Accepted] = []
        self.compared_at: float | None = None
        """When everything was compared with Port, in epoch seconds."""
        with self._writing():
            self.id, self.run = self._begin(name) if joined is None else self._join(name, joined)
            self._scopes = Scopes(connection, self._rows, self.id)
            self._scopes.read()

    def _begin(self, name: str) -> tuple[int, int]:
        row = self._connection.execute(select(CATALOGS).where(CATALOGS.c.name == name)).one_or_none()
        if row is None:
            created = self._connection.execute(insert(CATALOGS).values(name=name, run=1, manner=self._manner))
            assert created.inserted_primary_key is not None
            return int(created.inserted_primary_key[0]), 1
        # With other switches the same content means something else, so what was compared then says nothing now.
        self.compared_at = row.compared_at if row.manner == self._manner else None
        self._connection.execute(update(CATALOGS).where(CATALOGS.c.id == row.id).values(run=row.run + 1))
        return row.id, row.run + 1

    def _join(self, name: str, run: int) -> tuple[int, int]:
        """Take part in a run that somebody else has begun."""
        row = self._connection.execute(select(CATALOGS).where(CATALOGS.c.name == name)).one_or_none()
        if row is None or row.run != run:
            raise StateLostError(Problem("superseded", "the run is over: a later one has begun"))
        self.compared_at = row.compared_at if row.manner == self._manner else None
        return row.id, run

    def refresh(self) -> None:
        """Learn of what others who take part in the run have begun to write. Nothing else is read from memory."""
        with self._writing():
            self._scopes.read()

    def changed(
        self, resource: str, blueprint: str, entities: Sequence[Entity], *, all_count: bool = False
    ) -> list[Entity]:
        """Those of one blueprint's entities that Port did not accept as they are now, or all where `all_count`. All
        are written down as given in this run, before any is sent."""
        self._write_accepted()
        fresh: list[Entity] = []
        with self._writing():
            scope = self._scopes.of(blueprint, resource)
            for some in pieces(entities):
                known = {} if all_count else self._rows.digests(scope, [entity.identifier for entity in some])
                changed = [entity for entity in some if known.get(entity.identifier) != entity.digest]
                self._rows.give(scope, [entity.identifier for entity in changed], self.run)
                sent = {entity.identifier for entity in changed}
                self._rows.see(scope, [e.identifier for e in some if e.identifier not in sent], self.run)
                fresh += changed
        return fresh

    def blueprints(self) -> set[str]:
        """Those of which entities were given, in this run or before."""
        return self._scopes.blueprints()

    def found(self, blueprint: str, identifiers: Sequence[str]) -> None:
        """Write down entities that Port has from us, and of which nothing is known here."""
        with self._writing():
            scope = self._scopes.of(blueprint, RELATED)
            for some in pieces(identifiers):
                self._rows.give(scope, self._unknown(blueprint, some), run=0)

    def related(self, blueprint: str, identifiers: Iterable[str]) -> None:
        """Write down that entities given in this run point to these."""
        with self._writing():
            scope = self._scopes.of(blueprint, RELATED)
            for some in pieces(sorted(set(identifiers))):
                self._rows.give(scope, some, self.run)

    def given(self, blueprint: str, resource: str, identifiers: Iterable[str]) -> None:
        """Write down entities that Port chose by a search: their identifiers are only known from its answer."""
        with self._writing():
            scope = self._scopes.of(blueprint, resource)
            for some in pieces(identifiers):
                self._rows.give(scope, some, self.run)

    def accept(self, accepted: Iterable[Accepted]) -> None:
        """Remember what Port has taken, or was found to have."""
        self._accepted += accepted
        if len(self._accepted) >= _KEPT_BACK:
            self._write_accepted()

    def known(self, blueprint: str, identifiers: Sequence[str]) -> set[str]:
        """Those that Port has accepted, in this run or before."""
        self._write_accepted()
        with self._reading():
            found: set[str] = set()
            for some in pieces(identifiers):
                is_there = self._scopes.rows_of(blueprint) & self._rows.is_among(some) & ENTITIES.c.digest.is_not(None)
                found.update(self._connection.execute(select(ENTITIES.c.identifier).where(is_there)).scalars())
            return found

    def has_accepted(self, kind: str, blueprint: str, identifier: str) -> bool:
        """Whether Port has the entity as a resource of this kind gave it last."""
        with self._reading():
            is_there = ENTITIES.c.scope.in_(self._scopes.of_kind(blueprint, kind)) & (
                ENTITIES.c.identifier == identifier
            )
            accepted = select(ENTITIES.c.identifier).where(is_there & ENTITIES.c.digest.is_not(None))
            return self._connection.execute(accepted.limit(1)).first() is not None

    def samples(self, blueprint: str) -> list[str]:
        """Some entities that Port should have, the first and the last in order."""
        with self._reading():
            found: set[str] = set()
            for direction in (ENTITIES.c.identifier.asc(), ENTITIES.c.identifier.desc()):
                is_there = self._scopes.rows_of(blueprint) & ENTITIES.c.digest.is_not(None)
                chosen = select(ENTITIES.c.identifier).where(is_there).order_by(direction).limit(_PROBED)
                found.update(self._connection.execute(chosen).scalars())
            return sorted(found)

    def seen_count(self, blueprint: str) -> int:
        """How many entities were given in this run; those that others only point to do not count."""
        with self._reading():
            is_seen = self._scopes.rows_of(blueprint, but=(RELATED,)) & (ENTITIES.c.run == self.run)
            counted = select(func.count(ENTITIES.c.identifier.distinct())).where(is_seen)
            return int(self._connection.execute(counted).scalar_one())

    def unseen_count(self, blueprint: str) -> int:
        """How many entities of earlier runs were not given in this one."""
        with self._reading():
            return int(self._connection.execute(select(func.count()).select_from(self._unseen(blueprint))).scalar_one())

    def unseen(self, blueprint: str) -> Iterator[tuple[str, ...]]:
        """The entities of earlier runs that were not given in this one, some hundreds at a time. What has been read
        may be forgotten meanwhile."""
        last = ""
        while True:
            with self._reading():
                stale = self._unseen(blueprint)
                chosen = (
                    select(stale.c.identifier)
                    .where(stale.c.identifier > last)
                    .order_by(stale.c.identifier)
                    .limit(AT_ONCE)
                )
                some = tuple(self._connection.execute(chosen).scalars())
            if not some:
                return
            yield some
            last = some[-1]

    def not_seen(self, blueprint: str, identifiers: Sequence[str]) -> list[str]:
        """Those that were not given in this run."""
        with self._reading():
            seen: set[str] = set()
            for some in pieces(identifiers):
                is_seen = self._scopes.rows_of(blueprint) & self._rows.is_among(some) & (ENTITIES.c.run == self.run)
                seen.update(self._connection.execute(select(ENTITIES.c.identifier).where(is_seen)).scalars())
            return [identifier for identifier in identifiers if identifier not in seen]

    def doubt(self, blueprint: str, identifiers: Iterable[str]) -> None:
        """Write down that Port may no longer have these as we gave them."""
        with self._writing():
            for some in pieces(identifiers):
                is_meant = self._scopes.rows_of(blueprint) & self._rows.is_among(some)
                self._connection.execute(update(ENTITIES).where(is_meant).values(digest=None))

    def forget(self, blueprint: str, identifiers: Iterable[str]) -> None:
        """Drop what is no longer in Port, or not ours."""
        with self._writing():
            for some in pieces(identifiers):
                gone = self._scopes.rows_of(blueprint) & self._rows.is_among(some)
                self._connection.execute(delete(ENTITIES).where(gone))

    def compared(self, at: float | None) -> None:
        """Remember that everything was compared with Port at this time, in epoch seconds; None: that it has to be."""
        self._write_accepted()
        with self._writing():
            values = {"compared_at": at, "manner": self._manner}
            self._connection.execute(update(CATALOGS).where(CATALOGS.c.id == self.id).values(values))

    def close(self) -> None:
        """Write down what is still kept back."""
        self._write_accepted()
        if self._is_dry:
            self._connection.rollback()

    # --- how it is kept

    def _unseen(self, blueprint: str) -> Any:
        """What no resource gave in this run, though one did in an earlier one."""
        return (
            select(ENTITIES.c.identifier)
            .where(self._scopes.rows_of(blueprint))
            .group_by(ENTITIES.c.identifier)
            .having(func.max(ENTITIES.c.run) < self.run)
            .subquery()
        )

    def _unknown(self, blueprint: str, identifiers: Sequence[str]) -> list[str]:
        is_there = self._scopes.rows_of(blueprint) & self._rows.is_among(identifiers)
        known = set(self._connection.execute(select(ENTITIES.c.identifier).where(is_there)).scalars())
        return [identifier for identifier in identifiers if identifier not in known]

    def _write_accepted(self) -> None:
        accepted, self._accepted = self._accepted, []
        if not accepted:
            return
        with self._writing():
            self._rows.settle(
                [(self._scopes.of(one.blueprint, one.resource), one.identifier, one.digest) for one in accepted],
                self.run,
            )
            if self._noted is not None:
                self._noted(accepted)
            self._unsettle(accepted)

    def _unsettle(self, accepted: Sequence[Accepted]) -> None:
        """What a later resource adds to an entity has to be sent again, once an earlier one has written over it."""
        by_scope: dict[tuple[str, str], list[str]] = {}
        for one in accepted:
            by_scope.setdefault((one.blueprint, one.resource), []).append(one.identifier)
        for (blueprint, resource), identifiers in by_scope.items():
            others = self._scopes.among(blueprint, but=(resource, RELATED))
            for some in pieces(identifiers if others else ()):
                self._rows.unsettle(others, some, self.run)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A piece of writing that is there as a whole, or not at all."""
        try:
            yield
            if not self._is_dry:
                self._connection.commit()
        except StateLostError:
            self._connection.rollback()
            raise
        except DatabaseError as error:
            self._connection.rollback()
            raise trouble(error) from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            raise trouble(error) from error
