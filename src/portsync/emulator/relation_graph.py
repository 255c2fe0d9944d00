"""Who relates to whom, over any number of steps, found by sets and never entity by entity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, and_, func, literal, select, true, tuple_

from portsync.emulator.computed.specs import computed_names
from portsync.emulator.tables import EDGES, ENTITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.entity_store import Key

_HOLDER = (EDGES.c.blueprint, EDGES.c.identifier)
_TARGET = (EDGES.c.target_blueprint, EDGES.c.target)


class Direction(Enum):
    """Where from an entity: to what it depends on, or to what depends on it (Port's guide on search)."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


@dataclass(frozen=True, slots=True)
class Hop:
    """One relation of a path, followed at least and at most so many times."""

    relation: str
    least: int = 1
    most: int = 1


class RelationGraph:
    """The relations of all entities, as one transaction sees them."""

    def __init__(self, connection: Connection, blueprints: Callable[[], Sequence[Blueprint]]) -> None:
        self._connection = connection
        self._blueprints = blueprints
        self._computed: frozenset[str] | None = None

    def related(
        self, blueprint: str, identifiers: Collection[str], direction: Direction, *, required: bool | None
    ) -> set[Key]:
        """All that one relation or more lead to from the named entities in this direction; the named ones themselves
        where a chain leads back. `required` takes only required relations, or only the others."""
        here, there = (_HOLDER, _TARGET) if direction is Direction.UPSTREAM else (_TARGET, _HOLDER)
        counts = self._counting(required)
        first = select(*there).where(here[0] == blueprint, here[1].in_(_texts(identifiers)), counts)
        reached = first.cte("reached", recursive=True)
        then = select(*there).join(reached, and_(here[0] == reached.c[0], here[1] == reached.c[1])).where(counts)
        # A union keeps no row twice, and so ends where relations go in a circle.
        return self._keys(select(reached.union(then)))

    def reached_from(self, blueprint: str, identifiers: Collection[str], path: Sequence[Hop]) -> set[Key]:
        """What the path leads to from the named entities of this blueprint."""
        return self._walk({(blueprint, each) for each in identifiers}, path, _HOLDER, _TARGET)

    def leading_to(self, identifiers: Collection[str], path: Sequence[Hop]) -> set[Key]:
        """The entities from which the path leads to one of the named, in whatever blueprint it ends."""
        names = {hop.relation for hop in path}
        ends = {
            relation.target for each in self._blueprints() for name, relation in each.relations.items() if name in names
        }
        goals = {(blueprint, each) for blueprint in ends for each in identifiers}
        return self._walk(goals, list(reversed(path)), _TARGET, _HOLDER)

    def titles(self, relation: str) -> Mapping[tuple[str, str], str | None]:
        """The titles of this relation's targets, by the blueprint that relates and the identifier of the target."""
        pairs = (
            select(EDGES.c.blueprint.label("of"), *_TARGET).where(EDGES.c.relation == relation).distinct().subquery()
        )
        rows = self._connection.execute(
            select(pairs.c.of, pairs.c.target, func.json_extract(ENTITIES.c.body, "$.title")).join(
                pairs,
                and_(ENTITIES.c.blueprint == pairs.c.target_blueprint, ENTITIES.c.identifier == pairs.c.target),
            )
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def properties_like(self, schema: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
        """By blueprint, the properties that have all that this schema says: `type`, and `format` and `items` where they
        are given."""
        return {
            each.identifier: tuple(name for name, known in each.properties.items() if _is_like(known, schema))
            for each in self._blueprints()
        }

    def computed(self) -> frozenset[str]:
        """The properties that are computed in any blueprint, as it was when this was first asked: each rule asks."""
        if self._computed is None:
            self._computed = frozenset().union(*map(computed_names, self._blueprints()))
        return self._computed

    def _counting(self, required: bool | None) -> ColumnElement[bool]:
        if required is None:
            return true()
        chosen = [
            (each.identifier, name)
            for each in self._blueprints()
            for name, relation in each.relations.items()
            if relation.required is required
        ]
        return tuple_(EDGES.c.blueprint, EDGES.c.relation).in_(chosen)

    def _walk(self, start: set[Key], path: Iterable[Hop], here: tuple[Any, Any], there: tuple[Any, Any]) -> set[Key]:
        at = start
        for hop in path:
            arrived = set(at) if hop.least == 0 else set()
            for _ in range(hop.most):
                at = self._step(at, hop.relation, here, there)
                arrived |= at
            at = arrived
        return at

    def _step(self, at: set[Key], relation: str, here: tuple[Any, Any], there: tuple[Any, Any]) -> set[Key]:
        if not at:
            return set()
        given = func.json_each(orjson.dumps(list(at)).decode()).table_valued("value")
        key = [func.json_extract(given.c.value, path) for path in ("$[0]", "$[1]")]
        return self._keys(
            select(*there)
            .select_from(given.join(EDGES, and_(here[0] == key[0], here[1] == key[1])))
            .where(EDGES.c.relation == literal(relation))
            .distinct()
        )

    def _keys(self, statement: Any) -> set[Key]:
        return {(row[0], row[1]) for row in self._connection.execute(statement)}


def _texts(identifiers: Collection[str]) -> Any:
    # One parameter, for SQLite bounds their number.
    return select(func.json_each(orjson.dumps(list(identifiers)).decode()).table_valued("value").c.value)


def _is_like(known: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    return all(
        _is_like(known.get("items") or {}, value) if key == "items" else known.get(key) == value
        for key, value in schema.items()
    )
