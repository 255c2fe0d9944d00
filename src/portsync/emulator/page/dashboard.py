"""A dashboard: its widgets in their rows, measured in one pass over each blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import ApiError, not_found
from portsync.emulator.measures.passing import measured
from portsync.emulator.page.columns import Origin
from portsync.emulator.page.shell import page_title
from portsync.emulator.page.texts import clipped
from portsync.emulator.page.widget import Around, Needed, Widget
from portsync.emulator.page.widgets import read_widget

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from starlette.requests import Request

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.entity import Entity
    from portsync.emulator.query import Query
    from portsync.emulator.workspace import Workspace

_WHOLE_ROW = 12
_MOST_WIDGETS = 60
_UNIT_WIDTH = 96
NARROW = 340
"""The width of a chart where the window is that of a phone."""


class DashboardView:
    """`/dashboards/<identifier>`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._kept: dict[str, tuple[object, Mapping[str, Any]]] = {}

    def show(self, request: Request) -> Mapping[str, Any]:
        """The dashboard; measured anew only when something was written or a minute has passed."""
        name = request.path_params["name"]
        with self._workspace.snapshot() as session:
            page = session.pages.get(name)
        # What is measured from here on is at least as new as this.
        state = (session.state, int(self._workspace.clock() // 60))
        kept_state, kept = self._kept.get(name, (None, {}))
        if kept_state != state:
            kept = self._measured(page)
            self._kept = {name: (state, kept)}  # the last one only: it is looked at again and again
        return kept

    def _measured(self, page: Mapping[str, Any]) -> Mapping[str, Any]:
        if page.get("type") != "dashboard":
            raise not_found("Dashboard", str(page["identifier"]))
        rows = [[self._widget(each, size) for each, size in row] for row in _rows(page)]
        needed = [need for row in rows for _, widget in row for need in widget.needs]
        for name in dict.fromkeys(need.blueprint for need in needed):
            self._measure(name, [need for need in needed if need.blueprint == name])
        return {
            "title": page_title(page),
            "description": clipped(str(page.get("description") or ""), 300),
            "rows": [[{**head, **widget.shows()} for head, widget in row] for row in rows],
        }

    def _widget(self, widget: Mapping[str, Any], size: int) -> tuple[Mapping[str, Any], Widget]:
        head = {
            "title": clipped(str(widget.get("title") or ""), 120),
            "about": clipped(str(widget.get("description") or ""), 300),
            "size": size,
            "id": clipped(str(widget.get("id") or ""), 100),
        }
        widths = (size * _UNIT_WIDTH, NARROW)
        around = Around(self._find, self._printed, self._query, self._workspace.moment(), widths)
        try:
            return head, read_widget(widget, around)
        except ApiError as error:
            message = error.message
            return head, Widget((), lambda: {"kind": "trouble", "message": message})

    def _printed(
        self, blueprint: Blueprint, entities: Sequence[Entity], names: Collection[str]
    ) -> list[dict[str, Any]]:
        with self._workspace.snapshot() as session:
            reading = self._workspace.reading(session, blueprint, entities, shows=names.__contains__)
        return reading.printed()

    def _find(self, name: str) -> Blueprint:
        with self._workspace.snapshot() as session:
            return session.blueprints.get(name)

    def _query(self, query: object, root: str) -> Query:
        with self._workspace.snapshot() as session:
            return self._workspace.query(session, query, root=root)

    def _measure(self, name: str, needed: Sequence[Needed]) -> None:
        """One pass over the blueprint for all that is needed of it; computed values only where one reads them."""
        computed = {column.key for need in needed for column in need.columns if column.origin is Origin.COMPUTED}
        measures = [need.measure for need in needed]
        measured(self._workspace, self._find(name), measures, computed)


def _rows(page: Mapping[str, Any]) -> Iterator[list[tuple[Mapping[str, Any], int]]]:
    """The widgets of each row with their sizes, of 12 in all; what is in no row has one of its own."""
    left = _MOST_WIDGETS
    for root in page.get("widgets", []):
        if root["type"] != "dashboard-widget":
            yield [(root, _WHOLE_ROW)]
            continue
        by_id = {widget["id"]: widget for widget in root["widgets"]}
        for row in root["layout"]:
            shown = [(by_id[column["id"]], column["size"]) for column in row["columns"]][:left]
            left -= len(shown)
            if shown:
                yield shown
