"""Port's search queries, turned into predicates over entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portsync.emulator.entity import Entity
from portsync.emulator.errors import ApiError, invalid_request, not_supported
from portsync.emulator.instants import PRESETS, preset_range
from portsync.emulator.narrowing import narrowing
from portsync.emulator.operators import OPERATORS, UNSUPPORTED_OPERATORS, Operand, TimeRange, instant

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

Predicate = Callable[[Entity], bool]
_Read = Callable[[Entity], Any]

_META: Mapping[str, _Read] = MappingProxyType(
    {
        "$identifier": lambda entity: entity.identifier,
        "$title": lambda entity: entity.title,
        "$icon": lambda entity: entity.icon,
        "$team": lambda entity: list(entity.team),
        "$blueprint": lambda entity: entity.blueprint,
        "$datasource": lambda entity: entity.datasource,
        "$createdAt": lambda entity: entity.created_at,
        "$createdBy": lambda entity: entity.created_by,
        "$updatedAt": lambda entity: entity.updated_at,
        "$updatedBy": lambda entity: entity.updated_by,
    }
)
_RULE_KEYS = frozenset({"property", "relation", "operator", "value"})
_UNSUPPORTED_KEYS = (
    "propertySchema", "context", "scorecard", "scorecardRule", "targetProperty", "blueprint", "direction",
    "required",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query. The two sets and the condition, where given, bound what can match at all."""

    matches: Predicate
    blueprints: frozenset[str] | None
    identifiers: frozenset[str] | None
    within: ColumnElement[bool] | None = None


def compile_query(query: object, *, now: float, root: str) -> Query:
    """Compile `{combinator, rules}`; ApiError 422 invalid_request names the first place that is wrong."""
    matches = _group(query, datetime.fromtimestamp(now, UTC), root)
    return Query(matches, _bound(query, "$blueprint"), _bound(query, "$identifier"), narrowing(query, now))


def _group(query: object, now: datetime, place: str) -> Predicate:
    if not isinstance(query, dict):
        raise invalid_request(f'"{place}" must be object')
    for key in ("combinator", "rules"):
        if key not in query:
            raise invalid_request(f"\"{place}\" must have required property '{key}'")
    _no_others(query, {"combinator", "rules"}, place)
    if query["combinator"] not in ("and", "or"):
        raise invalid_request(f'"{place}.combinator" must be equal to one of the allowed values')
    if not isinstance(query["rules"], list):
        raise invalid_request(f'"{place}.rules" must be array')
    parts = [_part(rule, now, f"{place}.rules.{index}") for index, rule in enumerate(query["rules"])]
    # Without rules everything matches, with either combinator.
    if query["combinator"] == "and" or not parts:
        return lambda entity: all(part(entity) for part in parts)
    return lambda entity: any(part(entity) for part in parts)


def _part(rule: object, now: datetime, place: str) -> Predicate:
    if isinstance(rule, dict) and "combinator" in rule:
        return _group(rule, now, place)
    return _rule(rule, now, place)


def _rule(rule: object, now: datetime, place: str) -> Predicate:
    if not isinstance(rule, dict):
        raise invalid_request(f'"{place}" must be object')
    name = rule.get("operator")
    if name in UNSUPPORTED_OPERATORS:
        raise not_supported(f'The operator "{name}"')
    for key in _UNSUPPORTED_KEYS:
        if key in rule:
            raise not_supported(f'"{key}" in a search rule')
    if name is None:
        raise invalid_request(f"\"{place}\" must have required property 'operator'")
    _no_others(rule, _RULE_KEYS, place)
    operator = OPERATORS.get(name) if isinstance(name, str) else None
    if operator is None:
        raise invalid_request(f'"{place}.operator" must be equal to one of the allowed values')
    read = _reader(rule, place)
    wanted = _operand(rule, operator.operand, now, place)
    holds = operator.holds
    return lambda entity: holds(read(entity), wanted)


def _reader(rule: Mapping[str, Any], place: str) -> _Read:
    if ("property" in rule) == ("relation" in rule):
        raise invalid_request(f"\"{place}\" must have required property 'property'")
    name = rule.get("property", rule.get("relation"))
    if isinstance(name, dict) and name.keys() & {"path", "context"}:
        raise not_supported("A path or context as the property of a search rule")
    if not isinstance(name, str):
        raise invalid_request(f'"{place}.property" must be string')
    if "relation" in rule:
        return lambda entity: entity.relations.get(name)
    if name.startswith("$"):
        meta = _META.get(name)
        if meta is None:
            raise invalid_request(f'"{place}.property" must be equal to one of the allowed values')
        return meta
    return lambda entity: entity.properties.get(name)


def _operand(rule: Mapping[str, Any], kind: Operand, now: datetime, place: str) -> object:
    if kind is Operand.NONE:
        return None
    if "value" not in rule:
        raise invalid_request(f"\"{place}\" must have required property 'value'")
    value = rule["value"]
    wrong = f"{place}.value"
    match kind:
        case Operand.LIST:
            if not isinstance(value, list):
                raise _wrong(wrong, "be array")
            return value
        case Operand.ORDERED:
            if isinstance(value, bool) or not (isinstance(value, int | float) or instant(value)):
                raise _wrong(wrong, 'be number or match format "date-time"')
            return value
        case Operand.RANGE:
            return _range(value, now, wrong)
        case _ if isinstance(value, dict):
            if rule["operator"] not in ("=", "!="):
                raise _wrong(wrong, "be string,number,boolean,array,null")
            return _range(value, now, wrong)
        case _:
            return value


def _range(value: object, now: datetime, place: str) -> TimeRange:
    if not isinstance(value, dict):
        raise _wrong(place, "be object")
    if value.keys() == {"preset"}:
        if value["preset"] not in PRESETS:
            raise _wrong(f"{place}.preset", "be equal to one of the allowed values")
        return TimeRange(*preset_range(value["preset"], now))
    if value.keys() != {"from", "to"}:
        raise _wrong(place, "have 'from' and 'to', or 'preset'")
    first, last = instant(value["from"]), instant(value["to"])
    if first is None or last is None:
        raise _wrong(place, "match format \"date-time\" in 'from' and 'to'")
    return TimeRange(first, last)


def _wrong(place: str, rule: str) -> ApiError:
    return invalid_request(f'"{place}" must {rule}')


def _no_others(value: Mapping[str, Any], known: set[str] | frozenset[str], place: str) -> None:
    extra = sorted(value.keys() - known)
    if extra:
        raise invalid_request(f'"{place}" must NOT have additional properties ({", ".join(extra)})')


def _bound(query: Any, name: str) -> frozenset[str] | None:
    """The values that a rule of the outermost `and` leaves for a meta property, to read fewer rows."""
    if query["combinator"] != "and":
        return None
    for rule in query["rules"]:
        if rule.get("property") != name:
            continue
        if rule["operator"] == "=" and isinstance(rule["value"], str):
            return frozenset({rule["value"]})
        if rule["operator"] == "in":
            return frozenset(value for value in rule["value"] if isinstance(value, str))
    return None
