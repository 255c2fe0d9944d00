"""The local Port as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from portsync.emulator.answers import answer, refuse
from portsync.emulator.backstage import Backstage
from portsync.emulator.blueprint_routes import BlueprintRoutes
from portsync.emulator.bulk_routes import BulkRoutes
from portsync.emulator.calculations.evaluation import CalculationCache
from portsync.emulator.cursor_routes import CursorRoutes
from portsync.emulator.entity_routes import EntityRoutes
from portsync.emulator.errors import ApiError
from portsync.emulator.fault_gate import FaultGate
from portsync.emulator.faults import FaultReader, Faults
from portsync.emulator.gateway import Gateway
from portsync.emulator.guesses import DEFAULT_GUESSES, Guesses
from portsync.emulator.instants import stamp
from portsync.emulator.integration_routes import IntegrationRoutes
from portsync.emulator.kind_routes import KindRoutes
from portsync.emulator.measures.routes import MeasureRoutes
from portsync.emulator.migration_routes import MigrationRoutes
from portsync.emulator.page.guard import Guard
from portsync.emulator.page.routes import CatalogPage
from portsync.emulator.page_routes import PageRoutes
from portsync.emulator.rate import RateWindow
from portsync.emulator.request_log import RequestLog, RequestLogging
from portsync.emulator.request_schemas import TOKEN, RequestSchema
from portsync.emulator.run_routes import RunRoutes
from portsync.emulator.search_routes import SearchRoutes
from portsync.emulator.source_routes import SourceRoutes
from portsync.emulator.store import Store
from portsync.emulator.system_blueprints import User, establish
from portsync.emulator.telemetry_routes import TelemetryRoutes
from portsync.emulator.tokens import TokenIssuer
from portsync.emulator.validation import ValidatorCache
from portsync.emulator.widget_routes import WidgetRoutes
from portsync.emulator.workspace import Workspace

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


def create_app(
    *,
    database: str = "sqlite://",
    client_id: str,
    client_secret: str,
    users: Sequence[User | str] = (),
    clock: Callable[[], float] = time.time,
    token_life: int = 10800,
    guesses: Guesses = DEFAULT_GUESSES,
    faults: Sequence[Mapping[str, Any]] = (),
    hosts: Iterable[str] = (),
) -> Starlette:
    """An application that answers like Port's REST API under `/v1`, but for its `faults`, which have the form that
    `POST /_faults` takes (docs/reference/local-port.md); ApiError where one is wrong.

    `database` is an SQLAlchemy URL of a SQLite database, by default one in memory; `users` are the organisation's
    users, or just their e-mail addresses; `hosts` are names by which the page may be asked for, beside those of this
    machine. Tables are made here, no lifespan is needed.
    """
    workspace = Workspace(
        Store(database, clock), guesses, clock, client_id, ValidatorCache(guesses), CalculationCache(clock)
    )
    with workspace.session() as session:
        named = (User(user) if isinstance(user, str) else user for user in users)
        establish(session, named, stamp(clock()))
    issuer = TokenIssuer(client_id, client_secret, clock=clock, life=token_life)
    # Paths with a fixed last part come before those that end in an entity's identifier.
    protected = [
        *SearchRoutes(workspace).routes(),
        *MeasureRoutes(workspace).routes(),
        *SourceRoutes(workspace).routes(),
        *BulkRoutes(workspace).routes(),
        *MigrationRoutes(workspace).routes(),
        *EntityRoutes(workspace).routes(),
        *BlueprintRoutes(workspace).routes(),
        *PageRoutes(workspace).routes(),
        *WidgetRoutes(workspace).routes(),
        *IntegrationRoutes(workspace).routes(),
        *KindRoutes(workspace).routes(),
        *CursorRoutes(workspace).routes(),
        *TelemetryRoutes(workspace).routes(),
    ]
    window = RateWindow(limit=guesses.rate_limit, period=guesses.rate_period, clock=clock)
    log, scripted = RequestLog(), Faults(FaultReader().read(faults), clock)
    api = _answering(
        [_token_route(workspace, issuer), *(_guarded(route, issuer) for route in protected)],
        Middleware(RequestLogging, log=log),
        Middleware(Gateway, window=window, reset_as_epoch=guesses.reset_as_epoch),
        Middleware(FaultGate, faults=scripted, revoke=issuer.revoke),
    )
    beside = [*Backstage(scripted, log).routes(), *RunRoutes(workspace).routes(), *CatalogPage(workspace).routes()]
    return _answering([*beside, _Everything(api)], Middleware(Guard, hosts=frozenset(hosts)))


class _Everything(BaseRoute):
    """All requests that no route before it takes. A `Mount` would leave out paths that hold a line break."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _answering(routes: Sequence[BaseRoute], *middleware: Middleware) -> Starlette:
    """An application whose failures all wear Port's envelope."""
    handlers = {ApiError: refuse, HTTPException: refuse, Exception: refuse}
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
    # A path with a slash too many is an unknown route, not a redirect.
    app.router.redirect_slashes = False
    return app


def _token_route(workspace: Workspace, issuer: TokenIssuer) -> Route:
    schema = RequestSchema(TOKEN)

    async def issue(request: Request) -> Response:
        body = schema.check(await workspace.body(request))
        token, left = issuer.issue(body["clientId"], body["clientSecret"])
        return answer({"accessToken": token, "expiresIn": left, "tokenType": "Bearer"})

    return Route("/v1/auth/access_token", issue, methods=["POST"])


def _guarded(route: Route, issuer: TokenIssuer) -> Route:
    """The same route, answering 401 without a live token."""
    handler: Handler = route.endpoint

    @wraps(handler)
    async def checked(request: Request) -> Response:
        issuer.check(request.headers.get("authorization", ""))
        return await handler(request)

    return Route(route.path, checked, methods=sorted(route.methods or ()))
