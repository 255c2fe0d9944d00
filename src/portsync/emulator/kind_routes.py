"""The routes about the raw records that integrations show of each kind (Port's API reference, integrations)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.intake import path_identifier, positive
from portsync.emulator.integration_schema import MAX_KINDS, POST_EXAMPLES
from portsync.emulator.request_schemas import RequestSchema

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace


class KindRoutes:
    """The kinds of an integration, each with its newest examples."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._post = RequestSchema(POST_EXAMPLES)

    def routes(self) -> list[Route]:
        kinds = "/v1/integration/{integration}/kinds"
        return [
            Route(kinds, self.list, methods=["GET"]),
            Route(f"{kinds}/{{kind}}", self.remove, methods=["DELETE"]),
            Route(f"{kinds}/{{kind}}/examples", self.add_examples, methods=["POST"]),
            Route(f"{kinds}/{{kind}}/examples/{{example}}", self.remove_example, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """The kinds in the order of their names, page by page."""
        number, size = positive(request, "page", 1), positive(request, "per_page", MAX_KINDS, MAX_KINDS)
        identifier = path_identifier(request, "integration")
        with self._workspace.session() as session:
            session.integrations.get(identifier)
            found = session.integrations.examples(identifier)
        names = sorted(found)[(number - 1) * size : number * size]
        return answer({"data": {name: {"examples": found[name]} for name in names}})

    async def add_examples(self, request: Request) -> Response:
        body = self._post.check(await self._workspace.body(request))
        identifier = path_identifier(request, "integration")
        with self._workspace.session() as session:
            session.integrations.get(identifier)
            session.integrations.add_examples(identifier, path_identifier(request, "kind"), body["examples"])
        return answer({})

    async def remove(self, request: Request) -> Response:
        identifier = path_identifier(request, "integration")
        with self._workspace.session() as session:
            session.integrations.get(identifier)
            session.integrations.remove_kind(identifier, path_identifier(request, "kind"))
        return answer({})

    async def remove_example(self, request: Request) -> Response:
        identifier, kind = path_identifier(request, "integration"), path_identifier(request, "kind")
        with self._workspace.session() as session:
            session.integrations.get(identifier)
            session.integrations.remove_example(identifier, kind, path_identifier(request, "example"))
        return answer({})
