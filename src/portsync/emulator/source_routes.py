"""The routes about whose entities are whose, which Port's own framework calls and no documentation shows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.entity_sources import EntitySources
from portsync.emulator.instants import floor_stamp, parse_date_time
from portsync.emulator.intake import path_identifier
from portsync.emulator.marks import mark_of, read_mark
from portsync.emulator.request_schemas import DATASOURCE_CHANGE, DATASOURCE_ENTITIES, DEFAULT_SOURCE_PAGE, RequestSchema

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace

_MILLISECOND = timedelta(milliseconds=1)


class SourceRoutes:
    """Find the entities of a writer, and hand entities over to another."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._find = RequestSchema(DATASOURCE_ENTITIES)
        self._change = RequestSchema(DATASOURCE_CHANGE)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/blueprints/entities/datasource-entities", self.entities, methods=["POST"]),
            Route("/v1/blueprints/{blueprint}/datasource/bulk", self.change, methods=["PATCH"]),
        ]

    async def entities(self, request: Request) -> Response:
        """In all blueprints, page by page; `next` is there only when another page is."""
        body = self._find.check(await self._workspace.body(request))
        limit = body.get("limit", DEFAULT_SOURCE_PAGE)
        after = read_mark(body["from"], parts=2) if "from" in body else ("", "")
        with self._workspace.snapshot() as session:
            found = EntitySources(session.connection).written_by(
                body["datasource_prefix"],
                body["datasource_suffix"],
                before=_before(body.get("before")),
                after=(after[0], after[1]),
                limit=limit + 1,
            )
        if len(found) <= limit:
            return answer({"entities": found})
        last = found[limit - 1]
        return answer({"entities": found[:limit], "next": mark_of(last["blueprint"], last["identifier"])})

    async def change(self, request: Request) -> Response:
        body = self._change.check(await self._workspace.body(request))
        with self._workspace.session() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            sources = EntitySources(session.connection)
            sources.hand_over(blueprint.identifier, body["entitiesIdentifiers"], body["datasource"])
        return answer({})


def _before(text: str | None) -> str | None:
    """The first of Port's own times that is not before this moment: what was written earlier has an earlier one."""
    moment = None if text is None else parse_date_time(text)
    if moment is None:
        return None
    exact = moment.microsecond % 1000 == 0
    return floor_stamp(moment if exact else moment + _MILLISECOND)
