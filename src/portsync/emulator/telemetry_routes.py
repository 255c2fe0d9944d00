"""The routes by which integrations tell of themselves, and by which that is read (Port's API reference, integrations;
Port's Ocean framework).

Port takes telemetry on a host of its own, which it names in each integration's answer. Here the names lead back to the
local Port, to paths beside Port's. The shape of the answers is published for `syncsMetadata` only: `count` and `data`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.errors import invalid_request, not_found
from portsync.emulator.instants import parse_date_time, stamp
from portsync.emulator.intake import path_identifier, positive
from portsync.emulator.integration_schema import (
    DEFAULT_LOGS,
    MAX_LOGS,
    POST_HEARTBEAT,
    POST_LOGS,
    POST_METRICS,
    PUT_METRICS,
)
from portsync.emulator.request_schemas import RequestSchema
from portsync.emulator.telemetry_store import LogFilter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Session, Workspace

_LEVELS = ("DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL")


def shown(integration: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """The integration as answers show it: with where its telemetry goes, seen from whoever asks."""
    base = f"{request.url.scheme}://{request.url.netloc}/v1/ingest"
    own = {"ingestId": integration["_id"]}
    name = quote(integration["installationId"], safe="")
    return {
        **integration,
        "logAttributes": {**own, "ingestUrl": f"{base}/logs/integration/{name}"},
        "metricAttributes": {**own, "ingestUrl": f"{base}/metrics/integration/{name}"},
        "ingestAttributes": {"ingestUrl": base},
    }


class TelemetryRoutes:
    """Logs, metrics and heartbeats: taken, kept for a while, and shown."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._post_logs = RequestSchema(POST_LOGS)
        self._post_metrics = RequestSchema(POST_METRICS)
        self._put_metrics = RequestSchema(PUT_METRICS)
        self._post_heartbeat = RequestSchema(POST_HEARTBEAT)

    def routes(self) -> list[Route]:
        metrics = "/v1/ingest/metrics/integration/{integration}"
        single = "/v1/integration/{integration}"
        return [
            Route("/v1/ingest/logs/integration/{integration}", self.take_logs, methods=["POST"]),
            Route(f"{metrics}/syncMetrics", self.take_metrics, methods=["POST"]),
            Route(f"{metrics}/syncMetrics/resync/{{event}}/kind/{{kind}}", self.take_kind, methods=["PUT"]),
            Route(f"{metrics}/heartbeat", self.take_heartbeat, methods=["POST"]),
            Route(f"{single}/logs", self.logs, methods=["GET"]),
            Route(f"{single}/syncMetrics", self.metrics, methods=["GET"]),
            Route(f"{single}/syncsMetadata", self.resyncs, methods=["GET"]),
        ]

    async def take_logs(self, request: Request) -> Response:
        body = self._post_logs.check(await self._workspace.body(request))
        with self._workspace.session() as session:
            session.telemetry.add_logs(_installation(session, request), body["logs"])
        return answer({})

    async def take_metrics(self, request: Request) -> Response:
        body = self._post_metrics.check(await self._workspace.body(request))
        at = stamp(self._workspace.clock())
        with self._workspace.session() as session:
            installation_id = _installation(session, request)
            for metrics in body["syncKindsMetrics"]:
                session.telemetry.note_kind(installation_id, metrics["eventId"], metrics, at)
        return answer({})

    async def take_kind(self, request: Request) -> Response:
        """The path says which resync and kind it is, whatever the body says."""
        metrics = self._put_metrics.check(await self._workspace.body(request))["syncKindMetrics"]
        event, kind = path_identifier(request, "event"), path_identifier(request, "kind")
        at = stamp(self._workspace.clock())
        with self._workspace.session() as session:
            named = {**metrics, "eventId": event, "kindIdentifier": kind}
            session.telemetry.note_kind(_installation(session, request), event, named, at)
        return answer({})

    async def take_heartbeat(self, request: Request) -> Response:
        body = self._post_heartbeat.check(await self._workspace.body(request))
        at = stamp(self._workspace.clock())
        with self._workspace.session() as session:
            session.telemetry.note_heartbeat(_installation(session, request), body["eventId"], at)
        return answer({})

    async def logs(self, request: Request) -> Response:
        """Newest first. A next page begins at the `timestamp` and `log_id` of the last line of this one."""
        limit, which = positive(request, "limit", DEFAULT_LOGS, MAX_LOGS), _log_filter(request)
        with self._workspace.session() as session:
            found = session.telemetry.logs(_installation(session, request), which, limit)
        return _listed(found)

    async def metrics(self, request: Request) -> Response:
        """How each kind went in the resync that is asked for, or in the last one; ApiError 404 for an unknown one."""
        event = request.query_params.get("resyncId")
        with self._workspace.session() as session:
            installation_id = _installation(session, request)
            if event is None:
                found = session.telemetry.resyncs(installation_id)[:1]
            else:
                one = session.telemetry.resync(installation_id, event)
                if one is None:
                    raise not_found("Resync", event)
                found = [one]
        return _listed([metrics for one in found for metrics in one["kinds"].values()])

    async def resyncs(self, request: Request) -> Response:
        """The kept resyncs, and the state of each of their kinds."""
        with self._workspace.session() as session:
            found = session.telemetry.resyncs(_installation(session, request))
        states = [{name: each.get("syncState") for name, each in one["kinds"].items()} for one in found]
        return _listed([{**one, "kinds": kinds} for one, kinds in zip(found, states, strict=True)])


def _installation(session: Session, request: Request) -> str:
    """The integration of the path, named by its installation id or by its `_id`."""
    return session.integrations.installation_id(path_identifier(request, "integration"))


def _listed(found: Sequence[Mapping[str, Any]]) -> Response:
    return answer({"count": len(found), "data": found})


def _log_filter(request: Request) -> LogFilter:
    """What the query asks for; ApiError 422 where it breaks the route's schema."""
    query = request.query_params
    levels = [*query.getlist("level"), *query.getlist("level[]")]
    if not set(levels) <= set(_LEVELS):
        raise invalid_request('"querystring.level" must be equal to one of the allowed values')
    direction = query.get("direction", "down")
    if direction not in ("up", "down"):
        raise invalid_request('"querystring.direction" must be equal to one of the allowed values')
    timestamp = query.get("timestamp")
    if timestamp is not None and parse_date_time(timestamp) is None:
        raise invalid_request('"querystring.timestamp" must match format "date-time"')
    return LogFilter(levels, query.get("eventId"), timestamp, query.get("log_id"), is_upwards=direction == "up")
