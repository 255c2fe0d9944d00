"""A worker of the cluster: does slices of any runs, and keeps what those of one run share for as long as it goes on."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from portsync.cluster.brief import unpacked
from portsync.cluster.line import LineLostError
from portsync.cluster.slices import SliceResult
from portsync.cluster.work import work
from portsync.cluster.workplace import workplace
from portsync.errors import PortSyncError, Problem, StateLostError, StoppedError
from portsync.report.resource import ResourceReport
from portsync.stop import Stop

if TYPE_CHECKING:
    from portsync.cluster.line import Line
    from portsync.cluster.slices import Slice
    from portsync.cluster.workplace import Workplace
    from portsync.runtime import Runtime


_GRACE_S = 15.0
"""Longer than slices take to end once they are asked to."""


class _Stay:
    """A worker's part in one run, from its first slice until the run is over."""

    def __init__(self) -> None:
        self.at: asyncio.Future[Workplace] = asyncio.get_running_loop().create_future()
        self.stop = Stop()
        self.slices = 0
        """How many are under way."""
        self.idle = asyncio.Event()
        self.idle.set()

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self.slices:
            await self.idle.wait()


class Worker:
    """Does slices, several at once where they come so."""

    def __init__(self, line: Line, runtime: Runtime) -> None:
        self._line = line
        self._runtime = runtime
        self._stays: dict[str, _Stay] = {}
        self._staying: dict[asyncio.Task[None], _Stay] = {}

    async def do(self, slice_: Slice) -> SliceResult:
        """Do a slice. What keeps it from being done is in its result."""
        stay = self._stay(slice_.run)
        stay.slices += 1
        stay.idle.clear()
        try:
            result = await work(slice_, await asyncio.shield(stay.at))
        except PortSyncError as error:
            result = SliceResult(ResourceReport(slice_.resource, "").part(), down=error, is_whole=False)
        finally:
            stay.slices -= 1
            if not stay.slices:
                stay.idle.set()
        if result.down is not None:
            # What caused it may be nothing that another process can be given, and hold what none should have.
            result.down.__cause__ = result.down.__context__ = result.down.__traceback__ = None
        return result

    async def leave(self) -> None:
        """End what is under way, of all runs. Slices get a moment to come to an end: then others go on with them."""
        for stay in self._staying.values():
            if not stay.stop.is_requested:
                stay.stop.request(signal.SIGTERM)
        staying = list(self._staying)
        if staying:
            await asyncio.wait(staying, timeout=_GRACE_S)
        for task in staying:
            task.cancel()
        await asyncio.gather(*staying, return_exceptions=True)

    def _stay(self, run: str) -> _Stay:
        stay = self._stays.get(run)
        if stay is None:
            stay = self._stays[run] = _Stay()
            task = asyncio.create_task(self._live(run, stay))
            self._staying[task] = stay
            task.add_done_callback(partial(self._left, run))
        return stay

    async def _live(self, run: str, stay: _Stay) -> None:
        """Keep the workplace of a run open until the run is over, and all that is under way has ended."""
        try:
            packed = await self._line.ask("brief", run=run)
            if packed is None:
                raise _over()
            async with workplace(unpacked(packed), self._line, self._runtime, stay.stop) as at:
                stay.at.set_result(at)
                with suppress(LineLostError, StoppedError):
                    await stay.stop.race(self._line.ask("over", run=run))
                self._forget(run, stay)  # a slice that comes late must not begin in a place that is being cleared
                if not stay.stop.is_requested:
                    stay.stop.request(signal.SIGTERM)
                await stay.settle()
        except LineLostError as error:
            raise _over() from error

    def _left(self, run: str, task: asyncio.Task[None]) -> None:
        """Tell those who still wait for the workplace why there is none."""
        stay = self._staying.pop(task)
        self._forget(run, stay)
        error = None if task.cancelled() else task.exception()
        if not stay.at.done():
            if error is None:
                stay.at.cancel()
            else:
                stay.at.set_exception(error)

    def _forget(self, run: str, stay: _Stay) -> None:
        if self._stays.get(run) is stay:
            del self._stays[run]


def _over() -> StateLostError:
    return StateLostError(Problem("superseded", "the run is over"))
