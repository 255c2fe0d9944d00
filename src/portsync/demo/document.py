"""The OpenAPI document of the sample source: what an API with nothing to hide says of itself at `/openapi.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.demo.query import LONGEST_RANGE_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENT_PATH = "/openapi.json"

_TITLES = {
    "/v1/organizations/usage_report/messages": ("queryMessages", "Messages of each day"),
    "/v1/organizations/cost_report": ("queryCost", "Cost of each day"),
    "/v1/organizations/usage_report/claude_code": ("queryClaudeCode", "Claude Code of each day"),
}
_DAY = {"type": "string", "format": "date"}
_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["start_date", "end_date", "granularity"],
    "properties": {
        "start_date": {**_DAY, "description": "The first day."},
        "end_date": {
            **_DAY,
            "description": f"The day after the last one; at most {LONGEST_RANGE_DAYS} after the first.",
        },
        "granularity": {"type": "string", "enum": ["day"]},
        "group_by": {"type": "array", "items": {"type": "string", "enum": ["user_id", "model_id"]}, "maxItems": 1},
    },
    "additionalProperties": False,
}
_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "organization_id": {"type": "string"},
                    "organization_name": {"type": "string"},
                    "date": {**_DAY, "description": "The day that the numbers are about."},
                },
            },
        }
    },
}


def openapi_document(paths: Iterable[str]) -> dict[str, Any]:
    """The document about the reports at `paths`. Everybody may read it, as is usual."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sample source", "version": "1", "description": "Invented Claude usage."},
        "security": [{"token": []}],
        "paths": {path: {"post": _operation(*_TITLES[path])} for path in paths},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Report": _ANSWER, "Query": _BODY},
        },
    }


def _operation(name: str, summary: str) -> dict[str, Any]:
    def of(schema: str) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}

    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": of("Query")},
        "responses": {
            "200": {"description": "One record for each day, or for each group of a day.", "content": of("Report")}
        },
    }
