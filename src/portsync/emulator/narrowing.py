"""What a search can leave to the database: conditions that every match keeps, though not only matches do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, and_, func, or_, select

from portsync.emulator.instants import floor_stamp
from portsync.emulator.operators import TimeRange, instant
from portsync.emulator.stored_values import body_holds_piece, holds_piece, is_plain, plain_value, property_value
from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from portsync.emulator.readings import Reading

# A condition of more parts than this is left out: SQLite bounds how deep they may go.
_MOST_TERMS = 200
_MOST_TEXTS = 8
_EMPTY = ("", "[]", "{}")
_TIMES = ("created_at", "updated_at")
# SQLite may read the last digit of a number otherwise than Python does.
_SLACK = 1e-12
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_@=-]+", re.ASCII)
_DAY = timedelta(days=1)

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Narrow:
    """Where the matches of a query are at most; None leaves all."""

    blueprints: frozenset[str] | None = None
    identifiers: frozenset[str] | None = None
    where: Condition | None = None
    terms: int = 0

    def condition(self) -> Condition | None:
        """What the database is asked for."""
        if self.identifiers is None:
            return self.where
        # One parameter, for SQLite bounds their number.
        given = func.json_each(orjson.dumps(sorted(self.identifiers)).decode()).table_valued("value")
        named = ENTITIES.c.identifier.in_(select(given.c.value))
        return named if self.where is None else and_(named, self.where)


EVERYWHERE = Narrow()


def all_of(parts: Sequence[Narrow]) -> Narrow:
    """Where all of the parts are."""
    wheres = [part for part in parts if part.where is not None]
    return Narrow(
        _meet([part.blueprints for part in parts if part.blueprints is not None]),
        _meet([part.identifiers for part in parts if part.identifiers is not None]),
        *_joined(wheres, and_),
    )


def any_of(parts: Sequence[Narrow]) -> Narrow:
    """Where at least one of the parts is; a part without a bound leaves the whole without it."""
    blueprints = [part.blueprints for part in parts if part.blueprints is not None]
    identifiers = [part.identifiers for part in parts if part.identifiers is not None]
    wheres = [part for part in parts if part.where is not None]
    return Narrow(
        frozenset().union(*blueprints) if len(blueprints) == len(parts) else None,
        frozenset().union(*identifiers) if len(identifiers) == len(parts) else None,
        *(_joined(wheres, or_) if len(wheres) == len(parts) else (None, 0)),
    )


def _meet(sets: Sequence[frozenset[str]]) -> frozenset[str] | None:
    return frozenset.intersection(*sets) if sets else None


def _joined(parts: Sequence[Narrow], join: Callable[..., Any]) -> tuple[Condition | None, int]:
    terms = sum(part.terms for part in parts)
    if not parts or terms > _MOST_TERMS:
        return None, 0
    return join(*(part.where for part in parts)), terms


def narrowed(reading: Reading, operator: str, value: Any) -> Narrow:
    """Where the matches of one rule are."""
    named = _named(operator, value)
    if named is not None and reading.column == "blueprint":
        return Narrow(blueprints=named)
    if named is not None and reading.column == "identifier":
        return Narrow(identifiers=named)
    where: Condition | None = None
    if reading.column is not None:
        where = _in_column(ENTITIES.c[reading.column], operator, value)
    elif reading.key is not None:
        # Only properties are anywhere but in the body.
        where = _in_json(reading.key, operator, value, holds_piece if reading.is_property else body_holds_piece)
        if where is None and reading.is_property and _PLAIN_NAME.fullmatch(reading.key):
            where = _in_property(reading.key, operator, value)
    return EVERYWHERE if where is None else Narrow(where=where, terms=len(value) if isinstance(value, list) else 2)


def _named(operator: str, value: Any) -> frozenset[str] | None:
    values = [value] if operator in ("=", "matchAny") and isinstance(value, str) else value
    if operator not in ("=", "in", "matchAny") or not isinstance(values, list):
        return None
    # A text that names an instant is the same as others that name it.
    return None if any(map(instant, values)) else frozenset(each for each in values if isinstance(each, str))


def _in_column(column: ColumnElement[str], operator: str, value: Any) -> Condition | None:
    ends = _ends(operator, value) if column.name in _TIMES else None
    if ends is not None:
        # They are text of fixed width, in UTC and milliseconds.
        first, last = (None if end is None else floor_stamp(end) for end in ends)
        return _within(column, first, last)
    if not isinstance(value, str) or not value or instant(value):
        return None
    match operator:
        case "=":
            return column == value
        case "contains":
            return func.instr(column, value) > 0
        case "beginsWith":
            return func.substr(column, 1, len(value)) == value
        case "endsWith":
            return func.substr(column, -len(value)) == value
        case _:
            return None


def _in_json(key: str, operator: str, value: Any, has: Callable[[str], Condition]) -> Condition | None:
    """What is stored is JSON without blanks, so a piece of it can be told letter by letter."""
    name = orjson.dumps(key).decode() + ":"
    if operator == "=" and isinstance(value, bool):
        return body_holds_piece(name + orjson.dumps(value).decode())
    values = value if isinstance(value, list) else [value]
    if len(values) > _MOST_TEXTS or not all(isinstance(each, str) and not instant(each) for each in values):
        return None
    texts = [orjson.dumps(each).decode() for each in values]
    match operator:
        case "=" if values == [value]:
            return (body_holds_piece if is_plain(value) else has)(name + texts[0])
        case "beginsWith" if values == [value]:
            return has(name + texts[0][:-1])
        case "endsWith" if values == [value]:
            return has(texts[0][1:])
        case "in" | "matchAny" if texts:
            return or_(*map(has, texts))
        case "contains" | "containsAny" if values == [value] or (operator == "containsAny" and texts):
            return or_(*(has(text[1:-1]) for text in texts))
        case _:
            return None


def _in_property(name: str, operator: str, value: Any) -> Condition | None:
    stored = property_value(name)
    if operator == "isEmpty":
        return or_(stored.is_(None), stored.in_(_EMPTY))
    if isinstance(value, int | float) and not isinstance(value, bool):
        slack = abs(value) * _SLACK
        least = value - slack if operator in ("=", ">", ">=") else None
        most = value + slack if operator in ("=", "<", "<=") else None
        return _within(plain_value(name), *(None if end is None else float(end) for end in (least, most)))
    ends = _ends(operator, value)
    if ends is None:
        return None
    # A date-time may be written in any zone, which moves its date by a day at most.
    first, last = ends
    days = (_day(first, -_DAY), _day(last, _DAY))
    return _within(func.substr(stored, 1, 10), *days)


def _ends(operator: str, value: Any) -> tuple[datetime | None, datetime | None] | None:
    """First and last instant of what a rule about time lets through."""
    if isinstance(value, TimeRange):
        return (value.first, value.last) if operator in ("=", "between") else None
    moment = instant(value)
    if moment is None or operator not in ("=", ">", ">=", "<", "<="):
        return None
    return (moment if operator in ("=", ">", ">=") else None, moment if operator in ("=", "<", "<=") else None)


def _within(value: ColumnElement[Any], first: Any, last: Any) -> Condition | None:
    if first is not None and last is not None:
        return and_(value >= first, value <= last)
    if first is None and last is None:
        return None
    return and_(value <= last) if first is None else and_(value >= first)


def _day(moment: datetime | None, shift: timedelta) -> str | None:
    try:
        return None if moment is None else (moment + shift).date().isoformat()
    except OverflowError:  # at either end of the calendar
        return None
