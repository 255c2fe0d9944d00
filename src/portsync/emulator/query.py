"""Port's search queries, turned into predicates over entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.narrowing import all_of, any_of
from portsync.emulator.rules import Basis, Part, compile_rule
from portsync.emulator.wording import must, no_others, required

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from portsync.emulator.rules import Predicate

# Port states no limits. These keep any query within seconds over 100,000 entities.
MAX_DEPTH = 20
MAX_RULES = 250
MAX_WALKS = 20


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query, for as long as the entities and relations do not change. `blueprints` and `where`, if they are
    not None, bound what can match at all."""

    matches: Predicate
    blueprints: frozenset[str] | None
    where: ColumnElement[bool] | None


def compile_query(query: object, basis: Basis, *, root: str) -> Query:
    """Compile `{combinator, rules}`; ApiError 422 invalid_request names the first place that is wrong."""
    _check_size(query, root)
    part = _group(query, basis, root)
    return Query(part.matches, part.narrow.blueprints, part.narrow.condition())


def _group(query: object, basis: Basis, place: str) -> Part:
    if not isinstance(query, dict):
        raise must(place, "be object")
    for key in ("combinator", "rules"):
        required(query, key, place)
    no_others(query, {"combinator", "rules"}, place)
    if query["combinator"] not in ("and", "or"):
        raise must(f"{place}.combinator", "be equal to one of the allowed values")
    if not isinstance(query["rules"], list):
        raise must(f"{place}.rules", "be array")
    parts = [_part(rule, basis, f"{place}.rules.{index}") for index, rule in enumerate(query["rules"])]
    tests, narrows = [part.matches for part in parts], [part.narrow for part in parts]
    if len(parts) == 1:
        return parts[0]
    # Without rules everything matches, with either combinator.
    if query["combinator"] == "and" or not parts:
        return Part(lambda entity: all(test(entity) for test in tests), all_of(narrows))
    return Part(lambda entity: any(test(entity) for test in tests), any_of(narrows))


def _part(rule: object, basis: Basis, place: str) -> Part:
    if isinstance(rule, dict) and ("combinator" in rule or "rules" in rule):
        return _group(rule, basis, place)
    return compile_rule(rule, basis, place)


def _check_size(query: object, root: str) -> None:
    """ApiError 422 for a query that is nested too deep, or has too many rules or walks over relations."""
    level, depth, rules, walks = [query], 0, 0, 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise must(root, f"NOT be nested deeper than {MAX_DEPTH} levels")
        inner = [rule for group in level for rule in _rules_of(group)]
        rules += sum(map(_weight, inner))
        walks += sum(map(_walks, inner))
        if rules > MAX_RULES:
            raise must(root, f"NOT have more than {MAX_RULES} rules, where each value of containsAny counts as one")
        if walks > MAX_WALKS:
            raise must(root, f"NOT have more than {MAX_WALKS} rules that follow relations")
        level = [rule for rule in inner if _rules_of(rule)]


def _rules_of(group: object) -> list[Any]:
    rules = group.get("rules") if isinstance(group, dict) else None
    return rules if isinstance(rules, list) else []


def _weight(rule: object) -> int:
    values = rule.get("value") if isinstance(rule, dict) and rule.get("operator") == "containsAny" else None
    return len(values) if isinstance(values, list) and values else 1


def _walks(rule: object) -> bool:
    return isinstance(rule, dict) and (
        rule.get("operator") == "relatedTo" or "targetProperty" in rule or _has_path(rule.get("property"))
    )


def _has_path(value: object) -> bool:
    return isinstance(value, dict) and "path" in value
