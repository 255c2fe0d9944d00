"""The routes about integrations, which Port's page of data sources shows (Port's API reference, integrations)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.errors import identifier_taken
from portsync.emulator.intake import flag, path_identifier
from portsync.emulator.integration_schema import (
    PATCH_CONFIG,
    PATCH_INTEGRATION,
    PATCH_RESYNC_STATE,
    POST_INTEGRATION,
)
from portsync.emulator.integration_store import INTERNAL
from portsync.emulator.request_schemas import RequestSchema
from portsync.emulator.telemetry_routes import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.entity import Author
    from portsync.emulator.workspace import Workspace

_ORGANIZATION = {"id": "org_local", "name": "local", "featureFlags": []}
_METADATA = (
    "_id", "identifier", "installationId", "title", "version", "installationAppType", "integrationType",
    "installationType", "resyncState", "createdAt", "updatedAt",
)  # fmt: skip


class IntegrationRoutes:
    """Create, read, change and delete integrations, and their resyncs."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._post = RequestSchema(POST_INTEGRATION)
        self._patch = RequestSchema(PATCH_INTEGRATION)
        self._patch_config = RequestSchema(PATCH_CONFIG)
        self._patch_state = RequestSchema(PATCH_RESYNC_STATE)

    def routes(self) -> list[Route]:
        single = "/v1/integration/{integration}"
        return [
            Route("/v1/organization", self.organization, methods=["GET"]),
            Route("/v1/integration", self.create, methods=["POST"]),
            Route("/v1/integration", self.list, methods=["GET"]),
            Route("/v1/integration/provision-enabled", self.provision_enabled, methods=["GET"]),
            Route("/v1/integration/metadata", self.metadata, methods=["GET"]),
            Route(single, self.get, methods=["GET"]),
            Route(single, self.patch, methods=["PATCH"]),
            Route(single, self.delete, methods=["DELETE"]),
            Route(f"{single}/config", self.patch_config, methods=["PATCH"]),
            Route(f"{single}/resync-state", self.patch_state, methods=["PATCH"]),
            Route(f"{single}/resync-request", self.resync_request, methods=["GET"]),
        ]

    async def organization(self, _request: Request) -> Response:
        return answer({"organization": _ORGANIZATION})

    async def provision_enabled(self, _request: Request) -> Response:
        """No integration gets its resources from Port here."""
        return answer({"integrations": []})

    async def create(self, request: Request) -> Response:
        body = self._post.check(await self._workspace.body(request))
        author = self._workspace.author(request)
        with self._workspace.session() as session:
            before = session.integrations.find(body["installationId"])
            if before is not None and not flag(request, "upsert"):
                raise identifier_taken("Integration", body["installationId"])
            after = _changed(before or _created(body["installationId"], author), body, author)
            session.integrations.save(after)
        return answer({"integration": shown(after, request)}, 201 if before is None else 200)

    async def list(self, request: Request) -> Response:
        with self._workspace.snapshot() as session:
            return answer({"integrations": [shown(each, request) for each in session.integrations.all()]})

    async def metadata(self, _request: Request) -> Response:
        """What everybody may see of the integrations: not their configs."""
        with self._workspace.snapshot() as session:
            found = session.integrations.all()
        return answer({"integrations": [{key: each[key] for key in _METADATA if key in each} for each in found]})

    async def get(self, request: Request) -> Response:
        with self._workspace.snapshot() as session:
            found = session.integrations.get(path_identifier(request, "integration"))
        return answer({"integration": shown(found, request)})

    async def patch(self, request: Request) -> Response:
        """A change without content asks for a resync, which is what Port's page does with its button."""
        body = self._patch.check(await self._workspace.body(request))
        return self._change(request, body, asks_for_resync=not body)

    async def patch_config(self, request: Request) -> Response:
        """A new config asks for a resync, unless the request says that it does not."""
        body = self._patch_config.check(await self._workspace.body(request))
        return self._change(request, body, asks_for_resync=request.headers.get("x-skip-resync") != "true")

    async def patch_state(self, request: Request) -> Response:
        body = self._patch_state.check(await self._workspace.body(request))
        author = self._workspace.author(request)
        with self._workspace.session() as session:
            before = session.integrations.get(path_identifier(request, "integration"))
            state = {**before["resyncState"], **body, "updatedAt": author.at}
            after = {**before, "resyncState": state}
            session.integrations.save(after)
        return answer({"integration": shown(after, request)})

    async def resync_request(self, request: Request) -> Response:
        identifier = path_identifier(request, "integration")
        with self._workspace.session() as session:
            session.integrations.get(identifier)
            at = session.integrations.resync_requested_at(identifier)
        return answer({"request": {} if at is None else {"updatedAt": at}})

    async def delete(self, request: Request) -> Response:
        identifier = path_identifier(request, "integration")
        with self._workspace.session() as session:
            session.integrations.get(identifier)
            session.integrations.remove(identifier)
        return answer({})

    def _change(self, request: Request, body: Mapping[str, Any], *, asks_for_resync: bool) -> Response:
        author = self._workspace.author(request)
        identifier = path_identifier(request, "integration")
        with self._workspace.session() as session:
            after = _changed(session.integrations.get(identifier), body, author)
            session.integrations.save(after)
            if asks_for_resync:
                session.integrations.request_resync(identifier, author.at)
        return answer({"integration": shown(after, request)})


def _created(installation_id: str, author: Author) -> dict[str, Any]:
    return {
        "_id": f"{INTERNAL}{installation_id}",
        "_orgId": _ORGANIZATION["id"],
        "identifier": installation_id,
        "installationId": installation_id,
        "installationType": "OnPrem",
        "integrationType": "custom",
        "resyncState": {},
        "createdAt": author.at,
        "createdBy": author.name,
    }


def _changed(before: Mapping[str, Any], body: Mapping[str, Any], author: Author) -> dict[str, Any]:
    return {**before, **body, "updatedAt": author.at, "updatedBy": author.name}
