"""The routes about single widgets of a page (Port's API reference, pages)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.errors import not_found
from portsync.emulator.intake import path_identifier
from portsync.emulator.page_routes import stamped
from portsync.emulator.page_schema import PATCH_WIDGET, POST_WIDGET
from portsync.emulator.request_schemas import RequestSchema
from portsync.emulator.widgets import WidgetCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace

_ROW = 12
_HEIGHT = 400
Widget = dict[str, Any]


class WidgetRoutes:
    """Add, change and remove one widget. The page as a whole is checked as if it had been sent."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._post = RequestSchema(POST_WIDGET)
        self._patch = RequestSchema(PATCH_WIDGET)
        self._check = WidgetCheck(workspace.guesses)

    def routes(self) -> list[Route]:
        widgets = "/v1/pages/{page}/widgets"
        return [
            Route(widgets, self.add, methods=["POST"]),
            Route(f"{widgets}/{{widget}}", self.patch, methods=["PATCH"]),
            Route(f"{widgets}/{{widget}}", self.remove, methods=["DELETE"]),
        ]

    async def add(self, request: Request) -> Response:
        """At the end of the page, or of the widget that `parentWidgetId` names; in a dashboard as a row of its own."""
        body = self._post.check(await self._workspace.body(request))
        widget, parent = body["widget"], body.get("parentWidgetId")

        def added(widgets: Sequence[Widget]) -> list[Widget]:
            if parent is None:
                return [*widgets, widget]
            return _replaced(widgets, parent, lambda found: [_with_child(found, widget)])

        return self._change(request, added, 201)

    async def patch(self, request: Request) -> Response:
        """The keys that are sent replace those that are there."""
        body = self._patch.check(await self._workspace.body(request))
        name = path_identifier(request, "widget")
        return self._change(request, lambda all_: _replaced(all_, name, lambda found: [{**found, **body["widget"]}]))

    async def remove(self, request: Request) -> Response:
        name = path_identifier(request, "widget")
        return self._change(request, lambda widgets: _replaced(widgets, name, lambda _: []))

    def _change(
        self, request: Request, change: Callable[[Sequence[Widget]], list[Widget]], status: int = 200
    ) -> Response:
        author = self._workspace.author(request)
        with self._workspace.session() as session:
            page = session.pages.get(path_identifier(request, "page"))
            widgets = change(page["widgets"])
            self._check.check(widgets)
            session.pages.save(stamped({**page, "widgets": widgets}, author))
        return answer({"identifier": page["identifier"]}, status)


def _replaced(widgets: Sequence[Widget], name: str, by: Callable[[Widget], list[Widget]]) -> list[Widget]:
    """The widgets with what `by` makes of the one of this id in its place, at whatever depth. ApiError 404 where there
    is none."""
    found = _replaced_if_there(widgets, name, by)
    if found is None:
        raise not_found("Widget", name)
    return found


def _replaced_if_there(
    widgets: Sequence[Widget], name: str, by: Callable[[Widget], list[Widget]]
) -> list[Widget] | None:
    for index, widget in enumerate(widgets):
        if widget.get("id") == name:
            return [*widgets[:index], *by(widget), *widgets[index + 1 :]]
        inner = _replaced_if_there(widget.get("widgets", []), name, by)
        if inner is not None:
            changed = {**widget, "widgets": inner}
            if "layout" in widget and len(inner) < len(widget["widgets"]):
                changed["layout"] = _without_column(widget["layout"], name)
            return [*widgets[:index], changed, *widgets[index + 1 :]]
    return None


def _with_child(parent: Widget, child: Widget) -> Widget:
    changed = {**parent, "widgets": [*parent.get("widgets", []), child]}
    if "layout" in parent:
        row = {"height": _HEIGHT, "columns": [{"id": child.get("id"), "size": _ROW}]}
        changed["layout"] = [*parent["layout"], row]
    return changed


def _without_column(layout: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The rows without the column of this widget. The last one of its row grows by what it leaves."""
    rows = []
    for row in layout:
        left = [dict(column) for column in row["columns"] if column["id"] != name]
        if left:
            left[-1]["size"] += _ROW - sum(column["size"] for column in left)
            rows.append({**row, "columns": left})
    return rows
