"""What a source said of the whole, against what it gave: the account of one chain of requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.errors import Problem
from portsync.flow import PageFacts
from portsync.pagination import PaginationError

if TYPE_CHECKING:
    from portsync.pagination import Paginator

LOOP_HINT = "check the names in `pagination`: the source seems to ignore one of them"

_OF_THE_NEXT_PAGE = ("cursor", "next_link")

_KNOWN_IN_A_ROW = 2
"""One page may happen to hold what an earlier one held; two in a row lead round in a circle."""


class Ledger:
    """Takes the facts of one page after the other."""

    def __init__(self, paginator: Paginator) -> None:
        self._paginator = paginator
        self.last = PageFacts(0)
        """The page that was entered last."""
        self._content = b""
        """Of the page before."""
        self._contents: set[bytes] = set()
        self._edges: set[bytes] = set()
        self._known_in_a_row = 0
        self._received = 0
        self._fresh = 0
        """Records received, without those of pages that were there before."""
        self._is_repeat = False
        self._has_repeats = False
        self._total: int | None = None

    def placed(self, facts: PageFacts, number: int) -> PageFacts:
        """The facts of page `number`, with what only its chain knows."""
        empty = 0 if facts.records else self.last.empty_pages + 1
        return replace(facts, number=number, received=self._received + facts.records, empty_pages=empty)

    def of_nothing(self) -> PageFacts:
        """The facts of an answer without a body. What the page before it said of the whole still holds; where the next
        page is, nobody says."""
        values = {name: value for name, value in self.last.values.items() if name not in _OF_THE_NEXT_PAGE}
        return replace(self.last, records=0, values=values, headers={}, edges=b"")

    def may_repeat(self, facts: PageFacts) -> bool:
        """Whether a page can be one that was there before, as far as a glance tells. Remembers the glance."""
        is_known = facts.edges in self._edges
        self._edges.add(facts.edges)
        return facts.records > 0 and is_known and self._total_of(facts) is None

    def repeats(self, facts: PageFacts, content: bytes) -> bool:
        """Whether a page is the one before it once more, or the second in a row that was there before, and no total
        says otherwise. Remembers `content`."""
        is_repeat = facts.records > 0 and content == self._content
        is_known = facts.records > 0 and content in self._contents
        self._known_in_a_row = self._known_in_a_row + 1 if is_known else 0
        self._content = content
        self._contents.add(content)
        self._is_repeat = is_known
        self._has_repeats = self._has_repeats or is_known
        return (is_repeat or self._known_in_a_row >= _KNOWN_IN_A_ROW) and self._total_of(facts) is None

    def take(self, facts: PageFacts) -> None:
        """Enter a page, whose facts are `placed`."""
        self._received = facts.received
        self._fresh += 0 if self._is_repeat else facts.records
        self._is_repeat = False
        self._total = self._total_of(facts)
        self.last = facts

    def shortfall(self, place: str) -> Problem | None:
        """Why a chain that came to its end at `place` is not whole; None where it is."""
        if self._total is None or self._fresh >= self._total:
            return None
        if self._has_repeats:
            message = f"pages repeat, and only {self._fresh} of the {self._total} records that there are came"
            return Problem("loop", message, place, LOOP_HINT)
        message = f"the source gave {self._fresh} of the {self._total} records that it says there are"
        hint = "check `total_path` against an answer; where it is right, the source does not give all"
        return Problem("truncated", message, place, hint)

    def _total_of(self, facts: PageFacts) -> int | None:
        try:
            return self._paginator.total(facts)
        except PaginationError:
            return None  # it ends the chain when the paginator is asked for the next request
