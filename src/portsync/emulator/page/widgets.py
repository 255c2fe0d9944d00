"""The widgets of a dashboard: what each measures, and what it shows of what was measured."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import not_supported
from portsync.emulator.measures.buckets import INTERVALS, starts_between, time_range
from portsync.emulator.measures.fold import Number
from portsync.emulator.measures.measure import CountMeasure, NumberMeasure, SeriesMeasure, Spans
from portsync.emulator.page.charts import Bars, Donut, LineChart, Series, bars, donut, line_chart
from portsync.emulator.page.columns import Column, columns_of
from portsync.emulator.page.groups import as_name
from portsync.emulator.page.labels import label, long_label
from portsync.emulator.page.links import blueprint_href
from portsync.emulator.page.shown import show
from portsync.emulator.page.texts import clipped, number
from portsync.emulator.page.widget import Needed, Widget, blueprint_of, column_of, query_of
from portsync.emulator.page.widget_table import table_widget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from portsync.emulator.page.widget import Around

_SLICES = 14
_BARS = 9
"""Port's documentation of widgets: so many values, then "Other"."""
_LINES = 12
_UNITS = {"$": "$", "€": "€", "£": "£", "%": "%"}
_MONEY = frozenset("$€£")
_ADDING = frozenset({"sum", "count"})


def read_widget(widget: Mapping[str, Any], around: Around) -> Widget:
    """The widget as its JSON says; ApiError where it asks for what is not there or not supported here."""
    match widget["type"]:
        case "entities-number-chart":
            return _number(widget, around)
        case "line-chart":
            return _lines([widget], widget, around)
        case "multi-line-chart":
            return _lines(widget["lines"][:_LINES], widget, around)
        case "entities-pie-chart" | "bar-chart":
            return _counts(widget, around)
        case "table-entities-explorer":
            return table_widget(widget, around)
        case "markdown":
            return Widget((), lambda: {"kind": "text", "text": clipped(str(widget.get("markdown", "")), 20_000)})
        case other:
            raise not_supported(f"The widget {clipped(str(other), 60)}")


def _number(widget: Mapping[str, Any], around: Around) -> Widget:
    query = query_of(widget, around)
    blueprint = around.find(blueprint_of(widget, query))
    columns = columns_of(blueprint)
    by_property = widget.get("calculationBy") != "entities" and "property" in widget
    column = column_of(columns, str(widget.get("property"))) if by_property else None
    func = str(widget.get("func", "count"))
    time = column_of(columns, str(widget.get("measureTimeBy", "$createdAt")))
    # Of entities there is no average but that of a time.
    average_of = str(widget.get("averageOf")) if func == "average" else None
    folded = "count" if column is None and average_of in (None, "total") else func
    number_of = Number(folded, average_of)
    measure = NumberMeasure(query.matches, None if column is None else column.of, time.of, number_of)

    def shows() -> dict[str, Any]:
        result = number_of.result()
        return {
            "kind": "number",
            "value": _with_unit(result, widget),
            "exact": None if result is None else repr(result),
            "basis": _basis(func, column, average_of, number_of.entities),
            "href": blueprint_href(blueprint.identifier),
        }

    return Widget((Needed(blueprint.identifier, measure, tuple(c for c in (column, time) if c)),), shows)


def _basis(func: str, column: Column | None, average_of: str | None, entities: int) -> str:
    """What the number is, in words."""
    time = "" if average_of in (None, "total") else f" per {average_of}"
    if column is None:
        return f"{func} of entities{time}"
    return f"{func} of {column.title}{time}, {entities:,} {'entity' if entities == 1 else 'entities'}"


def _with_unit(value: float | None, widget: Mapping[str, Any]) -> tuple[str, str, str]:
    """What stands before the number, the number, and what stands behind it."""
    if value is None:
        return "", "—", ""
    unit = widget.get("unit")
    custom = str(widget.get("unitCustom", ""))
    sign = clipped(custom, 20) if unit == "custom" else _UNITS.get(str(unit), "")
    formatting = widget.get("displayFormatting")
    if formatting == "round":
        text = number(round(value))
    elif formatting == "custom":
        text = number(float(value), min(10, str(widget.get("decimalPlaces", "")).count("0")))
    else:
        text = number(value, 2) if sign in _MONEY else number(value)
    is_left = widget.get("unitAlignment", "left" if sign in _MONEY else "right") == "left"
    return (sign, text, "") if is_left else ("", text, sign)


def _lines(lines: Sequence[Mapping[str, Any]], widget: Mapping[str, Any], around: Around) -> Widget:
    interval = widget.get("timeInterval")
    interval = str(interval) if interval in INTERVALS else "day"
    chosen = widget.get("timeRange")
    within = time_range(chosen.get("preset") if isinstance(chosen, dict) else None, around.now)
    needs: list[Needed] = []
    measures: list[tuple[str, SeriesMeasure]] = []
    for line in lines:
        if line.get("chartType") == "propertiesValueHistory":
            raise not_supported("The history of one entity's property")
        query = query_of(line, around)
        blueprint = around.find(blueprint_of(line, query))
        columns = columns_of(blueprint)
        names = line.get("properties", []) if line.get("chartType") == "aggregatePropertiesValues" else []
        read = {column.title: column for column in (column_of(columns, str(name)) for name in names[:_LINES])}
        time = column_of(columns, str(line.get("measureTimeBy")))
        broken = line.get("breakdownProperty")
        breakdown = None if broken is None or read else column_of(columns, str(broken))
        reads = {title: column.of for title, column in read.items()}
        measure = SeriesMeasure(
            query.matches, str(line["func"]), reads, time.of, Spans(*within, interval), _series_of(breakdown)
        )
        measures.append((str(line.get("title", "")), measure))
        needs.append(Needed(blueprint.identifier, measure, (*read.values(), time, *([breakdown] if breakdown else []))))
    starts = list(starts_between(*within, interval))
    has_zeros = widget.get("nullValueDisplayMode") == "zero"

    def shows() -> dict[str, Any]:
        series = list(_series(measures, starts, zero=has_zeros))
        names = [(label(start, interval), long_label(start, interval)) for start in starts]
        charts: list[LineChart] = [line_chart(names, series, width) for width in around.widths]
        return {
            "kind": "lines",
            "charts": charts,
            "series": series,
            "x_title": clipped(str(widget.get("xAxisTitle") or ""), 80),
            "y_title": clipped(str(widget.get("yAxisTitle") or ""), 80),
            "rows": _table_of([long for _, long in names], series),
        }

    return Widget(tuple(needs), shows)


def _table_of(names: Sequence[str], series: Sequence[Series]) -> list[tuple[str, tuple[float | None, ...]]]:
    """The chart as rows, for those who do not see it; none where there are no values at all."""
    rows = [(name, tuple(each.values[index] for each in series)) for index, name in enumerate(names)]
    return rows if any(value is not None for _, values in rows for value in values) else []


def _series(
    measures: Sequence[tuple[str, SeriesMeasure]], starts: Sequence[datetime], *, zero: bool
) -> Iterable[Series]:
    """The lines of a chart; those of a second line with its title, where names alone do not tell them apart."""
    tone = 0
    for title, measure in measures:
        found = measure.values()
        for name, values in list(found.items())[:_LINES]:
            tone = tone % _LINES + 1
            shown = clipped(f"{title}: {name}" if len(measures) > 1 and title and title != name else name, 60)
            points = tuple(values.get(start, 0 if zero else None) for start in starts)
            yield Series(shown, points, tone, adds=measure.func in _ADDING)


def _series_of(breakdown: Column | None) -> Callable[[Mapping[str, Any]], str]:
    """The name of the series that an entity is counted in."""
    if breakdown is None:
        return lambda _: "Entities"
    column = breakdown
    return lambda printed: as_name(column.of(printed))


def _counts(widget: Mapping[str, Any], around: Around) -> Widget:
    query = query_of(widget, around)
    blueprint = around.find(blueprint_of(widget, query))
    column = column_of(columns_of(blueprint), str(widget["property"]))
    measure = CountMeasure(query.matches, column.of, Counter(), as_name)
    is_pie = widget["type"] == "entities-pie-chart"

    def shows() -> dict[str, Any]:
        parts = _largest(measure.counts, _SLICES if is_pie else _BARS, column)
        drawn: dict[str, Donut | list[Bars]] = (
            {"donut": donut(parts)} if is_pie else {"charts": [bars(parts, width) for width in around.widths]}
        )
        return {"kind": "pie" if is_pie else "bars", "by": column.title, "total": measure.counts.total(), **drawn}

    return Widget((Needed(blueprint.identifier, measure, (column,)),), shows)


def _largest(counts: Counter[str], most: int, column: Column) -> list[tuple[str, int, str]]:
    """Value, number and colour of the most frequent ones, and of all others together."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    tints = {value: colour for value in counts if (colour := show(value, column).tint) is not None}
    parts = [
        (value, number_of, f"tint-{tints[value]}" if value in tints else f"tone-{index % _LINES + 1}")
        for index, (value, number_of) in enumerate(ranked[:most])
    ]
    rest = sum(number_of for _, number_of in ranked[most:])
    return [*parts, ("Other", rest, "tone-other")] if rest else parts
