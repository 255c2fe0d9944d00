"""The life of blueprints: creation, change and deletion, with what follows for their entities."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.emulator.blueprints import (
    STAMP_KEYS,
    Blueprint,
    blueprint,
    check_change,
    check_identifier_kept,
    check_relations,
    completed,
)
from portsync.emulator.computed.checks import ComputedChecks
from portsync.emulator.errors import ApiError, has_dependents, identifier_taken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from portsync.emulator.blueprint_store import BlueprintStore
    from portsync.emulator.entity import Author
    from portsync.emulator.entity_store import EntityStore
    from portsync.emulator.guesses import Guesses
    from portsync.emulator.relation_graph import RelationGraph


class Catalog:
    """Blueprint operations within one transaction."""

    def __init__(
        self, blueprints: BlueprintStore, entities: EntityStore, graph: RelationGraph, guesses: Guesses
    ) -> None:
        self._blueprints = blueprints
        self._entities = entities
        self._graph = graph
        self._guesses = guesses

    def create(self, body: Mapping[str, Any], author: Author) -> Blueprint:
        """A new blueprint; ApiError 409 when the identifier is taken, and as `_check` says."""
        if self._blueprints.find(body["identifier"]) is not None:
            raise identifier_taken("Blueprint", body["identifier"])
        whole = completed(_without_stamps(body))
        self._check(whole, None)
        created = {"createdAt": author.at, "createdBy": author.name}
        return self._blueprints.save({**whole, **created, **_updated(author)})

    def replace(self, identifier: str, body: Mapping[str, Any], author: Author) -> Blueprint:
        """The blueprint with a new body; sections that were not sent are reset. ApiError 404 when absent."""
        before = self._blueprints.get(identifier)
        return self._change(before, {**_without_stamps(body), "identifier": identifier}, body, author)

    def patch(self, identifier: str, body: Mapping[str, Any], author: Author) -> Blueprint:
        """The blueprint with the sent sections replaced, the others kept. ApiError 404 when absent."""
        before = self._blueprints.get(identifier)
        return self._change(before, {**_without_stamps(before.body), **_without_stamps(body)}, body, author)

    def delete(self, identifier: str) -> None:
        """ApiError 404 when absent, 403 for a system blueprint or while something depends on it."""
        found = self._blueprints.get(identifier)
        if found.protected:
            raise ApiError(HTTPStatus.FORBIDDEN, "protected_resource", f'Blueprint "{identifier}" is protected')
        targeted = any(
            relation.target == identifier
            for other in self._blueprints.all()
            if other.identifier != identifier
            for relation in other.relations.values()
        )
        if targeted or self._entities.count(identifier):
            raise has_dependents(f'Blueprint "{identifier}"')
        self._blueprints.remove(identifier)

    def _change(
        self, before: Blueprint, merged: Mapping[str, Any], sent: Mapping[str, Any], author: Author
    ) -> Blueprint:
        check_identifier_kept(before, sent)
        whole = completed(merged)
        check_change(before, whole)
        self._check(whole, before)
        created = {key: before.body[key] for key in ("createdAt", "createdBy")}
        after = self._blueprints.save({**whole, **created, **_updated(author)})
        self._drop_removed(before, after)
        return after

    def _check(self, whole: Mapping[str, Any], before: Blueprint | None) -> None:
        """ApiError for a relation both required and many, or one whose target does not exist; and for a computed
        property of what is not there."""
        check_relations(whole)
        for name, relation in whole["relations"].items():
            target = relation["target"]
            if target != whole["identifier"] and self._blueprints.find(target) is None:
                raise ApiError(
                    self._guesses.missing_target_status,
                    "not_found",
                    f'The target blueprint "{target}" of the relation "{name}" was not found',
                )
        if whole["mirrorProperties"] or whole["aggregationProperties"]:
            others = [each for each in self._blueprints.all() if each.identifier != whole["identifier"]]
            ComputedChecks(blueprint(whole, ""), others, self._guesses, self._graph).check(before)

    def _drop_removed(self, before: Blueprint, after: Blueprint) -> None:
        """Take the values of removed properties and relations out of the entities, as Port does."""
        properties = before.properties.keys() - after.properties.keys()
        relations = before.relations.keys() - after.relations.keys()
        if not properties and not relations:
            return
        entities = list(self._entities.scan(before.identifier))
        kept = [
            replace(
                entity,
                properties=_without(entity.properties, properties),
                relations=_without(entity.relations, relations),
            )
            for entity in entities
        ]
        # Not by `save`, which leaves them alone where the blueprint has no relations any more.
        self._entities.remove_relations([entity.key for entity in entities])
        self._entities.save(kept, {after.identifier: after})


def _updated(author: Author) -> dict[str, str]:
    return {"updatedAt": author.at, "updatedBy": author.name}


def _without_stamps(body: Mapping[str, Any]) -> dict[str, Any]:
    return _without(body, STAMP_KEYS)


def _without(values: Mapping[str, Any], names: AbstractSet[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
