"""The request schemas of the routes about tokens, entities and searches, and their check."""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from portsync.emulator.errors import invalid_request
from portsync.emulator.formats import format_checker
from portsync.emulator.messages import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_UPSERT_BATCH = 20
MAX_DELETE_BATCH = 100
MAX_PAGE = 1000
DEFAULT_PAGE = 200
MAX_SOURCE_PAGE = 5000
DEFAULT_SOURCE_PAGE = 1000

_IDENTIFIER = {"type": "string", "format": "entity-identifier"}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_TEAM = {"type": ["string", "array", "object"], "items": {"type": "string"}}
_SECTIONS = {"properties": {"type": "object"}, "relations": {"type": "object"}}

TOKEN: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"clientId": {"type": "string"}, "clientSecret": {"type": "string"}},
        "required": ["clientId", "clientSecret"],
        "additionalProperties": False,
    }
)

BULK_UPSERT: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "entities": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_UPSERT_BATCH,
                "items": {"type": "object"},
            }
        },
        "required": ["entities"],
        "additionalProperties": False,
    }
)

# Unknown top-level keys are allowed: Port's own framework sends `blueprint` inside each entity.
ENTITY: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "identifier": {"type": ["string", "object"], "format": "entity-identifier"},
            "title": {"type": "string"},
            "icon": {"type": "string"},
            "team": _TEAM,
            **_SECTIONS,
        },
    }
)

PATCH_ENTITY: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "identifier": _IDENTIFIER,
            "title": {"type": ["string", "null"]},
            "icon": {"type": ["string", "null"]},
            "team": {**_TEAM, "type": [*_TEAM["type"], "null"]},
            **_SECTIONS,
        },
        "additionalProperties": False,
    }
)

BULK_DELETE: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "entities": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_DELETE_BATCH,
                "items": {"type": "string"},
            }
        },
        "required": ["entities"],
        "additionalProperties": False,
    }
)

BLUEPRINT_SEARCH: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "query": {"type": "object"},
            "include": _TEXTS,
            "exclude": _TEXTS,
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
            "from": {"type": "string"},
        },
        "additionalProperties": False,
    }
)

# As port-ocean sends it. No bound of the page is published; its own is the largest here.
DATASOURCE_ENTITIES: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "datasource_prefix": {"type": "string"},
            "datasource_suffix": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_SOURCE_PAGE},
            "before": {"type": "string", "format": "date-time"},
            "from": {"type": "string"},
        },
        "required": ["datasource_prefix", "datasource_suffix"],
        "additionalProperties": False,
    }
)

DATASOURCE_CHANGE: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"entitiesIdentifiers": _TEXTS, "datasource": {"type": "string"}},
        "required": ["entitiesIdentifiers", "datasource"],
        "additionalProperties": False,
    }
)

GROUP: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"query": {"type": "object"}, "groupBy": {"type": "string"}},
        "required": ["query", "groupBy"],
        "additionalProperties": False,
    }
)


class RequestSchema:
    """One request schema, compiled when the first request comes that it is for: most routes are never asked."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(dict(self._schema), format_checker=format_checker())

    def check(self, body: object, *, root: str = "body") -> dict[str, Any]:
        """The body, known to be an object of this shape; ApiError 422 invalid_request otherwise."""
        errors = list(self._validator.iter_errors(body))
        if errors or not isinstance(body, dict):
            raise invalid_request(describe(errors, root))
        return body
