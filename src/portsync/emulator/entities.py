"""The upsert of entities: one at a time as far as the caller sees, one batch as far as the database does."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.emulator.entity import Author, Entity, bare
from portsync.emulator.errors import ApiError, identifier_taken, invalid_request, not_found
from portsync.emulator.relation_values import RelationValue, check_required, read_relations, targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.drafts import Draft
    from portsync.emulator.entity_store import EntityStore, Key
    from portsync.emulator.guesses import Guesses
    from portsync.emulator.validation import PropertyValidator


@dataclass(frozen=True, slots=True)
class UpsertOptions:
    """The query parameters of the upsert routes (Port's API reference, create an entity)."""

    upsert: bool = False
    merge: bool = False
    create_missing: bool = False
    validation_only: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An item that went through, and whether it made a new entity."""

    entity: Entity
    created: bool


@dataclass(frozen=True, slots=True)
class _Values:
    """The checked properties and relations an entity will have."""

    properties: dict[str, Any]
    relations: dict[str, RelationValue]


class Batch:
    """Some items for one blueprint.

    Later items see what earlier ones left; `save` then writes all at once.
    """

    def __init__(
        self,
        store: EntityStore,
        blueprint: Blueprint,
        targets_protected: Mapping[str, bool],
        validator: PropertyValidator,
        *,
        options: UpsertOptions,
        author: Author,
        guesses: Guesses,
    ) -> None:
        self._store = store
        self._blueprint = blueprint
        self._protected = targets_protected
        self._validator = validator
        self._options = options
        self._author = author
        self._guesses = guesses
        self._existing: dict[str, Entity] = {}
        self._present: set[Key] = set()
        self._placed: set[str] = set()
        self._pending: dict[Key, Entity] = {}

    def expect(self, drafts: Iterable[Draft]) -> None:
        """Read from the database, in few queries, all that these drafts will be compared with."""
        drafts = list(drafts)
        name = self._blueprint.identifier
        self._existing = self._store.load(name, {draft.identifier for draft in drafts})
        wanted: dict[str, set[str]] = defaultdict(set)
        for draft in drafts:
            for relation, value in draft.relations.items():
                known = self._blueprint.relations.get(relation)
                if known is not None:
                    wanted[known.target].update(_strings(value))
        for target, identifiers in wanted.items():
            self._present.update((target, found) for found in self._store.present(target, identifiers))

    def place(self, draft: Draft) -> Placed:
        """Check one draft and take it into the batch; raises ApiError and leaves the batch as it was."""
        existing = self._current(draft.identifier)
        self._check_identifier(draft, existing)
        before = existing if self._options.merge else None
        properties = self._properties(draft, before)
        sent = read_relations(self._blueprint, draft.relations, self._guesses)
        relations = _merged(before.relations if before else {}, sent)
        check_required(self._blueprint, relations, self._guesses)
        self._check_ownership(draft)
        self._settle_targets(draft.identifier, sent)
        values = _Values(properties, relations)
        entity = _written(draft, existing, before, values, self._author, self._blueprint.identifier)
        self._pending[entity.key] = entity
        self._placed.add(draft.identifier)
        return Placed(entity, created=existing is None)

    def save(self, blueprints: Mapping[str, Blueprint]) -> None:
        """Write the batch; nothing with `validation_only`."""
        if not self._options.validation_only:
            self._store.save(self._pending.values(), blueprints)

    def _current(self, identifier: str) -> Entity | None:
        return self._pending.get((self._blueprint.identifier, identifier)) or self._existing.get(identifier)

    def _check_identifier(self, draft: Draft, existing: Entity | None) -> None:
        if draft.identifier in self._placed and not self._guesses.duplicate_in_batch_allowed:
            raise invalid_request(f'The identifier "{draft.identifier}" occurs more than once')
        if existing is not None and not self._options.upsert:
            raise identifier_taken("Entity", draft.identifier)

    def _properties(self, draft: Draft, before: Entity | None) -> dict[str, Any]:
        sent = self._validator.known(draft.properties)
        properties = _merged(before.properties if before else {}, sent)
        self._validator.check(properties)
        return properties

    def _check_ownership(self, draft: Draft) -> None:
        if draft.team and self._blueprint.inherits_ownership:
            raise ApiError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "inherited_ownership_enabled",
                "The team cannot be set, the blueprint inherits its ownership",
            )

    def _settle_targets(self, identifier: str, sent: Mapping[str, RelationValue | None]) -> None:
        """Make sure every target exists, or make it bare where that is asked for and allowed."""
        missing: list[Key] = []
        for name, value in sent.items():
            target = self._blueprint.relations[name].target
            missing.extend(
                key
                for key in ((target, each) for each in targets(value))
                if key != (self._blueprint.identifier, identifier) and not self._exists(key)
            )
        for target, each in missing:
            # Users and teams are never created in passing (Port's guide on mapping relations).
            if not self._options.create_missing or self._protected.get(target, True):
                raise not_found("Entity", each)
        for target, each in missing:
            self._pending[target, each] = bare(target, each, self._author)

    def _exists(self, key: Key) -> bool:
        return key in self._present or key in self._pending


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _merged(before: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Sent keys over older ones, each as a whole; a null clears."""
    return {name: value for name, value in {**before, **sent}.items() if value is not None}


def _written(
    draft: Draft,
    existing: Entity | None,
    before: Entity | None,
    values: _Values,
    author: Author,
    blueprint: str,
) -> Entity:
    """The entity after the write: the draft over what a merge keeps (`before`), the creation's stamp kept."""
    kept = draft if before is None else before
    return Entity(
        blueprint=blueprint,
        identifier=draft.identifier,
        title=(draft if "title" in draft.sent else kept).title,
        icon=(draft if "icon" in draft.sent else kept).icon,
        team=(draft if "team" in draft.sent else kept).team,
        properties=values.properties,
        relations=values.relations,
        datasource=author.datasource,
        created_at=existing.created_at if existing else author.at,
        created_by=existing.created_by if existing else author.name,
        updated_at=author.at,
        updated_by=author.name,
    )
