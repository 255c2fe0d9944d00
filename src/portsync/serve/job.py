"""One mapping of the service: waits until a run is due or asked for, runs it, and never two at once."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import structlog

from portsync.errors import PortSyncError, Problem
from portsync.port.owner import owner_of
from portsync.report import Report
from portsync.running import MappingRun, Pulse
from portsync.schedule import Interval, with_jitter
from portsync.serve.asks import Asks
from portsync.serve.history import Begun
from portsync.state.place import state_place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan
    from portsync.running import Loaded
    from portsync.serve.asks import Reason
    from portsync.serve.parts import Parts
    from portsync.serve.supply import Supply
    from portsync.stop import Stop

_BUG = 70
_UNUSABLE = frozenset({2, 3, 4, _BUG})
"""The exit codes of runs that came to nothing: the next one is not hurried by a short schedule, and does not wait for
a long one."""
_FIRST_RETRY_S = 60.0
_LAST_RETRY_S = 3600.0
_LOOK_EVERY_S = 2.0


class Job:
    """The runs of one mapping, for as long as the service is up."""

    def __init__(self, supply: Supply, parts: Parts, others: Callable[[], Sequence[LoadedMapping]]) -> None:
        """`others` are the other mappings of the service."""
        self.supply = supply
        self.asks = Asks()
        self.loaded: Loaded | None = None
        self.fault: PortSyncError | None = None
        """Why the newest mapping cannot be used; the one before it stays in use."""
        self.is_running = False
        self._parts = parts
        self._others = others
        self._mark: object = None
        self._failures = 0
        self._log = structlog.get_logger().bind(mapping=supply.name)

    async def work(self, stop: Stop) -> None:
        """Run until it is told to stop, and bring the run that is under way then to its end."""
        parts = self._parts
        await self.reload()
        if parts.settings.runs_at_start:
            self.asks.add("start")
        looking = asyncio.create_task(self._look_for_changes())
        try:
            while await self._until_due(stop):
                await self.run_once(stop)
        finally:
            looking.cancel()

    async def reload(self) -> bool:
        """Take the newest mapping, or say why it cannot be used and keep the old one. Whether it could."""
        self._mark = self.supply.mark()
        try:
            self.loaded = await self.supply.load()
        except PortSyncError as error:
            self.fault = error
            kept = "the one before it" if self.loaded is not None else "none"
            for problem in error.problems:
                self._log.error(
                    "mapping.refused",
                    message=problem.message, place=problem.place, hint=problem.hint, in_use=kept,
                )  # fmt: skip
        else:
            self.fault = None
            for secret in self._secrets():
                self._parts.redactor.add(secret)
            self._log.info("mapping.loaded", resources=len(self.loaded[0].file.resources))
        self._parts.metrics.mapping(self.supply.name, is_valid=self.fault is None)
        return self.fault is None

    async def run_once(self, stop: Stop) -> Report:
        """Run now, with the newest mapping that can be used."""
        parts, name = self._parts, self.supply.name
        reasons = self.asks.taken()
        started_at = parts.runtime.clock()
        if self.loaded is None or self.supply.is_asked_for_each_run:
            await self.reload()
        run_id = str(uuid.uuid4())
        parts.history.begin(Begun(run_id, name, reasons, started_at))
        parts.metrics.began(name)
        self._log.info("run.began", run_id=run_id, reasons=reasons)
        self.is_running = True
        try:
            if self.loaded is None:
                assert self.fault is not None, "what cannot be loaded says why"
                problems, code = self.fault.problems, self.fault.exit_code
                report = Report(run_id, name, started_at, parts.runtime.clock(), code, (), problems)
                self._log.info("run.ended", run_id=run_id, status=report.status, exit_code=code)
            else:
                report = await self._run(run_id, *self.loaded, started_at, stop)
        finally:
            self.is_running = False
        parts.history.end(run_id, report)
        parts.metrics.ended(name, report)
        self._failures = self._failures + 1 if report.exit_code in _UNUSABLE else 0
        return report

    async def _run(
        self, run_id: str, mapping: LoadedMapping, source: SourcePlan, started_at: float, stop: Stop
    ) -> Report:
        """The report of the run, also where it stands still or ends in a bug: the service goes on."""
        parts, pulse = self._parts, Pulse()
        place = state_place(parts.settings, owner_of(parts.settings, mapping.name).identifier)
        run = MappingRun(
            mapping,
            source,
            parts.around,
            parts.order,
            stop,
            parts.store,
            tuple(self._others()),
            pulse=pulse,
            interval_s=parts.interval_s,
            run_id=run_id,
        )
        async with parts.turns[str(place)]:
            return await self._watched(run, pulse, started_at)

    async def _watched(self, run: MappingRun, pulse: Pulse, started_at: float) -> Report:
        parts, run_id = self._parts, run.run_id
        work = asyncio.create_task(run.run())
        before = -1
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=parts.patience_s)
                now = pulse.count()
                if now == before and not work.done():
                    message = f"the run made no request and mapped no page for {parts.patience_s:.0f} s"
                    return self._failed(run_id, started_at, "stalled", message)
                before = now
            error = work.exception()
            if error is not None:
                return self._failed(run_id, started_at, "bug", f"a bug in portsync: {type(error).__name__}: {error}")
            return work.result()
        finally:
            work.cancel()
            await asyncio.wait({work})

    def _failed(self, run_id: str, started_at: float, code: str, message: str) -> Report:
        problem = Problem(code, message, hint="please report it; the service goes on with the next run")
        self._log.error("run.failed", run_id=run_id, code=code, message=message)
        now = self._parts.runtime.clock()
        return Report(run_id, self.supply.name, started_at, now, _BUG, (), (problem,))

    async def _until_due(self, stop: Stop) -> bool:
        """Return when a run is due or asked for; false when it is time to stop."""
        due = self._due()
        if due is None:
            await self._first_of(self.asks.wait(), stop.wait())
            return not stop.is_requested
        reason, at = due
        now = self._parts.runtime.clock()
        delay = max(0.0, with_jitter(at, now, self._parts.runtime.random()) - now)
        self._parts.metrics.next_run(self.supply.name, now + delay)
        sleeping = asyncio.ensure_future(self._parts.runtime.sleep(delay))
        await self._first_of(self.asks.wait(), stop.wait(), sleeping)
        if not self.asks.waiting:
            self.asks.add(reason)
        return not stop.is_requested

    def _due(self) -> tuple[Reason, float] | None:
        """Why and when the next run is due; None where only somebody who asks brings it about."""
        now, schedule = self._parts.runtime.clock(), self._parts.settings.schedule
        if self._failures:
            first = min(_FIRST_RETRY_S, schedule.seconds) if isinstance(schedule, Interval) else _FIRST_RETRY_S
            return "retry", now + min(_LAST_RETRY_S, first * 2.0 ** min(self._failures - 1, 12))
        return None if schedule is None else ("schedule", schedule.next(now))

    async def _look_for_changes(self) -> None:
        while True:
            await self._parts.runtime.sleep(_LOOK_EVERY_S)
            if self.supply.mark() != self._mark and await self.reload():
                self.asks.add("mapping")

    async def _first_of(self, *waits: Awaitable[object]) -> None:
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def _secrets(self) -> set[str]:
        assert self.loaded is not None
        mapping, source = self.loaded
        return {*mapping.secrets, *source.auth.secrets()}
