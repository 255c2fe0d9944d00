"""How a rule of a search reads what it is about: the one place that knows where a value of an entity comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portsync.emulator.entity import Entity

Read = Callable[["Entity"], Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of an entity, and where the database has it: in a column, or in the body under a key. A value that is
    computed from others is in neither, and a search for it reads every entity."""

    of: Read
    column: str | None = None
    key: str | None = None
    is_property: bool = False


META: Mapping[str, Reading] = MappingProxyType(
    {
        "$identifier": Reading(lambda entity: entity.identifier, column="identifier"),
        "$title": Reading(lambda entity: entity.title, key="title"),
        "$icon": Reading(lambda entity: entity.icon, key="icon"),
        "$team": Reading(lambda entity: list(entity.team), key="team"),
        "$blueprint": Reading(lambda entity: entity.blueprint, column="blueprint"),
        "$datasource": Reading(lambda entity: entity.datasource, column="datasource"),
        "$createdAt": Reading(lambda entity: entity.created_at, column="created_at"),
        "$createdBy": Reading(lambda entity: entity.created_by, column="created_by"),
        "$updatedAt": Reading(lambda entity: entity.updated_at, column="updated_at"),
        "$updatedBy": Reading(lambda entity: entity.updated_by, column="updated_by"),
    }
)


def property_reading(name: str, *, is_stored: bool = True) -> Reading:
    """A property of the blueprint; one that is computed is nowhere in the database."""
    return Reading(lambda entity: entity.properties.get(name), key=name if is_stored else None, is_property=is_stored)


def relation_reading(name: str) -> Reading:
    """The identifier, or the list of them, that a relation holds."""
    return Reading(lambda entity: entity.relations.get(name), key=name)


def target_title_reading(name: str, titles: Mapping[tuple[str, str], str | None]) -> Reading:
    """The title, or the list of them, of what a relation points to; `titles` by blueprint and target."""

    def read(entity: Entity) -> Any:
        value = entity.relations.get(name)
        if isinstance(value, list):
            return [titles.get((entity.blueprint, each)) for each in value]
        return None if value is None else titles.get((entity.blueprint, value))

    return Reading(read)


# No organisation here has scorecards, and so no entity has a level of one.
NO_SCORECARD = Reading(lambda _entity: None)
