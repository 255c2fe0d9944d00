"""The counts of one resource, as they come in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from portsync.errors import Problem
from portsync.flow import BatchResult, End, Entity, Failure, Fate, Fetched, MappedPage, Spent, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portsync.state.seen import Conflict, Sorted

MOST_PROBLEMS = 100
"""A report holds so many problems at most; the counts are always whole."""


@dataclass(frozen=True, slots=True)
class ReportPart:
    """What somebody else counted of a resource."""

    counts: Counter[str]
    waited_s: float
    chains: Counter[Verdict]
    worst: End | None
    was_answered: bool
    problems: tuple[Problem, ...]
    problem_counts: Counter[str]
    blueprints: frozenset[str]


@dataclass
class ResourceReport:
    """The counts of one resource. The one thing along the line that changes: it is what is added to."""

    index: int
    kind: str
    blueprints: set[str] = field(default_factory=set)
    takes_conflicts: bool = False
    """Whether the mapping says which one of two conflicting records counts, so that they are no fault."""
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
    hints: Mapping[str, str] = field(default_factory=dict)
    """What the mapping says to do about statuses and problem codes."""
    letter: Callable[[Problem, Entity | None], None] = lambda _problem, _entity: None
    """Gets every record and entity that did not make it, whether its problem is kept or not."""

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

    def add_unchanged(self, given: Sequence[Entity], changed: Sequence[Entity]) -> None:
        """Count those of `given` that are not among `changed`: Port has them as they are."""
        self.counts["entities"] += len(given) - len(changed)
        self.counts["unchanged"] += len(given) - len(changed)
        absorbed = sum(e.absorbed for e in given) - sum(e.absorbed for e in changed)
        self.counts["entities"] += absorbed
        self.counts["unchanged"] += absorbed
        if given:
            self.blueprints.add(given[0].blueprint)

    def add_failure(self, failure: Failure) -> None:
        self.counts["failures"] += 1
        self._add_letter(
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
            self.counts[Fate.UPDATED if outcome.fate is Fate.CREATED else outcome.fate] += absorbed
            if outcome.fate is Fate.REJECTED:
                self._add_letter(
                    Problem(
                        outcome.code or "port-rejected",
                        outcome.message or "",
                        outcome.entity.place,
                        outcome.hint,
                        identifier=outcome.entity.identifier,
                    ),
                    outcome.entity,
                )

    def _add_end(self, end: End) -> None:
        self.chains[end.verdict] += 1
        self._add_spent(end.spent)
        if end.problem is not None:
            self.add_problem(end.problem)
        self._note_worst(end)

    def _note_worst(self, end: End) -> None:
        if self.worst is None or _SEVERITY[end.verdict] > _SEVERITY[self.worst.verdict]:
            self.worst = end

    def part(self) -> ReportPart:
        """What was counted so far, for the report that it is a part of."""
        return ReportPart(
            self.counts.copy(),
            self.waited_s,
            self.chains.copy(),
            self.worst,
            self.was_answered,
            tuple(self.problems),
            self.problem_counts.copy(),
            frozenset(self.blueprints),
        )

    def absorb(self, part: ReportPart) -> None:
        """Count what somebody else did."""
        self.counts += part.counts
        self.waited_s += part.waited_s
        self.chains += part.chains
        self.was_answered = self.was_answered or part.was_answered
        self.blueprints |= part.blueprints
        kept = Counter(problem.code for problem in self.problems)
        for problem in part.problems:
            kept[problem.code] += 1
            if kept[problem.code] <= MOST_PROBLEMS:
                self.problems.append(problem)
        self.problem_counts += part.problem_counts
        if part.worst is not None:
            self._note_worst(part.worst)

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
        problem = problem.advised(self.hints)
        self.problem_counts[problem.code] += 1
        if self.problem_counts[problem.code] <= MOST_PROBLEMS:
            self.problems.append(replace(problem, kind=self.kind))

    def _add_letter(self, problem: Problem, entity: Entity | None = None) -> None:
        self.add_problem(problem)
        self.letter(replace(problem.advised(self.hints), kind=self.kind), entity)

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read, and all that was read is in Port."""
        faults = ("failures", "rejected") if self.takes_conflicts else ("failures", "rejected", "conflicts")
        return self.verdict is not Verdict.INCOMPLETE and not any(self.counts[name] for name in faults)

    def _add_spent(self, spent: Spent) -> None:
        self.counts["requests"] += spent.requests
        self.counts["retries"] += spent.retries
        self.counts["rate_limited"] += spent.rate_limited
        self.waited_s += spent.waited_s

    def _add_conflict(self, conflict: Conflict) -> None:
        self.counts["conflicts"] += 1
        note = self.add_problem if self.takes_conflicts else self._add_letter
        note(
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
            "missing_users": self.counts["missing_users"],
            "chains": {str(verdict): self.chains[verdict] for verdict in Verdict},
        }


_SEVERITY = {Verdict.COMPLETE: 0, Verdict.SKIPPED: 1, Verdict.INCOMPLETE: 2}
