"""The routes about how far an integration has read that asks only for what is new (Port's Ocean framework)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert
from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.errors import identifier_taken, invalid_request, not_found
from portsync.emulator.intake import path_identifier
from portsync.emulator.integration_schema import CURSOR
from portsync.emulator.request_schemas import RequestSchema
from portsync.emulator.tables import CURSORS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace

_DIGITS = 15
Key = dict[str, str | int]


class CursorRoutes:
    """One cursor for each kind and position in the mapping."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._schema = RequestSchema(CURSOR)

    def routes(self) -> list[Route]:
        path = "/v1/integration/{integration}/cursor"
        return [
            Route(path, self.get, methods=["GET"]),
            Route(path, self.create, methods=["POST"]),
            Route(path, self.replace, methods=["PUT"]),
        ]

    async def get(self, request: Request) -> Response:
        """`cursor` is null where none was kept yet."""
        key = _key(request)
        with self._workspace.session() as session:
            session.integrations.get(path_identifier(request, "integration"))
            return answer({"cursor": _find(session.connection, key)})

    async def create(self, request: Request) -> Response:
        return await self._keep(request, is_new=True)

    async def replace(self, request: Request) -> Response:
        """ApiError 404 where there is none yet: whoever asks then creates it."""
        return await self._keep(request, is_new=False)

    async def _keep(self, request: Request, *, is_new: bool) -> Response:
        body = self._schema.check(await self._workspace.body(request))
        key = _key(request)
        with self._workspace.session() as session:
            session.integrations.get(path_identifier(request, "integration"))
            if (_find(session.connection, key) is None) != is_new:
                name = f"{key['kind']}, {key['position']}"
                raise identifier_taken("Cursor", name) if is_new else not_found("Cursor", name)
            row = {**key, "body": orjson.dumps(body).decode()}
            statement = insert(CURSORS).values(row)
            names = ["installation_id", "kind", "position"]
            session.connection.execute(statement.on_conflict_do_update(index_elements=names, set_=row))
        return answer({"cursor": body}, 201 if is_new else 200)


def _key(request: Request) -> Key:
    """Which cursor is meant; ApiError 422 where the query does not say it."""
    kind, index = request.query_params.get("kind"), request.query_params.get("index", "0")
    if not kind:
        raise invalid_request("\"querystring\" must have required property 'kind'")
    if not (index.isascii() and index.isdecimal()) or len(index) > _DIGITS:
        raise invalid_request('"querystring.index" must be >= 0')
    return {"installation_id": path_identifier(request, "integration"), "kind": kind, "position": int(index)}


def _find(connection: Connection, key: Key) -> dict[str, Any] | None:
    is_it = [CURSORS.c[name] == value for name, value in key.items()]
    text = connection.execute(select(CURSORS.c.body).where(*is_it)).scalar_one_or_none()
    return None if text is None else dict(orjson.loads(text))
