"""What a run came to: counts, problems, exit code. The text and the JSON form say the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from portsync.flow import Spent
from portsync.report.resource import MOST_PROBLEMS, ResourceReport

if TYPE_CHECKING:
    from portsync.errors import Problem
    from portsync.reconcile import Deletion


@dataclass(frozen=True)
class Report:
    """The report of one run."""

    run_id: str
    mapping: str
    started_at: float
    """Epoch seconds."""
    finished_at: float
    exit_code: int
    resources: tuple[ResourceReport, ...]
    problems: tuple[Problem, ...] = ()
    """Problems of the run as a whole, such as a Port that went away."""
    lookups: Spent = field(default_factory=Spent)
    """What the mapping's `context` cost."""
    deletions: tuple[Deletion, ...] = ()
    """The blueprints of which entities were no longer in the source."""
    dead_letters: str | None = None
    """The file that holds every failure and rejection, where there were any."""

    @property
    def status(self) -> str:
        return {0: "ok", 1: "partial", 130: "interrupted", 143: "interrupted"}.get(self.exit_code, "failed")

    def problems_up_to(self, most: int, *, alike: int = MOST_PROBLEMS) -> list[tuple[int | None, Problem]]:
        """At most `most` problems, each with the index of its resource; the run's own first, then each resource's.

        No kind of problem crowds out another: the first of each code in each resource come before the second ones.
        At most `alike` of one code in one resource.
        """
        ranked: list[tuple[int, int, int | None, Problem]] = []
        for resource_number, resource in enumerate(self.resources):
            seen: Counter[str] = Counter()
            for problem in resource.problems:
                ranked.append((seen[problem.code], resource_number, resource.index, problem))
                seen[problem.code] += 1
        first = [item for item in sorted(ranked, key=lambda item: item[0]) if item[0] < alike]
        kept = first[: most - len(self.problems)]
        own: list[tuple[int | None, Problem]] = [(None, problem) for problem in self.problems]
        return own + [(index, problem) for _, _, index, problem in sorted(kept, key=lambda item: item[1])]

    def problem_count(self) -> int:
        """How many problems there were, kept or not."""
        return len(self.problems) + sum(resource.problem_counts.total() for resource in self.resources)

    def totals(self) -> dict[str, int]:
        names = ("records", "created", "updated", "unchanged", "rejected", "failures")
        return {name: sum(r.counts[name] for r in self.resources) for name in names} | {
            "deleted": sum(deletion.deleted for deletion in self.deletions)
        }

    def as_json(self) -> dict[str, Any]:
        """The report as contract and docs describe it."""
        return {
            "version": 1,
            "run_id": self.run_id,
            "mapping": self.mapping,
            "started_at": _moment(self.started_at),
            "finished_at": _moment(self.finished_at),
            "duration_s": round(self.finished_at - self.started_at, 3),
            "status": self.status,
            "exit_code": self.exit_code,
            "lookups": {
                "requests": self.lookups.requests,
                "retries": self.lookups.retries,
                "waited_s": round(self.lookups.waited_s, 3),
            },
            "resources": [resource.as_json() for resource in self.resources],
            "deletions": [
                {
                    "blueprint": deletion.blueprint,
                    "stale": deletion.stale,
                    "deleted": deletion.deleted,
                    "refused": None if deletion.refused is None else str(deletion.refused),
                }
                for deletion in self.deletions
            ],
            "problems": [
                {**problem_as_json(problem), "resource": index} for index, problem in self.problems_up_to(MOST_PROBLEMS)
            ],
            "dead_letters": self.dead_letters,
            "totals": self.totals(),
        }


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """A problem with the keys that reports have."""
    names = ("code", "kind", "place", "identifier", "message", "hint")
    return {name: getattr(problem, name) for name in names}


def _moment(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
