"""The two forms of a line chart say the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.line_charts import forms_of, without_legacy_form

NAMES = st.sampled_from(["a", "b", "properties.x"])
LEGACY = st.fixed_dictionaries(
    {
        "id": NAMES,
        "type": st.just("line-chart"),
        "title": NAMES,
        "timeInterval": st.just("day"),
        "timeRange": st.just({"preset": "lastMonth"}),
        "chartType": st.sampled_from(["aggregatePropertiesValues", "countEntities"]),
        "blueprint": NAMES,
        "func": st.just("count"),
        "measureTimeBy": NAMES,
    },
    optional={
        "properties": st.lists(NAMES),
        "icon": NAMES,
        "description": NAMES,
        "yAxisTitle": NAMES,
        "breakdownProperty": NAMES,
        "dataset": st.just({"combinator": "and", "rules": []}),
    },
)
OTHERS = st.sampled_from(
    [
        {"id": "n", "type": "entities-number-chart", "unit": "none"},
        {"id": "h", "type": "line-chart", "chartType": "propertiesValueHistory", "title": "T"},
        {"id": "m", "type": "markdown", "markdown": "text"},
        "no widget",
    ]
)


def page(*widgets: Any) -> dict[str, Any]:
    return {"identifier": "p", "widgets": [{"type": "dashboard-widget", "widgets": list(widgets)}]}


@settings(deadline=None)
@given(st.lists(st.one_of(LEGACY, OTHERS), max_size=4))
def test_there_and_back_is_where_it_began(widgets: list[Any]) -> None:
    legacy = page(*widgets)
    (current,) = forms_of(legacy, "multi")

    assert forms_of(current, "legacy") == (legacy,)
    assert forms_of(current, "multi") == (current,)
    assert list(without_legacy_form(current)) == []
    assert forms_of(legacy, "auto") == ((current,) if current == legacy else (current, legacy))


def test_a_chart_in_the_current_form_has_its_line_apart() -> None:
    legacy = {
        "id": "c",
        "type": "line-chart",
        "title": "Cost",
        "timeInterval": "day",
        "timeRange": {"preset": "lastMonth"},
        "chartType": "countEntities",
        "blueprint": "b",
        "func": "count",
        "measureTimeBy": "$createdAt",
    }

    (current,) = forms_of(page(legacy), "multi")

    assert current["widgets"][0]["widgets"] == [
        {
            "id": "c",
            "type": "multi-line-chart",
            "title": "Cost",
            "timeInterval": "day",
            "timeRange": {"preset": "lastMonth"},
            "lines": [
                {
                    "title": "Cost",
                    "chartType": "countEntities",
                    "blueprint": "b",
                    "func": "count",
                    "measureTimeBy": "$createdAt",
                }
            ],
        }
    ]


@pytest.mark.parametrize("missing", ["title", "timeInterval", "timeRange"])
def test_a_legacy_chart_that_lacks_what_the_current_form_needs_stays_as_it_is(missing: str) -> None:
    legacy = {"type": "line-chart", "title": "T", "timeInterval": "day", "timeRange": {}, "chartType": "countEntities"}
    del legacy[missing]

    assert forms_of(page(legacy), "auto") == (page(legacy),)


@pytest.mark.parametrize(
    "beyond", [{"lines": [{}, {}]}, {"lines": [{}], "baselines": [{"value": 1}]}, {"lines": []}], ids=str
)
def test_a_chart_that_the_legacy_form_cannot_express_has_one_form(beyond: dict[str, Any]) -> None:
    current = page({"id": "c", "type": "multi-line-chart", **beyond})

    simple = {"id": "s", "type": "multi-line-chart", "title": "T", "lines": [{"title": "T", "func": "sum"}]}
    mixed = page(*current["widgets"][0]["widgets"], simple)

    assert list(without_legacy_form(current)) == ["c"]
    assert forms_of(current, "auto") == (current,)
    assert forms_of(mixed, "auto") == (mixed,), "a page comes in one form, and not in half of it"
