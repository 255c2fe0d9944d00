"""The deletion of entities, with or without what depends on them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from portsync.emulator.errors import has_dependents, not_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.emulator.entity_store import EntityStore, Key
    from portsync.emulator.guesses import Guesses


def delete_one(store: EntityStore, blueprint: str, identifier: str, *, with_dependents: bool) -> None:
    """Delete one entity; ApiError 404 when it is not there, 403 has_dependents when others relate to it."""
    if not store.present(blueprint, [identifier]):
        raise not_found("Entity", identifier)
    if not with_dependents and store.dependents(blueprint, [identifier]):
        raise has_dependents(f'Entity "{identifier}"')
    store.remove(_closure(store, {(blueprint, identifier)}))


def delete_batch(
    store: EntityStore, blueprint: str, identifiers: Sequence[str], *, with_dependents: bool, guesses: Guesses
) -> list[str]:
    """Delete those of the entities that exist and give their identifiers, in the order they were sent.

    Raises ApiError 403 has_dependents and deletes nothing when a single one has dependents (Port's API
    reference, delete multiple entities).
    """
    present = store.present(blueprint, identifiers)
    keys = {(blueprint, identifier) for identifier in present}
    if not with_dependents:
        dependents = store.dependents(blueprint, present)
        if not guesses.dependents_inside_batch_block:
            dependents -= keys
        if dependents:
            raise has_dependents("At least one of the entities")
    store.remove(_closure(store, keys) if with_dependents else keys)
    return [identifier for identifier in dict.fromkeys(identifiers) if identifier in present]


def _closure(store: EntityStore, keys: set[Key]) -> set[Key]:
    """The keys and all that depends on them, over any number of steps."""
    found = set(keys)
    fresh = set(keys)
    while fresh:
        by_blueprint: dict[str, list[str]] = defaultdict(list)
        for blueprint, identifier in fresh:
            by_blueprint[blueprint].append(identifier)
        reached: set[Key] = set()
        for blueprint, identifiers in by_blueprint.items():
            reached |= store.dependents(blueprint, identifiers)
        fresh = reached - found
        found |= fresh
    return found
