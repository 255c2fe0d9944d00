"""How often each value of a property occurs among the matches of a search."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from portsync.emulator.readings import META, property_reading
from portsync.emulator.wording import ALLOWED_VALUES, must

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portsync.emulator.entity import Entity
    from portsync.emulator.readings import Read


def group_reading(name: str) -> Read:
    """How the property that is grouped by is read; ApiError 422 for an unknown one of Port's own."""
    if name.startswith("$") and name not in META:
        raise must("body.groupBy", ALLOWED_VALUES)
    return (META.get(name) or property_reading(name)).of


def counted(entities: Iterable[Entity], read: Read) -> list[dict[str, Any]]:
    """`{value, count}` of each value, the most frequent first. Each item of a list counts on its own, and what has no
    value has null."""
    counts: Counter[bytes] = Counter()
    for entity in entities:
        value = read(entity)
        # Written as JSON, for values may be objects, and true is not 1.
        counts.update(
            set(map(_written, value))
            if isinstance(value, list) and value
            else [_written(None if value == [] else value)]
        )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"value": orjson.loads(written), "count": count} for written, count in ordered]


def _written(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
