"""The routes about blueprints (Port's API reference, blueprints)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.blueprint_schema import PATCH_BLUEPRINT, POST_BLUEPRINT, PUT_BLUEPRINT
from portsync.emulator.intake import path_identifier
from portsync.emulator.request_schemas import RequestSchema

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace


class BlueprintRoutes:
    """Create, read, replace, change and delete blueprints."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._post = RequestSchema(POST_BLUEPRINT)
        self._put = RequestSchema(PUT_BLUEPRINT)
        self._patch = RequestSchema(PATCH_BLUEPRINT)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/blueprints", self.create, methods=["POST"]),
            Route("/v1/blueprints", self.list, methods=["GET"]),
            Route("/v1/blueprints/{blueprint}", self.get, methods=["GET"]),
            Route("/v1/blueprints/{blueprint}", self.put, methods=["PUT"]),
            Route("/v1/blueprints/{blueprint}", self.patch, methods=["PATCH"]),
            Route("/v1/blueprints/{blueprint}", self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        body = self._post.check(await self._workspace.body(request))
        with self._workspace.session() as session:
            created = session.catalog.create(body, self._workspace.author(request))
        return answer({"blueprint": created.body}, 201)

    async def list(self, _request: Request) -> Response:
        with self._workspace.snapshot() as session:
            return answer({"blueprints": [found.body for found in session.blueprints.all()]})

    async def get(self, request: Request) -> Response:
        with self._workspace.snapshot() as session:
            return answer({"blueprint": session.blueprints.get(path_identifier(request, "blueprint")).body})

    async def put(self, request: Request) -> Response:
        body = self._put.check(await self._workspace.body(request))
        with self._workspace.session() as session:
            changed = session.catalog.replace(
                path_identifier(request, "blueprint"), body, self._workspace.author(request)
            )
        return answer({"blueprint": changed.body})

    async def patch(self, request: Request) -> Response:
        body = self._patch.check(await self._workspace.body(request))
        with self._workspace.session() as session:
            changed = session.catalog.patch(
                path_identifier(request, "blueprint"), body, self._workspace.author(request)
            )
        return answer({"blueprint": changed.body})

    async def delete(self, request: Request) -> Response:
        with self._workspace.session() as session:
            session.catalog.delete(path_identifier(request, "blueprint"))
        return answer({})
