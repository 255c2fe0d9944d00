"""The widget that is a table of entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.page.columns import Column, by_widget_name, columns_of
from portsync.emulator.page.links import blueprint_href, entity_href
from portsync.emulator.page.rows import RowsMeasure
from portsync.emulator.page.shown import Shown, show
from portsync.emulator.page.texts import clipped
from portsync.emulator.page.widget import Needed, Widget, blueprint_of, query_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portsync.emulator.page.widget import Around
    from portsync.emulator.query import Query

_ROWS = 25
_TABLE_COLUMNS = 12


def table_widget(widget: Mapping[str, Any], around: Around) -> Widget:
    """Some of the entities, in the order and with the columns that the widget names."""
    query = query_of(widget, around)
    blueprint = around.find(blueprint_of(widget, query))
    columns = columns_of(blueprint)
    config = widget.get("blueprintConfig", {}).get(blueprint.identifier, {})
    settings = config.get("propertiesSettings", {})
    names = settings.get("shown") or settings.get("order") or ["$title", *list(blueprint.properties)[:7]]
    hidden = {*settings.get("hidden", []), *widget.get("excludedFields", [])}
    found = [by_widget_name(columns, str(name)) for name in names if name not in hidden]
    shown = [column for column in found if column is not None][:_TABLE_COLUMNS]
    sort: Mapping[str, Any] = next(iter(config.get("sortSettings", {}).get("sortBy", [])), {})
    by = by_widget_name(columns, str(sort.get("property", "$identifier"))) or columns["$identifier"]
    measure = RowsMeasure(_filtered(query, config, around), _order(by, descending=sort.get("order") == "desc"), _ROWS)

    def shows() -> dict[str, Any]:
        printed_rows = around.printed(blueprint, measure.rows(), {column.key for column in shown})
        return {
            "kind": "table",
            "columns": shown,
            "sort": by,
            "descending": sort.get("order") == "desc",
            "rows": [
                [(column, _in_row(column, printed, index == 0)) for index, column in enumerate(shown)]
                for printed in printed_rows
            ],
            "total": measure.total,
            "href": blueprint_href(blueprint.identifier),
        }

    return Widget((Needed(blueprint.identifier, measure, (by,)),), shows)


def _filtered(query: Query, config: Mapping[str, Any], around: Around) -> Callable[[Any], bool]:
    """The widget's query together with the filter of its blueprint."""
    chosen = config.get("filterSettings", {}).get("filterBy")
    if not isinstance(chosen, dict) or not chosen.get("rules"):
        return query.matches
    also = around.query(chosen, "filterBy")
    return lambda entity: query.matches(entity) and also.matches(entity)


def _in_row(column: Column, printed: Mapping[str, Any], is_first: bool) -> Shown:
    value = column.of(printed)
    if is_first or column.name in ("$title", "$identifier"):
        href = entity_href(printed["blueprint"], printed["identifier"])
        return Shown("link", clipped(str(value or printed["identifier"]), 80), href)
    return show(value, column)


def _order(column: Column, *, descending: bool) -> Callable[[Mapping[str, Any]], Any]:
    """A key by which the first rows are the largest: what is empty comes last, numbers and texts do not mix."""

    def key(printed: Mapping[str, Any]) -> tuple[int, Any]:
        value = column.of(printed)
        if value is None:
            return (0, 0) if descending else (2, 0)
        return (1, (0, value)) if isinstance(value, int | float) else (1, (1, str(value)))

    return key if descending else lambda printed: _Reversed(key(printed))


@dataclass(frozen=True, slots=True)
class _Reversed:
    key: Any

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.key < self.key)
