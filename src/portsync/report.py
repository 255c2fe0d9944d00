"""What a run came to: counts, problems, exit code. The text and the JSON form say the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from portsync.errors import Problem
from portsync.flow import OF_THE_SOURCE, BatchResult, End, Failure, Fate, Fetched, MappedPage, Spent, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.state.seen import Conflict, Sorted

MOST_PROBLEMS = 100
"""A report holds so many problems at most; the counts are always whole."""


@dataclass
class ResourceReport:
    """The counts of one resource. The one thing along the line that changes: it is what is added to."""

    index: int
    kind: str
    blueprints: set[str] = field(default_factory=set)
    verdict: Verdict = Verdict.INCOMPLETE
    reason: str | None = "interrupted"
    counts: Counter[str] = field(default_factory=Counter)
    waited_s: float = 0.0
    chains: Counter[Verdict] = field(default_factory=Counter)
    """How its chains ended."""
    worst: End | None = None
    was_answered: bool = False
    """Whether the source gave something, be it only the values of a path parameter."""
    to_come: int | None = None
    """How many more requests there will be, where the source tells."""
    problems: list[Problem] = field(default_factory=list)
    problem_counts: Counter[str] = field(default_factory=Counter)
    """How many problems of each code there were, kept or not."""

    def add(self, item: Fetched[MappedPage] | End | Spent) -> None:
        """Count what reading gave: a page and what the mapping made of it (up to the entities, which `add_sorted`
        counts), the end of a chain, or what else was spent."""
        match item:
            case Spent():
                self.was_answered = self.was_answered or item.requests > 0
                self._add_spent(item)
            case End():
                self._add_end(item)
            case Fetched():
                self.counts["pages"] += item.pages
                self.to_come = item.to_come
                self._add_spent(item.spent)
                if item.page is not None:
                    self._add_page(item.page)

    def _add_page(self, page: MappedPage) -> None:
        self.counts["records"] += page.facts.records
        self.counts["filtered"] += page.filtered
        for failure in page.failures:
            self.add_failure(failure)
        for error in page.field_errors:
            self.counts["field_errors"] += 1
            self.add_problem(
                Problem(
                    "field-error",
                    f"`{error.field}` was left out: {error.message}",
                    error.place,
                    identifier=error.identifier,
                )
            )

    def add_sorted(self, sorted_: Sorted) -> None:
        """Count a page's duplicates and conflicts."""
        self.counts["duplicates"] += sorted_.duplicates
        self.counts["entities"] += sorted_.dropped
        self.counts["unchanged"] += sorted_.dropped
        for failure in sorted_.failures:
            self.add_failure(failure)
        for conflict in sorted_.conflicts:
            self._add_conflict(conflict)

    def add_failure(self, failure: Failure) -> None:
        self.counts["failures"] += 1
        self.add_problem(
            Problem(failure.code, failure.message, failure.place, failure.hint, identifier=failure.identifier)
        )

    def add_result(self, result: BatchResult) -> None:
        """Count what became of a batch. An entity that stands for earlier conflicting ones counts for them too, as if
        each had been sent."""
        for outcome in result.outcomes:
            self.blueprints.add(outcome.entity.blueprint)
            absorbed = outcome.entity.absorbed
            self.counts["entities"] += 1 + absorbed
            self.counts[outcome.fate] += 1
            self.counts[Fate.REJECTED if outcome.fate is Fate.REJECTED else Fate.UPDATED] += absorbed
            if outcome.fate is Fate.REJECTED:
                self.add_problem(
                    Problem(
                        outcome.code or "port-rejected",
                        outcome.message or "",
                        outcome.entity.place,
                        outcome.hint,
                        identifier=outcome.entity.identifier,
                    )
                )

    def _add_end(self, end: End) -> None:
        self.chains[end.verdict] += 1
        self._add_spent(end.spent)
        if end.problem is not None:
            self.add_problem(end.problem)
        if self.worst is None or _SEVERITY[end.verdict] > _SEVERITY[self.worst.verdict]:
            self.worst = end

    def close(self) -> None:
        """Take to the records that all chains came to their end: the verdict is that of the worst."""
        self.to_come = None
        if self.worst is None:
            self.verdict, self.reason = Verdict.COMPLETE, None
        else:
            self.verdict, self.reason = self.worst.verdict, self.worst.reason

    def end(self, end: End) -> None:
        """Take the one end of a resource that has no chain."""
        self._add_end(end)
        self.close()

    def add_problem(self, problem: Problem) -> None:
        self.problem_counts[problem.code] += 1
        if self.problem_counts[problem.code] <= MOST_PROBLEMS:
            self.problems.append(replace(problem, kind=self.kind))

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read, and all that was read is in Port."""
        return self.verdict is not Verdict.INCOMPLETE and not any(self.counts[n] for n in ("failures", "rejected"))

    def _add_spent(self, spent: Spent) -> None:
        self.counts["requests"] += spent.requests
        self.counts["retries"] += spent.retries
        self.counts["rate_limited"] += spent.rate_limited
        self.waited_s += spent.waited_s

    def _add_conflict(self, conflict: Conflict) -> None:
        self.counts["conflicts"] += 1
        self.add_problem(
            Problem(
                "conflict",
                f"two records have the identifier `{conflict.identifier}` and different content",
                f"{conflict.first_place} and {conflict.second_place}",
                "make `identifier` tell them apart, or say with `on_conflict` which one counts (last, first)",
                identifier=conflict.identifier,
            )
        )

    def as_json(self) -> dict[str, Any]:
        names = ("requests", "retries", "pages", "records", "filtered", "entities", "duplicates", "conflicts")
        more = ("field_errors", "failures", "created", "updated", "unchanged", "rejected")
        counts = {name: self.counts[name] for name in (*names, *more)}
        return {
            "index": self.index,
            "kind": self.kind,
            "blueprints": sorted(self.blueprints),
            "verdict": str(self.verdict),
            "reason": self.reason,
            "requests": counts.pop("requests"),
            "retries": counts.pop("retries"),
            "rate_limited": self.counts["rate_limited"],
            "waited_s": round(self.waited_s, 3),
            **counts,
            "chains": {str(verdict): self.chains[verdict] for verdict in Verdict},
        }


_SEVERITY = {Verdict.COMPLETE: 0, Verdict.SKIPPED: 1, Verdict.INCOMPLETE: 2}


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
        return {name: sum(r.counts[name] for r in self.resources) for name in names} | {"deleted": 0}

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
            "deletions": [],
            "problems": [
                {**problem_as_json(problem), "resource": index} for index, problem in self.problems_up_to(MOST_PROBLEMS)
            ],
            "totals": self.totals(),
        }


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """A problem with the keys that reports have."""
    names = ("code", "kind", "place", "identifier", "message", "hint")
    return {name: getattr(problem, name) for name in names}


def exit_code_of(
    resources: Sequence[ResourceReport], *, conflicts_count: Sequence[bool], is_strict: bool = False
) -> int:
    """0, 1 or 3 for a run that came to its end (the docs hold the table of exit codes).

    `conflicts_count` says for each resource whether a conflict makes the run partial; `is_strict` that skipped
    resources and field errors do too.
    """
    if resources and all(_was_unusable(resource) for resource in resources):
        return 3
    whole = all(resource.is_whole for resource in resources)
    conflicted = any(r.counts["conflicts"] and counts for r, counts in zip(resources, conflicts_count, strict=True))
    lax = any(r.verdict is Verdict.SKIPPED or r.counts["field_errors"] for r in resources)
    return 0 if whole and not conflicted and not (is_strict and lax) else 1


def _was_unusable(resource: ResourceReport) -> bool:
    """Whether the source could not be used for it at all: not reached, or refused (401, 403) from the start."""
    if resource.verdict is not Verdict.INCOMPLETE or resource.counts["pages"] or resource.was_answered:
        return False
    refused = any(p.code == "source-refused" for p in resource.problems)
    return resource.reason in OF_THE_SOURCE or refused


def _moment(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
