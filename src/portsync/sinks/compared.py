"""A sink before another: what Port has already as it is to be is not sent on."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.batch import Batcher
from portsync.compare import differences
from portsync.errors import PortError, PortRefusedError
from portsync.flow import Batch, BatchResult, Fate, Outcome
from portsync.port.entities import rejected
from portsync.sinks.held import AT_ONCE, content_of, held_entities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portsync.port.holdings import Holdings
    from portsync.sinks.base import Sink


class ComparedSink:
    """Compares the entities of the blueprints that `is_due` with what Port holds."""

    writes = True

    def __init__(self, sink: Sink, holdings: Holdings, is_due: Callable[[str], bool], *, is_merge: bool) -> None:
        self._sink = sink
        self._holdings = holdings
        self._is_due = is_due
        self._is_merge = is_merge

    def at_once(self, blueprint: str) -> int:
        """As many as Port is asked for together, where it is asked."""
        return AT_ONCE if self._is_due(blueprint) else self._sink.at_once(blueprint)

    async def upsert(self, batch: Batch) -> BatchResult:
        """Write what differs. Raises PortError where going on makes no sense."""
        if not self._is_due(batch.blueprint):
            return await self._sink.upsert(batch)
        unchanged = await self._unchanged(batch)
        batcher = Batcher()
        full = [b for i, e in enumerate(batch.entities) if i not in unchanged for b in batcher.add(e)]
        results = await self._written([*full, *batcher.flush()])
        sent = deque(outcome for result in results for outcome in result.outcomes)
        return BatchResult(
            tuple(
                Outcome(entity, Fate.UNCHANGED, identifier=unchanged[index]) if index in unchanged else sent.popleft()
                for index, entity in enumerate(batch.entities)
            ),
            went_well=all(result.went_well for result in results),
        )

    async def _written(self, parts: Sequence[Batch]) -> list[BatchResult]:
        """What becomes of each part; they are sent side by side. Raises PortError where that befalls all of them:
        otherwise what was accepted stays so, and the next batch is told the same."""
        results = await asyncio.gather(*map(self._part, parts))
        errors = [result for result in results if isinstance(result, PortError)]
        if errors and len(errors) == len(parts):
            raise errors[0]
        return [_refused(p, r) if isinstance(r, PortError) else r for p, r in zip(parts, results, strict=True)]

    async def _part(self, part: Batch) -> BatchResult | PortError:
        try:
            return await self._sink.upsert(part)
        except PortError as error:
            return error

    async def _unchanged(self, batch: Batch) -> dict[int, str]:
        """Which entities Port has as they are, by their position: the identifiers by which it has them."""
        try:
            held = await held_entities(self._holdings, batch)
        except PortRefusedError:
            raise
        except PortError:
            return {}  # what cannot be asked is sent: that does no harm
        return {
            index: str(found.get("identifier"))
            for index, entity in enumerate(batch.entities)
            if (found := held[index]) is not None
            and not differences(content_of(entity), found, is_merge=self._is_merge)
        }


def _refused(part: Batch, error: PortError) -> BatchResult:
    problem = error.problems[0]
    return replace(rejected(part, problem.code, problem.message, problem.hint), went_well=False)
