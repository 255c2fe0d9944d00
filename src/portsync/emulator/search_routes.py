"""The search routes (Port's API reference, search entities)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.entity_routes import wanted_parts, with_calculated
from portsync.emulator.intake import path_identifier
from portsync.emulator.projection import by_names
from portsync.emulator.query import compile_query
from portsync.emulator.request_schemas import BLUEPRINT_SEARCH, DEFAULT_PAGE, RequestSchema
from portsync.emulator.search import search_all, search_page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace


class SearchRoutes:
    """Search in one blueprint, page by page, or in all of them at once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._search = RequestSchema(BLUEPRINT_SEARCH)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/entities/search", self.everywhere, methods=["POST"]),
            Route("/v1/blueprints/{blueprint}/entities/search", self.in_blueprint, methods=["POST"]),
        ]

    async def everywhere(self, request: Request) -> Response:
        """The body is the query itself; options are query parameters; the answer is not paged."""
        body = await self._workspace.body(request)
        query = compile_query(body, now=self._workspace.clock(), root="body")
        parts = wanted_parts(request)
        with self._workspace.snapshot() as session:
            printers = {
                blueprint.identifier: self._workspace.printer(
                    blueprint, calculated=with_calculated(request), shows=parts.shows_property
                )
                for blueprint in session.blueprints.all()
            }
            found = [
                parts.of(printers[entity.blueprint].print(entity))
                for entity in search_all(session.entities, list(printers), query)
            ]
        return answer({"matchingBlueprints": list(printers), "failedBlueprints": [], "entities": found})

    async def in_blueprint(self, request: Request) -> Response:
        """`next` is there only when another page is."""
        body = self._search.check(await self._workspace.body(request))
        everything = {"combinator": "and", "rules": []}
        query = compile_query(body.get("query", everything), now=self._workspace.clock(), root="query")
        parts = by_names(body.get("include", []), body.get("exclude", []))
        with self._workspace.snapshot() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            page = search_page(
                session.entities,
                blueprint.identifier,
                query,
                limit=body.get("limit", DEFAULT_PAGE),
                mark=body.get("from"),
            )
        printer = self._workspace.printer(blueprint, calculated=with_calculated(request), shows=parts.shows_property)
        found = [parts.of(printer.print(entity)) for entity in page.entities]
        return answer({"entities": found} if page.next is None else {"entities": found, "next": page.next})
