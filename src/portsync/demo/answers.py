"""Answers in Anthropic's form, refusals included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

_ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Anthropic's page of errors; what it does not name is an `invalid_request_error`."""


def answered(content: object, number: int) -> Response:
    """The answer to the request that is the `number`th of its source."""
    return _json(200, content, number, {})


def refused(status: int, message: str, number: int, headers: Mapping[str, str] | None = None) -> Response:
    """The refusal of the request that is the `number`th of its source."""
    body = {
        "type": "error",
        "error": {"type": _ERROR_TYPES.get(status, "invalid_request_error"), "message": message},
        "request_id": _request_id(number),
    }
    return _json(status, body, number, headers or {})


def _request_id(number: int) -> str:
    return f"req_{number:024d}"


def _json(status: int, content: object, number: int, headers: Mapping[str, str]) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status,
        headers={**headers, "request-id": _request_id(number)},
        media_type="application/json",
    )
