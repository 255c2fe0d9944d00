"""The live events of one mapping: one after the other, for as long as the service is up.

They wait in a row on the disk. Some of the first are taken, mapped and brought into Port, and only then taken out of
the row. So whatever happens to the process none is lost, and what was done twice is the same as done once.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from portsync.errors import PortError, PortSyncError, PortTroubleError, Problem, StateError, StateLostError
from portsync.lanes import first_of
from portsync.mapping.hooks import hooks_of
from portsync.port.owner import owner_of
from portsync.schedule import with_jitter
from portsync.serve.live_applier import Applied, opened_applier
from portsync.serve.live_changes import Fault
from portsync.serve.live_port import refused
from portsync.state.hook_queue import HookQueue
from portsync.state.hook_store import HookStore
from portsync.state.place import state_place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from portsync.mapping.live import Live
    from portsync.running import Loaded
    from portsync.serve.hook_metrics import HookMetrics
    from portsync.serve.job import Job
    from portsync.serve.live_applier import Applier
    from portsync.serve.live_changes import Portion
    from portsync.serve.parts import Parts
    from portsync.state.hook_queue import Event

_AT_ONCE = 100
"""Events that are mapped together."""
_FRESH_S = 600.0
"""After so long, lookups are made again, and Port is asked again for its users."""
_LOOK_EVERY_S = 0.5
_FIRST_PAUSE_S = 1.0
_LAST_PAUSE_S = 60.0
_TRIES = 5
"""So often Port is asked for something that it refuses without saying that this may pass."""
_BEFORE_A_RUN_S = 30.0
"""So long a run waits for the events that came before it. They may be applied after it all the same."""


class LiveWork:
    """Applies the events of one mapping."""

    def __init__(self, job: Job, parts: Parts, metrics: HookMetrics) -> None:
        self.name = job.supply.name
        self.queue: HookQueue | None = None
        """Where events go; None as long as no mapping with hooks is there, or there is no place for it."""
        self._job = job
        self._parts = parts
        self._metrics = metrics
        self._store: HookStore | None = None
        self._woken = asyncio.Event()
        self._loaded = asyncio.Event()
        self._moved = asyncio.Event()
        self._log = structlog.get_logger().bind(mapping=self.name)
        job.loads = self._load
        job.catch_up = self.catch_up

    @property
    def is_loaded(self) -> bool:
        """Whether it is known which hooks there are."""
        return self._job.loaded is not None

    def hook(self, name: str) -> Live | None:
        """What the mapping says of the hook of this name. May be called from any thread."""
        loaded = self._job.loaded
        return None if loaded is None else hooks_of(loaded[0].file).get(name)

    def wake(self) -> None:
        """Look at the row again."""
        self._woken.set()

    def _load(self) -> None:
        self._loaded.set()
        self._woken.set()

    async def catch_up(self) -> None:
        """Return when the events that wait now are applied, or when that takes too long: a run that reads the source
        only then has nothing older in its way."""
        if self.queue is None:
            return
        try:
            last = self.queue.last(self.name)
            async with asyncio.timeout(_BEFORE_A_RUN_S):
                while self.queue.waits_until(self.name, last):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            self._log.warning("hook.behind", waiting=self.queue.depth(self.name))
        except StateLostError as error:
            self._log.error("hook.lost_state", message=error.problems[0].message)

    async def stay_open(self) -> None:
        """Have a place for events as soon as a mapping has hooks, until cancelled: also a replica that stands by takes
        them."""
        try:
            while True:
                self._loaded.clear()
                if self._job.loaded is not None and self._is_open(self._job.loaded):
                    self.wake()
                await self._loaded.wait()
        finally:
            if self._store is not None:
                self._store.close()

    async def work(self) -> None:
        """Apply events until cancelled. Only one process at a time does that."""
        tries = 0
        while True:
            loaded = self._job.loaded
            if loaded is None or self._store is None:
                await self._wait()
                continue
            try:
                async with self._applier(loaded) as applier:
                    await self._work_with(applier, loaded)
                tries = 0
            except PortSyncError as error:
                tries += 1
                await self._pause(tries, error.problems[0])

    def _is_open(self, loaded: Loaded) -> bool:
        """Whether there is a row; it is opened for the first mapping that has hooks."""
        mapping, settings = loaded[0], self._parts.settings
        if self._store is None and hooks_of(mapping.file):
            try:
                self._store = HookStore(state_place(settings, owner_of(settings, mapping.name).identifier))
            except StateError as error:
                problem = error.problems[0]
                self._log.error("hook.closed", message=problem.message, place=problem.place, hint=problem.hint)
                return False
            self.queue = HookQueue(self._store, settings.hook_queue)
            self._metrics.watch(self.name, self._depth, self._age)
        return self._store is not None

    def _depth(self) -> float:
        assert self.queue is not None, "it is watched from when it is there"
        try:
            return self.queue.depth(self.name)
        except StateLostError:
            return float("nan")

    def _age(self) -> float:
        assert self.queue is not None, "it is watched from when it is there"
        try:
            oldest = self.queue.oldest(self.name)
        except StateLostError:
            return float("nan")
        return 0.0 if oldest is None else max(0.0, self._parts.runtime.clock() - oldest)

    @asynccontextmanager
    async def _applier(self, loaded: Loaded) -> AsyncIterator[Applier]:
        """Raises PortSyncError."""
        assert self._store is not None, "it was opened"
        async with opened_applier(loaded, self._parts, self._store, self._job.under_way) as applier:
            yield applier

    async def _work_with(self, applier: Applier, loaded: Loaded) -> None:
        """Apply events until the mapping is another one, or what is known beside it is old. Raises PortSyncError."""
        assert self.queue is not None, "it was opened"
        clock = self._parts.runtime.clock
        until = clock() + _FRESH_S
        while self._job.loaded is loaded and clock() < until:
            self._woken.clear()
            events = self.queue.first(self.name, _AT_ONCE)
            if events:
                await self._settle(events, applier)
            else:
                await self._until_woken()

    async def _settle(self, events: Sequence[Event], applier: Applier) -> None:
        """Apply events and take them out of the row. Raises PortSyncError, and then they are still there."""
        work = asyncio.create_task(self._applied(events, applier))
        try:
            await asyncio.wait({work})
        finally:
            work.cancel()
            await asyncio.wait({work})
        error = work.exception()
        if isinstance(error, PortSyncError):
            raise error
        if error is None:
            self._close(events, work.result(), applier)
        elif len(events) > 1:
            # One of them is at fault, and the others have to go on.
            for event in events:
                await self._settle([event], applier)
        else:
            message = f"a bug in portsync: {type(error).__name__}: {error}"
            fault = Fault(events[0], None, Problem("bug", message, hint="please report it"))
            self._close(events, Applied((fault,), ()), applier)

    async def _applied(self, events: Sequence[Event], applier: Applier) -> Applied:
        portions, faults = await applier.portions(events)
        for portion in portions:
            faults += await self._brought(portion, applier)
        named = [(p.blueprint, change.entity.identifier) for p in portions for change in p.changes]
        return Applied(tuple(faults), tuple(named))

    async def _brought(self, portion: Portion, applier: Applier) -> list[Fault]:
        """Bring a portion into Port, however long that takes; gives what Port will never take of it."""
        tries = 0
        while True:
            try:
                return await applier.port.apply(portion)
            except (PortError, StateLostError) as error:
                tries += 1
                problem = error.problems[0]
                may_pass = isinstance(error, PortTroubleError | StateLostError) or error.is_of_all
                if not may_pass and tries >= _TRIES:
                    return refused(portion.changes, problem)
                await self._pause(tries, problem)

    def _close(self, events: Sequence[Event], applied: Applied, applier: Applier) -> None:
        """Write down what will never be applied, and take the events out of the row. Raises StateLostError."""
        assert self.queue is not None, "it was opened"
        applier.keep(applied.faults)
        for fault in applied.faults:
            problem = fault.problem
            self._log.error(
                "hook.failed",
                hook=fault.event.hook, code=problem.code, message=problem.message, place=problem.place,
            )  # fmt: skip
        failed = {fault.event.id: fault.event for fault in applied.faults}
        self.queue.done(events, failed.values(), applier.catalog, applied.touched)
        now = self._parts.runtime.clock()
        for event in events:
            self._metrics.ended(self.name, now - event.received_at, is_applied=event.id not in failed)
        self._log.info("hook.applied", events=len(events), failed=len(failed))
        self._moved.set()

    async def _until_woken(self) -> None:
        """Return when there may be an event. Those that another replica took are only in the database."""
        assert self._store is not None, "it was opened"
        if self._store.place.url is None:
            await self._woken.wait()
        else:
            await first_of(self._woken.wait(), self._parts.runtime.sleep(_LOOK_EVERY_S))

    async def _wait(self) -> None:
        await self._woken.wait()
        self._woken.clear()

    async def _pause(self, tries: int, problem: Problem) -> None:
        """Wait for what may pass; longer each time."""
        runtime = self._parts.runtime
        self._log.warning("hook.waiting", message=problem.message, place=problem.place, tries=tries)
        delay = min(_LAST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(tries - 1, 10))
        await runtime.sleep(with_jitter(delay, 0.0, runtime.random()))
