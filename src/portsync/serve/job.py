"""One mapping of the service: waits until a run is due or asked for, runs it, and never two at once."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from portsync.errors import PortSyncError, Problem, StoppedError
from portsync.lanes import first_of
from portsync.port.owner import owner_of
from portsync.report import Report
from portsync.running import MappingRun, Pulse
from portsync.serve.asks import Asks
from portsync.serve.due import next_due, sleep_until
from portsync.serve.history import Begun
from portsync.serve.watched import BUG, Watch, attempted, bug_of, raised
from portsync.state.place import StatePlace, state_place
from portsync.under_way import UnderWay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from portsync.running import Loaded
    from portsync.serve.parts import Parts
    from portsync.serve.supply import Supply
    from portsync.state.touched import Named
    from portsync.stop import Stop
    from portsync.surroundings import Surroundings

_UNUSABLE = frozenset({2, 3, 4, BUG})
"""The exit codes of runs that came to nothing: the next one is not hurried by a short schedule, and does not wait for
a long one."""
_LOOK_EVERY_S = 2.0


class Job:
    """The runs of one mapping, for as long as the service is up."""

    def __init__(self, supply: Supply, parts: Parts, others: Callable[[], Sequence[Job]]) -> None:
        """`others` are the other mappings of the service."""
        self.supply = supply
        self.asks = Asks()
        self.loaded: Loaded | None = None
        self.fault: PortSyncError | None = None
        """Why the newest mapping cannot be used; the one before it stays in use."""
        self.under_way: UnderWay[Named] = UnderWay()
        """What the run that is under way has on its way to Port."""
        self.loads: Callable[[], None] = lambda: None
        """Is told whenever there is another mapping."""
        self.catch_up: Callable[[], Awaitable[None]] = _nothing
        """Brings in, before a run reads the source, what came from it before."""
        self.is_stuck = False
        """Whether a run was cut, and does not end all the same."""
        self._parts = parts
        self._others = others
        self._mark: object = None
        self._looked = asyncio.Event()
        self._failures = 0
        self._reloading = asyncio.Lock()
        self._log = structlog.get_logger().bind(mapping=supply.name)

    async def work(self, stop: Stop) -> None:
        """Run until it is told to stop, and bring the run that is under way then to its end."""
        self._parts.metrics.add(self.supply.name, lambda: self.asks.waiting)
        if self._parts.settings.runs_at_start:
            self.asks.add("start")
        while await self._until_due(stop):
            await self.run_once(stop)

    async def loads_first(self) -> None:
        """Return when the mapping was looked at."""
        await self._looked.wait()

    async def reload(self) -> bool:
        """Take the newest mapping, or say why it cannot be used and keep the old one. Whether it could."""
        async with self._reloading:
            self._mark = await asyncio.to_thread(self.supply.mark)
            loading = await attempted(self.supply.load())
            error = raised(loading)
            if error is None:
                self.loaded, self.fault = loading.result(), None
                for secret in self._secrets():
                    self._parts.redactor.add(secret)
                self._log.info("mapping.loaded", resources=len(self.loaded[0].file.resources))
                self.loads()
            else:
                self.fault = error if isinstance(error, PortSyncError) else _BugError(bug_of(error))
                kept = "the one before it" if self.loaded is not None else "none"
                for problem in self.fault.problems:
                    self._log.error(
                        "mapping.refused",
                        message=problem.message, place=problem.place, hint=problem.hint, in_use=kept,
                    )  # fmt: skip
            self._parts.metrics.mapping(self.supply.name, is_valid=self.fault is None)
            return self.fault is None

    async def run_once(self, stop: Stop) -> Report:
        """Run now, with the newest mapping that can be used."""
        parts, name = self._parts, self.supply.name
        reasons = self.asks.taken()
        started_at = parts.runtime.clock()
        if self.loaded is None or self.supply.is_asked_for_each_run:
            await self.reload()
        run_id, pulse = str(uuid.uuid4()), Pulse()
        parts.history.begin(Begun(run_id, name, reasons, started_at))
        parts.metrics.began(name)
        self._log.info("run.began", run_id=run_id, reasons=reasons)
        # What it learns is no secret of anybody's when its tokens have ended.
        with parts.redactor.for_a_while() as redactor:
            report = await self._report(run_id, replace(parts.around, redactor=redactor), pulse, started_at, stop)
            parts.history.end(run_id, report)
        parts.metrics.ended(name, report, workers_lost=pulse.workers_lost())
        self._failures = self._failures + 1 if report.exit_code in _UNUSABLE else 0
        return report

    async def _report(self, run_id: str, around: Surroundings, pulse: Pulse, started_at: float, stop: Stop) -> Report:
        """The report of the run, also where there is nothing to run."""
        if self.loaded is None:
            assert self.fault is not None, "what cannot be loaded says why"
            return self._failed(run_id, started_at, self.fault.exit_code, *self.fault.problems)
        parts, (mapping, source) = self._parts, self.loaded
        owner = owner_of(parts.settings, mapping.name)
        place = state_place(parts.settings, owner.identifier)
        others = self._others()
        run = MappingRun(
            mapping,
            source,
            around,
            parts.order,
            stop,
            parts.store,
            tuple(other.loaded[0] for other in others if other.loaded is not None),
            has_unknown_others=any(
                other.loaded is None and owner_of(parts.settings, other.supply.name) == owner for other in others
            ),
            pulse=pulse,
            interval_s=parts.interval_s,
            run_id=run_id,
            under_way=self.under_way,
        )
        rate = source.rate_limit
        longest_s = source.timeout.total + source.retry.max_wait + (0.0 if rate is None else rate.per)
        with contextlib.suppress(StoppedError):
            await stop.race(self.catch_up())
        async with parts.turns[owner if place == StatePlace() else place]:
            return await self._watched(run, Watch(pulse, stop, parts.patience_s + longest_s), started_at)

    async def _watched(self, run: MappingRun, watch: Watch, started_at: float) -> Report:
        """The report, also where the run stands still or ends in a bug: the service goes on."""
        work = asyncio.create_task(run.run())
        try:
            cut = await watch.over(work)
        finally:
            await self._end(work)
        if cut is not None:
            return self._failed(run.run_id, started_at, cut.exit_code, cut.problem)
        error = raised(work)
        if error is not None:
            return self._failed(run.run_id, started_at, BUG, bug_of(error))
        return work.result()

    async def _end(self, work: asyncio.Task[Report]) -> None:
        """Wait until it has ended: before that it has the state, and the next run cannot begin."""
        work.cancel()
        ending_s = self._parts.ending_s
        await asyncio.wait({work}, timeout=ending_s)
        if not work.done():
            self.is_stuck = True
            self._log.error("run.stuck", message=f"it was ended {ending_s:.0f} s ago, and has not ended yet")
            await asyncio.wait({work})
            self.is_stuck = False

    def _failed(self, run_id: str, started_at: float, exit_code: int, *problems: Problem) -> Report:
        for problem in problems:
            self._log.error("run.failed", run_id=run_id, code=problem.code, message=problem.message)
        report = Report(run_id, self.supply.name, started_at, self._parts.runtime.clock(), exit_code, (), problems)
        self._log.info("run.ended", run_id=run_id, status=report.status, exit_code=exit_code)
        return report

    async def _until_due(self, stop: Stop) -> bool:
        """Return when a run is due or asked for; false when it is time to stop."""
        runtime, name = self._parts.runtime, self.supply.name
        due = next_due(self._parts.settings.schedule, self._failures, runtime.clock(), runtime.random())
        self._parts.metrics.next_run(name, None if due is None else due.at)
        if due is None:
            await first_of(self.asks.wait(), stop.wait())
        else:
            await first_of(self.asks.wait(), stop.wait(), sleep_until(due, runtime))
            if not self.asks.waiting:
                self.asks.add(due.reason)
        return not stop.is_requested

    async def look_for_changes(self) -> None:
        """Load the mapping, and every new one, for as long as the service is up."""
        await self.reload()
        self._looked.set()
        before = self._mark
        while True:
            await self._parts.runtime.sleep(_LOOK_EVERY_S)
            mark = await asyncio.to_thread(self.supply.mark)
            # Twice the same: whoever writes the file piece by piece has come to its end.
            if mark == before and mark != self._mark and await self.reload():
                self.asks.add("mapping")
            before = mark

    def _secrets(self) -> set[str]:
        assert self.loaded is not None
        mapping, source = self.loaded
        return {*mapping.secrets, *source.auth.secrets()}


async def _nothing() -> None:
    return


class _BugError(PortSyncError):
    """This means that a mapping could not be loaded because of us."""

    exit_code = BUG
