"""The routes that change many entities in the background (Port's API reference, delete all entities; migrations)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.clearing import clear
from portsync.emulator.intake import flag, path_identifier
from portsync.emulator.migration_store import MigrationStore

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace


class MigrationRoutes:
    """Delete all entities of a blueprint, and see how far that is."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def routes(self) -> list[Route]:
        return [
            Route("/v1/blueprints/{blueprint}/all-entities", self.delete_all, methods=["DELETE"]),
            Route("/v1/migrations/{migration}", self.get, methods=["GET"]),
        ]

    async def delete_all(self, request: Request) -> Response:
        with_blueprint = flag(request, "delete_blueprint")
        with self._workspace.session() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            clear(session.entities, session.blueprints, blueprint)
            if with_blueprint:
                session.catalog.delete(blueprint.identifier)
            author = self._workspace.author(request)
            migration = MigrationStore(session.connection).completed(blueprint.identifier, author)
        return answer({"migrationId": migration})

    async def get(self, request: Request) -> Response:
        with self._workspace.snapshot() as session:
            found = MigrationStore(session.connection).get(path_identifier(request, "migration"))
        return answer({"migration": found})
