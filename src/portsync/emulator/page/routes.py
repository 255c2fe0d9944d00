"""The views under their addresses."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from portsync.emulator.errors import ApiError
from portsync.emulator.page.dashboard import DashboardView
from portsync.emulator.page.entity import EntityView
from portsync.emulator.page.overview import OverviewView
from portsync.emulator.page.render import ASSETS, Renderer
from portsync.emulator.page.runs import RunsView
from portsync.emulator.page.shell import shell_of
from portsync.emulator.page.sources import SourcesView
from portsync.emulator.page.table import TableView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace

    View = Callable[[Request], Mapping[str, Any]]


class CatalogPage:
    """The page of the local Port."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._renderer = Renderer()

    def routes(self) -> list[BaseRoute]:
        sources, runs = SourcesView(self._workspace), RunsView(self._workspace)
        views: list[tuple[str, str, View]] = [
            ("/", "overview.html", OverviewView(self._workspace).show),
            ("/blueprints/{name:path}", "table.html", TableView(self._workspace).show),
            ("/entity", "entity.html", EntityView(self._workspace).show),
            ("/dashboards/{name:path}", "dashboard.html", DashboardView(self._workspace).show),
            ("/sources", "sources.html", sources.show_all),
            ("/sources/{name:path}", "source.html", sources.show),
            ("/runs", "runs.html", runs.show_all),
            ("/runs/{number}", "run.html", runs.show),
        ]
        shown: list[BaseRoute] = [
            Route(path, self._page(template, view), methods=["GET"]) for path, template, view in views
        ]
        return [*shown, Mount("/assets", StaticFiles(directory=ASSETS))]

    def _page(self, template: str, view: View) -> Callable[[Request], Response]:
        """The view as a page. It is no coroutine, so that it runs in a thread and Port's API goes on meanwhile."""

        @wraps(view)
        def shown(request: Request) -> Response:
            status = 200
            name = template
            try:
                values = view(request)
            except ApiError as error:
                status, name, values = error.status, "error.html", {"title": "Not here", "message": error.message}
            with self._workspace.snapshot() as session:
                shell = shell_of(session)
            around = {"shell": shell, "path": request.scope["path"]}
            return self._renderer.page(name, {**around, **values}, status)

        return shown
