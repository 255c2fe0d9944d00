"""Searches in place of identifiers: an upsert may name its entity, and those that it relates to, by a query (Port's
guide on mapping relations)."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from portsync.emulator.errors import ApiError, not_found
from portsync.emulator.search import search_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portsync.emulator.blueprints import Blueprint, Relation
    from portsync.emulator.drafts import Draft
    from portsync.emulator.entity_store import EntityStore
    from portsync.emulator.query import Query


class Searches:
    """Finds what the drafts of one blueprint name by queries."""

    def __init__(self, store: EntityStore, blueprint: Blueprint, compiled: Callable[[object, str], Query]) -> None:
        """`compiled` compiles a query that stands at the place it is told."""
        self._store = store
        self._blueprint = blueprint
        self._compiled = compiled

    def resolved(self, draft: Draft) -> Draft:
        """The draft with identifiers in place of its queries. ApiError 404 where one that has to find a single entity
        finds none or several, 422 where a query is wrong."""
        if draft.search is None and not any(isinstance(value, dict) for value in draft.relations.values()):
            return draft
        identifier = draft.identifier
        if draft.search is not None:
            (identifier,) = self._found(self._blueprint.identifier, draft.search, root="identifier", many=False)
        relations = {
            name: self._related(name, value, self._blueprint.relations) if isinstance(value, dict) else value
            for name, value in draft.relations.items()
        }
        return replace(draft, identifier=identifier, search=None, relations=relations)

    def _related(self, name: str, query: object, relations: Mapping[str, Relation]) -> str | list[str]:
        relation = relations.get(name)
        if relation is None:
            raise not_found("Relation", name)
        found = self._found(relation.target, query, root=f"relations.{name}", many=relation.many)
        return found if relation.many else found[0]

    def _found(self, blueprint: str, query: object, *, root: str, many: bool) -> list[str]:
        matches = search_all(self._store, [blueprint], self._compiled(query, root))
        found = [entity.identifier for entity in (matches if many else islice(matches, 2))]
        if len(found) != 1 and not many:
            raise ApiError(
                HTTPStatus.NOT_FOUND, "not_found", f'The search in "{root}" does not match exactly one entity'
            )
        return found
