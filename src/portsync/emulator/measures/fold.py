"""Numbers put together by one of Port's functions, one after the other."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from portsync.emulator.instants import parse_date_time

if TYPE_CHECKING:
    from datetime import datetime

_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30}
_LARGEST = 2**63


class Fold:
    """Numbers put together by `count`, `sum`, `average`, `min`, `max`, `median` or `last`."""

    def __init__(self, func: str) -> None:
        self._func = func
        self._values: list[float] = []
        self._last: datetime | None = None
        self.number = 0
        self._result: float | None = None

    def add(self, value: float, at: datetime | None = None) -> None:
        """Take in a number; `at` says which is the last one."""
        self.number += 1
        match self._func:
            case "median":
                self._values.append(value)
            case "min":
                self._result = value if self._result is None else min(self._result, value)
            case "max":
                self._result = value if self._result is None else max(self._result, value)
            case "last":
                if self._last is None or at is None or at >= self._last:
                    self._result, self._last = value, at
            case _:
                self._result = (self._result or 0) + value

    @property
    def sum(self) -> float:
        return self._result or 0

    def result(self) -> float | None:
        """What it came to; None where there was nothing, but a count of nothing is 0."""
        match self._func:
            case "count":
                return self.number
            case "median":
                return _plain(median(self._values)) if self._values else None
            case "average":
                return None if self._result is None else self._result / self.number
            case _:
                return None if self._result is None else _plain(self._result)


def _plain(value: float) -> float:
    """The number as JSON can have it: sums of integers may be larger than those that are written as integers."""
    return value if -_LARGEST <= value < _LARGEST else float(value)


class Span:
    """The first and the last moment of several."""

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._last: datetime | None = None

    def add(self, at: datetime | None) -> None:
        if at is not None:
            self._first = at if self._first is None else min(self._first, at)
            self._last = at if self._last is None else max(self._last, at)

    def units(self, unit: str) -> float:
        """How many hours, days, weeks or months it touches; at least one."""
        if self._first is None or self._last is None:
            return 1
        days = (self._last - self._first).total_seconds() / 86400
        return max(1, int(days / _DAYS[unit]) + 1)


class Number:
    """One number of entities or of their values: as the function says, or on average for a unit of time."""

    def __init__(self, func: str, average_of: str | None = None) -> None:
        """`average_of` is hour, day, week or month; None or total: over all."""
        self._average_of = average_of if average_of in _DAYS and func == "average" else None
        self._fold = Fold(func if self._average_of is None else "sum")
        self._span = Span()

    @property
    def entities(self) -> int:
        """How many had a value."""
        return self._fold.number

    def add(self, value: float, at: datetime | None) -> None:
        self._fold.add(value)
        if self._average_of is not None:
            self._span.add(at)

    def result(self) -> float | None:
        """What it came to; None where there was nothing to sum, to compare or to divide."""
        if self._average_of is None:
            return self._fold.result()
        return self._fold.sum / self._span.units(self._average_of)


def as_number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_moment(value: object) -> datetime | None:
    return parse_date_time(value) if isinstance(value, str) else None
