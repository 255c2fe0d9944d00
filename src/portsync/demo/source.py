"""The sample source: three reports over HTTP, in the dialect that mappings/claude.yaml speaks."""

from __future__ import annotations

from functools import cache, partial
from itertools import count
from secrets import compare_digest
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from portsync.demo.answers import answered, refused
from portsync.demo.data import day_of
from portsync.demo.document import DOCUMENT_PATH, openapi_document
from portsync.demo.query import InvalidQueryError, parse_query
from portsync.demo.records import held_days, records_of
from portsync.demo.users import DEFAULT_USERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.demo.users import SampleUser

PATHS = (
    "/v1/organizations/usage_report/messages",
    "/v1/organizations/cost_report",
    "/v1/organizations/usage_report/claude_code",
)
LARGEST_BODY = 1024 * 1024  # bytes


def create_source(
    *,
    token: str,
    today: date,
    seed: int = 1,
    users: Sequence[SampleUser] = DEFAULT_USERS,
    days: int = 30,
) -> Starlette:
    """Give an ASGI app that holds the `days` days before `today`, for those who send `token` as a bearer.

    The same `seed` and `users` give the same records. Refusals have Anthropic's error body.
    """
    # Five views ask for the same days, and drawing one anew costs far more than keeping it.
    drawn_day = cache(partial(day_of, seed=seed, users=tuple(users)))
    held = held_days(today=today, days=days)
    request_numbers = count(1)

    async def answer(request: Request) -> Response:
        _authenticate(request, token)
        try:
            query = parse_query(await _body(request), path=request.url.path)
        except InvalidQueryError as error:
            raise HTTPException(400, str(error)) from error
        asked = [day for day in held if query.start <= day < query.end]
        data = [record for day in asked for record in records_of(drawn_day(day), query.view)]
        return answered({"data": data}, next(request_numbers))

    async def describe(_request: Request) -> Response:
        return answered(openapi_document(PATHS), next(request_numbers))

    async def refuse(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return refused(error.status_code, error.detail, next(request_numbers), error.headers)

    app = Starlette(
        routes=[
            Route(DOCUMENT_PATH, describe, methods=["GET"]),
            *(Route(path, answer, methods=["POST"]) for path in PATHS),
        ],
        exception_handlers={HTTPException: refuse},
    )
    app.router.redirect_slashes = False  # a path with a slash too many is an unknown path here
    return app


def _authenticate(request: Request, token: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not compare_digest(given.encode(), token.encode()):
        raise HTTPException(401, "Invalid bearer token")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, f"the body has more than {LARGEST_BODY} bytes")
    return bytes(body)
