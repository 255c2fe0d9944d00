"""What the service answers over HTTP: how it is, its numbers, its runs, and a request for a run.

It is served from a thread of its own, so that it answers while a run is busy; what it tells the jobs goes through
`call`.
"""

from __future__ import annotations

import os
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from portsync.serve.health import Health
    from portsync.serve.history import RunHistory
    from portsync.serve.metrics import Metrics

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Handler = "Callable[[Request], Awaitable[Response]]"


class ServiceRoutes:
    """The routes, as an application."""

    def __init__(
        self,
        health: Health,
        history: RunHistory,
        metrics: Metrics,
        token: str | None,
        ask: Callable[[str | None], list[str]],
    ) -> None:
        """`token` opens what changes something or tells details; without one these are closed. `ask` requests a run of
        the mapping of this name, or of all, and gives the names of those that will run."""
        self._health = health
        self._history = history
        self._metrics = metrics
        self._token = token
        self._ask = ask

    def app(self, *more: Route) -> Starlette:
        """The application; `more` are routes beside these."""
        return Starlette(
            exception_handlers={HTTPException: _refused},
            routes=[
                # Ocean's own names for the first two come last.
                Route("/healthz", self.alive, methods=["GET"]),
                Route("/readyz", self.ready, methods=["GET"]),
                Route("/metrics", self.metrics, methods=["GET"]),
                Route("/resync", self.resync, methods=["POST"]),
                Route("/runs", self.runs, methods=["GET"]),
                Route("/runs/{run_id}", self.run, methods=["GET"]),
                Route("/health/live", self.alive, methods=["GET"]),
                Route("/health/ready", self.ready, methods=["GET"]),
                *more,
            ],
        )

    async def alive(self, _request: Request) -> Response:
        """200 as long as the loop in which the jobs live moves."""
        fault = self._health.standstill()
        return (
            _answer({"status": "ok"}) if fault is None else _answer({"status": fault}, HTTPStatus.SERVICE_UNAVAILABLE)
        )

    async def ready(self, _request: Request) -> Response:
        """200 when every mapping can be used."""
        faults = self._health.faults()
        if faults:
            return _answer({"status": "not ready", "faults": faults}, HTTPStatus.SERVICE_UNAVAILABLE)
        return _answer({"status": "ok"})

    async def metrics(self, _request: Request) -> Response:
        return Response(self._metrics.text(), media_type=_METRICS_TYPE)

    async def resync(self, request: Request) -> Response:
        """Ask for a run of `?mapping=NAME`, or of all. 202: it begins now, or after the one that is under way."""
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if self._health.is_standing_by or self._health.is_ending:
            standing = "this replica stands by: ask the one that runs"
            error = "the service is going down" if self._health.is_ending else standing
            return _answer({"error": error}, HTTPStatus.SERVICE_UNAVAILABLE)
        asked = self._ask(request.query_params.get("mapping"))
        if not asked:
            return _answer({"error": "no mapping has this name"}, HTTPStatus.NOT_FOUND)
        return _answer({"asked": asked}, HTTPStatus.ACCEPTED)

    async def runs(self, request: Request) -> Response:
        return self._refusal(request) or _answer({"runs": self._history.runs()})

    async def run(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        run = self._history.run(request.path_params["run_id"])
        if run is None:
            return _answer({"error": "no such run"}, HTTPStatus.NOT_FOUND)
        return Response(run, media_type="application/json")

    def _refusal(self, request: Request) -> Response | None:
        if self._token is None:
            error = "closed: set PORTSYNC_HTTP_TOKEN, and send it as `Authorization: Bearer ...`"
            return _answer({"error": error}, HTTPStatus.FORBIDDEN)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Header values are bytes, which Starlette reads as Latin-1.
        is_right = secrets.compare_digest(given.strip().encode("latin-1"), os.fsencode(self._token.strip()))
        if scheme.lower() != "bearer" or not is_right:
            return _answer({"error": "the token is missing or wrong"}, HTTPStatus.UNAUTHORIZED)
        return None


def _answer(payload: dict[str, Any], status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(payload), status_code=status, media_type="application/json")


async def _refused(_request: Request, error: Exception) -> Response:
    """A path that there is not, or a method that it does not take. Nothing of the request is repeated."""
    assert isinstance(error, HTTPException), "it is registered for these"
    answer = _answer({"error": HTTPStatus(error.status_code).phrase.lower()}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer
