"""Whether the widgets of a page are such as Port takes: the schema of each, and the layout of a dashboard."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import invalid_request, not_supported
from portsync.emulator.request_schemas import RequestSchema
from portsync.emulator.widget_schemas import DASHBOARD, LINE_CHART, MULTI_LINE_CHART, UNCHECKED_WIDGETS, WIDGETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portsync.emulator.guesses import Guesses

_WHOLE_ROW = 12


class WidgetCheck:
    """Checks the widgets of pages."""

    def __init__(self, guesses: Guesses) -> None:
        self._schemas = {name: RequestSchema(schema) for name, schema in WIDGETS.items()}
        self._refused = {
            name
            for name, is_accepted in (
                (LINE_CHART, guesses.line_chart_accepted),
                (MULTI_LINE_CHART, guesses.multi_line_chart_accepted),
            )
            if not is_accepted
        }

    def check(self, widgets: Sequence[Any], place: str = "body.widgets") -> None:
        """ApiError 422 for the first widget that Port would not take."""
        for index, widget in enumerate(widgets):
            self._check_one(widget, f"{place}.{index}")
        identifiers = Counter(_identifiers(widgets))
        for identifier, number in identifiers.items():
            if number > 1:
                raise invalid_request(f'"{place}" must NOT have the widget id "{identifier}" twice')

    def _check_one(self, widget: Any, place: str) -> None:
        if not isinstance(widget, dict):
            raise invalid_request(f'"{place}" must be object')
        kind = widget.get("type")
        if not isinstance(kind, str):
            raise invalid_request(f"\"{place}\" must have required property 'type'")
        if kind in self._refused:
            raise invalid_request(f'"{place}.type" must be equal to one of the allowed values ({kind})')
        if kind in UNCHECKED_WIDGETS:
            if not isinstance(widget.get("id", ""), str):
                raise invalid_request(f'"{place}.id" must be string')
            return
        if kind not in self._schemas:
            raise not_supported(f'The widget type "{kind}"')
        self._schemas[kind].check(widget, root=place)
        if kind == DASHBOARD:
            self.check(widget["widgets"], f"{place}.widgets")
            _check_layout(widget, place)


def _identifiers(widgets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for widget in widgets:
        if "id" in widget:
            yield widget["id"]
        if widget["type"] == DASHBOARD:
            yield from _identifiers(widget["widgets"])


def _check_layout(dashboard: Mapping[str, Any], place: str) -> None:
    """ApiError 422 where a row is not whole, or columns and widgets are not the same."""
    for index, row in enumerate(dashboard["layout"]):
        if (size := sum(column["size"] for column in row["columns"])) != _WHOLE_ROW:
            raise invalid_request(f'"{place}.layout.{index}" must have columns of {_WHOLE_ROW} in all, not {size}')
    columns = [column["id"] for row in dashboard["layout"] for column in row["columns"]]
    widgets = [widget.get("id") for widget in dashboard["widgets"]]
    if None in widgets:
        raise invalid_request(f"\"{place}.widgets.{widgets.index(None)}\" must have required property 'id'")
    if sorted(columns) != sorted(widgets):
        odd = sorted(set(columns) ^ set(widgets)) or sorted(name for name in columns if columns.count(name) > 1)
        raise invalid_request(f'"{place}.layout" must have one column for each widget, and no other ({odd[0]})')
