"""Find the record on which an expression runs away, so that the others go on.

Where three records in a row, or all of a page, run away, it is not a record but the expression: then the search ends,
and the expression is named. Each part of a page gets its share of the page's time, so that the search costs no more
than about three times the page's deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.errors import ExpressionError, Problem
from portsync.flow import Failure
from portsync.jq.pool import RUNAWAY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_IN_A_ROW = 3
_SHORTEST_S = 1.0
"""No part of a page gets less time than this: its body has to be parsed first."""


@dataclass(frozen=True, slots=True)
class Part:
    """Records of a page, from one index to before another, with the time they may take."""

    first: int
    end: int
    timeout_s: float

    def halves(self, shortest_s: float) -> tuple[Part, Part]:
        middle = (self.first + self.end) // 2
        timeout_s = max(shortest_s, self.timeout_s / 2)
        return Part(self.first, middle, timeout_s), Part(middle, self.end, timeout_s)


@dataclass(frozen=True, slots=True)
class Isolated:
    """What came of a page whose records had to be told apart."""

    lines: tuple[bytes, ...]
    failures: tuple[Failure, ...]


async def isolate(
    page: int,
    records: int,
    timeout_s: float,
    cause: Problem,
    run: Callable[[Part], Awaitable[tuple[bytes, ...]]],
    name: Callable[[Part], Awaitable[str]],
) -> Isolated:
    """The lines of all records that do not run away, and a failure for each that does.

    `cause` is what became of the page as a whole. `run` gives the lines of a part, `name` the expression that runs
    away on a part of one record. Raises ExpressionError where it is the expression itself.
    """
    shortest_s = min(_SHORTEST_S, timeout_s)
    probes = [Part(i, i + 1, shortest_s) for i in range(min(_IN_A_ROW, records))]
    rest = Part(len(probes), records, timeout_s)
    waiting = [*reversed(rest.halves(shortest_s)), *reversed(probes)]
    lines: list[bytes] = []
    failures: list[Failure] = []
    in_a_row = 0
    while waiting:
        part = waiting.pop()
        if part.first >= part.end:
            continue
        try:
            lines += await run(part)
            in_a_row = 0
        except ExpressionError as error:
            if error.problems[0].code not in RUNAWAY:
                raise
            if part.end - part.first > 1:
                waiting += reversed(part.halves(shortest_s))
                continue
            culprit = await name(part)
            message = f"`{culprit}`: {cause.message}"
            failures.append(Failure(cause.code, message, page, part.first + 1, hint=cause.hint))
            in_a_row += 1
            if in_a_row >= _IN_A_ROW or len(failures) == records:
                message = f"`{culprit}` runs away on one record after another: {cause.message}"
                raise ExpressionError(Problem(cause.code, message, hint=cause.hint)) from error
    return Isolated(tuple(lines), tuple(failures))
