"""The sink that is Port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.batch import MOST_ENTITIES
from portsync.errors import PortUnreachableError
from portsync.port.bulk import BulkUpsert, TroubleError
from portsync.port.entities import UpsertSwitches, rejected

if TYPE_CHECKING:
    from portsync.errors import Problem
    from portsync.flow import Batch, BatchResult
    from portsync.port.client import PortClient

_TROUBLES = 3
"""After so many batches in a row that Port did not take, each with all its attempts, it counts as down."""


class PortSink:
    """Upserts batches into Port. A batch that Port cannot take now is rejected; several in a row end the run."""

    writes = True

    def __init__(self, port: PortClient, switches: UpsertSwitches) -> None:
        self._bulk = BulkUpsert(port, switches)
        self._troubles = 0
        self._missing: dict[str, tuple[str, str, str | None]] = {}

    def at_once(self, _blueprint: str) -> int:
        """As many as one request may hold."""
        return MOST_ENTITIES

    async def upsert(self, batch: Batch) -> BatchResult:
        """Write a batch. Raises PortUnreachableError and PortRefusedError."""
        if (known := self._missing.get(batch.blueprint)) is not None:
            return rejected(batch, *known)
        try:
            result = await self._bulk.send(batch)
        except TroubleError as error:
            return self._trouble(batch, error.problem)
        self._troubles = 0
        first = result.outcomes[0]
        if first.code == "blueprint-missing":
            # Asking again for every batch would say the same some thousand times.
            self._missing[batch.blueprint] = (first.code, first.message or "", first.hint)
        return result

    def _trouble(self, batch: Batch, problem: Problem) -> BatchResult:
        self._troubles += 1
        if self._troubles >= _TROUBLES:
            raise PortUnreachableError(problem)
        result = rejected(batch, problem.code, problem.message, problem.hint)
        return replace(result, went_well=False)
