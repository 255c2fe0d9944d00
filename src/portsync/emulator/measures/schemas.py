"""The request schemas of the routes that aggregate (Port's API reference, aggregate entities)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portsync.emulator.instants import PRESETS
from portsync.emulator.measures.buckets import INTERVALS, LONG_PRESETS

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = {"type": "string"}
_QUERY = {"query": {"type": "object"}}
_OF_VALUES = ["sum", "average", "min", "max", "median"]
_AVERAGE = {"averageOf": {"enum": ["hour", "day", "week", "month", "total"]}, "measureTimeBy": _TEXT}


def _closed(properties: Mapping[str, Any], *required: str) -> Mapping[str, Any]:
    return MappingProxyType(
        {
            "type": "object",
            "properties": dict(properties),
            "required": [*required],
            "additionalProperties": False,
        }
    )


AGGREGATE: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"func": {"enum": ["count", *_OF_VALUES, "countValues"]}, **_QUERY},
        "required": ["func", "query"],
    }
)
COUNT_ENTITIES = _closed({"func": {"enum": ["average", "count"]}, **_AVERAGE, "calculationBy": _TEXT, **_QUERY})
AGGREGATE_PROPERTY = _closed(
    {"func": {"enum": _OF_VALUES}, "property": _TEXT, **_AVERAGE, "calculationBy": _TEXT, **_QUERY}, "property"
)
COUNT_VALUES_OF_PROPERTY = _closed({"func": _TEXT, "property": _TEXT, **_QUERY}, "property")
COUNT_VALUES_OF_RELATION = _closed({"func": _TEXT, "relation": _TEXT, **_QUERY}, "relation")

# The presets without "tomorrow", of which nothing has been measured yet.
_RANGE = {
    "type": "object",
    "properties": {"preset": {"enum": sorted({*PRESETS, *LONG_PRESETS} - {"tomorrow"})}, "timeZone": _TEXT},
    "required": ["preset"],
    "additionalProperties": False,
}
_OVER_TIME = {
    "blueprint": _TEXT,
    "timeRange": _RANGE,
    "timeInterval": {"enum": list(INTERVALS)},
    **_QUERY,
    "measureTimeBy": _TEXT,
    "aggregationType": {"enum": ["aggregatePropertiesValues", "countEntities"]},
}
OVER_TIME: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": _OVER_TIME,
        "required": [*_OVER_TIME],
        "if": {
            "properties": {
                "timeRange": {"properties": {"preset": {"enum": list(LONG_PRESETS)}}, "required": ["preset"]}
            },
            "required": ["timeRange"],
        },
        "then": {"properties": {"timeInterval": {"enum": ["quarter"]}}},
    }
)
PROPERTIES_OVER_TIME = _closed(
    {
        **_OVER_TIME,
        "func": {"enum": ["average", "sum", "min", "max", "median", "last"]},
        "properties": {"type": "array", "items": _TEXT},
    },
    "func",
    "properties",
)
ENTITIES_OVER_TIME = _closed({**_OVER_TIME, "func": {"enum": ["count", "average"]}, "breakdownProperty": _TEXT}, "func")
