"""The route that takes the reports of syncs, which the page shows. It takes no token, like the others beside Port's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.instants import stamp
from portsync.emulator.intake import read_json
from portsync.emulator.request_schemas import RequestSchema

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.workspace import Workspace

_TEXT = {"type": ["string", "null"]}
_RECORDS = {"type": "array", "items": {"type": "object"}}
_RUN = {
    "type": "object",
    "properties": {
        "run_id": {"type": "string"},
        "mapping": {"type": "string"},
        "status": {"type": "string"},
        "exit_code": {"type": "integer"},
        "started_at": _TEXT,
        "finished_at": _TEXT,
        "duration_s": {"type": ["number", "null"]},
        "dead_letters": _TEXT,
        "totals": {"type": "object", "additionalProperties": {"type": "number"}},
        "resources": _RECORDS,
        "deletions": _RECORDS,
        "problems": _RECORDS,
    },
    "required": ["run_id", "mapping", "status", "exit_code", "resources", "deletions", "problems", "totals"],
}
# docs/reference/report.md: one report, or those of several mappings.
_REPORT = {
    "type": "object",
    "if": {"required": ["runs"]},
    "then": {"properties": {"runs": {"type": "array", "items": _RUN, "minItems": 1}}},
    "else": _RUN,
}


class RunRoutes:
    """`/_runs`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._report = RequestSchema(_REPORT)

    def routes(self) -> list[Route]:
        return [Route("/_runs", self.list, methods=["GET"]), Route("/_runs", self.add, methods=["POST"])]

    async def list(self, _request: Request) -> Response:
        """The reports, oldest first."""
        with self._workspace.snapshot() as session:
            return answer({"runs": [run.report for run in reversed(session.runs.newest(session.runs.count()))]})

    async def add(self, request: Request) -> Response:
        """Keep a report; ApiError 422 for what is none."""
        body = self._report.check(await read_json(request, too_large_error="payload_too_large"))
        at = stamp(self._workspace.clock())
        with self._workspace.session() as session:
            numbers = [session.runs.add(report, at) for report in body.get("runs", [body])]
        return answer({"numbers": numbers}, 201)
