"""The request schemas of the integration object (Port's API reference, integrations; Port's Ocean framework)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_EXAMPLES = 5
MAX_KINDS = 300
MAX_LOGS = 300
DEFAULT_LOGS = 100

_TEXT = {"type": "string"}
_OBJECT = {"type": "object"}
_TIME_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
_CHANGEABLE = {
    "title": {"type": ["string", "null"]},
    "installationAppType": _TEXT,
    "version": _TEXT,
    "spec": _OBJECT,
    "config": {"type": ["object", "null"]},
    "changelogDestination": _OBJECT,
    "actionsProcessingEnabled": {"type": "boolean"},
    "incrementalSyncEnabled": {"type": "boolean"},
    "arePortResourcesInitialized": {"type": "boolean"},
    "processingMode": {"enum": ["ocean-core", "dsp"]},
}

POST_INTEGRATION: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            **_CHANGEABLE,
            "installationId": {"type": "string", "minLength": 1},
            "createPortResourcesOrigin": {"enum": ["Empty", "Ocean", "Default", "Port"]},
        },
        "required": ["installationId"],
    }
)
PATCH_INTEGRATION: Mapping[str, Any] = MappingProxyType({"type": "object", "properties": _CHANGEABLE})
PATCH_CONFIG: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"config": _CHANGEABLE["config"]},
        "required": ["config"],
        "additionalProperties": False,
    }
)
PATCH_RESYNC_STATE: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "status": {"enum": ["running", "completed", "failed", "aborted"]},
            "lastResyncStart": _TIME_OR_NULL,
            "lastResyncEnd": _TIME_OR_NULL,
            "nextResync": _TIME_OR_NULL,
            # Spelled so by Port.
            "intervalInMinuets": {"type": ["number", "null"]},
        },
        "required": ["status", "nextResync", "intervalInMinuets"],
        "additionalProperties": False,
    }
)
POST_EXAMPLES: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"examples": {"type": "array", "minItems": 1, "maxItems": MAX_EXAMPLES, "items": _OBJECT}},
        "required": ["examples"],
        "additionalProperties": False,
    }
)
# Telemetry: Port's Ocean framework, `clients/port/mixins/integrations.py` and `log/handlers.py`.
POST_LOGS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "logs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "message": _TEXT,
                        "level": _TEXT,
                        "timestamp": {"type": "string", "format": "date-time"},
                        "extra": _OBJECT,
                    },
                    "required": ["message", "level", "timestamp"],
                },
            }
        },
        "required": ["logs"],
    }
)
_KIND_METRICS = {
    "type": "object",
    "properties": {"eventId": _TEXT, "kindIdentifier": _TEXT, "syncState": _TEXT, "metrics": _OBJECT},
    "required": ["eventId", "kindIdentifier"],
}
POST_METRICS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"syncKindsMetrics": {"type": "array", "items": _KIND_METRICS}},
        "required": ["syncKindsMetrics"],
    }
)
PUT_METRICS: Mapping[str, Any] = MappingProxyType(
    {"type": "object", "properties": {"syncKindMetrics": _KIND_METRICS}, "required": ["syncKindMetrics"]}
)
POST_HEARTBEAT: Mapping[str, Any] = MappingProxyType(
    {"type": "object", "properties": {"eventId": _TEXT}, "required": ["eventId"]}
)
CURSOR: Mapping[str, Any] = MappingProxyType(
    {"type": "object", "properties": {"primary": _TIME_OR_NULL}, "required": ["primary"]}
)
