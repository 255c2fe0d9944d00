"""The sink of a plan: asks Port what it holds, says what would become of each entity, and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.compare import Difference, differences
from portsync.flow import Batch, BatchResult, Entity, Fate, Outcome
from portsync.port.entities import missing_blueprint, rejected
from portsync.sinks.held import AT_ONCE, content_of, held_entities

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.flow import Json
    from portsync.port.holdings import Holdings


@dataclass(frozen=True, slots=True)
class Planned:
    """What would become of one entity."""

    fate: Fate
    entity: Entity
    differences: tuple[Difference, ...] = ()


class PlannedSink:
    """Answers as Port would, as far as what it holds can tell."""

    writes = False

    def __init__(
        self,
        holdings: Holdings,
        is_due: Callable[[str], bool],
        take: Callable[[Planned], None],
        *,
        is_merge: bool,
        at_hand: frozenset[str] = frozenset(),
    ) -> None:
        """`is_due` says of which blueprints a sync would send only what differs; `take` gets what would be sent;
        `at_hand` are the blueprints that a sync would create before."""
        self._holdings = holdings
        self._is_due = is_due
        self._take = take
        self._is_merge = is_merge
        self._is_there = dict.fromkeys(at_hand, True)
        self._created: set[tuple[str, str]] = set()
        self._moved: dict[tuple[str, str], dict[str, Json]] = {}

    def relations_of(self, blueprint: str, identifier: str) -> dict[str, Json] | None:
        """The relations that an entity would have, where the plan changes them."""
        return self._moved.get((blueprint, identifier))

    def at_once(self, _blueprint: str) -> int:
        """As many as Port is asked for together."""
        return AT_ONCE

    async def upsert(self, batch: Batch) -> BatchResult:
        """What would become of the batch. Raises PortError."""
        if batch.blueprint not in self._is_there:
            self._is_there[batch.blueprint] = await self._holdings.has_blueprint(batch.blueprint)
        if not self._is_there[batch.blueprint]:
            return rejected(batch, *missing_blueprint(batch.blueprint))
        held = await held_entities(self._holdings, batch)
        return BatchResult(tuple(map(self._outcome, batch.entities, held)))

    def _outcome(self, entity: Entity, held: dict[str, Json] | None) -> Outcome:
        key = (entity.blueprint, entity.identifier)
        if held is None and entity.is_search:
            message = "no entity, or more than one, matches the search that is its identifier"
            return Outcome(entity, Fate.REJECTED, "port-rejected", f"Port would refuse the entity: {message}")
        if held is None and key not in self._created:
            self._created.add(key)
            self._take(Planned(Fate.CREATED, entity))
            return Outcome(entity, Fate.CREATED)
        found = () if held is None else differences(content_of(entity), held, is_merge=self._is_merge)
        if held is not None and not found and self._is_due(entity.blueprint):
            return Outcome(entity, Fate.UNCHANGED, identifier=str(held.get("identifier")))
        if any(difference.name.startswith("relations.") for difference in found):
            self._moved[key] = {d.name.removeprefix("relations."): d.new for d in found}
        self._take(Planned(Fate.UPDATED, entity, found))
        return Outcome(entity, Fate.UPDATED, identifier=None if held is None else str(held.get("identifier")))
