"""Which entities are connected with which, for many of them at once."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, select, text

from portsync.emulator.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

# SQLite bounds the number of parameters in one statement.
_CHUNK = 500

# UNION and not UNION ALL: relations may lead round in circles.
_CLOSURE = """
    WITH RECURSIVE reached(source, blueprint, identifier) AS (
        SELECT identifier, blueprint, identifier FROM entities
        WHERE blueprint = :start AND identifier IN :identifiers
        UNION
        SELECT reached.source, {next_blueprint}, {next_identifier} FROM reached
        JOIN edges ON {this_blueprint} = reached.blueprint AND {this_identifier} = reached.identifier
        WHERE {next_blueprint} IN :among
    )
    SELECT source, identifier FROM reached
    WHERE blueprint = :goal AND NOT (blueprint = :start AND identifier = source)
"""
_HERE = {"this_blueprint": "edges.blueprint", "this_identifier": "edges.identifier"}
_THERE = {"this_blueprint": "edges.target_blueprint", "this_identifier": "edges.target"}


def _closure(*, forwards: bool) -> str:
    this, other = (_HERE, _THERE) if forwards else (_THERE, _HERE)
    return _CLOSURE.format(**this, next_blueprint=other["this_blueprint"], next_identifier=other["this_identifier"])


_BY_DIRECTION = {
    forwards: text(_closure(forwards=forwards)).bindparams(
        bindparam("identifiers", expanding=True), bindparam("among", expanding=True)
    )
    for forwards in (True, False)
}

Pair = tuple[str, str]
"""The identifier that was asked about, and that of an entity which is connected with it."""


class EdgeStore:
    """The relations between entities, as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def connected(
        self, start: str, identifiers: Collection[str], goal: str, among: Collection[str], *, forwards: bool
    ) -> Iterator[Pair]:
        """The entities of blueprint `goal` to which any number of relations lead from those of `start` (or from which
        they lead to them, where not `forwards`), through entities of the blueprints `among`."""
        for chunk in _chunks(identifiers):
            parameters = {"start": start, "identifiers": chunk, "goal": goal, "among": sorted(among)}
            for row in self._connection.execute(_BY_DIRECTION[forwards], parameters):
                yield row.source, row.identifier

    def along(
        self, start: str, identifiers: Collection[str], goal: str, path: Sequence[str], *, forwards: bool
    ) -> Iterator[Pair]:
        """The entities of blueprint `goal` to which these relations lead, one after the other; or from which they lead
        to those of `start`, where not `forwards`."""
        edges = [EDGES.alias(f"step{index}") for index in range(len(path))]
        joins = [
            (after.c.blueprint == before.c.target_blueprint) & (after.c.identifier == before.c.target)
            for before, after in pairwise(edges)
        ]
        named = [edge.c.relation == name for edge, name in zip(edges, path, strict=True)]
        first, last = edges[0], edges[-1]
        if forwards:
            asked, found = first.c.identifier, last.c.target
            ends = [first.c.blueprint == start, last.c.target_blueprint == goal]
        else:
            asked, found = last.c.target, first.c.identifier
            ends = [last.c.target_blueprint == start, first.c.blueprint == goal]
        for chunk in _chunks(identifiers):
            statement = select(asked, found).where(asked.in_(chunk), *ends, *named, *joins).distinct()
            for row in self._connection.execute(statement):
                yield row[0], row[1]


def _chunks(identifiers: Collection[str]) -> Iterator[list[str]]:
    everything = list(identifiers)
    for start in range(0, len(everything), _CHUNK):
        yield everything[start : start + _CHUNK]
