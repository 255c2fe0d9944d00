"""Blueprints and their relations as a drawing: what relates stands left of what it relates to.

It is Sugiyama's way: columns by the longest path, a place kept in every column that a relation passes, and each column
in the order of its neighbours' places.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

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
_PASSAGE = 16
"""The height that a relation takes in a column which it passes."""
_PORTS = 13
"""The distance between relations where they leave a box or reach it, at most."""
_LOOP = 18

Stop: TypeAlias = tuple[str, int]
"""A place in a column: a blueprint's name and -1, or "" and the number of the arc that passes."""


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
    """A curve with its label; `path` is SVG's, and its end is the target unless it runs `backwards`."""

    path: str
    label: str
    x: float
    y: float
    many: bool
    backwards: bool


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
    rank = _ranks([name for name in chosen if name in related], known)
    ways = [_way(number, arc, rank) for number, arc in enumerate(known)]
    top = _MARGIN + (_LOOP if any(arc.source == arc.target for arc in known) else 0)
    places = _placed(_ordered(rank, ways), top)
    bottom = max((y + NODE_HEIGHT + _GAP_Y for (name, _), (_, y) in places.items() if name), default=_MARGIN)
    for index, name in enumerate(name for name in chosen if name not in related):
        row, column = divmod(index, _SHELF)
        places[name, -1] = (
            _MARGIN + column * (NODE_WIDTH + _GAP_Y),
            bottom + row * (NODE_HEIGHT + _GAP_Y),
        )
    nodes = tuple(Node(chosen[name], *place) for (name, _), place in places.items() if name)
    ports = _ports(ways, places)
    edges = tuple(_edge(arc, number, ways[number], places, ports) for number, arc in enumerate(known))
    width = max((node.x + NODE_WIDTH for node in nodes), default=0) + _MARGIN
    height = max((y + NODE_HEIGHT for _, y in places.values()), default=0) + _MARGIN
    return Drawing(nodes, edges, width, height, len(items) - len(chosen))


def _ranks(names: Sequence[str], arcs: Sequence[Arc]) -> dict[str, int]:
    """Each blueprint's column: behind all that relate to it, as far as relations do not go round in circles."""
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
    return rank


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


def _way(number: int, arc: Arc, rank: Mapping[str, int]) -> tuple[Stop, ...]:
    """The places that an arc goes through, from the left; of one place only where it leads back to where it starts."""
    first, last = sorted((arc.source, arc.target), key=lambda name: rank[name])
    between = [("", number * _MOST_NODES + column) for column in range(rank[first] + 1, rank[last])]
    return ((first, -1), *between, (last, -1)) if first != last else ((first, -1),)


def _ordered(rank: Mapping[str, int], ways: Sequence[Sequence[Stop]]) -> list[list[Stop]]:
    """Each column's places in the order of where their neighbours stand, which leaves few crossings."""
    columns: list[list[Stop]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name, column in rank.items():
        columns[column].append((name, -1))
    neighbours: dict[Stop, list[Stop]] = {}
    for way in ways:
        start = rank[way[0][0]]
        for column, stop in enumerate(way[1:-1], start + 1):
            columns[column].append(stop)
        for left, right in pairwise(way):
            neighbours.setdefault(left, []).append(right)
            neighbours.setdefault(right, []).append(left)
    for _ in range(_SWEEPS):
        for column_places in columns:
            place = {stop: (index + 0.5) / len(each) for each in columns for index, stop in enumerate(each)}
            column_places.sort(key=lambda stop: _mean([place[each] for each in neighbours.get(stop, [stop])]))
    return columns


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _placed(columns: Sequence[Sequence[Stop]], top: float) -> dict[Stop, tuple[float, float]]:
    """The corner of each place; columns stand centred beside each other."""
    heights = [sum(_height(stop) + _GAP_Y for stop in column) - _GAP_Y for column in columns]
    places: dict[Stop, tuple[float, float]] = {}
    for number, column in enumerate(columns):
        y = top + (max(heights) - heights[number]) / 2
        for stop in column:
            places[stop] = (_MARGIN + number * (NODE_WIDTH + _GAP_X), y)
            y += _height(stop) + _GAP_Y
    return places


def _height(stop: Stop) -> float:
    return NODE_HEIGHT if stop[0] else _PASSAGE


def _middle(stop: Stop, places: Mapping[Stop, tuple[float, float]]) -> float:
    return places[stop][1] + _height(stop) / 2


def _ports(
    ways: Sequence[Sequence[Stop]], places: Mapping[Stop, tuple[float, float]]
) -> dict[tuple[int, Stop, bool], float]:
    """Where each arc leaves a box (True) or reaches it (False), in the order of where it comes from or goes to."""
    sides: dict[tuple[Stop, bool], list[tuple[float, int]]] = {}
    for number, way in enumerate(ways):
        if len(way) > 1:
            sides.setdefault((way[0], True), []).append((_middle(way[1], places), number))
            sides.setdefault((way[-1], False), []).append((_middle(way[-2], places), number))
    found: dict[tuple[int, Stop, bool], float] = {}
    for (stop, is_leaving), arcs in sides.items():
        step = min(_PORTS, (NODE_HEIGHT - _PORTS) / len(arcs))
        for index, (_, number) in enumerate(sorted(arcs)):
            found[number, stop, is_leaving] = _middle(stop, places) + (index - (len(arcs) - 1) / 2) * step
    return found


def _edge(
    arc: Arc,
    number: int,
    way: Sequence[Stop],
    places: Mapping[Stop, tuple[float, float]],
    ports: Mapping[tuple[int, Stop, bool], float],
) -> Edge:
    if len(way) == 1:
        x, y = places[way[0]]
        right = x + NODE_WIDTH
        path = f"M{right - 64} {y}c0 -{_LOOP} 34 -{_LOOP} 34 -4"
        return Edge(path, arc.label, right - 70 - len(arc.label) * 3, y + 2, arc.many, backwards=False)
    pieces: list[str] = []
    ends: list[tuple[float, float, float, float]] = []
    for left, right_stop in pairwise(way):
        x1, x2 = places[left][0] + NODE_WIDTH, places[right_stop][0]
        y1 = ports.get((number, left, True), _middle(left, places))
        y2 = ports.get((number, right_stop, False), _middle(right_stop, places))
        # Room for the tip of the arrow at both ends of the way; which end has it is the template's.
        x1, x2 = x1 + (2 if left is way[0] else 0), x2 - (2 if right_stop is way[-1] else 0)
        bend = (x2 - x1) / 2
        pieces.append(
            f"{'L' if pieces else 'M'}{x1:.1f} {y1:.1f}"
            f"C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        )
        ends.append((x1, y1, x2, y2))
    x1, y1, x2, y2 = ends[0]
    backwards = arc.source != way[0][0]
    return Edge("".join(pieces), arc.label, (x1 + x2) / 2, (y1 + y2) / 2, arc.many, backwards)
