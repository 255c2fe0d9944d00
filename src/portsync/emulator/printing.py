"""Entities as answers print them (Port's API reference, get an entity)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.calculations import Calculation
    from portsync.emulator.entity import Entity
    from portsync.emulator.guesses import Guesses


class Printer:
    """Prints the entities of one blueprint."""

    def __init__(self, blueprint: Blueprint, guesses: Guesses, calculations: Mapping[str, Calculation]) -> None:
        self._calculations = calculations
        self._unset = dict.fromkeys(blueprint.relations) if guesses.unset_relation_shown_as_null else {}

    def print(self, entity: Entity) -> dict[str, Any]:
        """The entity's JSON, calculated values among its properties."""
        printed = {
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
        # Calculations see the stored values only, so none depends on the order of the others.
        results = {name: each.value(printed) for name, each in self._calculations.items()}
        return {**printed, "properties": {**entity.properties, **results}} if results else printed
