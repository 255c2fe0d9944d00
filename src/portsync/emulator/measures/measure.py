"""What is found in one pass over a blueprint's entities: they are taken in one by one, and none is held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Protocol

from portsync.emulator.measures.buckets import next_start, start_of
from portsync.emulator.measures.fold import Fold, Number, as_moment, as_number

if TYPE_CHECKING:
    from collections import Counter
    from datetime import datetime, tzinfo

    from portsync.emulator.entity import Entity
    from portsync.emulator.rules import Predicate

Read = Callable[[Mapping[str, Any]], Any]
"""Gives a value of an entity in its printed form, None where it has none."""


class Measure(Protocol):
    """Something that is found in one pass over a blueprint's entities."""

    @property
    def matches(self) -> Predicate:
        """Whether an entity counts."""

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:
        """Take in an entity that counts."""


@dataclass(frozen=True, slots=True)
class NumberMeasure:
    """One number: of a property's values, or of the entities themselves where `read` is None."""

    matches: Predicate
    read: Read | None
    time: Read
    number: Number

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:  # noqa: ARG002 - the protocol's
        value = 1 if self.read is None else as_number(self.read(printed))
        if value is not None:
            self.number.add(value, as_moment(self.time(printed)))


@dataclass(frozen=True, slots=True)
class Spans:
    """Which moments count, and the spans of time that they are counted in."""

    first: datetime
    last: datetime
    interval: str
    zone: tzinfo = UTC

    def start(self, at: datetime | None) -> datetime | None:
        """The start of the span that holds a moment; None for one out of range."""
        return None if at is None or not self.first <= at <= self.last else start_of(at, self.interval, self.zone)

    def days(self, start: datetime) -> float:
        """How long the span that starts here is."""
        return (next_start(start, self.interval, self.zone) - start).total_seconds() / 86400


class SeriesMeasure:
    """A value for each span of time, for each of some properties, or how many entities there are of each value of one
    (`breakdown`)."""

    def __init__(
        self,
        matches: Predicate,
        func: str,
        reads: Mapping[str, Read],
        time: Read,
        spans: Spans,
        breakdown: Callable[[Mapping[str, Any]], str],
    ) -> None:
        """`breakdown` names the series of an entity where there are no properties to read."""
        self.matches = matches
        self.func = func
        self._reads = reads
        self._time = time
        self._spans = spans
        self._breakdown = breakdown
        self.series: dict[str, dict[datetime, Fold]] = {title: {} for title in reads}

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:  # noqa: ARG002 - the protocol's
        at = as_moment(self._time(printed))
        start = self._spans.start(at)
        if start is None:
            return
        if not self._reads:
            self._fold(self._breakdown(printed), start).add(1)
        for title, read in self._reads.items():
            value = as_number(read(printed))
            if value is not None:
                self._fold(title, start).add(value, at)

    def values(self) -> dict[str, dict[datetime, float | None]]:
        """The value of each span by the series' title; spans without entities are not there."""
        return {
            title: {start: self._value(start, fold) for start, fold in folds.items()}
            for title, folds in self.series.items()
        }

    def _value(self, start: datetime, fold: Fold) -> float | None:
        if self._reads or self.func == "count":
            return fold.result()
        return fold.number / self._spans.days(start)

    def _fold(self, title: str, start: datetime) -> Fold:
        func = self.func if self._reads else "count"
        folds = self.series.setdefault(title, {})
        if start not in folds:
            folds[start] = Fold(func)
        return folds[start]


@dataclass(frozen=True, slots=True)
class CountMeasure:
    """How many entities have each value of a property; one with a list counts for each of its items."""

    matches: Predicate
    read: Read
    counts: Counter[str]
    name: Callable[[object], str]

    def take(self, printed: Mapping[str, Any], entity: Entity) -> None:  # noqa: ARG002 - the protocol's
        value = self.read(printed)
        for each in value if isinstance(value, list) else [value]:
            self.counts[self.name(each)] += 1
