"""When a source is given up: not for one chain that fails, but for many in a row that fail for its own reasons."""

from __future__ import annotations

from portsync.errors import Problem
from portsync.flow import End, Spent, Verdict

_IN_A_ROW = 10
_OF_THE_SOURCE = frozenset({"unreachable", "timeout", "connection", "rate_limit", "auth"})


class Breaker:
    """Looks at what comes of a resource's chains. 50,000 chains shall not wait one by one for a source that is gone."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def take(self, item: object) -> End | None:
        """Why the rest of the chains should not be tried, or None."""
        if isinstance(item, Spent):
            return None
        if not isinstance(item, End) or item.verdict is not Verdict.INCOMPLETE:
            self._in_a_row = 0
            return None
        refused = item.problem is not None and item.problem.code == "source-refused"
        self._in_a_row = self._in_a_row + 1 if refused or item.reason in _OF_THE_SOURCE else 0
        if self._in_a_row < _IN_A_ROW:
            return None
        message = f"{_IN_A_ROW} request chains in a row failed; the others were not tried"
        problem = Problem("source-gone", message, hint="see the problems before this one, and run it again")
        return End(Verdict.INCOMPLETE, item.reason, problem)
