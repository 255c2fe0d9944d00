"""The search routes (Port's API reference, search entities)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.computed.computing import names_in
from portsync.emulator.entity_routes import wanted_parts, with_computed, with_titles
from portsync.emulator.grouping import counted, group_reading
from portsync.emulator.intake import path_identifier
from portsync.emulator.projection import by_names
from portsync.emulator.request_schemas import BLUEPRINT_SEARCH, DEFAULT_PAGE, GROUP, RequestSchema
from portsync.emulator.search import search_all, search_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.entity import Entity
    from portsync.emulator.projection import Projection
    from portsync.emulator.query import Query
    from portsync.emulator.reading import Reading
    from portsync.emulator.search import Matching
    from portsync.emulator.workspace import Session, Workspace


class SearchRoutes:
    """Search in one blueprint, page by page, or in all of them at once. A search may take seconds, so it runs in a
    thread, and other requests are served meanwhile."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._search = RequestSchema(BLUEPRINT_SEARCH)
        self._group = RequestSchema(GROUP)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/entities/search", self.everywhere, methods=["POST"]),
            Route("/v1/entities/group", self.grouped, methods=["POST"]),
            Route("/v1/blueprints/{blueprint}/entities/search", self.in_blueprint, methods=["POST"]),
        ]

    async def everywhere(self, request: Request) -> Response:
        """The body is the query itself; options are query parameters; the answer is not paged."""
        body = await self._workspace.body(request)
        readings = await run_in_threadpool(self._everywhere, request, body)
        parts = wanted_parts(request)
        found = [parts.of(printed) for reading in readings.values() for printed in await reading.shown()]
        return answer({"matchingBlueprints": list(readings), "failedBlueprints": [], "entities": found})

    def _everywhere(self, request: Request, body: object) -> dict[str, Reading]:
        parts = wanted_parts(request)
        with self._workspace.snapshot() as session:
            query = self._workspace.query(session, body, root="body")
            blueprints = {blueprint.identifier: blueprint for blueprint in session.blueprints.all()}
            matches = search_all(session.entities, list(blueprints), query, self._matching(session, query, body))
            return {
                name: self._workspace.reading(
                    session,
                    blueprints[name],
                    list(some),
                    computed=with_computed(request),
                    shows=parts.shows_property,
                    titled=with_titles(request),
                )
                for name, some in groupby(matches, lambda entity: entity.blueprint)
            }

    async def in_blueprint(self, request: Request) -> Response:
        """`next` is there only when another page is."""
        body = self._search.check(await self._workspace.body(request))
        parts = by_names(body.get("include", []), body.get("exclude", []))
        reading, mark = await run_in_threadpool(self._in_blueprint, request, body, parts)
        found = [parts.of(printed) for printed in await reading.shown()]
        return answer({"entities": found} if mark is None else {"entities": found, "next": mark})

    def _in_blueprint(self, request: Request, body: Mapping[str, Any], parts: Projection) -> tuple[Reading, str | None]:
        everything = {"combinator": "and", "rules": []}
        with self._workspace.snapshot() as session:
            query = self._workspace.query(session, body.get("query", everything), root="query", within_blueprint=True)
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            page = search_page(
                session.entities,
                blueprint.identifier,
                query,
                limit=int(body.get("limit", DEFAULT_PAGE)),  # 10.0 is an integer in JSON Schema
                mark=body.get("from"),
                matching=self._matching(session, query, body.get("query")),
            )
            reading = self._workspace.reading(
                session, blueprint, page.entities, computed=with_computed(request), shows=parts.shows_property
            )
        return reading, page.next

    async def grouped(self, request: Request) -> Response:
        """How many matches have each value of the property `groupBy`, over all blueprints."""
        body = self._group.check(await self._workspace.body(request))
        groups = await run_in_threadpool(self._grouped, body)
        most = self._workspace.guesses.most_groups
        return answer({"groups": groups[:most], "hasMoreGroups": len(groups) > most})

    def _grouped(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        name = body["groupBy"]
        read = group_reading(name)
        with self._workspace.snapshot() as session:
            query = self._workspace.query(session, body["query"], root="query")
            names = [blueprint.identifier for blueprint in session.blueprints.all()]
            found = search_all(session.entities, names, query, self._matching(session, query, body["query"]))
            computing = self._workspace.computing(session)
            return counted(
                (
                    entity
                    for blueprint, some in groupby(found, lambda entity: entity.blueprint)
                    for entity in computing.whole(session.blueprints.get(blueprint), list(some), {name})
                ),
                read,
            )

    def _matching(self, session: Session, query: Query, body: object) -> Matching:
        """Finds the matches of a query which may read computed properties."""
        queried = names_in(body)
        computing = self._workspace.computing(session)

        def matching(blueprint: str, entities: Iterable[Entity]) -> Iterator[Entity]:
            return computing.matching(session.blueprints.get(blueprint), entities, query.matches, queried)

        return matching
