"""The two forms of a line chart: `multi-line-chart`, of Port's current documentation, and `line-chart` before it.

Which of them a Port takes is not known before it is asked; what most charts say can be said in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Page = dict[str, Any]
LineCharts = Literal["auto", "multi", "legacy"]
"""In which form line charts go to Port; `auto` is the current one, and the legacy one where Port refuses that."""

_OF_A_LINE = frozenset(
    {"blueprint", "chartType", "func", "properties", "measureTimeBy", "breakdownProperty", "dataset"}
)
_COMMON = frozenset({"title", "timeInterval", "timeRange"})
"""What the current form must have, and the legacy one may have."""
_CURRENT_ONLY = frozenset({"baselines", "nullValueDisplayMode"})


def forms_of(page: Page, line_charts: LineCharts) -> tuple[Page, ...]:
    """The page in each form in which it may go to Port, the first choice first."""
    current, legacy = _changed(page, _as_current), _changed(page, _as_legacy)
    if line_charts == "legacy":
        return (legacy,)
    has_both = line_charts == "auto" and legacy != current and not list(without_legacy_form(page))
    return (current, legacy) if has_both else (current,)


def without_legacy_form(page: Page) -> Iterator[str]:
    """The identifiers of the line charts that the legacy form cannot express."""
    for widget in _all(page):
        if widget.get("type") == "multi-line-chart" and _as_legacy(widget) is widget:
            yield str(widget.get("id", widget.get("title", "?")))


def _as_current(widget: Mapping[str, Any]) -> Mapping[str, Any]:
    is_one = widget.get("type") == "line-chart" and widget.get("chartType") != "propertiesValueHistory"
    if not is_one or not widget.keys() >= _COMMON:
        return widget
    line = {"title": widget["title"], **{key: widget[key] for key in widget if key in _OF_A_LINE}}
    around = {key: widget[key] for key in widget if key not in _OF_A_LINE}
    return {**around, "type": "multi-line-chart", "lines": [line]}


def _as_legacy(widget: Mapping[str, Any]) -> Mapping[str, Any]:
    match widget:
        case {"type": "multi-line-chart", "lines": [{**line}]} if not widget.keys() & _CURRENT_ONLY:
            around = {key: widget[key] for key in widget if key != "lines"}
            return {**around, "type": "line-chart", **{key: line[key] for key in line if key in _OF_A_LINE}}
        case _:
            return widget


def _changed(page: Page, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Page:
    """The page, or a widget that holds others, with each of its widgets changed."""
    if not isinstance(page.get("widgets"), list):
        return page
    widgets = [
        _changed(dict(change(widget)), change) if isinstance(widget, dict) else widget for widget in page["widgets"]
    ]
    return {**page, "widgets": widgets}


def _all(page: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    widgets = page.get("widgets")
    for widget in widgets if isinstance(widgets, list) else ():
        if isinstance(widget, dict):
            yield widget
            yield from _all(widget)
