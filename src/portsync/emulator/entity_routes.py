"""The routes about single entities, the list and the count (Port's API reference, entities)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.bulk_routes import upsert_options
from portsync.emulator.deletion import delete_one
from portsync.emulator.entities import Placed, UpsertOptions
from portsync.emulator.errors import invalid_request, not_found
from portsync.emulator.intake import flag, path_identifier
from portsync.emulator.projection import Projection, by_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.drafts import Draft
    from portsync.emulator.entity import Entity
    from portsync.emulator.reading import Reading
    from portsync.emulator.workspace import Session, Workspace


def wanted_parts(request: Request) -> Projection:
    """The repeated `include` and `exclude` parameters of the reading routes."""
    query = request.query_params
    return by_paths(query.getlist("include"), query.getlist("exclude"))


def with_computed(request: Request) -> bool:
    """Whether a read shows computed values; it does unless told otherwise."""
    return not flag(request, "exclude_calculated_properties")


def with_titles(request: Request) -> bool:
    """Whether a read shows the titles of what relations point to."""
    return flag(request, "attach_title_to_relation")


class EntityRoutes:
    """Create, read, replace, change and delete one entity; list and count those of a blueprint."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def routes(self) -> list[Route]:
        collection = "/v1/blueprints/{blueprint}/entities"
        single = collection + "/{entity}"
        return [
            Route(collection, self.list, methods=["GET"]),
            Route(collection, self.create, methods=["POST"]),
            Route("/v1/blueprints/{blueprint}/entities-count", self.count, methods=["GET"]),
            Route(single, self.get, methods=["GET"]),
            Route(single, self.put, methods=["PUT"]),
            Route(single, self.patch, methods=["PATCH"]),
            Route(single, self.delete, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        parts = wanted_parts(request)
        with self._workspace.snapshot() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            found = list(session.entities.scan(blueprint.identifier))
            reading = self._reading(request, session, blueprint, found, parts)
        return answer({"entities": [parts.of(printed) for printed in await reading.shown()]})

    async def count(self, request: Request) -> Response:
        with self._workspace.snapshot() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            return answer({"count": session.entities.count(blueprint.identifier)})

    async def get(self, request: Request) -> Response:
        identifier = path_identifier(request, "entity")
        with self._workspace.snapshot() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            found = list(session.entities.load(blueprint.identifier, [identifier]).values())
            if not found:
                raise not_found("Entity", identifier)
            parts = wanted_parts(request)
            reading = self._reading(request, session, blueprint, found, parts)
        (printed,) = await reading.shown()
        return answer({"entity": parts.of(printed)})

    async def create(self, request: Request) -> Response:
        options = upsert_options(request)
        draft = self._draft(await self._workspace.body(request))
        return await self._write(request, draft, options, must_exist=False)

    async def put(self, request: Request) -> Response:
        identifier = path_identifier(request, "entity")
        body = await self._workspace.body(request)
        if isinstance(body, dict) and body.setdefault("identifier", identifier) != identifier:
            raise invalid_request('"body.identifier" must be the identifier in the path')
        return await self._write(request, self._draft(body), _overwrite(request, merge=False), must_exist=True)

    async def patch(self, request: Request) -> Response:
        body = await self._workspace.body(request)
        draft = self._workspace.drafts.read_patch(body, path_identifier(request, "entity"))
        return await self._write(request, draft, _overwrite(request, merge=True), must_exist=True)

    async def delete(self, request: Request) -> Response:
        with_dependents = flag(request, "delete_dependents")
        with self._workspace.session() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            delete_one(
                session.entities,
                blueprint.identifier,
                path_identifier(request, "entity"),
                with_dependents=with_dependents,
            )
        return answer({})

    def _reading(
        self, request: Request, session: Session, blueprint: Blueprint, found: Sequence[Entity], parts: Projection
    ) -> Reading:
        return self._workspace.reading(
            session,
            blueprint,
            found,
            computed=with_computed(request),
            shows=parts.shows_property,
            titled=with_titles(request),
        )

    def _draft(self, body: object) -> Draft:
        if not isinstance(body, dict):
            raise invalid_request('"body" must be object')
        return self._workspace.drafts.read(body)

    async def _write(self, request: Request, draft: Draft, options: UpsertOptions, *, must_exist: bool) -> Response:
        with self._workspace.session() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            draft = self._workspace.searches(session, blueprint).resolved(draft)
            if must_exist and not session.entities.present(blueprint.identifier, [draft.identifier]):
                raise not_found("Entity", draft.identifier)
            batch = self._workspace.batch(session, blueprint, options, self._workspace.author(request))
            batch.expect([draft])
            placed = batch.place(draft)
            batch.save({blueprint.identifier: blueprint})
            reading = self._workspace.reading(session, blueprint, [placed.entity])
        (printed,) = await reading.shown()
        return answer({"entity": printed}, _status(placed))


def _status(placed: Placed) -> int:
    return HTTPStatus.CREATED if placed.created else HTTPStatus.OK


def _overwrite(request: Request, *, merge: bool) -> UpsertOptions:
    return UpsertOptions(upsert=True, merge=merge, create_missing=flag(request, "create_missing_related_entities"))
