"""What handlers take from a request: its JSON body, its flags, the identifiers in its path."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

import orjson

from portsync.emulator.errors import ApiError, invalid_request
from portsync.emulator.writable import is_writable

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY = 1024 * 1024
_DIGITS = 15


async def read_json(request: Request, *, too_large_error: str) -> object:
    """The parsed body; ApiError 413 beyond 1 MiB, 400 for what is no JSON, 422 for what is nested too deep to keep."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise ApiError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                too_large_error,
                "Request body is too large (limit is 1MiB)",
            )
    try:
        parsed: object = orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg:
            raise invalid_request('"body" must NOT be nested deeper than 1024 levels') from None
        raise ApiError(HTTPStatus.BAD_REQUEST, "bad_request", f"The body is not valid JSON: {error}") from None
    if not is_writable(parsed):
        raise invalid_request('"body" must NOT be nested that deep (limit is 240 levels)')
    return parsed


def flag(request: Request, name: str) -> bool:
    """A boolean query parameter, false when absent; ApiError 422 for other words than true and false."""
    text = request.query_params.get(name, "false").lower()
    if text not in ("true", "false"):
        raise invalid_request(f'"querystring.{name}" must be boolean')
    return text == "true"


def positive(request: Request, name: str, default: int, most: int | None = None) -> int:
    """A whole number of the query, 1 or more and at most `most`; ApiError 422 for anything else."""
    text = request.query_params.get(name, str(default))
    # Longer ones than SQLite's integers are no numbers that anybody means.
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS or int(text) < 1:
        raise invalid_request(f'"querystring.{name}" must be >= 1')
    if most is not None and int(text) > most:
        raise invalid_request(f'"querystring.{name}" must be <= {most}')
    return int(text)


def path_identifier(request: Request, name: str) -> str:
    """An identifier in the path. The gateway keeps paths encoded, so that `%2F` is part of an identifier."""
    encoded: str = request.path_params[name]
    return unquote(encoded)
