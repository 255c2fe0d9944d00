"""Where the resources of a run are read, mapped and written. This one does it here, one resource after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from portsync.chains.stream import places
from portsync.resource_run import run_along, sorter_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from portsync.resource_run import ResourceRun


class Executor(Protocol):
    """Runs resources."""

    async def in_turn(
        self,
        order: Sequence[int],
        before: Callable[[int], Collection[int]],
        one: Callable[[int], Awaitable[None]],
    ) -> None:
        """Do `one` for each index, in the order given, or several at once: but each after those that `before` names for
        it, which come earlier in the order."""
        ...

    async def run(self, part: ResourceRun) -> None:
        """Bring one resource along the line. Its report has the counts and the verdict then."""
        ...


class LocalExecutor:
    """Does everything in this process."""

    async def in_turn(
        self,
        order: Sequence[int],
        before: Callable[[int], Collection[int]],
        one: Callable[[int], Awaitable[None]],
    ) -> None:
        del before  # which the order already heeds
        for index in order:
            await one(index)

    async def run(self, part: ResourceRun) -> None:
        found = places(part.resource, part.lookups.access, part.taken.records_for(part.report.index))
        await run_along(part, found, sorter_of(part))
