"""The routes about pages (Port's API reference, pages)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.errors import ApiError, conflict
from portsync.emulator.intake import path_identifier
from portsync.emulator.page_schema import PATCH_PAGE, POST_PAGE
from portsync.emulator.request_schemas import RequestSchema
from portsync.emulator.widget_schemas import DASHBOARD
from portsync.emulator.widgets import WidgetCheck

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.entity import Author
    from portsync.emulator.page_store import PageStore
    from portsync.emulator.workspace import Workspace

_DEFAULTS = {"showInSidebar": True, "requiredQueryParams": [], "widgets": []}


class PageRoutes:
    """Create, read, change and delete pages."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._post = RequestSchema(POST_PAGE)
        self._patch = RequestSchema(PATCH_PAGE)
        self._widgets = WidgetCheck(workspace.guesses)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/pages", self.create, methods=["POST"]),
            Route("/v1/pages", self.list, methods=["GET"]),
            Route("/v1/pages/{page}", self.get, methods=["GET"]),
            Route("/v1/pages/{page}", self.patch, methods=["PATCH"]),
            Route("/v1/pages/{page}", self.replace, methods=["PUT"]),
            Route("/v1/pages/{page}", self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """The answer names the page and does not repeat it."""
        body = self._post.check(await self._workspace.body(request))
        self._widgets.check(body.get("widgets", []))
        author = self._workspace.author(request)
        with self._workspace.session() as session:
            if session.pages.find(body["identifier"]) is not None:
                raise conflict(f'Page with identifier "{body["identifier"]}" already exists')
            _check_position(body, session.pages)
            created = {"createdAt": author.at, "createdBy": author.name}
            session.pages.save(stamped({**_DEFAULTS, **body, **created}, author))
        return answer({"identifier": body["identifier"]}, 201)

    async def list(self, _request: Request) -> Response:
        with self._workspace.snapshot() as session:
            return answer({"pages": session.pages.all()})

    async def get(self, request: Request) -> Response:
        with self._workspace.snapshot() as session:
            return answer({"page": session.pages.get(path_identifier(request, "page"))})

    async def patch(self, request: Request) -> Response:
        body = self._patch.check(await self._workspace.body(request))
        self._widgets.check(body.get("widgets", []))
        identifier = path_identifier(request, "page")
        with self._workspace.session() as session:
            before = session.pages.get(identifier)
            after = {**before, **body}
            if after["identifier"] != identifier:
                if session.pages.find(after["identifier"]) is not None:
                    raise conflict(f'Page with identifier "{after["identifier"]}" already exists')
                session.pages.remove(identifier)
            _check_position(body, session.pages)
            session.pages.save(stamped(after, self._workspace.author(request)))
        return answer({"identifier": after["identifier"]})

    async def replace(self, request: Request) -> Response:
        """The page with a new body; who made it, and when, stays."""
        body = self._post.check(await self._workspace.body(request))
        self._widgets.check(body.get("widgets", []))
        identifier = path_identifier(request, "page")
        author = self._workspace.author(request)
        with self._workspace.session() as session:
            before = session.pages.get(identifier)
            if body["identifier"] != identifier:
                raise conflict(f'Page "{identifier}" cannot become "{body["identifier"]}"')
            _check_position(body, session.pages)
            created = {key: before[key] for key in ("createdAt", "createdBy")}
            after = stamped({**_DEFAULTS, **body, **created}, author)
            session.pages.save(after)
        return answer({"identifier": identifier, "page": after})

    async def delete(self, request: Request) -> Response:
        identifier = path_identifier(request, "page")
        with self._workspace.session() as session:
            session.pages.get(identifier)
            session.pages.remove(identifier)
        return answer({})


def _check_position(body: Mapping[str, Any], pages: PageStore) -> None:
    """ApiError 404 for a neighbour that does not exist. There are no folders here, so every `parent` is missing."""
    for key in ("parent", "after"):
        name = body.get(key)
        if name is not None and (key == "parent" or pages.find(name) is None):
            message = f'Sidebar item with {key} "{name}" was not found'
            raise ApiError(HTTPStatus.NOT_FOUND, "not_found", message, {"resource": "SidebarItem", "with": name})


def stamped(page: Mapping[str, Any], author: Author) -> dict[str, Any]:
    """The page with who changed it, and when; as in Port, the widgets carry such stamps too."""
    stamps = {"updatedAt": author.at, "updatedBy": author.name}
    return {**page, **stamps, "widgets": [_with_stamps(widget, stamps) for widget in page["widgets"]]}


def _with_stamps(widget: Mapping[str, Any], stamps: Mapping[str, str]) -> dict[str, Any]:
    whole = {"createdAt": stamps["updatedAt"], "createdBy": stamps["updatedBy"], **widget, **stamps}
    if widget["type"] == DASHBOARD:
        whole["widgets"] = [_with_stamps(each, stamps) for each in widget["widgets"]]
    return whole
