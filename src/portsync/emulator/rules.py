"""The rules of a search query (Port's API reference, search; the schemas `entitiesQuery` and `entitiesQueryV2`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.narrowing import EVERYWHERE, Narrow, narrowed
from portsync.emulator.operands import operand
from portsync.emulator.operators import (
    EMPTY_OPERATORS,
    OPERATORS,
    SCHEMA_OPERATORS,
    TEXT_OPERATORS,
    TIMER_OPERATORS,
    instant,
)
from portsync.emulator.readings import (
    META,
    NO_SCORECARD,
    Reading,
    property_reading,
    relation_reading,
    target_title_reading,
)
from portsync.emulator.relation_graph import Direction
from portsync.emulator.relation_paths import read_path
from portsync.emulator.wording import ALLOWED_VALUES, chosen, must, no_others, required, text, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from portsync.emulator.entity import Entity
    from portsync.emulator.entity_store import Key
    from portsync.emulator.guesses import Guesses
    from portsync.emulator.operators import Test
    from portsync.emulator.relation_graph import RelationGraph

Predicate = Callable[["Entity"], bool]

_CONTEXTS = frozenset({"user", "userTeams"})
# More keys than these would be a list of names to look up, where a scan is as fast.
_MOST_NAMED = 10_000


@dataclass(frozen=True, slots=True)
class Basis:
    """What queries are compiled on. `within_blueprint`: the search of one blueprint, whose rules may also be about
    relations and scorecards."""

    now: datetime
    graph: RelationGraph
    guesses: Guesses
    within_blueprint: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What one rule or group of them lets through, and where that is at most."""

    matches: Predicate
    narrow: Narrow


def compile_rule(rule: object, basis: Basis, place: str) -> Part:
    """Compile one rule; ApiError 422 invalid_request for what Port's schema of rules refuses."""
    if not isinstance(rule, dict):
        raise must(place, "be object")
    required(rule, "operator", place)
    operator = rule["operator"]
    if operator == "relatedTo":
        return _related(rule, basis, place)
    if "propertySchema" in rule:
        return _of_schema(rule, basis, place)
    if basis.within_blueprint and "relation" in rule:
        return _of_relation(rule, basis, place)
    if basis.within_blueprint and "scorecard" in rule:
        return _read(rule, NO_SCORECARD, {"scorecard", "scorecardRule"}, basis, place)
    required(rule, "property", place)
    if operator == "matchAny" and isinstance(rule["property"], dict) and "context" not in rule["property"]:
        return _along(rule, basis, place)
    return _of_property(rule, basis, place)


def _of_property(rule: Mapping[str, Any], basis: Basis, place: str) -> Part:
    name = rule["property"]
    if isinstance(name, dict) and rule["operator"] not in (*EMPTY_OPERATORS, *TIMER_OPERATORS):
        _check_context(name, f"{place}.property")
        _test(rule, {"property"}, basis, place)
        return _about_no_user(basis)
    text(name, f"{place}.property")
    if name.startswith("$") and name not in META:
        raise must(f"{place}.property", ALLOWED_VALUES)
    return _read(
        rule,
        META.get(name) or property_reading(name, is_stored=name not in basis.graph.computed()),
        {"property"},
        basis,
        place,
    )


def _read(rule: Mapping[str, Any], reading: Reading, subject: AbstractSet[str], basis: Basis, place: str) -> Part:
    """The part of a rule that compares one value of each entity."""
    if "property" not in subject:
        for key in subject & rule.keys():
            text(rule[key], f"{place}.{key}")
        chosen(rule["operator"], TEXT_OPERATORS | EMPTY_OPERATORS, f"{place}.operator")
    test, value = _test(rule, subject, basis, place)
    if test is None:
        return _about_no_user(basis)
    of = reading.of
    if rule["operator"] in TIMER_OPERATORS:
        is_expired = rule["operator"] == "isExpired"
        return Part(lambda entity: test(of(entity)), narrowed(reading, "<=", value) if is_expired else EVERYWHERE)
    return Part(lambda entity: test(of(entity)), narrowed(reading, rule["operator"], value))


def _test(rule: Mapping[str, Any], subject: AbstractSet[str], basis: Basis, place: str) -> tuple[Test | None, Any]:
    """The test of a rule and its value; no test where the value is that of a user."""
    name = rule["operator"]
    timer = TIMER_OPERATORS.get(name) if isinstance(name, str) and "property" in subject else None
    if timer is not None:
        no_others(rule, subject | {"operator"}, place)
        return _of_timer(timer(basis.now), name, basis), basis.now.isoformat()
    operator = OPERATORS[chosen(name, OPERATORS.keys(), f"{place}.operator")]
    if name in EMPTY_OPERATORS:
        no_others(rule, subject | {"operator"}, place)
        return operator.test(None), None
    no_others(rule, subject | {"operator", "value"}, place)
    required(rule, "value", place)
    if isinstance(rule["value"], dict) and "context" in rule["value"] and "property" in subject:
        _check_context(rule["value"], f"{place}.value")
        return None, None
    value = operand(rule["value"], name, operator.operand, basis.now, f"{place}.value")
    return operator.test(value), value


def _of_timer(test: Test, operator: str, basis: Basis) -> Test:
    if operator == "isExpired" or basis.guesses.no_timer_is_not_expired:
        return test
    return lambda actual: instant(actual) is not None and test(actual)


def _check_context(value: Mapping[str, Any], place: str) -> None:
    for key in ("property", "context"):
        required(value, key, place)
    text(value["property"], f"{place}.property")
    chosen(value["context"], _CONTEXTS, f"{place}.context")


def _about_no_user(basis: Basis) -> Part:
    """A rule about whoever asks: a machine, and no user."""
    holds = basis.guesses.rule_about_no_user_holds
    return Part(lambda _entity: holds, EVERYWHERE if holds else _among(set()).narrow)


def _of_relation(rule: Mapping[str, Any], basis: Basis, place: str) -> Part:
    name = text(rule["relation"], f"{place}.relation")
    target = chosen(rule.get("targetProperty", "$identifier"), {"$identifier", "$title"}, f"{place}.targetProperty")
    of_title = target == "$title"
    reading = target_title_reading(name, basis.graph.titles(name)) if of_title else relation_reading(name)
    return _read(rule, reading, {"relation", "targetProperty"}, basis, place)


def _related(rule: Mapping[str, Any], basis: Basis, place: str) -> Part:
    for key in ("blueprint", "value"):
        required(rule, key, place)
    no_others(rule, {"operator", "blueprint", "value", "direction", "required"}, place)
    blueprint, named = text(rule["blueprint"], f"{place}.blueprint"), texts(rule["value"], f"{place}.value")
    only = rule.get("required")
    if only is not None and not isinstance(only, bool):
        raise must(f"{place}.required", "be boolean")
    directions = list(Direction)
    if "direction" in rule:
        allowed = {each.value for each in Direction}
        directions = [Direction(chosen(rule["direction"], allowed, f"{place}.direction"))]
    found: set[Key] = set()
    for direction in directions:
        found |= basis.graph.related(blueprint, named, direction, required=only)
    # One entity is not related to itself, not even in a circle. Of several, one that another leads to is.
    return _among(found - {(blueprint, named[0])} if len(set(named)) == 1 else found)


def _along(rule: Mapping[str, Any], basis: Basis, place: str) -> Part:
    required(rule, "value", place)
    no_others(rule, {"operator", "property", "value"}, place)
    blueprint, path = read_path(rule["property"], f"{place}.property")
    value = rule["value"]
    if isinstance(value, dict) and "context" in value:
        _check_context(value, f"{place}.value")
        return _about_no_user(basis)
    named = texts(value, f"{place}.value")
    if blueprint is None:
        return _among(basis.graph.leading_to(named, path))
    return _among(basis.graph.reached_from(blueprint, named, path))


def _among(keys: Collection[Key]) -> Part:
    found = frozenset(keys)
    identifiers = frozenset(key[1] for key in found) if len(found) <= _MOST_NAMED else None
    return Part(lambda entity: entity.key in found, Narrow(frozenset(key[0] for key in found), identifiers))


def _of_schema(rule: Mapping[str, Any], basis: Basis, place: str) -> Part:
    """A rule about all properties of a kind: one of them is enough, and for `!=` none may be the value."""
    no_others(rule, {"operator", "propertySchema", "value"}, place)
    schema = _schema(rule["propertySchema"], {"type", "format", "items"}, f"{place}.propertySchema")
    name = chosen(rule["operator"], SCHEMA_OPERATORS, f"{place}.operator")
    value = rule.get("value")
    if isinstance(value, list | dict):
        raise must(f"{place}.value", "be string,number,boolean,null")
    test = OPERATORS["=" if name == "!=" else name].test(value)
    readings = {
        blueprint: [property_reading(each).of for each in names]
        for blueprint, names in basis.graph.properties_like(schema).items()
    }

    def has(entity: Entity) -> bool:
        return any(test(read(entity)) for read in readings.get(entity.blueprint, ()))

    return Part(has if name != "!=" else lambda entity: not has(entity), EVERYWHERE)


def _schema(value: object, known: AbstractSet[str], place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise must(place, "be object")
    required(value, "type", place)
    no_others(value, known, place)
    for key, each in value.items():
        if key == "items":
            _schema(each, {"type", "format"}, f"{place}.items")
        else:
            text(each, f"{place}.{key}")
    return value
