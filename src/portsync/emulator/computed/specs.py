"""What a blueprint says of its mirror and aggregation properties, read once it is known to be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from portsync.emulator.blueprints import Blueprint

    Find = Callable[[str], Blueprint | None]

META = frozenset(
    {"identifier", "title", "icon", "team", "blueprint", "createdAt", "createdBy", "updatedAt", "updatedBy"}
)
"""What every entity has, by the names that stand in its JSON; with a `$` before them in a path."""
_SECTIONS = ("calculationProperties", "mirrorProperties", "aggregationProperties")


@dataclass(frozen=True, slots=True)
class MirrorPath:
    """Relations from blueprint to blueprint, and the property at their end."""

    relations: tuple[str, ...]
    blueprints: tuple[Blueprint, ...]
    """Where each relation leads."""
    is_many: bool
    """Whether one of the relations may lead to several entities."""
    end: str


@dataclass(frozen=True, slots=True)
class Aggregation:
    """An aggregation property."""

    target: str
    func: str
    property: str | None
    """None: the entities are counted."""
    average_of: str | None
    is_timed: bool
    """Whether it is an average for a unit of time."""
    time: str
    query: Mapping[str, Any] | None
    path: tuple[str, ...] | None
    """None: every connection counts."""
    forwards: bool
    """Whether the path leads from here to the target."""


def computed_names(blueprint: Blueprint) -> frozenset[str]:
    """The properties that no request writes."""
    return frozenset(name for section in _SECTIONS for name in blueprint.body[section])


def mirror_path(blueprint: Blueprint, path: str, find: Find) -> MirrorPath | None:
    """The path that a mirror property follows; None where a blueprint, a relation or the property is not there."""
    *relations, end = path.split(".")
    here: Blueprint | None = blueprint
    visited: list[Blueprint] = []
    is_many = False
    for name in relations:
        relation = here.relations.get(name) if here is not None else None
        here = None if relation is None else find(relation.target)
        if relation is None or here is None:
            return None
        is_many = is_many or relation.many
        visited.append(here)
    if here is None or not visited or not has_property(here, end):
        return None
    return MirrorPath(tuple(relations), tuple(visited), is_many, end)


def has_property(blueprint: Blueprint, name: str) -> bool:
    """Whether entities of the blueprint have such a property, written or computed, or one that all entities have."""
    if name.startswith("$"):
        return name[1:] in META
    return name in blueprint.properties or name in computed_names(blueprint)


def aggregation(blueprint: Blueprint, name: str) -> Aggregation:
    """The aggregation property by this name."""
    body = blueprint.body["aggregationProperties"][name]
    spec = body["calculationSpec"]
    paths = body.get("pathFilter") or [None]
    path = paths[0]
    return Aggregation(
        target=body["target"],
        func=spec["func"],
        property=spec["property"] if spec["calculationBy"] == "property" else None,
        average_of=spec.get("averageOf"),
        is_timed=spec.get("averageOf", "total") != "total",
        time=spec.get("measureTimeBy", "$createdAt"),
        query=body.get("query"),
        path=None if path is None else tuple(path["path"]),
        forwards=path is None or "fromBlueprint" not in path or path["fromBlueprint"] != body["target"],
    )


def between(start: str, goal: str, blueprints: Iterable[Blueprint]) -> frozenset[str]:
    """The blueprints that relations from `start` to `goal` lead to, the goal included; empty where none do."""
    leads_to = {each.identifier: {relation.target for relation in each.relations.values()} for each in blueprints}
    comes_from: dict[str, set[str]] = {}
    for name, targets in leads_to.items():
        for target in targets:
            comes_from.setdefault(target, set()).add(name)
    after_start = _reached(leads_to.get(start, set()), leads_to)
    before_goal = _reached({goal}, comes_from)
    return frozenset(after_start & before_goal) if goal in after_start else frozenset()


def _reached(first: Iterable[str], steps: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(first)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(steps.get(name, ()))
    return found
