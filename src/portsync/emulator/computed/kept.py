"""Aggregations that were computed, kept for as long as nothing is written."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

Column = dict[str, float | None]
"""The values of one property by the identifiers of entities."""


class KeptAggregations:
    """The values of aggregation properties. They depend on entities of other blueprints, so any write ends them; and on
    the time, where their queries name ranges, so a minute does too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: tuple[int, ...] = ()
        self._columns: dict[tuple[str, str], Column] = {}

    def column(self, connection: Connection, now: float, blueprint: str, name: str) -> Column:
        """What is known of one property; whoever computes more of it adds it there."""
        driver: Any = connection.connection.driver_connection
        # The second one grows with what others write into the same file.
        versions = driver.total_changes, driver.execute("PRAGMA data_version").fetchone()[0]
        state = (*versions, int(now // 60))
        with self._lock:
            if state != self._state:
                self._state, self._columns = state, {}
            return self._columns.setdefault((blueprint, name), {})
