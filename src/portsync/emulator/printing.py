"""Entities as answers print them (Port's API reference, get an entity)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.entity import Entity
    from portsync.emulator.guesses import Guesses

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Printer:
    """Prints the entities of one blueprint."""

    def __init__(self, blueprint: Blueprint, guesses: Guesses) -> None:
        self._unset = dict.fromkeys(blueprint.relations) if guesses.unset_relation_shown_as_null else {}

    def print(self, entity: Entity, computed: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
        """The entity's JSON, computed values among its properties."""
        return {
            "identifier": entity.identifier,
            "title": entity.title,
            "icon": entity.icon,
            "blueprint": entity.blueprint,
            "team": list(entity.team),
            "properties": {**entity.properties, **computed},
            "relations": {**self._unset, **entity.relations},
            "createdAt": entity.created_at,
            "createdBy": entity.created_by,
            "updatedAt": entity.updated_at,
            "updatedBy": entity.updated_by,
        }
