"""The operators of search rules that compare a value with another (Port's API reference, search)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portsync.emulator.instants import parse_date_time

if TYPE_CHECKING:
    from datetime import datetime

Test = Callable[[Any], bool]
"""Whether a value of an entity (None when it has none) is what a rule wants."""


class Operand(Enum):
    """What an operator takes as its value."""

    ANY = auto()
    LIST = auto()
    ORDERED = auto()
    RANGE = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Operator:
    """Makes the test of one rule out of the rule's value, once for all entities."""

    operand: Operand
    test: Callable[[Any], Test]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Both ends count."""

    first: datetime
    last: datetime


def instant(value: object) -> datetime | None:
    """The instant a value names, if it names one."""
    return parse_date_time(value) if isinstance(value, str) else None


def _equals(wanted: Any) -> Test:
    return _between(wanted) if isinstance(wanted, TimeRange) else same_as(wanted)


def same_as(wanted: Any) -> Test:
    """Equality of JSON values: true is not 1, and two spellings of one instant are the same."""
    moment = instant(wanted)
    if moment is not None:
        return lambda actual: actual == wanted or instant(actual) == moment
    if isinstance(wanted, bool) or wanted is None:
        return lambda actual: actual is wanted
    return lambda actual: actual == wanted and not isinstance(actual, bool)


def same_as_any(wanted: list[Any]) -> Test:
    """Whether a single value is one of these, in a time that does not grow with their number."""
    kinds = frozenset((isinstance(each, bool), each) for each in wanted)
    moments = frozenset(map(instant, wanted)) - {None}

    def holds(actual: Any) -> bool:
        if isinstance(actual, list | dict):
            return False
        return (isinstance(actual, bool), actual) in kinds or (bool(moments) and instant(actual) in moments)

    return holds


def _contains(wanted: Any) -> Test:
    is_same = same_as(wanted)

    def holds(actual: Any) -> bool:
        if isinstance(actual, list):
            return any(map(is_same, actual))
        return isinstance(actual, str) and isinstance(wanted, str) and wanted in actual

    return holds


def _contains_any(wanted: Any) -> Test:
    candidates = wanted if isinstance(wanted, list) else [wanted]
    texts = [each for each in candidates if isinstance(each, str)]
    is_one = same_as_any(candidates)

    def holds(actual: Any) -> bool:
        if isinstance(actual, list):
            return any(map(is_one, actual))
        return isinstance(actual, str) and any(text in actual for text in texts)

    return holds


def _in(wanted: list[Any]) -> Test:
    is_one = same_as_any(wanted)
    return lambda actual: any(map(is_one, actual)) if isinstance(actual, list) else is_one(actual)


def _match_any(wanted: Any) -> Test:
    return _in(wanted if isinstance(wanted, list) else [wanted])


def _begins(wanted: Any) -> Test:
    return lambda actual: isinstance(actual, str) and isinstance(wanted, str) and actual.startswith(wanted)


def _ends(wanted: Any) -> Test:
    return lambda actual: isinstance(actual, str) and isinstance(wanted, str) and actual.endswith(wanted)


def _between(wanted: TimeRange) -> Test:
    def holds(actual: Any) -> bool:
        moment = instant(actual)
        return moment is not None and wanted.first <= moment <= wanted.last

    return holds


def _expired(now: datetime) -> Test:
    def holds(actual: Any) -> bool:
        moment = instant(actual)
        return moment is not None and moment <= now

    return holds


def _empty(_wanted: Any) -> Test:
    return lambda actual: actual is None or actual in ("", [], {})


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def test(wanted: Any) -> Test:
        bound = instant(wanted)
        if bound is None:
            return lambda actual: _is_number(actual) and compare(actual, wanted)

        def holds(actual: Any) -> bool:
            moment = instant(actual)
            return moment is not None and compare(moment, bound)

        return holds

    return test


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _not(test: Callable[[Any], Test]) -> Callable[[Any], Test]:
    def opposite(wanted: Any) -> Test:
        holds = test(wanted)
        return lambda actual: not holds(actual)

    return opposite


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "=": Operator(Operand.ANY, _equals),
        "!=": Operator(Operand.ANY, _not(_equals)),
        "contains": Operator(Operand.ANY, _contains),
        "doesNotContains": Operator(Operand.ANY, _not(_contains)),
        "containsAny": Operator(Operand.ANY, _contains_any),
        "beginsWith": Operator(Operand.ANY, _begins),
        "doesNotBeginsWith": Operator(Operand.ANY, _not(_begins)),
        "endsWith": Operator(Operand.ANY, _ends),
        "doesNotEndsWith": Operator(Operand.ANY, _not(_ends)),
        "in": Operator(Operand.LIST, _in),
        "notIn": Operator(Operand.LIST, _not(_in)),
        "matchAny": Operator(Operand.ANY, _match_any),
        ">": Operator(Operand.ORDERED, _ordered(lambda actual, wanted: bool(actual > wanted))),
        ">=": Operator(Operand.ORDERED, _ordered(lambda actual, wanted: bool(actual >= wanted))),
        "<": Operator(Operand.ORDERED, _ordered(lambda actual, wanted: bool(actual < wanted))),
        "<=": Operator(Operand.ORDERED, _ordered(lambda actual, wanted: bool(actual <= wanted))),
        "between": Operator(Operand.RANGE, _between),
        "notBetween": Operator(Operand.RANGE, _not(_between)),
        "isEmpty": Operator(Operand.NONE, _empty),
        "isNotEmpty": Operator(Operand.NONE, _not(_empty)),
    }
)
# Those that take the moment of the search as their value.
TIMER_OPERATORS: Mapping[str, Callable[[datetime], Test]] = MappingProxyType(
    {"isExpired": _expired, "isNotExpired": _not(_expired)}
)
# What a rule about relations (`relatedTo` aside) or scorecards, or about all properties of a kind, may ask.
TEXT_OPERATORS = frozenset(
    {
        "=",
        "!=",
        "containsAny",
        "contains",
        "doesNotContains",
        "beginsWith",
        "doesNotBeginsWith",
        "endsWith",
        "doesNotEndsWith",
        "in",
        "notIn",
    }
)
EMPTY_OPERATORS = frozenset({"isEmpty", "isNotEmpty"})
SCHEMA_OPERATORS = frozenset({"=", "!=", "contains"})
