"""How many chains go into a slice: as many as take a few seconds, by what the last ones took."""

from __future__ import annotations

_LONGEST_S = 5.0
_SHORTEST_S = 1.0
_SHARE = 0.125
"""A slice takes no more than this share of what its resource has taken so far: at the end, all workers are done at
about the same time."""
_GROWTH = 4
"""A slice has so many times as many chains at most as the largest one that is done: the first ones may not have been
like the others."""
_MOST = 10_000


class Sizing:
    """Watches slices, and says how large the next one should be."""

    def __init__(self, first: int = 1) -> None:
        """`first`: how many chains a slice has until it is known how long they take, and later, too, as long as it does
        not take long: so many are read at once."""
        self._first = first
        self._largest = 0
        """How many chains the largest slice had that is done."""
        self._chain_s: float | None = None
        self._longest_s = _LONGEST_S

    def next(self, elapsed_s: float) -> int:
        """How many chains the next slice should have; the resource was begun `elapsed_s` seconds ago."""
        if self._chain_s is None:
            return self._first
        wanted_s = min(self._longest_s, max(_SHORTEST_S, elapsed_s * _SHARE))
        chain_s = max(self._chain_s, 1e-6)
        fitting = max(int(wanted_s / chain_s), min(self._first, int(self._longest_s / chain_s)))
        return max(1, min(fitting, self._largest * _GROWTH, _MOST))

    def took(self, chains: int, seconds: float) -> None:
        """Learn what a slice of so many chains took."""
        self._largest = max(self._largest, chains)
        each = seconds / chains
        # Half of it is what was known before: one slow answer shall not make all slices small.
        self._chain_s = each if self._chain_s is None else (self._chain_s + each) / 2

    def lost(self) -> None:
        """Learn that a worker was lost with a slice: where that happens often, smaller ones have a better chance."""
        self._longest_s = max(_SHORTEST_S, self._longest_s / 2)
