"""The report of a resource that many read: put together of parts, it says what one reader would have said."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from portsync.errors import Problem
from portsync.flow import BatchResult, End, Entity, Failure, Fate, Outcome, Spent, Verdict
from portsync.report.resource import MOST_PROBLEMS, ReportPart, ResourceReport
from portsync.state.seen import Conflict, Sorted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

counts = st.integers(0, 5)
spents = st.builds(Spent, counts, counts, counts, st.integers(0, 40).map(lambda quarter: quarter / 4))
problems = st.builds(Problem, st.sampled_from(["timeout", "http", "other"]), st.sampled_from(["so", "or so"]))
ends = st.builds(End, st.sampled_from(Verdict), st.sampled_from([None, "http"]), st.none() | problems, spent=spents)
entities = st.builds(
    Entity,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["1", "2", "3"]),
    st.just(b"{}"),
    st.just(b""),
    st.just(1),
    st.just(1),
    absorbed=st.integers(0, 2),
)
results = st.builds(
    lambda outcomes: BatchResult(tuple(outcomes)),
    st.lists(st.builds(Outcome, entities, st.sampled_from(Fate), st.sampled_from([None, "why"])), max_size=4),
)
failures = st.builds(Failure, st.sampled_from(["jq", "no-identifier"]), st.just("bad"), counts, counts)
conflicts = st.builds(Conflict, st.sampled_from("xy"), st.just("a"), st.just("here"), st.just("there"))
found = st.builds(Sorted, st.just(()), counts, st.lists(conflicts, max_size=2).map(tuple), dropped=counts)
Event = End | Spent | BatchResult | Failure | Sorted
events: st.SearchStrategy[Event] = st.one_of(spents, ends, results, failures, found)


def report() -> ResourceReport:
    return ResourceReport(3, "/things", {"a"}, hints={"timeout": "wait"})


def put(into: ResourceReport, event: Event) -> None:
    match event:
        case BatchResult():
            into.add_result(event)
        case Failure():
            into.add_failure(event)
        case Sorted():
            into.add_sorted(event)
        case _:
            into.add(event)


def of(some: Sequence[Event]) -> ReportPart:
    one = report()
    for event in some:
        put(one, event)
    return one.part()


def shown(one: ResourceReport) -> object:
    """What a report says, but in which order it came to know it."""
    one.close()
    kept = Counter(problem.code for problem in one.problems)
    said = Counter(one.problems) if one.problem_counts.total() <= MOST_PROBLEMS else None
    counted = +one.problem_counts
    return {**one.as_json(), "reason": None}, one.is_whole, one.was_answered, kept, said, counted


@given(st.lists(st.lists(events, max_size=8), max_size=6), st.randoms(use_true_random=False))
def test_parts_in_any_order_say_what_the_whole_says(parts: list[list[Event]], chance: Random) -> None:
    whole = report()
    for part in parts:
        for event in part:
            put(whole, event)
    together = report()
    shuffled = [pickle.loads(pickle.dumps(of(part))) for part in parts]
    chance.shuffle(shuffled)
    for part in shuffled:
        together.absorb(part)

    assert shown(together) == shown(whole)


@given(st.lists(st.lists(events, max_size=8), max_size=5))
def test_parts_of_parts_say_the_same(parts: list[list[Event]]) -> None:
    flat, nested = report(), report()
    for part in parts:
        flat.absorb(of(part))
    inner = report()
    for part in parts[1:]:
        inner.absorb(of(part))
    for part in parts[:1]:
        nested.absorb(of(part))
    nested.absorb(inner.part())

    assert shown(nested) == shown(flat)


def test_of_each_code_a_hundred_problems_are_kept_and_all_are_counted() -> None:
    whole = report()
    for number in range(5):
        whole.absorb(of([End(Verdict.SKIPPED, "x", Problem("one", f"{number} {i}")) for i in range(60)]))
        whole.absorb(of([End(Verdict.SKIPPED, "x", Problem(f"rare-{number}", "once"))]))
        whole.absorb(of([End(Verdict.SKIPPED, "x", Problem("many", "again")) for i in range(300)]))
    whole.add_problem(Problem("one", "one more"))

    kept = Counter(problem.code for problem in whole.problems)
    assert kept == {"one": 100, "many": 100, **{f"rare-{number}": 1 for number in range(5)}}
    assert whole.problem_counts["one"] == 301
    assert whole.problem_counts["many"] == 1500


def test_problems_keep_their_resource_and_the_hint_that_the_mapping_has_for_them() -> None:
    whole = report()
    whole.absorb(of([End(Verdict.INCOMPLETE, "timeout", Problem("timeout", "late"))]))

    assert whole.problems == [Problem("timeout", "late", hint="wait", kind="/things")]


def test_a_part_does_not_change_with_the_report_that_it_was_taken_of() -> None:
    one = report()
    put(one, Spent(1, 0, 0, 2.0))
    part = one.part()
    before = msgspec.json.encode([dict(part.counts), part.waited_s, len(part.problems)])
    put(one, Spent(1, 0, 0, 2.0))
    put(one, Failure("jq", "bad", 1, 1))

    assert msgspec.json.encode([dict(part.counts), part.waited_s, len(part.problems)]) == before


def test_the_verdict_is_that_of_the_worst_part_and_a_report_without_parts_is_complete() -> None:
    whole = report()
    for verdict in (Verdict.COMPLETE, Verdict.INCOMPLETE, Verdict.SKIPPED):
        whole.absorb(of([End(verdict, str(verdict))]))
    whole.close()
    empty = report()
    empty.absorb(of([]))
    empty.close()

    assert (whole.verdict, whole.reason) == (Verdict.INCOMPLETE, "incomplete")
    assert (empty.verdict, empty.reason) == (Verdict.COMPLETE, None)
