"""The search routes (Port's API reference, search entities)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.attached_titles import with_titles
from portsync.emulator.entity_routes import wanted_parts, with_calculated
from portsync.emulator.grouping import counted, group_reading
from portsync.emulator.intake import flag, path_identifier
from portsync.emulator.projection import by_names
from portsync.emulator.request_schemas import BLUEPRINT_SEARCH, DEFAULT_PAGE, GROUP, RequestSchema
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
        parts, titled = wanted_parts(request), flag(request, "attach_title_to_relation")
        with self._workspace.session() as session:
            query = self._workspace.query(session, body, root="body")
            blueprints = {blueprint.identifier: blueprint for blueprint in session.blueprints.all()}
            printers = {
                name: self._workspace.printer(blueprint, calculated=with_calculated(request))
                for name, blueprint in blueprints.items()
            }
            found = [
                printers[entity.blueprint].print(entity)
                for entity in search_all(session.entities, list(blueprints), query)
            ]
            shown = with_titles(session.entities, blueprints, found) if titled else found
        matching = list(dict.fromkeys(entity["blueprint"] for entity in found))
        return answer(
            {"matchingBlueprints": matching, "failedBlueprints": [], "entities": [parts.of(each) for each in shown]}
        )

    async def in_blueprint(self, request: Request) -> Response:
        """`next` is there only when another page is."""
        body = self._search.check(await self._workspace.body(request))
        everything = {"combinator": "and", "rules": []}
        parts = by_names(body.get("include", []), body.get("exclude", []))
        with self._workspace.session() as session:
            query = self._workspace.query(session, body.get("query", everything), root="query", within_blueprint=True)
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            page = search_page(
                session.entities,
                blueprint.identifier,
                query,
                limit=body.get("limit", DEFAULT_PAGE),
                mark=body.get("from"),
            )
        printer = self._workspace.printer(blueprint, calculated=with_calculated(request))
        found = [parts.of(printer.print(entity)) for entity in page.entities]
        return answer({"entities": found} if page.next is None else {"entities": found, "next": page.next})

    async def grouped(self, request: Request) -> Response:
        """How many matches have each value of the property `groupBy`, over all blueprints."""
        body = self._group.check(await self._workspace.body(request))
        read = group_reading(body["groupBy"])
        with self._workspace.session() as session:
            query = self._workspace.query(session, body["query"], root="query")
            names = [blueprint.identifier for blueprint in session.blueprints.all()]
            groups = counted(search_all(session.entities, names, query), read)
        most = self._workspace.guesses.most_groups
        return answer({"groups": groups[:most], "hasMoreGroups": len(groups) > most})
