"""The paths of relations that `matchAny` follows (Port's guide on relation operators)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.emulator.relation_graph import Hop
from portsync.emulator.wording import must, no_others, required, text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_HOPS = 15


def read_path(value: Mapping[str, Any], place: str) -> tuple[str | None, list[Hop]]:
    """`{path, fromBlueprint?}` as the blueprint, if there is one, and the hops.

    ApiError 422 for a path that is empty or longer than 15 hops, or has `maxHops` more than once.
    """
    required(value, "path", place)
    no_others(value, {"path", "fromBlueprint"}, place)
    blueprint = text(value["fromBlueprint"], f"{place}.fromBlueprint") if "fromBlueprint" in value else None
    path = value["path"]
    if not isinstance(path, list):
        raise must(f"{place}.path", "be array")
    if not path:
        raise must(f"{place}.path", "NOT have fewer than 1 items")
    hops = [_hop(each, f"{place}.path.{index}", is_first=index == 0) for index, each in enumerate(path)]
    if sum(hop.most for hop in hops) > MAX_HOPS:
        raise must(f"{place}.path", f"NOT have more than {MAX_HOPS} hops")
    if sum(isinstance(each, dict) and "maxHops" in each for each in path) > 1:
        raise must(f"{place}.path", "NOT have more than one maxHops")
    return blueprint, hops


def _hop(value: object, place: str, *, is_first: bool) -> Hop:
    if isinstance(value, str):
        return Hop(value)
    if not isinstance(value, dict):
        raise must(place, "be string,object")
    required(value, "relation", place)
    no_others(value, {"relation", "maxHops"}, place)
    relation = text(value["relation"], f"{place}.relation")
    if "maxHops" not in value:
        return Hop(relation)
    most = value["maxHops"]
    if isinstance(most, bool) or not isinstance(most, int):
        raise must(f"{place}.maxHops", "be number")
    if not 1 <= most <= MAX_HOPS:
        raise must(f"{place}.maxHops", f"be >= 1 and <= {MAX_HOPS}")
    # What the hops before it lead to counts as well: the guide's own example has two hops and up to three more.
    return Hop(relation, 1 if is_first else 0, most)
