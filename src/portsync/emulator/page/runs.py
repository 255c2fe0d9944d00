"""The reports of syncs."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import not_found
from portsync.emulator.page.texts import ago, clipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from portsync.emulator.run_store import Run
    from portsync.emulator.workspace import Workspace

_LISTED = 100
_MOST = 200
_TEXT = 1000
TOTALS = ("records", "created", "updated", "unchanged", "deleted", "rejected", "failures")
COUNTS = (
    "requests", "retries", "pages", "records", "filtered", "entities", "duplicates", "conflicts", "field_errors",
    "failures", "created", "updated", "unchanged", "rejected",
)  # fmt: skip
_TROUBLE = frozenset({"retries", "conflicts", "field_errors", "failures", "rejected"})
# As many digits as fit into an integer of SQLite.
_NUMBER = re.compile(r"[0-9]{1,18}")


class RunsView:
    """`/runs` and `/runs/<number>`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def show_all(self, _request: Request) -> Mapping[str, Any]:
        now = self._workspace.moment()
        with self._workspace.snapshot() as session:
            runs = session.runs.newest(_LISTED)
        return {"title": "Runs", "runs": [summary(run, now) for run in runs], "totals": TOTALS}

    def show(self, request: Request) -> Mapping[str, Any]:
        number: str = request.path_params["number"]
        with self._workspace.snapshot() as session:
            run = session.runs.find(int(number)) if _NUMBER.fullmatch(number) else None
        if run is None:
            raise not_found("Run", number[:20])
        report = run.report
        resources = [_resource(each) for each in report["resources"][:_MOST]]
        # A column that is 0 in every resource says nothing.
        counts = [name for name in COUNTS if any(each["counts"].get(name) for each in resources)]
        return {
            **summary(run, self._workspace.moment()),
            "title": f"Run of {PurePath(report['mapping']).name[:120]}",
            "resources": resources,
            "counts": counts,
            "trouble": _TROUBLE,
            "deletions": _texts(report["deletions"], ("blueprint", "stale", "deleted", "refused")),
            "problems": _texts(report["problems"], ("code", "kind", "place", "identifier", "message", "hint")),
            "dead_letters": report.get("dead_letters"),
            "exit_code": report["exit_code"],
            "run_id": clipped(report["run_id"], 100),
            "finished": report.get("finished_at"),
        }


def summary(run: Run, now: datetime) -> dict[str, Any]:
    """A run in one line."""
    report = run.report
    started = report.get("started_at") or run.received_at
    return {
        "number": run.number,
        "mapping": clipped(report["mapping"], 300),
        "name": clipped(PurePath(report["mapping"]).name or "mapping", 120),
        "status": clipped(report["status"], 20),
        "tone": {"ok": "good", "partial": "warn"}.get(report["status"], "bad"),
        "started": clipped(started, 40),
        "ago": ago(clipped(started, 40), now),
        "duration": report.get("duration_s"),
        "totals": [(name, report["totals"].get(name, 0)) for name in TOTALS],
        "problem_count": len(report["problems"]),
        "trouble": _TROUBLE,
    }


def _resource(resource: Mapping[str, Any]) -> dict[str, Any]:
    verdict = resource.get("verdict")
    blueprints = resource.get("blueprints")
    counts = {name: resource.get(name) for name in COUNTS}
    return {
        "kind": _text(resource.get("kind")),
        "blueprints": [_text(each) for each in blueprints[:20]] if isinstance(blueprints, list) else [],
        "verdict": _text(verdict),
        "tone": {"complete": "good", "skipped": "warn"}.get(_text(verdict), "bad"),
        "reason": _text(resource.get("reason")),
        "counts": {name: value for name, value in counts.items() if isinstance(value, int | float)},
    }


def _texts(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, str]]:
    return [{name: _text(record.get(name)) for name in names} for record in records[:_MOST]]


def _text(value: object) -> str:
    return "" if value is None else clipped(str(value), _TEXT)
