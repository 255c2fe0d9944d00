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

Compare = Callable[[Any, Any], bool]


class Operand(Enum):
    """What an operator takes as its value."""

    ANY = auto()
    LIST = auto()
    ORDERED = auto()
    RANGE = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Operator:
    """How an entity's value (None when it has none) is compared with a rule's value."""

    operand: Operand
    holds: Compare


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Both ends count."""

    first: datetime
    last: datetime


def instant(value: object) -> datetime | None:
    """The instant a value names, if it names one."""
    return parse_date_time(value) if isinstance(value, str) else None


def same(actual: object, wanted: object) -> bool:
    """Equality of JSON values: true is not 1, and two spellings of one instant are the same."""
    if isinstance(actual, bool) is not isinstance(wanted, bool):
        return False
    if actual == wanted:
        return True
    moment = instant(actual)
    return moment is not None and moment == instant(wanted)


def _equals(actual: object, wanted: object) -> bool:
    return _between(actual, wanted) if isinstance(wanted, TimeRange) else same(actual, wanted)


def _contains(actual: object, wanted: object) -> bool:
    if isinstance(actual, list):
        return _among(wanted, actual)
    return isinstance(actual, str) and isinstance(wanted, str) and wanted in actual


def _contains_any(actual: object, wanted: object) -> bool:
    candidates = wanted if isinstance(wanted, list) else [wanted]
    return any(_contains(actual, candidate) for candidate in candidates)


def _in(actual: object, wanted: list[object]) -> bool:
    if isinstance(actual, list):
        return any(_among(item, wanted) for item in actual)
    return _among(actual, wanted)


def _among(value: object, candidates: list[object]) -> bool:
    if isinstance(value, str) and value in candidates:  # the usual case, without a look at each
        return True
    return any(same(value, candidate) for candidate in candidates)


def _begins(actual: object, wanted: object) -> bool:
    return isinstance(actual, str) and isinstance(wanted, str) and actual.startswith(wanted)


def _ends(actual: object, wanted: object) -> bool:
    return isinstance(actual, str) and isinstance(wanted, str) and actual.endswith(wanted)


def _between(actual: object, wanted: TimeRange) -> bool:
    moment = instant(actual)
    return moment is not None and wanted.first <= moment <= wanted.last


def _empty(actual: object, _wanted: object) -> bool:
    return actual is None or actual in ("", [], {})


def _ordered(compare: Compare) -> Compare:
    def holds(actual: object, wanted: object) -> bool:
        if _is_number(actual) and _is_number(wanted):
            return compare(actual, wanted)
        moment, bound = instant(actual), instant(wanted)
        return moment is not None and bound is not None and compare(moment, bound)

    return holds


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _not(holds: Compare) -> Compare:
    return lambda actual, wanted: not holds(actual, wanted)


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
UNSUPPORTED_OPERATORS = frozenset({"relatedTo", "matchAny", "isExpired", "isNotExpired"})
