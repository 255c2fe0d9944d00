"""The mapping under construction: dicts and lists, whose parts may carry remarks and the places that they came from.

Both are keys that are no texts, so that they stay with their part when a list around it changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portsync.mapping.places import Path, Place


class Mark(Enum):
    """The key under which a dict holds the places of its members, by name; that of "" is its own."""

    PLACES = "places"


@dataclass(frozen=True, slots=True)
class Remark:
    """A key that becomes a comment, at its place among the others. Its value counts for nothing."""

    text: str


Tree = dict[Any, Any]


def placed(tree: Tree, place: Place) -> Tree:
    """`tree`, with the place that it came from as a whole."""
    return {**tree, Mark.PLACES: {**tree.get(Mark.PLACES, {}), "": place}}


def plain(value: Any) -> Any:
    """`value` without remarks and places."""
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items() if isinstance(key, str)}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


def place_in(tree: Any, path: Path) -> Place | None:
    """Where what stands at `path` came from, or else the nearest thing around it."""
    found: Place | None = None
    for part in (*path, ""):
        places = tree.get(Mark.PLACES, {}) if isinstance(tree, dict) else {}
        found = places.get(part) or places.get("") or found
        try:
            tree = tree[part] if part != "" else tree
        except (KeyError, IndexError, TypeError):
            return found
    return found


def without(tree: Any, path: Path) -> Any:
    """`tree` without what stands at `path`, and without the dicts and lists that have nothing else in them."""
    first, *rest = path
    if isinstance(tree, dict):
        inner = without(tree[first], tuple(rest)) if rest else None
        kept = {key: inner if key == first else item for key, item in tree.items() if key != first or inner}
        return kept if any(isinstance(key, str) for key in kept) else None
    inner = without(tree[first], tuple(rest)) if rest else None
    return [inner if index == first else item for index, item in enumerate(tree) if index != first or inner]
