"""Pages in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from portsync.emulator.errors import not_found
from portsync.emulator.tables import PAGES

if TYPE_CHECKING:
    from collections.abc import Mapping


class PageStore:
    """The pages, as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, identifier: str) -> dict[str, Any] | None:
        """The page, or None."""
        text = self._connection.execute(
            select(PAGES.c.body).where(PAGES.c.identifier == identifier)
        ).scalar_one_or_none()
        return None if text is None else dict(orjson.loads(text))

    def get(self, identifier: str) -> dict[str, Any]:
        """The page; ApiError 404 when there is none."""
        found = self.find(identifier)
        if found is None:
            raise not_found("Page", identifier)
        return found

    def all(self) -> list[dict[str, Any]]:
        rows = self._connection.execute(select(PAGES.c.body).order_by(PAGES.c.identifier))
        return [orjson.loads(row.body) for row in rows]

    def save(self, page: Mapping[str, Any]) -> None:
        """Write a whole page, over an older one if there is one."""
        row = {"identifier": page["identifier"], "body": orjson.dumps(dict(page)).decode()}
        statement = insert(PAGES).values(row)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["identifier"], set_=row))

    def remove(self, identifier: str) -> None:
        self._connection.execute(delete(PAGES).where(PAGES.c.identifier == identifier))
