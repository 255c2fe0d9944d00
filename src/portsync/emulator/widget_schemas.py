"""The schemas of widgets (Port's API reference, pages; Port's guide on dashboard widgets)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE_CHART = "line-chart"
MULTI_LINE_CHART = "multi-line-chart"
DASHBOARD = "dashboard-widget"

_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1}
_NAMES = {"type": "array", "minItems": 1, "items": _NAME}
_NUMBER = {"type": "number"}
_STAMPS: dict[str, dict[str, Any]] = {key: {} for key in ("createdAt", "createdBy", "updatedAt", "updatedBy")}
_WIDGET = {"id": _NAME, "type": _NAME, **_STAMPS}
_DISPLAY = {"title": _TEXT, "description": _TEXT, "icon": _TEXT, "emptyStateText": _TEXT}
_RULES = {"type": "array", "items": {"type": "object"}}
_QUERY = {
    "type": "object",
    "properties": {"combinator": {"enum": ["and", "or"]}, "rules": _RULES},
    "required": ["combinator", "rules"],
}
_RULES_OR_QUERY = {"if": {"type": "array"}, "then": _RULES, "else": _QUERY}
_INTERVAL = {"enum": ["hour", "day", "isoWeek", "month", "quarter"]}
_TIME_RANGE = {"type": "object", "properties": {"preset": _NAME}, "required": ["preset"]}
_AVERAGES = ["hour", "day", "week", "month", "total"]
_OF_VALUES = ["sum", "average", "min", "max", "median"]


def _where(condition: Mapping[str, str], **then: Any) -> dict[str, Any]:
    """The schema `then`, where these members have these values."""
    are_so = {"properties": {name: {"const": value} for name, value in condition.items()}, "required": [*condition]}
    return {"if": are_so, "then": then}


def _func(*names: str) -> dict[str, Any]:
    return {"func": {"enum": list(names)}}


_LINE = {
    "blueprint": _NAME,
    "chartType": {"enum": ["aggregatePropertiesValues", "countEntities"]},
    "func": {"enum": [*_OF_VALUES, "last", "count"]},
    "properties": _NAMES,
    "measureTimeBy": _NAME,
    "breakdownProperty": _NAME,
    "dataset": _RULES_OR_QUERY,
}
_LINE_BY_TYPE = [
    _where(
        {"chartType": "aggregatePropertiesValues"},
        required=["blueprint", "func", "properties", "measureTimeBy"],
        properties=_func(*_OF_VALUES, "last"),
    ),
    _where(
        {"chartType": "countEntities"},
        required=["blueprint", "func", "measureTimeBy"],
        properties=_func("count", "average"),
    ),
    _where({"chartType": "propertiesValueHistory"}, required=["entity", "properties"]),
]
_COUNTED = {
    "type": "object",
    "properties": {
        **_WIDGET,
        **_DISPLAY,
        "blueprint": _NAME,
        "property": {
            "type": "string",
            "pattern": r"^(((calculation-|mirror-|aggregation-)?property|relation|scorecard)#.+"
            r"|scorecard-rule#.+#.+|\$(identifier|title|team))$",
        },
        "dataset": _QUERY,
        "dontAggregateOther": {"type": "boolean"},
        "segmentTableViewConfig": {"type": "object"},
    },
    "required": ["property", "dataset"],
    "additionalProperties": False,
}
_NUMBER_CHART = {
    "type": "object",
    "properties": {
        **_WIDGET,
        **_DISPLAY,
        "blueprint": _NAME,
        "unit": {"enum": ["none", "$", "€", "£", "%", "custom"]},
        "unitCustom": _NAME,
        "unitAlignment": {"enum": ["left", "right"]},
        "chartType": _NAME,
        "calculationBy": {"enum": ["property", "entities"]},
        "property": _NAME,
        "func": {"enum": [*_OF_VALUES, "count"]},
        "averageOf": {"enum": _AVERAGES},
        "measureTimeBy": _NAME,
        "dataset": _RULES_OR_QUERY,
        "conditionalFormatting": {"type": "array"},
        "displayFormatting": {"enum": ["none", "round", "custom"]},
        "decimalPlaces": _TEXT,
    },
    "required": ["unit"],
    "allOf": [
        _where({"unit": "custom"}, required=["unitCustom"]),
        _where({"displayFormatting": "custom"}, required=["decimalPlaces"]),
        _where({"chartType": "aggregateByProperty"}, required=["dataset"]),
        _where({"calculationBy": "property"}, required=["property", "func"], properties=_func(*_OF_VALUES)),
        _where({"calculationBy": "entities"}, required=["func"], properties=_func("count", "average")),
        _where({"func": "average"}, required=["averageOf"]),
    ],
}
_LINE_CHART = {
    "type": "object",
    "properties": {
        **_WIDGET,
        **_DISPLAY,
        **_LINE,
        "chartType": {"enum": ["aggregatePropertiesValues", "countEntities", "propertiesValueHistory"]},
        "entity": _NAME,
        "xAxisTitle": _TEXT,
        "yAxisTitle": _TEXT,
        "timeInterval": _INTERVAL,
        "timeRange": _TIME_RANGE,
    },
    "required": ["chartType"],
    "additionalProperties": False,
    "allOf": _LINE_BY_TYPE,
}
_MULTI_LINE_CHART = {
    "type": "object",
    "properties": {
        **_WIDGET,
        **_DISPLAY,
        "title": _NAME,
        "xAxisTitle": _TEXT,
        "yAxisTitle": _TEXT,
        "timeInterval": _INTERVAL,
        "timeRange": _TIME_RANGE,
        "lines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"id": _NAME, "title": _NAME, **_LINE},
                "required": ["title", "chartType"],
                "additionalProperties": False,
                "allOf": _LINE_BY_TYPE,
            },
        },
        "baselines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": _TEXT, "value": _NUMBER, "color": _TEXT},
                "required": ["value"],
            },
        },
        "nullValueDisplayMode": {"enum": ["zero", "null"]},
    },
    "required": ["title", "timeInterval", "timeRange", "lines"],
    "additionalProperties": False,
}
_TABLE = {
    "type": "object",
    "properties": {
        **_WIDGET,
        **_DISPLAY,
        "displayMode": {"enum": ["tabs", "single", "widget"]},
        "blueprint": _NAME,
        "excludedFields": {"type": "array", "items": _NAME},
        "dataset": _QUERY,
        "entitiesQueryMode": _TEXT,
        "entitiesQueryMaxResults": _NUMBER,
        "blueprintConfig": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "filterSettings": {"type": "object"},
                    "groupSettings": {"type": "object"},
                    "sortSettings": {"type": "object"},
                    "propertiesSettings": {"type": "object"},
                    "tabIndex": _NUMBER,
                    "hidden": {"type": "boolean"},
                    "title": {"type": "string", "maxLength": 20},
                    "description": _TEXT,
                },
            },
        },
    },
    "required": ["dataset"],
    "additionalProperties": False,
}
_DASHBOARD = {
    "type": "object",
    "properties": {
        **_WIDGET,
        "layout": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "height": {"type": "number", "minimum": 400},
                    "columns": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 4,
                        "items": {
                            "type": "object",
                            "properties": {"id": _NAME, "size": {"type": "integer", "minimum": 3, "maximum": 12}},
                            "required": ["id", "size"],
                        },
                    },
                },
                "required": ["height", "columns"],
            },
        },
        "widgets": {"type": "array"},
    },
    "required": ["type", "layout", "widgets"],
    "additionalProperties": False,
}

WIDGETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        DASHBOARD: _DASHBOARD,
        "entities-number-chart": _NUMBER_CHART,
        "entities-pie-chart": _COUNTED,
        "bar-chart": _COUNTED,
        LINE_CHART: _LINE_CHART,
        MULTI_LINE_CHART: _MULTI_LINE_CHART,
        "table-entities-explorer": _TABLE,
    }
)
UNCHECKED_WIDGETS = frozenset({"markdown", "iframe-widget", "action-card-widget", "links-widget"})
"""Taken as they are: what is in them is not about entities."""
