"""Port's answer envelope: `ok` and a named payload, or `ok: false` with code and message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from portsync.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

_JSON = "application/json; charset=utf-8"


def answer(payload: Mapping[str, Any], status: int = 200, *, ok: bool = True) -> Response:
    """A success; the payload's names are the route's own."""
    return Response(orjson.dumps({"ok": ok, **payload}), status_code=status, media_type=_JSON)


def refusal(error: ApiError) -> Response:
    """A failure."""
    body = {"ok": False, "error": error.error, "message": error.message, "details": error.details}
    return Response(orjson.dumps(body), status_code=error.status, media_type=_JSON)


async def refuse(_request: Request, error: Exception) -> Response:
    """The exception handler of the application: every failure wears the envelope, also an unknown route's."""
    if isinstance(error, ApiError):
        return refusal(error)
    status = getattr(error, "status_code", 500)
    codes = {404: "not_found", 405: "method_not_allowed"}
    messages = {404: "Route not found", 405: "Method not allowed"}
    message = messages.get(status, "Internal error")
    return refusal(ApiError(status, codes.get(status, "internal_error"), message))
