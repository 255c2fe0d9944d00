"""Blueprints and their relations as a drawing: what relates stands left of what it relates to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.emulator.page.shell import Item

NODE_WIDTH = 232
NODE_HEIGHT = 60
_GAP_X = 132
_GAP_Y = 20
_MARGIN = 10
_SWEEPS = 4
_SHELF = 4
"""So many blueprints without relations stand side by side."""
_MOST_NODES = 150


@dataclass(frozen=True, slots=True)
class Arc:
    """A relation, to be drawn from one blueprint to another."""

    source: str
    target: str
    label: str
    many: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A blueprint with the corner of its box."""

    item: Item
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A curve with its label; `path` is SVG's."""

    path: str
    label: str
    x: float
    y: float
    many: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it; `left_out` blueprints are not drawn."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float
    left_out: int


def draw(items: Mapping[str, Item], arcs: Sequence[Arc]) -> Drawing:
    """Lay the blueprints out in columns by their relations, and those without any on a shelf below."""
    chosen = dict(list(items.items())[:_MOST_NODES])
    known = [arc for arc in arcs if arc.source in chosen and arc.target in chosen]
    related = {name for arc in known for name in (arc.source, arc.target)}
    columns = _ordered(_columns([name for name in chosen if name in related], known), known)
    places = _placed(columns)
    bottom = max((y + NODE_HEIGHT + _GAP_Y for _, y in places.values()), default=_MARGIN)
    lonely = [name for name in chosen if name not in related]
    step_x = NODE_WIDTH + _GAP_Y
    for index, name in enumerate(lonely):
        row, column = divmod(index, _SHELF)
        places[name] = (_MARGIN + column * step_x, bottom + row * (NODE_HEIGHT + _GAP_Y))
    nodes = tuple(Node(chosen[name], *place) for name, place in places.items())
    edges = tuple(_edge(arc, places, _beside(known, index)) for index, arc in enumerate(known))
    width = max((node.x + NODE_WIDTH for node in nodes), default=0) + _MARGIN
    loops = any(arc.source == arc.target for arc in known)
    height = max((node.y + NODE_HEIGHT for node in nodes), default=0) + _MARGIN
    return Drawing(nodes, edges, width + (40 if loops else 0), height, len(items) - len(chosen))


def _columns(names: Sequence[str], arcs: Sequence[Arc]) -> list[list[str]]:
    """Each blueprint in a column behind all that relate to it, as far as relations do not go round in circles."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for arc in arcs:
        if arc.source != arc.target:
            after[arc.source].append(arc.target)
    rank = dict.fromkeys(names, 0)
    place = {name: index for index, name in enumerate(_from_the_left(after))}
    for name, own in place.items():
        for target in after[name]:
            if place[target] > own:  # else it closes a circle
                rank[target] = max(rank[target], rank[name] + 1)
    columns: list[list[str]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name in names:
        columns[rank[name]].append(name)
    return [column for column in columns if column]


def _from_the_left(after: Mapping[str, Sequence[str]]) -> list[str]:
    """Every name before those it leads to, but where a circle closes."""
    done: list[str] = []
    seen: set[str] = set()
    for start in after:
        pending = [(start, iter(after[start]))] if start not in seen else []
        seen.add(start)
        while pending:
            name, rest = pending[-1]
            following = next((each for each in rest if each not in seen), None)
            if following is None:
                done.append(name)
                pending.pop()
            else:
                seen.add(following)
                pending.append((following, iter(after[following])))
    return done[::-1]


def _ordered(columns: list[list[str]], arcs: Sequence[Arc]) -> list[list[str]]:
    """Each column by where its neighbours stand, which leaves few crossings."""
    neighbours: dict[str, list[str]] = {}
    for arc in arcs:
        neighbours.setdefault(arc.source, []).append(arc.target)
        neighbours.setdefault(arc.target, []).append(arc.source)
    for _ in range(_SWEEPS):
        place = {name: index for column in columns for index, name in enumerate(column)}
        for column in columns:
            column.sort(key=lambda name: sum(place[each] for each in neighbours[name]) / len(neighbours[name]))
    return columns


def _placed(columns: Sequence[Sequence[str]]) -> dict[str, tuple[float, float]]:
    tallest = max((len(column) for column in columns), default=0)
    step_y = NODE_HEIGHT + _GAP_Y
    return {
        name: (
            _MARGIN + number * (NODE_WIDTH + _GAP_X),
            _MARGIN + (tallest - len(column)) * step_y / 2 + index * step_y,
        )
        for number, column in enumerate(columns)
        for index, name in enumerate(column)
    }


def _beside(arcs: Sequence[Arc], index: int) -> float:
    """How far an arc stands off the middle, where several join the same two blueprints."""
    ends = {arcs[index].source, arcs[index].target}
    alike = [number for number, arc in enumerate(arcs) if {arc.source, arc.target} == ends]
    return (alike.index(index) - (len(alike) - 1) / 2) * 22


def _edge(arc: Arc, places: Mapping[str, tuple[float, float]], beside: float) -> Edge:
    (x1, y1), (x2, y2) = places[arc.source], places[arc.target]
    middle1, middle2 = y1 + NODE_HEIGHT / 2 + beside, y2 + NODE_HEIGHT / 2 + beside
    if x2 > x1:
        start, end, bend = x1 + NODE_WIDTH, x2 - 7, _GAP_X / 2
    elif x2 < x1:
        start, end, bend = x1, x2 + NODE_WIDTH + 7, -_GAP_X / 2
    else:  # one column, or itself: out and in again on the right
        start, end, bend = x1 + NODE_WIDTH, x2 + NODE_WIDTH + 7, _GAP_X / 2
        if y1 == y2:
            middle1, middle2 = middle1 - 12, middle2 + 12
    far = end - bend if x1 != x2 else end + bend
    path = (
        f"M{start:.1f} {middle1:.1f}C{start + bend:.1f} {middle1:.1f} {far:.1f} {middle2:.1f} {end:.1f} {middle2:.1f}"
    )
    label_x = (start + end) / 2 + (bend * 0.75 if x1 == x2 else 0)
    return Edge(path, arc.label, label_x, (middle1 + middle2) / 2, arc.many)
