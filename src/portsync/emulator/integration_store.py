"""Integrations and their examples in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, String, cast, delete, literal, select, update
from sqlalchemy.dialects.sqlite import insert

from portsync.emulator.errors import not_found
from portsync.emulator.tables import CURSORS, EXAMPLES, INTEGRATIONS, LOGS, RESYNCS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INTERNAL = "integration_"
"""What the `_id` of an integration begins with; its installation id follows."""

_EXAMPLE = "example_"
_KEPT = 5
"""So many examples of a kind are kept, the newest."""


class IntegrationStore:
    """The integrations, as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, installation_id: str) -> dict[str, Any] | None:
        """The integration, or None."""
        text = self._connection.execute(
            select(INTEGRATIONS.c.body).where(INTEGRATIONS.c.installation_id == installation_id)
        ).scalar_one_or_none()
        return None if text is None else dict(orjson.loads(text))

    def get(self, installation_id: str) -> dict[str, Any]:
        """The integration; ApiError 404 when there is none."""
        found = self.find(installation_id)
        if found is None:
            raise not_found("Integration", installation_id)
        return found

    def installation_id(self, identifier: str) -> str:
        """Its installation id, by that or by the `_id` of its answers; ApiError 404 when there is none."""
        for name in (identifier, identifier.removeprefix(INTERNAL)):
            if self.find(name) is not None:
                return name
        raise not_found("Integration", identifier)

    def all(self) -> list[dict[str, Any]]:
        rows = self._connection.execute(select(INTEGRATIONS.c.body).order_by(INTEGRATIONS.c.installation_id))
        return [orjson.loads(row.body) for row in rows]

    def save(self, integration: Mapping[str, Any]) -> None:
        """Write a whole integration, over an older one if there is one."""
        body = orjson.dumps(dict(integration)).decode()
        row = {"installation_id": integration["installationId"], "body": body}
        statement = insert(INTEGRATIONS).values(row)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["installation_id"], set_=row))

    def remove(self, installation_id: str) -> None:
        for table in (INTEGRATIONS, EXAMPLES, LOGS, RESYNCS, CURSORS):
            self._connection.execute(delete(table).where(table.c.installation_id == installation_id))

    def request_resync(self, installation_id: str, at: str) -> None:
        """Keep that somebody asked for a resync."""
        is_it = INTEGRATIONS.c.installation_id == installation_id
        self._connection.execute(update(INTEGRATIONS).where(is_it).values(requested_at=at))

    def resync_requested_at(self, installation_id: str) -> str | None:
        """When somebody last asked for a resync, or None."""
        is_it = INTEGRATIONS.c.installation_id == installation_id
        at: str | None = self._connection.execute(select(INTEGRATIONS.c.requested_at).where(is_it)).scalar_one()
        return at

    def add_examples(self, installation_id: str, kind: str, examples: Sequence[Mapping[str, Any]]) -> None:
        """Keep these examples of a kind, and the newest of those before."""
        rows = [
            {"installation_id": installation_id, "kind": kind, "body": orjson.dumps(dict(example)).decode()}
            for example in examples
        ]
        self._connection.execute(insert(EXAMPLES), rows)
        of_kind = (EXAMPLES.c.installation_id == installation_id) & (EXAMPLES.c.kind == kind)
        newest = select(EXAMPLES.c.number).where(of_kind).order_by(EXAMPLES.c.number.desc()).limit(_KEPT)
        self._connection.execute(delete(EXAMPLES).where(of_kind & EXAMPLES.c.number.not_in(newest)))

    def remove_kind(self, installation_id: str, kind: str) -> None:
        """Forget the examples of a kind; ApiError 404 when there are none."""
        of_kind = (EXAMPLES.c.installation_id == installation_id) & (EXAMPLES.c.kind == kind)
        if self._connection.execute(delete(EXAMPLES).where(of_kind)).rowcount == 0:
            raise not_found("Kind", kind)

    def remove_example(self, installation_id: str, kind: str, identifier: str) -> None:
        """Forget one example; ApiError 404 when there is none."""
        is_it = (EXAMPLES.c.installation_id == installation_id) & (EXAMPLES.c.kind == kind)
        named = literal(_EXAMPLE) + cast(EXAMPLES.c.number, String) == identifier
        if self._connection.execute(delete(EXAMPLES).where(is_it & named)).rowcount == 0:
            raise not_found("Example", identifier)

    def examples(self, installation_id: str) -> dict[str, list[dict[str, Any]]]:
        """The examples by kind, each as `{_id, data}`."""
        rows = self._connection.execute(
            select(EXAMPLES).where(EXAMPLES.c.installation_id == installation_id).order_by(EXAMPLES.c.number)
        )
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row.kind, []).append({"_id": f"{_EXAMPLE}{row.number}", "data": orjson.loads(row.body)})
        return found
