"""Aggregations that were computed, kept for as long as nothing is written."""

from __future__ import annotations

import threading

Column = dict[str, float | None]
"""The values of one property by the identifiers of entities."""


class Kept:
    """The values of aggregation properties in one state of the catalogue."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, str], Column] = {}

    def column(self, blueprint: str, name: str) -> Column:
        """What is known of one property; whoever computes more of it adds it there."""
        return self._columns.setdefault((blueprint, name), {})


class KeptAggregations:
    """The values of aggregation properties. They depend on entities of other blueprints, so any write ends them; and on
    the time, where their queries name ranges, so a minute does too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: tuple[int, int] | None = None
        self._kept = Kept()

    def at(self, state: int | None, now: float) -> Kept:
        """What is known in this state of the store, nothing where None: what is not committed yet is not kept. `now` in
        epoch seconds."""
        if state is None:
            return Kept()
        whole = (state, int(now // 60))
        with self._lock:
            if whole != self._state:
                self._state, self._kept = whole, Kept()
            return self._kept
