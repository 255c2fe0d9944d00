"""When a source is given up: not for one chain that fails, but for many in a row that fail for its own reasons."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from portsync.errors import Problem
from portsync.flow import OF_THE_SOURCE, End, Spent, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

T = TypeVar("T")

_IN_A_ROW = 10
_NOT_OF_ONE_CHAIN = OF_THE_SOURCE | {"rate_limit"}


class Breaker:
    """Looks at what comes of a resource's chains. 50,000 chains shall not wait one by one for a source that is gone;
    those that are under way by then come to their end."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self.end: End | None = None
        """Why no more chains are begun, once that is so."""

    async def passing(self, chains: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """`chains`, until the source is given up."""
        async with aclosing(chains):
            async for chain in chains:
                if self.end is not None:
                    return
                yield chain

    def look(self, item: object) -> None:
        """Take what a chain gave."""
        if isinstance(item, Spent):
            return
        if not isinstance(item, End) or item.verdict is not Verdict.INCOMPLETE:
            self._in_a_row = 0
            return
        refused = item.problem is not None and item.problem.code == "source-refused"
        self._in_a_row = self._in_a_row + 1 if refused or item.reason in _NOT_OF_ONE_CHAIN else 0
        if self._in_a_row >= _IN_A_ROW and self.end is None:
            message = f"{_IN_A_ROW} request chains in a row failed; those that were not begun by then were not tried"
            problem = Problem("source-gone", message, hint="see the problems before this one, and run it again")
            self.end = End(Verdict.INCOMPLETE, item.reason, problem)
