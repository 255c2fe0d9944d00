"""Mirror, aggregation and calculation properties of some entities at once, as one transaction sees them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from portsync.emulator.computed.edges import EdgeStore, Pair
from portsync.emulator.computed.specs import Aggregation, aggregation, between, computed_names, mirror_path
from portsync.emulator.computed.stored import stored_values
from portsync.emulator.errors import ApiError
from portsync.emulator.measures.fold import Number, as_moment, as_number
from portsync.emulator.printing import Printer
from portsync.emulator.query import compile_query
from portsync.emulator.relation_values import targets
from portsync.emulator.rules import Basis

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from portsync.emulator.blueprint_store import BlueprintStore
    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.calculations.evaluation import CalculationCache
    from portsync.emulator.computed.kept import Kept
    from portsync.emulator.entity import Entity
    from portsync.emulator.entity_store import EntityStore
    from portsync.emulator.guesses import Guesses
    from portsync.emulator.relation_graph import RelationGraph
    from portsync.emulator.rules import Predicate

_CHUNK = 1000
_DEEPEST = 4
"""Computed values of computed values, and so on: a mirror may show an aggregation of calculations."""


@dataclass(frozen=True, slots=True)
class Computing:
    """Computes properties. Everything is done for all entities at once: entity by entity, each would cost queries."""

    connection: Connection
    blueprints: BlueprintStore
    entities: EntityStore
    graph: RelationGraph
    calculations: CalculationCache
    kept: Kept
    guesses: Guesses
    now: float
    """Epoch seconds."""
    depth: int = 0

    def related(
        self, blueprint: Blueprint, entities: Sequence[Entity], names: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """The mirror and aggregation properties of each entity, or those of them that are named."""
        values: list[dict[str, Any]] = [{} for _ in entities]
        if self.depth >= _DEEPEST or not entities:
            return values
        for name, mirror in blueprint.body["mirrorProperties"].items():
            if names is None or name in names:
                _add(values, name, self._mirrored(blueprint, entities, mirror["path"]))
        for name in blueprint.body["aggregationProperties"]:
            if names is None or name in names:
                _add(values, name, self._aggregated(blueprint, entities, name))
        return values

    def whole(
        self, blueprint: Blueprint, entities: Sequence[Entity], names: Collection[str] | None = None
    ) -> list[Entity]:
        """The entities with computed values among their properties: all of them, or those that are named."""
        computed = computed_names(blueprint)
        wanted = computed if names is None else computed.intersection(names)
        if not wanted:
            return list(entities)
        calculations = self.calculations.of(blueprint)
        calculated = wanted.intersection(calculations.names)
        # A calculation may read any of the others.
        related = self.related(blueprint, entities, None if calculated else wanted)
        full = [
            replace(entity, properties={**entity.properties, **values})
            for entity, values in zip(entities, related, strict=True)
        ]
        if not calculated:
            return full
        printer = Printer(blueprint, self.guesses)
        results = calculations.values([printer.print(entity) for entity in full], calculated)
        return [
            replace(entity, properties={**entity.properties, **values})
            for entity, values in zip(full, results, strict=True)
        ]

    def matching(
        self, blueprint: Blueprint, entities: Iterable[Entity], matches: Predicate, queried: Collection[str]
    ) -> Iterator[Entity]:
        """Those of the blueprint's entities that match a query which reads the properties `queried`, computed ones
        among them; they come as they are stored."""
        if computed_names(blueprint).isdisjoint(queried):
            yield from filter(matches, entities)
            return
        waiting = iter(entities)
        while some := list(islice(waiting, _CHUNK)):
            for entity, whole in zip(some, self.whole(blueprint, some, queried), strict=True):
                if matches(whole):
                    yield entity

    def column(self, blueprint: Blueprint, entities: Sequence[Entity], name: str) -> list[Any]:
        """One value of each entity: a property, written or computed, or what all have, as `$title`."""
        if name.startswith("$"):
            printer = Printer(blueprint, self.guesses)
            return [printer.print(entity).get(name[1:]) for entity in entities]
        deeper = replace(self, depth=self.depth + 1)
        return [entity.properties.get(name) for entity in deeper.whole(blueprint, entities, {name})]

    def _mirrored(self, blueprint: Blueprint, entities: Sequence[Entity], path: str) -> list[Any]:
        found = mirror_path(blueprint, path, self.blueprints.find)
        if found is None:
            return [None] * len(entities)
        here: dict[str, Entity] = {}
        reached = [[entity] for entity in entities]
        for relation, target in zip(found.relations, found.blueprints, strict=True):
            led = [
                dict.fromkeys(each for entity in some for each in targets(entity.relations.get(relation)))
                for some in reached
            ]
            here = self.entities.load(target.identifier, {each for some in led for each in some})
            reached = [[here[each] for each in some if each in here] for some in led]
        ends = dict(zip(here, self.column(found.blueprints[-1], list(here.values()), found.end), strict=True))
        return [self._joined([ends[entity.identifier] for entity in some], is_many=found.is_many) for some in reached]

    def _joined(self, values: Sequence[Any], *, is_many: bool) -> Any:
        if not is_many:
            return values[0] if values else None
        there = [value for value in values if value is not None]
        return there if there or not self.guesses.empty_mirror_is_null else None

    def _aggregated(self, blueprint: Blueprint, entities: Sequence[Entity], name: str) -> list[float | None]:
        # What was computed deep down may lack what is deeper still, and is not kept.
        known = {} if self.depth else self.kept.column(blueprint.identifier, name)
        missing = [entity.identifier for entity in entities if entity.identifier not in known]
        if missing:
            spec = aggregation(blueprint, name)
            numbers = {identifier: Number(_func(spec), spec.average_of) for identifier in missing}
            self._count(spec, numbers, self._pairs(blueprint, missing, spec))
            for identifier, number in numbers.items():
                result = number.result()
                known[identifier] = self.guesses.sum_of_nothing if result is None and spec.func == "sum" else result
        return [known[entity.identifier] for entity in entities]

    def _pairs(self, blueprint: Blueprint, identifiers: Collection[str], spec: Aggregation) -> Iterable[Pair]:
        edges, start = EdgeStore(self.connection), blueprint.identifier
        if spec.path is not None:
            return edges.along(start, identifiers, spec.target, spec.path, forwards=spec.forwards)
        everything = self.blueprints.all()
        downwards = between(start, spec.target, everything)
        upwards = between(spec.target, start, everything)
        found: set[Pair] = set()
        if downwards:
            found.update(edges.connected(start, identifiers, spec.target, downwards, forwards=True))
        if upwards:
            among = upwards | {spec.target}
            found.update(edges.connected(start, identifiers, spec.target, among, forwards=False))
        return found

    def _count(self, spec: Aggregation, numbers: Mapping[str, Number], pairs: Iterable[Pair]) -> None:
        """Take the targets of each source into its number."""
        sources: dict[str, list[str]] = defaultdict(list)
        for source, target in pairs:
            sources[target].append(source)
        blueprint = self.blueprints.find(spec.target)
        if blueprint is None:
            return
        try:
            counted = list(self._counted(spec, blueprint, list(sources)))
        except ApiError:  # the blueprint was checked, but what its query names may have gone since
            return
        for identifier, value, time in counted:
            number, at = as_number(value), as_moment(time)
            if number is not None:
                for source in sources[identifier]:
                    numbers[source].add(number, at)

    def _counted(
        self, spec: Aggregation, blueprint: Blueprint, identifiers: Sequence[str]
    ) -> Iterator[tuple[str, Any, Any]]:
        """Identifier, value and time of the targets that the query lets through."""
        time = spec.time if spec.is_timed else None
        if spec.query is None and computed_names(blueprint).isdisjoint({spec.property, time}):
            if spec.property is None and time is None:
                yield from ((identifier, 1, None) for identifier in identifiers)
                return
            wanted = (spec.property, time)
            for identifier, value, at in stored_values(self.connection, blueprint.identifier, identifiers, wanted):
                yield identifier, 1 if spec.property is None else value, at
            return
        basis = Basis(datetime.fromtimestamp(self.now, UTC), self.graph, self.guesses)
        query = None if spec.query is None else compile_query(spec.query, basis, root="query")
        names = names_in(spec.query) | {spec.property or "", spec.time}
        deeper = replace(self, depth=self.depth + 1)
        for start in range(0, len(identifiers), _CHUNK):
            loaded = self.entities.load(blueprint.identifier, identifiers[start : start + _CHUNK])
            whole = deeper.whole(blueprint, list(loaded.values()), names)
            found = [entity for entity in whole if query is None or query.matches(entity)]
            values = [1] * len(found) if spec.property is None else _plain(found, spec.property)
            times = _plain(found, spec.time)
            for entity, value, time in zip(found, values, times, strict=True):
                yield entity.identifier, value, time


def names_in(query: object) -> frozenset[str]:
    """The properties that a query, or a rule of one, reads by their names. Paths of relations and rules about a kind of
    property read none that is computed."""
    if isinstance(query, list):
        return frozenset().union(*(names_in(each) for each in query))
    if not isinstance(query, dict):
        return frozenset()
    name = query.get("property")
    own = {name} if isinstance(name, str) else set()
    return names_in(query.get("rules")) | own


def _plain(entities: Sequence[Entity], name: str) -> list[Any]:
    """A value of entities that are whole already."""
    match name:
        case "$createdAt":
            return [entity.created_at for entity in entities]
        case "$updatedAt":
            return [entity.updated_at for entity in entities]
        case _:
            return [entity.properties.get(name) for entity in entities]


def _func(spec: Aggregation) -> str:
    """Entities have no average but that of a time: in all, they are counted."""
    return "count" if spec.property is None and not spec.is_timed else spec.func


def _add(values: Sequence[dict[str, Any]], name: str, column: Sequence[Any]) -> None:
    for each, value in zip(values, column, strict=True):
        each[name] = value
