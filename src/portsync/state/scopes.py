"""The short numbers of a catalog's scopes: a scope is one resource's part of one blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portsync.state.tables import ENTITIES, SCOPES

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection

    from portsync.state.rows import EntityRows


class Scopes:
    """Knows them, and makes them as they are needed. Its methods are called within a transaction."""

    def __init__(self, connection: Connection, rows: EntityRows, catalog: int) -> None:
        self._connection = connection
        self._rows = rows
        self._catalog = catalog
        self._known: dict[tuple[str, str], int] = {}

    def read(self) -> None:
        """Learn of all there are, whoever made them."""
        rows = self._connection.execute(select(SCOPES).where(SCOPES.c.catalog == self._catalog))
        self._known = {(row.blueprint, row.resource): row.id for row in rows}

    def of(self, blueprint: str, resource: str) -> int:
        """The scope of this resource's part of the blueprint."""
        key = (blueprint, resource)
        if key not in self._known:
            values = {"catalog": self._catalog, "blueprint": blueprint, "resource": resource}
            self._rows.add_scope(values)
            is_meant = (SCOPES.c[name] == value for name, value in values.items())
            self._known[key] = self._connection.execute(select(SCOPES.c.id).where(*is_meant)).scalar_one()
        return self._known[key]

    def blueprints(self) -> set[str]:
        """Those of which there are scopes."""
        return {blueprint for blueprint, _ in self._known}

    def among(self, blueprint: str, *, but: Collection[str] = ()) -> list[int]:
        """The scopes of a blueprint, but those of some resources."""
        return [scope for (name, resource), scope in self._known.items() if name == blueprint and resource not in but]

    def of_kind(self, blueprint: str, kind: str) -> list[int]:
        """The scopes of a blueprint that belong to resources of this kind."""
        return [s for (name, r), s in self._known.items() if name == blueprint and r.rpartition("#")[0] == kind]

    def rows_of(self, blueprint: str, *, but: Collection[str] = ()) -> ColumnElement[bool]:
        """The condition for rows of the scopes of a blueprint, but those of some resources."""
        return ENTITIES.c.scope.in_(self.among(blueprint, but=but))
