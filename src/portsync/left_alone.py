"""What a run keeps its hands off: entities that a live event touched since it began. What the run read of them may be
older than the event."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.flow import Batch, BatchResult, Fate, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.port.deletion import Deleted, Deletion
    from portsync.sinks.base import Sink
    from portsync.state.touched import LeftAlone


class SparingSink:
    """A sink before another: what is left to live events is not sent on, and counts as unchanged.

    Between the look at what was touched and the entry of what is sent nothing else happens in the loop: an event
    comes either before both, and its entity is left alone, or after both, and waits until the batch has arrived.
    """

    def __init__(self, sink: Sink, left_alone: LeftAlone) -> None:
        self._sink = sink
        self._left_alone = left_alone

    @property
    def writes(self) -> bool:
        return self._sink.writes

    def at_once(self, blueprint: str) -> int:
        return self._sink.at_once(blueprint)

    async def upsert(self, batch: Batch) -> BatchResult:
        """Write what may be written. Raises PortError, and StateLostError."""
        named = [entity.identifier for entity in batch.entities]
        touched = self._left_alone.among(batch.blueprint, named)
        sent = tuple(entity for entity in batch.entities if entity.identifier not in touched)
        if not sent:
            return BatchResult(tuple(Outcome(entity, Fate.UNCHANGED) for entity in batch.entities))
        with self._left_alone.sending(batch.blueprint, (entity.identifier for entity in sent)):
            result = await self._sink.upsert(Batch(batch.blueprint, sent))
        if not touched:
            return result
        outcomes = iter(result.outcomes)
        return replace(
            result,
            outcomes=tuple(
                Outcome(entity, Fate.UNCHANGED) if entity.identifier in touched else next(outcomes)
                for entity in batch.entities
            ),
        )


class SparingDeletes:
    """Deletes entities, but for those that are left to live events."""

    def __init__(self, deletion: Deletion, left_alone: LeftAlone) -> None:
        self._deletion = deletion
        self._left_alone = left_alone

    async def delete(self, blueprint: str, identifiers: Sequence[str]) -> Deleted:
        """What became of the entities. Raises PortError, and StateLostError."""
        touched = self._left_alone.among(blueprint, identifiers)
        wanted = [identifier for identifier in identifiers if identifier not in touched]
        with self._left_alone.sending(blueprint, wanted):
            result = await self._deletion.delete(blueprint, wanted)
        return replace(result, spared=tuple(sorted(touched)))
