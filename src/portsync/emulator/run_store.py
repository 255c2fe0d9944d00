"""The reports of syncs in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from portsync.emulator.tables import RUNS

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = 200
"""So many reports are kept, the newest."""


@dataclass(frozen=True, slots=True)
class Run:
    """One report, and when it was handed in."""

    number: int
    received_at: str
    report: Mapping[str, Any]


class RunStore:
    """The reports, as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, report: Mapping[str, Any], at: str) -> int:
        """Keep a report, and give its number."""
        row = {"received_at": at, "body": orjson.dumps(dict(report)).decode()}
        number: int = self._connection.execute(insert(RUNS).values(row).returning(RUNS.c.number)).scalar_one()
        self._connection.execute(delete(RUNS).where(RUNS.c.number <= number - KEPT))
        return number

    def count(self) -> int:
        return self._connection.execute(select(func.count()).select_from(RUNS)).scalar_one()

    def newest(self, limit: int) -> list[Run]:
        """The last reports, newest first."""
        return [_run(row) for row in self._connection.execute(select(RUNS).order_by(RUNS.c.number.desc()).limit(limit))]

    def find(self, number: int) -> Run | None:
        """The report, or None."""
        row = self._connection.execute(select(RUNS).where(RUNS.c.number == number)).one_or_none()
        return None if row is None else _run(row)


def _run(row: Any) -> Run:
    return Run(row.number, row.received_at, orjson.loads(row.body))
