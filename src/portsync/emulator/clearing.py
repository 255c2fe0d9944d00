"""The deletion of all entities of a blueprint (Port's API reference, delete all entities)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from portsync.emulator.errors import ApiError

if TYPE_CHECKING:
    from portsync.emulator.blueprint_store import BlueprintStore
    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.entity import Entity
    from portsync.emulator.entity_store import EntityStore


def clear(entities: EntityStore, blueprints: BlueprintStore, blueprint: Blueprint) -> None:
    """Delete the blueprint's entities; relations of others to them are emptied.

    Raises ApiError 403: protected_resource for a system blueprint, required_relation where another blueprint has to
    relate to this one.
    """
    name = blueprint.identifier
    if blueprint.protected:
        raise ApiError(HTTPStatus.FORBIDDEN, "protected_resource", f'Blueprint "{name}" is protected')
    others = [each for each in blueprints.all() if each.identifier != name]
    if any(relation.target == name and relation.required for each in others for relation in each.relations.values()):
        raise ApiError(HTTPStatus.FORBIDDEN, "required_relation", f'A required relation points at "{name}"')
    relating: dict[str, list[str]] = defaultdict(list)
    for holder, identifier in entities.holders(name):
        relating[holder].append(identifier)
    for other in others:
        kept = [
            _without(each, other, name) for each in entities.load(other.identifier, relating[other.identifier]).values()
        ]
        entities.save(kept, {other.identifier: other})
    entities.remove_all(name)


def _without(entity: Entity, blueprint: Blueprint, target: str) -> Entity:
    """The entity with its relations to one blueprint empty."""
    relations = {name: value for name, value in entity.relations.items() if blueprint.relations[name].target != target}
    return replace(entity, relations=relations)
