"""The request schemas of a page (Port's API reference, pages)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_CHANGEABLE = {
    "identifier": {"type": "string", "format": "page-identifier"},
    "title": _TEXT,
    "description": _TEXT_OR_NULL,
    "icon": _TEXT_OR_NULL,
    "blueprint": _TEXT,
    "parent": _TEXT_OR_NULL,
    "after": _TEXT_OR_NULL,
    "locked": {"type": "boolean"},
    "widgets": {"type": "array"},
    "showInSidebar": {"type": "boolean"},
    "section": {"enum": ["software_catalog", "organization"]},
}
_TYPES = [
    "run", "user", "team", "entity", "users-and-teams", "runs-history", "audit-log", "blueprint-entities", "dashboard",
    "home",
]  # fmt: skip

POST_PAGE: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            **_CHANGEABLE,
            "type": {"enum": _TYPES},
            "sidebar": _TEXT_OR_NULL,
            "requiredQueryParams": {"type": "array", "items": _TEXT},
            "visibility": {"enum": ["org", "private"]},
            "pageFilters": {"type": "array"},
        },
        "required": ["identifier"],
    }
)
# What a page is and where it began cannot be changed: these keys are refused here, as in Port.
PATCH_PAGE: Mapping[str, Any] = MappingProxyType(
    {"type": "object", "properties": _CHANGEABLE, "additionalProperties": False}
)
POST_WIDGET: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"widget": {"type": "object"}, "parentWidgetId": _TEXT_OR_NULL},
        "required": ["widget"],
        "additionalProperties": False,
    }
)
PATCH_WIDGET: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"widget": {"type": "object"}},
        "required": ["widget"],
        "additionalProperties": False,
    }
)
