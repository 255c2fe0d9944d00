"""Dead letters -> batches -> outcomes -> the letters that remain."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.batch import LARGEST_ENTITY, Batcher
from portsync.dead_letters import letter_line
from portsync.errors import PortSyncError, Problem
from portsync.flow import Entity, Fate
from portsync.report import MOST_PROBLEMS
from portsync.upsert import Upserter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from portsync.dead_letters import Letter, LetterFile, Line, Replacement
    from portsync.flow import Batch, BatchResult, Outcome
    from portsync.logs import Redactor
    from portsync.sinks.base import Sink
    from portsync.stop import Stop

_LINES_IN_A_ROW = 500
"""After so many lines that gave nothing to wait for, whatever else is under way gets its turn."""


@dataclass
class Replayed:
    """What became of a file of dead letters. It is added to as the replay goes."""

    counts: Counter[str] = field(default_factory=Counter)
    """`created`, `updated`, `rejected`: what Port said of the entities that were sent; `untried`: those that were not
    because the replay ended before; `superseded`: those that gave way to a later letter of the same entity;
    `redacted`: those without their secrets; `without_entity`: failures and conflicts."""
    left: int = 0
    """How many letters remain."""
    own: list[Problem] = field(default_factory=list)
    """Problems of the replay as a whole, such as a Port that went away."""
    problems: list[Problem] = field(default_factory=list)
    """Problems of single letters, the first ones of each code."""
    problem_counts: Counter[str] = field(default_factory=Counter)
    """How many of these there were of each code, kept or not."""
    exit_code: int = 0
    trouble: OSError | None = None
    """Why what remains cannot be written down."""

    @property
    def status(self) -> str:
        """As in a report."""
        return {0: "ok", 1: "partial", 130: "interrupted", 143: "interrupted"}.get(self.exit_code, "failed")

    def add_problem(self, problem: Problem) -> None:
        self.problem_counts[problem.code] += 1
        if self.problem_counts[problem.code] <= MOST_PROBLEMS:
            self.problems.append(problem)

    def problems_up_to(self, most: int, *, alike: int = MOST_PROBLEMS) -> list[Problem]:
        """At most `most` problems, first those of the replay as a whole; at most `alike` of one code."""
        seen: Counter[str] = Counter()
        kept = list(self.own)
        for problem in self.problems:
            seen[problem.code] += 1
            kept += [problem] if seen[problem.code] <= alike else []
        return kept[:most]

    def problem_count(self) -> int:
        """How many problems there were, kept or not."""
        return len(self.own) + self.problem_counts.total()


async def replay(
    letters: LetterFile,
    remains: Replacement,
    sink: Sink,
    stop: Stop,
    redactor: Redactor,
    *,
    was_accepted: Callable[[Letter], bool] = lambda _: False,
    grace_s: float = 10.0,
) -> Replayed:
    """Send every entity in `letters` that may be sent, and put the new file in the place of the old one: what is left
    of it, or nothing. What is under way when a stop is requested gets `grace_s` seconds to end.

    `was_accepted` says whether a later run has brought the letter's entity into Port: an old one must not undo that.
    """
    replayed = Replayed()
    upserter = Upserter(sink)
    keeper = _Keeper(letters.header_line, remains, replayed)
    waiting: dict[int, Line] = {}

    def done(result: BatchResult) -> None:
        for outcome in result.outcomes:
            _account(outcome, waiting.pop(outcome.entity.record), upserter.down, keeper, redactor)

    async def put(batches: Iterable[Batch]) -> None:
        for batch in batches:
            await upserter.put(batch, done)

    batcher = Batcher()
    watch = asyncio.create_task(_give_up_after_grace(stop, upserter, grace_s))
    try:
        for passed, line in enumerate(letters.lines()):
            if passed % _LINES_IN_A_ROW == 0:
                await asyncio.sleep(0)
            is_over = stop.is_requested or upserter.down is not None
            if (entity := _entity_of(line, letters, keeper, was_accepted, is_over=is_over)) is not None:
                waiting[line.number] = line
                await put(batcher.add(entity))
        if not stop.is_requested:
            await put(batcher.flush())
        await upserter.settle()
    finally:
        watch.cancel()
    for line in waiting.values():
        keeper.keep(line.raw, "untried")
    _finish(letters, remains, replayed)
    replayed.exit_code = _exit_code(replayed, stop, upserter.down)
    return replayed


class _Keeper:
    """Writes down what remains, and counts."""

    def __init__(self, header_line: bytes, remains: Replacement, replayed: Replayed) -> None:
        self._remains = remains
        self.replayed = replayed
        self._write(header_line)

    def keep(self, raw: bytes, count: str) -> None:
        """One more letter that remains, counted as what it is."""
        self.replayed.counts[count] += 1
        self.replayed.left += 1
        self._write(raw)

    def _write(self, raw: bytes) -> None:
        if self.replayed.trouble is None:
            try:
                self._remains.write(raw)
            except OSError as trouble:
                self.replayed.trouble = trouble


def _entity_of(
    line: Line, letters: LetterFile, keeper: _Keeper, was_accepted: Callable[[Letter], bool], *, is_over: bool
) -> Entity | None:
    """The entity of a letter that is to be sent; None where there is none, and its letter is accounted for."""
    letter, body = line.letter, line.letter.body_to_send
    if letter.redacted:
        message = "the entity held a secret, which was taken out of it, so it cannot be sent"
        hint = "leave the secret out of the mapping's `port`, and run the sync again"
        keeper.replayed.add_problem(
            Problem("redacted", message, letter.place, hint, letter.kind, identifier=letter.identifier)
        )
        keeper.keep(line.raw, "redacted")
    elif body is None:
        keeper.keep(line.raw, "without_entity")
    elif letters.is_superseded(line) or was_accepted(letter):
        keeper.replayed.counts["superseded"] += 1
    elif is_over:
        keeper.keep(line.raw, "untried")
    elif len(body) > LARGEST_ENTITY:
        message = f"the entity has {len(body):,} bytes; Port takes at most {LARGEST_ENTITY:,} in one request"
        keeper.replayed.add_problem(Problem("entity-too-large", message, letter.place, identifier=letter.identifier))
        keeper.keep(line.raw, "rejected")
    else:
        return Entity(letter.blueprint or "", letter.identifier or "", body, b"", 0, line.number)
    return None


def _account(outcome: Outcome, line: Line, down: PortSyncError | None, keeper: _Keeper, redactor: Redactor) -> None:
    """Take down what became of an entity that was sent."""
    if outcome.fate is not Fate.REJECTED:
        keeper.replayed.counts[outcome.fate] += 1
        return
    if down is not None and (outcome.code, outcome.message) == (down.problems[0].code, down.problems[0].message):
        # Port did not look at it, so the old reason is the better one.
        keeper.keep(line.raw, "untried")
        return
    letter = line.letter
    problem = Problem(
        outcome.code or "port-rejected",
        outcome.message or "",
        letter.place,
        outcome.hint,
        letter.kind,
        letter.identifier,
    )
    keeper.replayed.add_problem(problem)
    raw = letter_line(problem, letter.resource, letter.blueprint, outcome.entity.body, redactor)
    keeper.keep(raw, "rejected")


def _finish(letters: LetterFile, remains: Replacement, replayed: Replayed) -> None:
    """Put what remains in the place of the file, or remove it where nothing does."""
    trouble = replayed.trouble
    try:
        if trouble is None and not letters.is_as_it_was():
            message = "the file was written anew meanwhile, by another run; it stays as that run left it"
            replayed.own.append(Problem("dead-letters", message, str(letters.path), "replay it again"))
        elif trouble is None and replayed.left == 0:
            letters.path.unlink()
        elif trouble is None:
            remains.take_place()
    except OSError as error:
        trouble = replayed.trouble = error
    if trouble is not None:
        message = f"what remains cannot be written, so the file still holds all: {trouble.strerror or trouble}"
        hint = "make room, and replay it again: sending an entity twice does no harm"
        replayed.own.append(Problem("dead-letters", message, str(letters.path), hint))


def _exit_code(replayed: Replayed, stop: Stop, down: PortSyncError | None) -> int:
    if down is not None:
        replayed.own.append(down.problems[0])
    if stop.is_requested:
        return stop.exit_code
    if down is not None and not (replayed.counts["created"] or replayed.counts["updated"]):
        return down.exit_code
    return 1 if replayed.left or replayed.own else 0


async def _give_up_after_grace(stop: Stop, upserter: Upserter, grace_s: float) -> None:
    await stop.wait()
    await asyncio.sleep(grace_s)
    upserter.give_up(Problem("interrupted", "the replay was stopped before Port answered", hint="replay it again"))
