"""Entities and their relations in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from portsync.emulator.entity import Entity
from portsync.emulator.stored_values import packed, unpacked
from portsync.emulator.tables import EDGES, ENTITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Row

    from portsync.emulator.blueprints import Blueprint

# SQLite bounds the number of parameters in one statement.
_CHUNK = 500

_NAMED = (
    ENTITIES.c.blueprint == bindparam("of_blueprint"),
    ENTITIES.c.identifier.in_(bindparam("of_identifiers", expanding=True)),
)
_LOAD = select(ENTITIES).where(*_NAMED)
_PRESENT = select(ENTITIES.c.identifier).where(*_NAMED)
_INSERT = insert(ENTITIES)
_SAVE = _INSERT.on_conflict_do_update(
    index_elements=["blueprint", "identifier"],
    set_={column.name: _INSERT.excluded[column.name] for column in ENTITIES.columns if not column.primary_key},
)
_OF_ENTITY = delete(EDGES).where(
    EDGES.c.blueprint == bindparam("of_blueprint"), EDGES.c.identifier == bindparam("of_identifier")
)
_REMOVE = delete(ENTITIES).where(
    ENTITIES.c.blueprint == bindparam("of_blueprint"), ENTITIES.c.identifier == bindparam("of_identifier")
)

Key = tuple[str, str]


class EntityStore:
    """The entities, as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, blueprint: str, identifiers: Collection[str]) -> dict[str, Entity]:
        """Those of the named entities that exist, by identifier."""
        found: dict[str, Entity] = {}
        for chunk in _chunks(identifiers):
            rows = self._connection.execute(_LOAD, {"of_blueprint": blueprint, "of_identifiers": chunk})
            found.update((entity.identifier, entity) for entity in map(_entity, rows))
        return found

    def present(self, blueprint: str, identifiers: Collection[str]) -> set[str]:
        """Those of the identifiers that name an entity."""
        found: set[str] = set()
        for chunk in _chunks(identifiers):
            found.update(
                self._connection.execute(_PRESENT, {"of_blueprint": blueprint, "of_identifiers": chunk}).scalars()
            )
        return found

    def scan(self, blueprint: str, *, after: str = "", where: ColumnElement[bool] | None = None) -> Iterator[Entity]:
        """The blueprint's entities in the order of their identifiers, from the first one beyond `after`; only those
        of which `where` holds, where it is given."""
        bounds = [] if where is None else [where]
        rows = self._connection.execute(
            select(ENTITIES)
            .where(ENTITIES.c.blueprint == blueprint, ENTITIES.c.identifier > after, *bounds)
            .order_by(ENTITIES.c.identifier),
            execution_options={"yield_per": _CHUNK},
        )
        return map(_entity, rows)

    def count(self, blueprint: str) -> int:
        return self._connection.execute(
            select(func.count()).select_from(ENTITIES).where(ENTITIES.c.blueprint == blueprint)
        ).scalar_one()

    def counts(self) -> dict[str, int]:
        """How many entities each blueprint has; none where it has none."""
        rows = self._connection.execute(select(ENTITIES.c.blueprint, func.count()).group_by(ENTITIES.c.blueprint))
        return {row[0]: row[1] for row in rows}

    def last_updates(self) -> dict[str, str]:
        """When an entity of each blueprint was written last."""
        rows = self._connection.execute(
            select(ENTITIES.c.blueprint, func.max(ENTITIES.c.updated_at)).group_by(ENTITIES.c.blueprint)
        )
        return {row[0]: row[1] for row in rows}

    def relating(self, blueprint: str, identifier: str, limit: int) -> list[tuple[str, str, str]]:
        """The blueprint, relation and identifier of at most so many entities that relate to this one."""
        rows = self._connection.execute(
            select(EDGES.c.blueprint, EDGES.c.relation, EDGES.c.identifier)
            .where(EDGES.c.target_blueprint == blueprint, EDGES.c.target == identifier)
            .order_by(EDGES.c.blueprint, EDGES.c.relation, EDGES.c.identifier)
            .limit(limit)
        )
        return [(row.blueprint, row.relation, row.identifier) for row in rows]

    def save(self, entities: Iterable[Entity], blueprints: Mapping[str, Blueprint]) -> None:
        """Write the entities, over older ones; `blueprints` holds at least those with relations to record."""
        rows: list[dict[str, Any]] = []
        keys: list[dict[str, str]] = []
        edges: list[dict[str, str]] = []
        for entity in entities:
            rows.append(_row(entity))
            blueprint = blueprints.get(entity.blueprint)
            if blueprint is not None and blueprint.relations:
                keys.append(_key(entity.key))
                edges.extend(_edges(entity, blueprint))
        self._many(_SAVE, rows)
        self._many(_OF_ENTITY, keys)
        self._many(insert(EDGES), edges)

    def remove(self, keys: Collection[Key]) -> None:
        self.remove_relations(keys)
        self._many(_REMOVE, [_key(key) for key in keys])

    def remove_relations(self, keys: Collection[Key]) -> None:
        """Forget what these entities relate to, as far as it is kept beside them."""
        self._many(_OF_ENTITY, [_key(key) for key in keys])

    def dependents(self, blueprint: str, identifiers: Collection[str]) -> set[Key]:
        """The keys of entities that relate to one of these; an entity's relation to itself does not count."""
        found: set[Key] = set()
        for chunk in _chunks(identifiers):
            rows = self._connection.execute(
                select(EDGES.c.blueprint, EDGES.c.identifier).where(
                    EDGES.c.target_blueprint == blueprint,
                    EDGES.c.target.in_(chunk),
                    (EDGES.c.blueprint != blueprint) | (EDGES.c.identifier != EDGES.c.target),
                )
            )
            found.update((row.blueprint, row.identifier) for row in rows)
        return found

    def titles(self, blueprint: str, identifiers: Collection[str]) -> dict[str, str | None]:
        """The titles of those of the named entities that exist, by identifier."""
        found: dict[str, str | None] = {}
        title = func.json_extract(ENTITIES.c.body, "$.title").label("title")
        for chunk in _chunks(identifiers):
            named = ENTITIES.c.identifier.in_(chunk)
            rows = self._connection.execute(
                select(ENTITIES.c.identifier, title).where(ENTITIES.c.blueprint == blueprint, named)
            )
            found.update((row.identifier, row.title) for row in rows)
        return found

    def holders(self, blueprint: str) -> set[Key]:
        """The keys of entities of other blueprints that relate to one of this blueprint."""
        rows = self._connection.execute(
            select(EDGES.c.blueprint, EDGES.c.identifier)
            .where(EDGES.c.target_blueprint == blueprint, EDGES.c.blueprint != blueprint)
            .distinct()
        )
        return {(row.blueprint, row.identifier) for row in rows}

    def remove_all(self, blueprint: str) -> None:
        """Remove every entity of the blueprint."""
        self._connection.execute(delete(EDGES).where(EDGES.c.blueprint == blueprint))
        self._connection.execute(delete(ENTITIES).where(ENTITIES.c.blueprint == blueprint))

    def _many(self, statement: Any, parameters: Sequence[Mapping[str, Any]]) -> None:
        if parameters:
            self._connection.execute(statement, parameters)


def _chunks(identifiers: Collection[str]) -> Iterator[list[str]]:
    everything = list(identifiers)
    for start in range(0, len(everything), _CHUNK):
        yield everything[start : start + _CHUNK]


def _key(key: Key) -> dict[str, str]:
    return {"of_blueprint": key[0], "of_identifier": key[1]}


def _edges(entity: Entity, blueprint: Blueprint) -> Iterator[dict[str, str]]:
    for name, value in entity.relations.items():
        # A set: a list may name the same target twice, and a relation needs it once.
        for target in {value} if isinstance(value, str) else set(value):
            yield {
                "blueprint": entity.blueprint,
                "identifier": entity.identifier,
                "relation": name,
                "target_blueprint": blueprint.relations[name].target,
                "target": target,
            }


def _row(entity: Entity) -> dict[str, Any]:
    body, wide = packed(entity)
    return {
        "blueprint": entity.blueprint,
        "identifier": entity.identifier,
        "datasource": entity.datasource,
        "created_at": entity.created_at,
        "created_by": entity.created_by,
        "updated_at": entity.updated_at,
        "updated_by": entity.updated_by,
        "body": body,
        "wide": wide,
    }


def _entity(row: Row[Any]) -> Entity:
    blueprint, identifier, datasource, created_at, created_by, updated_at, updated_by, body, wide = tuple(row)
    values = unpacked(body, wide)
    return Entity(
        blueprint,
        identifier,
        values["title"],
        values["icon"],
        tuple(values["team"]),
        values["properties"],
        values["relations"],
        datasource,
        created_at,
        created_by,
        updated_at,
        updated_by,
    )
