"""The sample source as Anthropic's Admin API: reports and lists over GET, in the dialect of mappings/claude-admin.yaml
and mappings/claude-analytics.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from secrets import compare_digest
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from portsync.demo.admin import analytics, claude_code, cost, lists, usage
from portsync.demo.admin.parameters import InvalidRequestError, Parameters
from portsync.demo.answers import answered, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.demo.books import Books

_BASE = "/v1/organizations"


@dataclass(frozen=True, slots=True)
class Trouble:
    """The next `times` requests to the paths that end with `path` are refused with `status`."""

    path: str
    status: int
    times: int = 1
    message: str = "Refused as asked for."
    retry_after: str | None = None
    """The header of that name, where there is one."""


@dataclass(frozen=True, slots=True)
class _Endpoint:
    known: Collection[str]
    """The names of its parameters."""
    answer: Callable[[Parameters], Mapping[str, Any]]
    beta: str | None = None
    """What the header anthropic-beta has to name."""


def create_admin_source(*, key: str, books: Books, troubles: Sequence[Trouble] = ()) -> Starlette:
    """Give an ASGI app that answers from `books` for those who send `key` as x-api-key, and goes through `troubles`
    before. What the reference does not document is refused, in Anthropic's error form."""
    endpoints = _endpoints(books)
    left = [trouble for trouble in troubles for _ in range(trouble.times)]
    numbers = count(1)

    async def answer(request: Request) -> Response:
        _authenticate(request.headers, key)
        trouble = next((each for each in left if request.url.path.endswith(each.path)), None)
        if trouble is not None:
            left.remove(trouble)
            headers = None if trouble.retry_after is None else {"retry-after": trouble.retry_after}
            raise HTTPException(trouble.status, trouble.message, headers)
        endpoint = endpoints[request.url.path.removeprefix(_BASE)]
        if endpoint.beta is not None and endpoint.beta not in _betas(request):
            raise HTTPException(400, f"anthropic-beta: this endpoint needs {endpoint.beta}")
        try:
            parameters = Parameters.read(request.query_params.multi_items(), known=endpoint.known)
            content = endpoint.answer(parameters)
        except InvalidRequestError as error:
            raise HTTPException(400, str(error)) from error
        return answered(content, next(numbers))

    async def refuse(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return refused(error.status_code, error.detail, next(numbers), error.headers)

    app = Starlette(
        routes=[Route(f"{_BASE}{path}", answer, methods=["GET"]) for path in endpoints],
        exception_handlers={HTTPException: refuse},
    )
    app.router.redirect_slashes = False  # a path with a slash too many is an unknown path here
    return app


def _endpoints(books: Books) -> dict[str, _Endpoint]:
    today = books.today
    used, spent = usage.usage_buckets(books), cost.cost_buckets(books)
    rows, coding = analytics.analytics_rows(books), claude_code.claude_code_rows(books)
    return {
        "/me": _Endpoint((), lambda _: lists.organization()),
        "/users": _Endpoint(lists.USERS_KNOWN, lambda asked: lists.users(books, asked)),
        "/api_keys": _Endpoint(lists.KEYS_KNOWN, lambda asked: lists.api_keys(books, asked)),
        "/workspaces": _Endpoint(lists.WORKSPACES_KNOWN, lists.workspaces),
        "/usage_report/messages": _Endpoint(usage.KNOWN, lambda asked: usage.usage_report(used, asked, today=today)),
        "/cost_report": _Endpoint(cost.KNOWN, lambda asked: cost.cost_report(spent, asked, today=today)),
        "/usage_report/claude_code": _Endpoint(
            claude_code.KNOWN, lambda asked: claude_code.claude_code_report(coding, asked)
        ),
        "/analytics/usage": _Endpoint(
            analytics.KNOWN,
            lambda asked: analytics.analytics_report("usage", rows, asked, today=today),
            analytics.BETA,
        ),
        "/analytics/cost": _Endpoint(
            analytics.KNOWN,
            lambda asked: analytics.analytics_report("cost", rows, asked, today=today),
            analytics.BETA,
        ),
    }


def _authenticate(headers: Mapping[str, str], key: str) -> None:
    if "x-api-key" not in headers and "authorization" in headers:
        raise HTTPException(401, "Invalid bearer token")
    if not compare_digest(headers.get("x-api-key", "").encode(), key.encode()):
        raise HTTPException(401, "invalid x-api-key")
    if "anthropic-version" not in headers:
        raise HTTPException(400, "anthropic-version: header is required")


def _betas(request: Request) -> set[str]:
    values = request.headers.getlist("anthropic-beta")
    return {name.strip() for value in values for name in value.split(",")}
