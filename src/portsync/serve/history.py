"""The runs of the service, as `/runs` shows them."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portsync.logs import Redactor
    from portsync.report import Report
    from portsync.serve.asks import Reason

_IN_SHORT = ("finished_at", "duration_s", "status", "exit_code", "totals")


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that is under way."""

    run_id: str
    mapping: str
    reasons: tuple[Reason, ...]
    started_at: float
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended."""

    run_id: str
    short: dict[str, Any]
    report: bytes
    """As JSON: reports are long, and few of them are ever asked for."""


class RunHistory:
    """The newest runs, each with its report. What it gives holds no secret."""

    def __init__(self, redactor: Redactor, most: int = 200, most_bytes: int = 16 * 2**20) -> None:
        """At most so many runs, and so many bytes of reports, but the newest run always."""
        self._redactor = redactor
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._under_way: dict[str, Begun] = {}
        self._ended: deque[Ended] = deque()

    def begin(self, run: Begun) -> None:
        self._under_way[run.run_id] = run

    def end(self, run_id: str, report: Report) -> None:
        """Keep the report; cleaned now, because secrets that are learned later are not in it."""
        run = self._under_way.pop(run_id)
        value = self._redactor.clean_json(report.as_json())
        short = _short(run) | {name: value[name] for name in _IN_SHORT}
        # A text may hold half a character, which is escaped as everything else beyond ASCII.
        content = json.dumps(value | {"reasons": list(run.reasons)}).encode()
        self._ended.appendleft(Ended(run_id, short, content))
        self._bytes += len(content)
        while len(self._ended) > 1 and (len(self._ended) > self._most or self._bytes > self._most_bytes):
            self._bytes -= len(self._ended.pop().report)

    def runs(self) -> list[dict[str, Any]]:
        """All of them in short, the newest first."""
        under_way = [_short(run) | {"status": "running"} for run in reversed(tuple(self._under_way.values()))]
        return under_way + [run.short for run in tuple(self._ended)]

    def run(self, run_id: str) -> bytes | None:
        """One run in full, as JSON: its report where it has ended."""
        for run in tuple(self._ended):
            if run.run_id == run_id:
                return run.report
        run_under_way = self._under_way.get(run_id)
        return None if run_under_way is None else json.dumps(_short(run_under_way) | {"status": "running"}).encode()


def _short(run: Begun) -> dict[str, Any]:
    return {"run_id": run.run_id, "mapping": run.mapping, "reasons": list(run.reasons), "started_at": run.started_at}
