"""The routes about integrations, which Port's page of data sources shows (Port's API reference, integrations)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.errors import identifier_taken, invalid_request
from portsync.emulator.intake import flag, path_identifier
from portsync.emulator.integration_schema import (
    MAX_KINDS,
    PATCH_CONFIG,
    PATCH_INTEGRATION,
    PATCH_RESYNC_STATE,
    POST_EXAMPLES,
    POST_INTEGRATION,
)
from portsync.emulator.request_schemas import RequestSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.entity import Author
    from portsync.emulator.workspace import Workspace

_COUNT = re.compile(r"0*[1-9]\d{0,9}", re.ASCII)
_ORGANIZATION = {"id": "org_local", "name": "local", "featureFlags": []}


class IntegrationRoutes:
    """Create, read, change and delete integrations, and what they tell of their resyncs and of their records."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._post = RequestSchema(POST_INTEGRATION)
        self._patch = RequestSchema(PATCH_INTEGRATION)
        self._patch_config = RequestSchema(PATCH_CONFIG)
        self._patch_state = RequestSchema(PATCH_RESYNC_STATE)
        self._post_examples = RequestSchema(POST_EXAMPLES)

    def routes(self) -> list[Route]:
        single = "/v1/integration/{integration}"
        return [
            Route("/v1/organization", self.organization, methods=["GET"]),
            Route("/v1/integration", self.create, methods=["POST"]),
            Route("/v1/integration", self.list, methods=["GET"]),
            Route("/v1/integration/provision-enabled", self.provision_enabled, methods=["GET"]),
            Route(single, self.get, methods=["GET"]),
            Route(single, self.patch, methods=["PATCH"]),
            Route(single, self.delete, methods=["DELETE"]),
            Route(f"{single}/config", self.patch_config, methods=["PATCH"]),
            Route(f"{single}/resync-state", self.patch_state, methods=["PATCH"]),
            Route(f"{single}/resync-request", self.resync_request, methods=["GET"]),
            Route(f"{single}/kinds", self.kinds, methods=["GET"]),
            Route(f"{single}/kinds/{{kind}}/examples", self.add_examples, methods=["POST"]),
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
        return answer({"integration": after}, 201 if before is None else 200)

    async def list(self, _request: Request) -> Response:
        with self._workspace.snapshot() as session:
            return answer({"integrations": session.integrations.all()})

    async def get(self, request: Request) -> Response:
        with self._workspace.snapshot() as session:
            return answer({"integration": session.integrations.get(path_identifier(request, "integration"))})

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
        return answer({"integration": after})

    async def resync_request(self, request: Request) -> Response:
        identifier = path_identifier(request, "integration")
        with self._workspace.session() as session:
            session.integrations.get(identifier)
            at = session.integrations.resync_requested_at(identifier)
        return answer({"request": {} if at is None else {"updatedAt": at}})

    async def kinds(self, request: Request) -> Response:
        number, size = _positive(request, "page", 1), _positive(request, "per_page", MAX_KINDS)
        if size > MAX_KINDS:
            raise invalid_request(f'"querystring.per_page" must be <= {MAX_KINDS}')
        identifier = path_identifier(request, "integration")
        with self._workspace.snapshot() as session:
            session.integrations.get(identifier)
            found = session.integrations.examples(identifier)
        names = sorted(found)[(number - 1) * size : number * size]
        return answer({"data": {name: {"examples": found[name]} for name in names}})

    async def add_examples(self, request: Request) -> Response:
        body = self._post_examples.check(await self._workspace.body(request))
        identifier = path_identifier(request, "integration")
        with self._workspace.session() as session:
            session.integrations.get(identifier)
            session.integrations.add_examples(identifier, path_identifier(request, "kind"), body["examples"])
        return answer({})

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
        return answer({"integration": after})


def _created(installation_id: str, author: Author) -> dict[str, Any]:
    return {
        "_id": f"integration_{installation_id}",
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


def _positive(request: Request, name: str, default: int) -> int:
    """A whole number of the query, 1 or more; ApiError 422 for anything else."""
    text = request.query_params.get(name, str(default))
    if _COUNT.fullmatch(text) is None:
        raise invalid_request(f'"querystring.{name}" must be >= 1')
    return int(text)
