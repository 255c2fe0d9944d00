"""A cluster within the process of a test, on its clock: what goes to workers and comes back is packed as on a wire."""

from __future__ import annotations

import pickle
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from portsync.cluster.keeper import Keeper
from portsync.cluster.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from portsync.cluster.line import Line
    from portsync.cluster.slices import Slice, SliceResult
    from portsync.flow import Json
    from portsync.runtime import Runtime


class DirectLine:
    """A line to a keeper in the same process."""

    def __init__(self, keeper: Keeper, who: str) -> None:
        self._keeper = keeper
        self._who = who

    async def ask(self, what: str, **more: Json) -> Json:
        return await self._keeper.answer(self._who, what, more)


class HereCluster:
    """Some workers, of which each slice goes to the next one."""

    def __init__(self, runtime: Runtime, workers: int) -> None:
        keeper = Keeper(runtime.clock, runtime.sleep, runtime.random)
        self.line: Line = DirectLine(keeper, "coordinator")
        self.workers = [Worker(DirectLine(keeper, f"worker {number}"), runtime) for number in range(workers)]
        self.width = workers
        self.done = 0
        """How many slices were done."""

    async def do(self, slice_: Slice) -> SliceResult:
        worker = self.workers[self.done % len(self.workers)]
        self.done += 1
        result = await worker.do(pickle.loads(pickle.dumps(slice_)))
        unpacked: SliceResult = pickle.loads(pickle.dumps(result))
        return unpacked


def opening(
    runtime: Callable[[], Runtime], workers: int = 2, made: type[HereCluster] = HereCluster
) -> Callable[[str], AbstractAsyncContextManager[HereCluster]]:
    """What opens a cluster of so many workers, as a command does."""

    @asynccontextmanager
    async def opened(_address: str) -> AsyncIterator[HereCluster]:
        cluster = made(runtime(), workers)
        try:
            yield cluster
        finally:
            for worker in cluster.workers:
                await worker.leave()

    return opened
