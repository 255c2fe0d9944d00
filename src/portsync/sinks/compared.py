"""A sink before another: what Port has already as it is to be is not sent on."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.batch import Batcher
from portsync.compare import differences
from portsync.errors import PortError, PortRefusedError
from portsync.flow import Batch, BatchResult, Fate, Outcome
from portsync.port.entities import rejected
from portsync.sinks.held import content_of, held_entities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portsync.port.holdings import Holdings
    from portsync.sinks.base import Sink

AT_ONCE = 100
"""Entities that are asked for together; Port takes fewer of them in one upsert."""


class ComparedSink:
    """Compares the entities of the blueprints that `is_due` with what Port holds."""

    writes = True

    def __init__(self, sink: Sink, holdings: Holdings, is_due: Callable[[str], bool], *, is_merge: bool) -> None:
        self._sink = sink
        self._holdings = holdings
        self._is_due = is_due
        self._is_merge = is_merge

    async def upsert(self, batch: Batch) -> BatchResult:
        """Write what differs. Raises PortError where going on makes no sense."""
        unchanged = await self._unchanged(batch) if self._is_due(batch.blueprint) else set()
        batcher = Batcher()
        full = [b for i, e in enumerate(batch.entities) if i not in unchanged for b in batcher.add(e)]
        results = await self._written([*full, *batcher.flush()])
        sent = deque(outcome for result in results for outcome in result.outcomes)
        return BatchResult(
            tuple(
                Outcome(entity, Fate.UNCHANGED) if index in unchanged else sent.popleft()
                for index, entity in enumerate(batch.entities)
            ),
            went_well=all(result.went_well for result in results),
        )

    async def _written(self, parts: Sequence[Batch]) -> list[BatchResult]:
        """What becomes of each part. Raises PortError where that befalls the first: what was accepted before stays so,
        and the next batch is told the same."""
        results: list[BatchResult] = []
        for part in parts:
            try:
                results.append(await self._sink.upsert(part))
            except PortError as error:
                if not results:
                    raise
                problem = error.problems[0]
                left = parts[len(results) :]
                refused = (rejected(one, problem.code, problem.message, problem.hint) for one in left)
                return [*results, *(replace(one, went_well=False) for one in refused)]
        return results

    async def _unchanged(self, batch: Batch) -> set[int]:
        """Which entities Port has as they are, by their position."""
        try:
            held = await held_entities(self._holdings, batch)
        except PortRefusedError:
            raise
        except PortError:
            return set()  # where Port cannot be asked, all of it is sent: that does no harm
        return {
            index
            for index, entity in enumerate(batch.entities)
            if (found := held[index]) is not None
            and not differences(content_of(entity), found, is_merge=self._is_merge)
        }
