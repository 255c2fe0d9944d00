"""What has to hold in the database of an entity that a search query finds.

The predicate of a query is the only truth (query.py). A narrowing is implied by it, and lets SQLite leave out most of
the rows that the predicate would refuse; where nothing of that kind is known, there is none.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, and_, func, or_

from portsync.emulator.instants import PRESETS, parse_date_time, preset_range
from portsync.emulator.stored_values import holds_piece, is_plain, pair_text, property_value
from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

Condition = ColumnElement[bool]

_TEXTS = {
    "$identifier": ENTITIES.c.identifier,
    "$datasource": ENTITIES.c.datasource,
    "$createdBy": ENTITIES.c.created_by,
    "$updatedBy": ENTITIES.c.updated_by,
}
_TIMES = {"$createdAt": ENTITIES.c.created_at, "$updatedAt": ENTITIES.c.updated_at}
_ORDERED = frozenset({">", ">=", "<", "<="})
_CONTAINING = frozenset({"contains", "beginsWith", "endsWith"})
_MOST_CHOICES = 20
_PLAIN_RULE = ({"property", "operator", "value"}, {"relation", "operator", "value"})
_MARGIN = 1e-9
"""SQLite reads the last digits of a number not always as Python does."""
_BEYOND = 2**53
_ZONES = timedelta(days=2)
"""The date in a text is another one than in UTC by no more."""


def narrowing(query: object, now: float) -> Condition | None:
    """The condition for `{combinator, rules}`, which has passed `compile_query`; None where any row may match. `now`
    in epoch seconds."""
    return _group(query, datetime.fromtimestamp(now, UTC))


def _group(query: Any, now: datetime) -> Condition | None:
    parts = [_part(rule, now) for rule in query["rules"]]
    known = [part for part in parts if part is not None]
    if query["combinator"] == "and":
        return and_(*known) if known else None
    return or_(*known) if known and len(known) == len(parts) else None


def _part(rule: Mapping[str, Any], now: datetime) -> Condition | None:
    if "combinator" in rule:
        return _group(rule, now)
    # A rule of another form may mean something else.
    if rule.keys() not in _PLAIN_RULE:
        return None
    name, operator, value = rule.get("property", rule.get("relation")), rule["operator"], rule["value"]
    if not isinstance(name, str) or not isinstance(operator, str):
        return None
    if "relation" in rule:
        return _of_relation(name, operator, value)
    if name in _TIMES:
        return _in_span(_TIMES[name], operator, value, now, is_stamp=True)
    if name in _TEXTS:
        return _of_text(_TEXTS[name], operator, value)
    if name.startswith("$"):
        return None
    return _of_property(name, operator, value, now)


def _of_text(column: ColumnElement[str], operator: str, value: object) -> Condition | None:
    if not isinstance(value, str) or parse_date_time(value) is not None or "\0" in value:
        return None
    if operator in _CONTAINING:
        return func.instr(column, value) > 0
    return column == value if operator == "=" else None


def _of_relation(name: str, operator: str, value: object) -> Condition | None:
    if not isinstance(value, str) or parse_date_time(value) is not None:
        return None
    if operator in _CONTAINING:
        return func.instr(ENTITIES.c.body, _escaped(value)) > 0
    return func.instr(ENTITIES.c.body, pair_text(name, value)) > 0 if operator == "=" else None


def _of_property(name: str, operator: str, value: object, now: datetime) -> Condition | None:
    # Paths of SQLite know no escapes.
    if isinstance(value, bool) or not name.isprintable() or '"' in name or "\\" in name:
        return None
    if isinstance(value, int | float):
        return _near(name, operator, value)
    if isinstance(value, str) and parse_date_time(value) is None:
        if operator == "=":
            return _has(name, value)
        if operator in _CONTAINING:
            return holds_piece(_escaped(value))
        return None
    if isinstance(value, list) and operator == "in":
        return _one_of(name, value)
    return _in_span(property_value(name), operator, value, now, is_stamp=False)


def _has(name: str, value: str) -> Condition:
    pair = pair_text(name, value)
    return func.instr(ENTITIES.c.body, pair) > 0 if is_plain(value) else holds_piece(pair)


def _one_of(name: str, values: list[Any]) -> Condition | None:
    """Of the texts one, or a list, in which one may be."""
    if not 0 < len(values) <= _MOST_CHOICES:
        return None
    if any(not isinstance(each, str) or parse_date_time(each) is not None for each in values):
        return None
    return or_(*(_has(name, each) for each in values), holds_piece(f'"{name}":['))


def _near(name: str, operator: str, value: float) -> Condition | None:
    """Numbers as far as they are read exactly, and some more. A value that is a text is no match."""
    if not abs(value) < _BEYOND:
        return None
    margin = abs(value) * _MARGIN + _MARGIN
    actual = func.json_extract(ENTITIES.c.body, f'$.properties."{name}"')
    match operator:
        case "=":
            return actual.between(value - margin, value + margin)
        case ">" | ">=":
            return actual >= value - margin
        case "<" | "<=":
            return actual <= value + margin
        case _:
            return None


def _in_span(
    text: ColumnElement[Any], operator: str, value: object, now: datetime, *, is_stamp: bool
) -> Condition | None:
    """That a date-time may lie where the rule wants it, by its text alone: a stamp of our own is in UTC and has
    milliseconds, any other may be in any zone and is compared by its date."""
    span = _span(operator, value, now)
    if span is None:
        return None
    first, last = span
    around = timedelta(seconds=1) if is_stamp else _ZONES
    length = len("2026-01-01T00:00:00") if is_stamp else len("2026-01-01")
    known = [
        func.substr(text, 1, length) >= (first - around).isoformat()[:length] if first is not None else None,
        func.substr(text, 1, length) <= (last + around).isoformat()[:length] if last is not None else None,
    ]
    return and_(*(each for each in known if each is not None))


def _span(operator: str, value: object, now: datetime) -> tuple[datetime | None, datetime | None] | None:
    """The first and the last moment that a rule leaves, each None where there is none; None for any value at all."""
    first: datetime | None
    last: datetime | None
    if isinstance(value, dict) and operator in ("=", "between"):
        if value.get("preset") in PRESETS:
            first, last = preset_range(value["preset"], now)
        else:
            first, last = _moment(value.get("from")), _moment(value.get("to"))
    elif (at := _moment(value)) is not None and operator in ("=", *_ORDERED):
        first = None if operator in ("<", "<=") else at
        last = None if operator in (">", ">=") else at
    else:
        return None
    # At the ends of the calendar nothing can be added any more.
    is_usual = all(each is None or MINYEAR + 1 < each.year < MAXYEAR for each in (first, last))
    return (first, last) if is_usual and (first, last) != (None, None) else None


def _moment(value: object) -> datetime | None:
    return parse_date_time(value) if isinstance(value, str) else None


def _escaped(text: str) -> str:
    """The text as it stands within JSON."""
    return orjson.dumps(text).decode()[1:-1]
