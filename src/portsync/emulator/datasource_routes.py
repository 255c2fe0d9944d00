"""The route by which Port's Ocean framework finds what it wrote before, to delete what is gone from its source.

It is not in Port's API reference; its form is that of Ocean's `clients/port/mixins/entities.py`.
"""

from __future__ import annotations

import base64
import binascii
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, func, select, tuple_
from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.errors import invalid_request
from portsync.emulator.instants import parse_date_time, stamp
from portsync.emulator.request_schemas import RequestSchema
from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace

_MOST = 5000
_BODY: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "datasource_prefix": {"type": "string"},
            "datasource_suffix": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": _MOST},
            "before": {"type": "string", "format": "date-time"},
            "from": {"type": "string"},
        },
        "required": ["datasource_prefix", "datasource_suffix"],
    }
)


class DatasourceRoutes:
    """The entities of whoever wrote them, whatever their blueprint."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._schema = RequestSchema(_BODY)

    def routes(self) -> list[Route]:
        return [Route("/v1/blueprints/entities/datasource-entities", self.find, methods=["POST"])]

    async def find(self, request: Request) -> Response:
        """`next` is there only when another page is. With `before`, only what was written last before that moment."""
        body = self._schema.check(await self._workspace.body(request))
        limit = body.get("limit", _MOST)
        rows = select(ENTITIES.c.blueprint, ENTITIES.c.identifier).where(*_conditions(body))
        rows = rows.order_by(ENTITIES.c.blueprint, ENTITIES.c.identifier).limit(limit + 1)
        with self._workspace.session() as session:
            keys = [(row.blueprint, row.identifier) for row in session.connection.execute(rows)]
            found: list[dict[str, Any]] = []
            for name in sorted({blueprint for blueprint, _ in keys[:limit]}):
                wanted = [identifier for blueprint, identifier in keys[:limit] if blueprint == name]
                loaded = session.entities.load(name, wanted)
                entities = [loaded[identifier] for identifier in wanted]
                blueprint = session.blueprints.get(name)
                found += self._workspace.reading(session, blueprint, entities, computed=False).printed()
        mark = {"next": _mark(keys[limit - 1])} if len(keys) > limit else {}
        return answer({"entities": found, **mark})


def _conditions(body: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    prefix, suffix = body["datasource_prefix"], body["datasource_suffix"]
    # Not LIKE, which takes A for a.
    conditions: list[ColumnElement[bool]] = [func.substr(ENTITIES.c.datasource, 1, len(prefix)) == prefix]
    if suffix:
        conditions.append(func.substr(ENTITIES.c.datasource, -len(suffix)) == suffix)
    before = parse_date_time(body["before"]) if "before" in body else None
    if before is not None:
        conditions.append(ENTITIES.c.updated_at < stamp(before.timestamp()))
    if "from" in body:
        conditions.append(tuple_(ENTITIES.c.blueprint, ENTITIES.c.identifier) > tuple_(*_read_mark(body["from"])))
    return conditions


def _mark(key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode()


def _read_mark(mark: str) -> tuple[str, str]:
    try:
        match orjson.loads(base64.b64decode(mark.encode(), altchars=b"-_", validate=True)):
            case [str() as blueprint, str() as identifier]:
                return blueprint, identifier
    except (binascii.Error, UnicodeEncodeError, orjson.JSONDecodeError):
        pass
    raise invalid_request('"body.from" must be the "next" of an earlier page')
