"""The runs of the service, as `/runs` shows them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portsync.logs import Redactor
    from portsync.report import Report
    from portsync.serve.asks import Reason


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that is under way."""

    run_id: str
    mapping: str
    reasons: tuple[Reason, ...]
    started_at: float
    """Epoch seconds."""


class RunHistory:
    """The newest runs, each with its report. What it gives holds no secret."""

    def __init__(self, redactor: Redactor, most: int = 200) -> None:
        self._redactor = redactor
        self._under_way: dict[str, Begun] = {}
        self._ended: deque[tuple[Begun, dict[str, Any]]] = deque(maxlen=most)

    def begin(self, run: Begun) -> None:
        self._under_way[run.run_id] = run

    def end(self, run_id: str, report: Report) -> None:
        """Keep the report; cleaned now, because secrets that are learned later are not in it."""
        self._ended.appendleft((self._under_way.pop(run_id), self._redactor.clean_json(report.as_json())))

    def runs(self) -> list[dict[str, Any]]:
        """All of them in short, the newest first."""
        under_way = [_short(run) | {"status": "running"} for run in reversed(tuple(self._under_way.values()))]
        names = ("finished_at", "duration_s", "status", "exit_code", "totals")
        ended = [_short(run) | {name: report[name] for name in names} for run, report in tuple(self._ended)]
        return under_way + ended

    def run(self, run_id: str) -> dict[str, Any] | None:
        """One run in full: its report where it has ended."""
        for run, report in tuple(self._ended):
            if run.run_id == run_id:
                return report | {"reasons": list(run.reasons)}
        run_under_way = self._under_way.get(run_id)
        return None if run_under_way is None else _short(run_under_way) | {"status": "running"}


def _short(run: Begun) -> dict[str, Any]:
    return {"run_id": run.run_id, "mapping": run.mapping, "reasons": list(run.reasons), "started_at": run.started_at}
