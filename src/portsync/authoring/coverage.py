"""Which expressions of a mapping the cases of a file never put to the test."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from portsync.mapping.fit import constant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portsync.authoring.look import SeenPage
    from portsync.flow import Entity
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import EntityMapping, Resource

_SINGLE = ("identifier", "title", "icon", "team")


@dataclass
class Coverage:
    """What was seen of a mapping's expressions, over all cases."""

    mapping: LoadedMapping
    _seen: dict[int, set[tuple[int, str]]] = field(default_factory=lambda: defaultdict(set))
    """For each resource: mapping number and name of each expression that gave something."""
    _kept: set[int] = field(default_factory=set)
    """Resources of which `selector.query` kept a record."""
    _dropped: set[int] = field(default_factory=set)

    def add(self, index: int, page: SeenPage) -> None:
        """Take note of a page of the resource with this index."""
        resource = self.mapping.file.resources[index]
        if page.mapped.filtered:
            self._dropped.add(index)
        if page.mapped.entities or page.mapped.failures:
            self._kept.add(index)
        for entity in page.mapped.entities:
            body = orjson.loads(entity.body)
            for number in _givers(resource, entity):
                self._seen[index] |= {(number, name) for name in _given(body)}

    def gaps(self) -> list[str]:
        """Each expression that no case exercised, with its place and what was missing."""
        return [f"{place}: {said}" for place, said in self._gaps()]

    def total(self) -> int:
        """How many expressions there are."""
        return sum(
            1 + sum(1 for mapping in resource.port.entity.mappings for _ in _names(mapping))
            for resource in self.mapping.file.resources
        )

    def _gaps(self) -> Iterator[tuple[str, str]]:
        for index, resource in enumerate(self.mapping.file.resources):
            base = ("resources", index)
            if index not in self._kept:
                said = f"resources[{index}]: no case has a record of it that is kept"
                yield str(self.mapping.document.place((*base, "kind"))), said
            if resource.selector.query.strip() != "true" and index not in self._dropped:
                place = self.mapping.document.place((*base, "selector", "query"))
                yield str(place), f"resources[{index}].selector.query: kept every record of every case"
            for number, mapping in enumerate(resource.port.entity.mappings):
                for name, path in _names(mapping):
                    if (number, name) in self._seen[index]:
                        continue
                    place = self.mapping.document.place((*base, "port", "entity", "mappings", number, *path))
                    yield str(place), f"resources[{index}] {name}: null or missing in every case"


def _names(mapping: EntityMapping) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The expressions of a mapping: name, and path below it."""
    for name in _SINGLE:
        if getattr(mapping, name) is not None:
            yield name, (name,)
    for section in ("properties", "relations"):
        for name in getattr(mapping, section):
            yield f"{section}.{name}", (section, name)


def _givers(resource: Resource, entity: Entity) -> Iterable[int]:
    """The numbers of the mappings that may have made an entity: those that name its blueprint, or find one out."""
    names = [constant(mapping.blueprint) for mapping in resource.port.entity.mappings]
    return [number for number, name in enumerate(names) if name in (None, entity.blueprint)]


def _given(body: dict[str, object]) -> Iterator[str]:
    """The names of what an entity has."""
    for name in _SINGLE:
        if body.get(name) is not None:
            yield name
    for section in ("properties", "relations"):
        values = body.get(section)
        if isinstance(values, dict):
            yield from (f"{section}.{name}" for name, value in values.items() if value is not None)
