"""Relations printed with the titles of what they point to (`attach_title_to_relation`)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.relation_values import targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.entity import Entity
    from portsync.emulator.entity_store import EntityStore


@dataclass(frozen=True, slots=True)
class AttachedTitles:
    """The titles of what some entities of a blueprint relate to, by relation and identifier."""

    titles: Mapping[str, Mapping[str, str | None]]

    @classmethod
    def of(cls, store: EntityStore, blueprint: Blueprint, entities: Iterable[Entity]) -> AttachedTitles:
        """Look up the titles for these entities."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for entity in entities:
            for name, value in entity.relations.items():
                wanted[blueprint.relations[name].target].update(targets(value))
        titles = {target: store.titles(target, identifiers) for target, identifiers in wanted.items()}
        return cls({name: titles.get(relation.target, {}) for name, relation in blueprint.relations.items()})

    def on(self, printed: Mapping[str, Any]) -> dict[str, Any]:
        """The printed entity with `{identifier, title}` in place of each identifier that a relation holds."""
        relations = {name: self._titled(name, value) for name, value in printed["relations"].items()}
        return {**printed, "relations": relations}

    def _titled(self, name: str, value: Any) -> Any:
        known = self.titles[name]
        if isinstance(value, list):
            return [{"identifier": each, "title": known.get(each)} for each in value]
        return None if value is None else {"identifier": value, "title": known.get(value)}
