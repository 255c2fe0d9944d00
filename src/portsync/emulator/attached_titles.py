"""Relations printed with the titles of what they point to (`attach_title_to_relation`)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from portsync.emulator.relation_values import targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.entity_store import EntityStore


def with_titles(
    store: EntityStore, blueprints: Mapping[str, Blueprint], printed: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The printed entities with `{identifier, title}` in place of each identifier that a relation holds; `blueprints`
    has those of the entities."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for entity in printed:
        known = blueprints[entity["blueprint"]].relations
        for name, value in entity["relations"].items():
            wanted[known[name].target].update(targets(value))
    titles = {blueprint: store.titles(blueprint, identifiers) for blueprint, identifiers in wanted.items()}
    return [{**entity, "relations": _titled(entity, blueprints[entity["blueprint"]], titles)} for entity in printed]


def _titled(
    entity: Mapping[str, Any], blueprint: Blueprint, titles: Mapping[str, Mapping[str, str | None]]
) -> dict[str, Any]:
    def of(name: str, value: Any) -> Any:
        known = titles[blueprint.relations[name].target]
        if isinstance(value, list):
            return [{"identifier": each, "title": known.get(each)} for each in value]
        return None if value is None else {"identifier": value, "title": known.get(value)}

    return {name: of(name, value) for name, value in entity["relations"].items()}
