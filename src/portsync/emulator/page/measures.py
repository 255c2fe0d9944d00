"""What widgets count, as sums that entities are taken into one by one: no widget ever holds the entities."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

from portsync.emulator.instants import parse_date_time
from portsync.emulator.page.buckets import next_start, start_of
from portsync.emulator.page.texts import clipped

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from portsync.emulator.entity import Entity
    from portsync.emulator.page.columns import Column
    from portsync.emulator.rules import Predicate

EMPTY = "—"
_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30}


class Measure(Protocol):
    """Something that is found in one pass over a blueprint's entities."""

    @property
    def matches(self) -> Predicate:
        """Whether an entity counts."""

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:
        """Take in an entity that counts."""


class Fold:
    """Numbers put together by one of Port's functions."""

    def __init__(self, func: str) -> None:
        self._func = func
        self._values: list[float] = []
        self.number = 0
        self._result: float | None = None

    def add(self, value: float) -> None:
        self.number += 1
        match self._func:
            case "median":
                self._values.append(value)
            case "min":
                self._result = value if self._result is None else min(self._result, value)
            case "max":
                self._result = value if self._result is None else max(self._result, value)
            case "last":
                self._result = value
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
                return median(self._values) if self._values else None
            case "average":
                return None if self._result is None else self._result / self.number
            case _:
                return self._result


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


@dataclass(frozen=True, slots=True)
class NumberMeasure:
    """One number: a property's values or the entities themselves, in all or on average for a unit of time."""

    matches: Predicate
    column: Column | None
    """None: the entities are counted."""
    fold: Fold
    average_of: str | None
    """hour, day, week, month: the average of that, by `time`; None or total: over all."""
    time: Column
    span: Span

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:  # noqa: ARG002 - the protocol's
        value = 1 if self.column is None else as_number(self.column.of(printed))
        if value is not None:
            self.fold.add(value)
            if self.average_of in _DAYS:
                self.span.add(as_moment(self.time.of(printed)))

    def result(self) -> float | None:
        if self.average_of in _DAYS:
            return self.fold.sum / self.span.units(self.average_of)
        return self.fold.result()


class SeriesMeasure:
    """A value for each span of time, for each of some properties or each value of one."""

    def __init__(
        self,
        matches: Predicate,
        func: str,
        columns: Mapping[str, Column],
        time: Column,
        within: tuple[datetime, datetime],
        interval: str,
        breakdown: Column | None = None,
    ) -> None:
        self.matches = matches
        self.func = func
        self._columns = columns
        self._time = time
        self._first, self._last = within
        self._interval = interval
        self._breakdown = breakdown
        self.series: dict[str, dict[datetime, Fold]] = {title: {} for title in columns}

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:  # noqa: ARG002 - the protocol's
        at = as_moment(self._time.of(printed))
        if at is None or not self._first <= at <= self._last:
            return
        start = start_of(at, self._interval)
        if not self._columns:
            title = "Entities" if self._breakdown is None else as_name(self._breakdown.of(printed))
            self._fold(title, start).add(1)
        for title, column in self._columns.items():
            value = as_number(column.of(printed))
            if value is not None:
                self._fold(title, start).add(value)

    def values(self) -> dict[str, dict[datetime, float | None]]:
        """The value of each span by the series' title; spans without entities are not there."""
        return {
            title: {start: self._value(start, fold) for start, fold in folds.items()}
            for title, folds in self.series.items()
        }

    def _value(self, start: datetime, fold: Fold) -> float | None:
        if self._columns or self.func == "count":
            return fold.result()
        days = (next_start(start, self._interval) - start).total_seconds() / 86400
        return fold.number / days

    def _fold(self, title: str, start: datetime) -> Fold:
        func = self.func if self._columns else "count"
        return self.series.setdefault(title, {}).setdefault(start, Fold(func))


@dataclass(frozen=True, slots=True)
class CountMeasure:
    """How many entities have each value of a property."""

    matches: Predicate
    column: Column
    counts: Counter[str]

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:  # noqa: ARG002 - the protocol's
        value = self.column.of(printed)
        for each in value if isinstance(value, list) else [value]:
            self.counts[as_name(each)] += 1


class RowsMeasure:
    """The first entities in an order, by which the first is the largest, and how many there are."""

    def __init__(self, matches: Predicate, order: Callable[[Mapping[str, Any]], Any], most: int) -> None:
        self.matches = matches
        self.total = 0
        self._order = order
        self._most = most
        self._numbers = count()
        self._heap: list[tuple[Any, int, Entity]] = []

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:
        self.total += 1
        item = (self._order(printed), -next(self._numbers), entity)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def rows(self) -> list[Entity]:
        return [entity for _, _, entity in sorted(self._heap, key=lambda item: item[:2], reverse=True)]


def as_number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_moment(value: object) -> datetime | None:
    return parse_date_time(value) if isinstance(value, str) else None


def as_name(value: object) -> str:
    """The name of a group."""
    if value is None or value == "":
        return EMPTY
    return ("true" if value else "false") if isinstance(value, bool) else clipped(str(value), 80)
