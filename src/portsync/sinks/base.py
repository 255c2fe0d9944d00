"""Where entities go. To add a sink: one file with one async method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from portsync.flow import Batch, BatchResult


class Sink(Protocol):
    """Takes batches, and says of each entity what became of it."""

    @property
    def writes(self) -> bool:
        """Whether what it accepts is there afterwards."""
        ...

    def at_once(self, blueprint: str) -> int:
        """How many entities of a blueprint it takes together."""
        ...

    async def upsert(self, batch: Batch) -> BatchResult:
        """Write a batch. Raises PortError where going on makes no sense."""
        ...
