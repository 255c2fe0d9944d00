"""Migrations, as Port calls changes of many entities that go on after the request that started them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from portsync.emulator.errors import not_found
from portsync.emulator.tables import MIGRATIONS

if TYPE_CHECKING:
    from portsync.emulator.entity import Author


class MigrationStore:
    """The migrations, as one transaction sees them. Here each is over before its request is answered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def completed(self, blueprint: str, author: Author) -> str:
        """Keep a migration of this blueprint that is done; gives its identifier."""
        identifier = secrets.token_hex(8)
        row = {"identifier": identifier, "blueprint": blueprint, "actor": author.name, "at": author.at}
        self._connection.execute(insert(MIGRATIONS).values(row))
        return identifier

    def get(self, identifier: str) -> dict[str, object]:
        """The migration as an answer prints it; ApiError 404 where there is none."""
        row = self._connection.execute(select(MIGRATIONS).where(MIGRATIONS.c.identifier == identifier)).one_or_none()
        if row is None:
            raise not_found("Migration", identifier)
        return {
            "id": row.identifier,
            "actor": row.actor,
            "sourceBlueprint": row.blueprint,
            "mapping": {},
            "status": "COMPLETED",
            "createdAt": row.at,
            "updatedAt": row.at,
        }
