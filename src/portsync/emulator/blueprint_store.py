"""Blueprints in the database."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from portsync.emulator.blueprints import Blueprint, blueprint
from portsync.emulator.errors import not_found
from portsync.emulator.tables import BLUEPRINTS

if TYPE_CHECKING:
    from collections.abc import Mapping


class BlueprintCache:
    """Parsed blueprints by identifier.

    The database stays the authority: an entry counts for its revision only.
    """

    def __init__(self) -> None:
        self._known: dict[str, Blueprint] = {}

    def get(self, identifier: str, revision: str) -> Blueprint | None:
        known = self._known.get(identifier)
        return known if known is not None and known.revision == revision else None

    def put(self, found: Blueprint) -> None:
        self._known[found.identifier] = found


class BlueprintStore:
    """The blueprints, as one transaction sees them."""

    def __init__(self, connection: Connection, cache: BlueprintCache) -> None:
        self._connection = connection
        self._cache = cache

    def find(self, identifier: str) -> Blueprint | None:
        """The blueprint, or None."""
        revision = self._connection.execute(
            select(BLUEPRINTS.c.revision).where(BLUEPRINTS.c.identifier == identifier)
        ).scalar_one_or_none()
        if revision is None:
            return None
        return self._cache.get(identifier, revision) or self._load(identifier, revision)

    def get(self, identifier: str) -> Blueprint:
        """The blueprint; ApiError 404 when there is none."""
        found = self.find(identifier)
        if found is None:
            raise not_found("Blueprint", identifier)
        return found

    def all(self) -> list[Blueprint]:
        rows = self._connection.execute(
            select(BLUEPRINTS.c.identifier, BLUEPRINTS.c.revision).order_by(BLUEPRINTS.c.identifier)
        ).all()
        return [self._cache.get(*row) or self._load(*row) for row in rows]

    def save(self, body: Mapping[str, Any]) -> Blueprint:
        """Write a whole body, over an older one if there is one."""
        row = {
            "identifier": body["identifier"],
            "revision": secrets.token_hex(8),
            "body": orjson.dumps(dict(body)).decode(),
        }
        statement = insert(BLUEPRINTS).values(row)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["identifier"], set_=row))
        return blueprint(body, row["revision"])

    def remove(self, identifier: str) -> None:
        self._connection.execute(delete(BLUEPRINTS).where(BLUEPRINTS.c.identifier == identifier))

    def _load(self, identifier: str, revision: str) -> Blueprint:
        text = self._connection.execute(
            select(BLUEPRINTS.c.body).where(BLUEPRINTS.c.identifier == identifier)
        ).scalar_one()
        found = blueprint(orjson.loads(text), revision)
        self._cache.put(found)
        return found
