"""Where an entity comes from: page, record, and the expression behind each of its parts."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.authoring.look import SeenPage
from portsync.flow import Verdict
from portsync.mapping.fit import constant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from portsync.authoring.look import Look, SeenRecord
    from portsync.flow import End, Entity, Failure, Json
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import EntityMapping, Resource

_SINGLE = ("title", "icon", "team")
_SECTIONS = ("properties", "relations")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an entity."""

    name: str
    """`identifier`, `title`, `properties.size`."""
    expression: str
    place: str
    """Where the expression stands."""
    value: Json
    error: str | None = None
    """Why there is no value, where the expression failed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A record that gave the entity."""

    index: int
    """Of the resource."""
    kind: str
    place: str
    """Where the resource stands."""
    record: SeenRecord
    entity: Entity
    body: dict[str, Json]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Unmade:
    """A record that had the identifier, and became no entity."""

    index: int
    kind: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class Read:
    """How reading a resource ended."""

    index: int
    kind: str
    records: int
    filtered: int
    ends: tuple[End, ...]

    @property
    def is_whole(self) -> bool:
        return all(end.verdict is Verdict.COMPLETE for end in self.ends)


async def origins(
    look: Look, mapping: LoadedMapping, identifier: str, indexes: list[int], blueprint: str | None = None
) -> AsyncIterator[Origin | Unmade | Read]:
    """Every record of these resources that gives the entity, and how reading each of them ended."""
    for index in indexes:
        resource = mapping.file.resources[index]
        records = filtered = 0
        ends: list[End] = []
        async with aclosing(look.pages(index)) as pages:
            async for page in pages:
                if not isinstance(page, SeenPage):
                    ends.append(page)
                    continue
                records, filtered = records + page.facts.records, filtered + page.mapped.filtered
                for failure in page.mapped.failures:
                    if failure.identifier == identifier:
                        yield Unmade(index, resource.kind, failure)
                for entity in page.mapped.entities:
                    if entity.identifier == identifier and blueprint in (None, entity.blueprint):
                        for origin in await _origins(look, mapping, index, page, entity):
                            yield origin
        yield Read(index, resource.kind, records, filtered, tuple(ends))


async def _origins(look: Look, mapping: LoadedMapping, index: int, page: SeenPage, entity: Entity) -> list[Origin]:
    first = entity.record - page.page.first_record
    resource = mapping.file.resources[index]
    place = str(mapping.document.place(("resources", index, "kind")))
    found = []
    for record in await look.records(index, page, 1, first=first):
        body = record.bodies[record.entities.index(entity)]
        number = _giver(resource, entity, body)
        parts = tuple(_parts(mapping, index, number, record, body))
        found.append(Origin(index, resource.kind, place, record, entity, body, parts))
    return found


def _giver(resource: Resource, entity: Entity, body: dict[str, Json]) -> int:
    """The number of the mapping that made an entity: of those that name its blueprint, the first that has all that it
    has."""
    fitting = [
        (number, mapping)
        for number, mapping in enumerate(resource.port.entity.mappings)
        if constant(mapping.blueprint) in (None, entity.blueprint)
    ]
    whole = (
        number
        for number, mapping in fitting
        if all((body.get(section) or {}).keys() <= getattr(mapping, section).keys() for section in _SECTIONS)
    )
    return next(whole, fitting[0][0])


def _parts(
    mapping: LoadedMapping, index: int, number: int, record: SeenRecord, body: dict[str, Json]
) -> Iterator[Part]:
    entity_mapping = mapping.file.resources[index].port.entity.mappings[number]
    errors = {error.field: error.message for error in record.field_errors}
    base = ("resources", index, "port", "entity", "mappings", number)
    for name, path, expression in _expressions(entity_mapping):
        value = body.get(path[0]) if len(path) == 1 else (body.get(path[0]) or {}).get(path[1])
        place = str(mapping.document.place((*base, *path)))
        yield Part(name, str(expression), place, value, errors.get(name))


def _expressions(mapping: EntityMapping) -> Iterator[tuple[str, tuple[str, ...], Json]]:
    for name in ("identifier", "blueprint", *_SINGLE):
        if (expression := getattr(mapping, name)) is not None:
            yield name, (name,), expression
    for section in _SECTIONS:
        for name, expression in getattr(mapping, section).items():
            yield f"{section}.{name}", (section, name), expression
