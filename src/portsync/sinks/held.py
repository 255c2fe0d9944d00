"""What Port holds in place of the entities of a batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import orjson

from portsync.jq.page_text import has_long_numbers

if TYPE_CHECKING:
    from portsync.flow import Batch, Entity, Json
    from portsync.port.holdings import Holdings


AT_ONCE = 100
"""Entities that are asked for together; Port takes fewer of them in one upsert."""


async def held_entities(holdings: Holdings, batch: Batch) -> list[dict[str, Json] | None]:
    """For each entity of the batch what Port holds, or None. Raises PortError."""
    plain = [entity.identifier for entity in batch.entities if not entity.is_search]
    found = await holdings.find(batch.blueprint, plain) if plain else {}
    return [
        await _searched(holdings, entity) if entity.is_search else found.get(entity.identifier)
        for entity in batch.entities
    ]


async def _searched(holdings: Holdings, entity: Entity) -> dict[str, Json] | None:
    """The one entity that a search finds. None, and several, are no entity: Port refuses them."""
    found = await holdings.find_by_search(entity.blueprint, orjson.loads(entity.identifier))
    return found[0] if len(found) == 1 else None


def content_of(entity: Entity) -> dict[str, Json]:
    """The entity as it would be sent."""
    value = json.loads(entity.body) if has_long_numbers(entity.body) else orjson.loads(entity.body)
    return cast("dict[str, Json]", value)
