"""Entities as answers print them (Port's API reference, get an entity)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.entity import Entity
    from portsync.emulator.guesses import Guesses


class Printer:
    """Prints the entities of one blueprint."""

    def __init__(self, blueprint: Blueprint, guesses: Guesses) -> None:
        self._unset = dict.fromkeys(blueprint.relations) if guesses.unset_relation_shown_as_null else {}

    def print(self, entity: Entity) -> dict[str, Any]:
        """The entity's JSON."""
        return {
            "identifier": entity.identifier,
            "title": entity.title,
            "icon": entity.icon,
            "blueprint": entity.blueprint,
            "team": list(entity.team),
            "properties": dict(entity.properties),
            "relations": {**self._unset, **entity.relations},
            "createdAt": entity.created_at,
            "createdBy": entity.created_by,
            "updatedAt": entity.updated_at,
            "updatedBy": entity.updated_by,
        }
