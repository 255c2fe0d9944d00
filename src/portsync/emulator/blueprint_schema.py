"""The request schema of a blueprint (Port's API reference, create a blueprint)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROPERTY_TYPES = ("string", "number", "boolean", "object", "array")
PROPERTY_FORMATS = (
    "date-time", "url", "email", "idn-email", "ipv4", "ipv6", "markdown", "yaml", "user", "blueprints",
    "team", "timer", "proto", "labeled-url",
)  # fmt: skip
COLOURS = (
    "blue", "turquoise", "orange", "purple", "pink", "yellow", "green", "red", "gold", "silver", "paleBlue",
    "darkGray", "lightGray", "bronze", "lime", "olive", "brown",
)  # fmt: skip

# The keywords of a property that constrain its values; all others (icon, spec, enumColors...) are for
# display.
VALUE_KEYWORDS = frozenset(
    {
        "type", "format", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "items", "minItems", "maxItems", "uniqueItems",
    }
)  # fmt: skip

_TEXT = {"type": "string"}
_TITLE = {"type": "string", "maxLength": 100}
_COUNT = {"type": "number", "minimum": 0}
_NUMBER = {"type": "number"}
_STRINGS = {"type": "array", "items": _TEXT}
_DISPLAY = {"title": _TITLE, "description": _TEXT, "icon": _TEXT}
_SPEC = {"enum": ["open-api", "embedded-url", "async-api"]}
_AUTHENTICATION = {
    "type": "object",
    "properties": {
        "clientId": _TEXT,
        "authorizationUrl": _TEXT,
        "tokenUrl": _TEXT,
        "authorizationScope": _STRINGS,
    },
    "required": ["clientId", "authorizationUrl", "tokenUrl"],
    "additionalProperties": False,
}
_VALUE = {
    "type": {"enum": list(PROPERTY_TYPES)},
    "format": {"enum": list(PROPERTY_FORMATS)},
    "enum": {"type": "array", "minItems": 1},
    "pattern": {"type": "string", "format": "regex"},
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "uniqueItems": {"type": "boolean"},
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "exclusiveMaximum": _NUMBER,
}
_ITEMS = {"type": "object", "properties": _VALUE}
_PROPERTY = {
    "type": "object",
    "properties": {
        **_DISPLAY,
        **_VALUE,
        "items": _ITEMS,
        "spec": _SPEC,
        "specAuthentication": _AUTHENTICATION,
        "enumColors": {"type": "object", "additionalProperties": {"enum": list(COLOURS)}},
        "dateFormat": _TEXT,
    },
    "required": ["type"],
}
_CALCULATION = {
    "type": "object",
    "properties": {
        **_DISPLAY,
        "calculation": _TEXT,
        "type": {"enum": list(PROPERTY_TYPES)},
        "format": {"enum": list(PROPERTY_FORMATS)},
        "items": _ITEMS,
        "spec": _SPEC,
        "specAuthentication": _AUTHENTICATION,
        "colorized": {"type": "boolean"},
        "colors": {"type": "object", "additionalProperties": {"enum": list(COLOURS)}},
    },
    "required": ["calculation", "type"],
    "additionalProperties": False,
}
_MIRROR = {
    "type": "object",
    "properties": {"title": _TITLE, "path": _TEXT},
    "required": ["path"],
    "additionalProperties": False,
}
_AVERAGES = {"averageOf": {"enum": ["hour", "day", "week", "month", "total"]}}


def _calculated(by: str, properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    """What holds of every calculation by entities, or by a property."""
    is_so = {"properties": {"calculationBy": {"const": by}}, "required": ["calculationBy"]}
    return {"if": is_so, "then": {"properties": dict(properties), "required": [*required]}}


def _shaped(by: str, funcs: Sequence[str], *required: str, **properties: Any) -> dict[str, Any]:
    """The members that a calculation by these functions may have; `required` of those of an average."""
    is_so = {
        "properties": {"calculationBy": {"const": by}, "func": {"enum": [*funcs]}},
        "required": ["calculationBy", "func"],
    }
    members = {"calculationBy": _TEXT, "func": _TEXT, **properties, **(_AVERAGES if required else {})}
    return {"if": is_so, "then": {"properties": members, "required": [*required], "additionalProperties": False}}


_AGGREGATION = {
    "type": "object",
    "properties": {
        **_DISPLAY,
        "type": {"const": "number"},
        "target": _TEXT,
        "calculationSpec": {
            "type": "object",
            "required": ["calculationBy", "func"],
            "properties": {"calculationBy": {"enum": ["entities", "property"]}},
            "allOf": [
                _calculated("entities", {"func": {"enum": ["count", "average"]}}),
                _calculated("property", {"func": {"enum": ["sum", "min", "max", "median", "average"]}}, "property"),
                _shaped("entities", ["count"]),
                _shaped("entities", ["average"], "averageOf", measureTimeBy=_TEXT),
                _shaped("property", ["sum", "min", "max", "median"], property=_TEXT),
                _shaped("property", ["average"], "averageOf", property=_TEXT, measureTimeBy=_TEXT),
            ],
        },
        "query": {"type": "object", "required": ["combinator", "rules"]},
        "pathFilter": {
            "type": "array",
            "maxItems": 1,
            "items": {
                "type": "object",
                "properties": {"path": {"type": "array", "minItems": 1, "items": _TEXT}, "fromBlueprint": _TEXT},
                "required": ["path"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["title", "target", "calculationSpec"],
    "additionalProperties": False,
}
_RELATION = {
    "type": "object",
    "properties": {
        **_DISPLAY,
        "target": _TEXT,
        "required": {"type": "boolean"},
        "many": {"type": "boolean"},
        "type": _TEXT,
    },
    "required": ["target"],
}
_OWNERSHIP = {
    "type": "object",
    "properties": {"type": {"enum": ["Direct", "Inherited"]}, "path": _TEXT, "title": _TITLE},
    "required": ["type"],
    "additionalProperties": False,
    "if": {"properties": {"type": {"const": "Inherited"}}, "required": ["type"]},
    "then": {"required": ["path"]},
}
_CHANGELOG = {
    "type": "object",
    "properties": {"type": {"enum": ["KAFKA", "WEBHOOK"]}, "url": _TEXT, "agent": {"type": "boolean"}},
    "required": ["type"],
    "additionalProperties": False,
    "if": {"properties": {"type": {"const": "WEBHOOK"}}, "required": ["type"]},
    "then": {"required": ["url"]},
    "else": {"properties": {"type": {}}, "additionalProperties": False},
}


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    names = {"format": "property-identifier", "maxLength": 100}
    return {"type": "object", "propertyNames": names, "additionalProperties": value}


_SECTIONS = {
    "identifier": {"type": "string", "format": "blueprint-identifier"},
    "title": {"type": "string", "minLength": 1, "maxLength": 100},
    "description": {"type": "string", "maxLength": 200},
    "icon": _TEXT,
    "schema": {
        "type": "object",
        "properties": {"properties": _named(_PROPERTY), "required": _STRINGS},
        "required": ["properties"],
        "additionalProperties": False,
    },
    "calculationProperties": _named(_CALCULATION),
    "mirrorProperties": _named(_MIRROR),
    "aggregationProperties": _named(_AGGREGATION),
    "relations": _named(_RELATION),
    "ownership": _OWNERSHIP,
    "changelogDestination": _CHANGELOG,
}

PATCH_BLUEPRINT: Mapping[str, Any] = MappingProxyType({"type": "object", "properties": _SECTIONS})
PUT_BLUEPRINT: Mapping[str, Any] = MappingProxyType({**PATCH_BLUEPRINT, "required": ["title", "schema"]})
POST_BLUEPRINT: Mapping[str, Any] = MappingProxyType({**PATCH_BLUEPRINT, "required": ["identifier", "title", "schema"]})
