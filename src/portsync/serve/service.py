"""THE SERVICE: one job for each mapping, what asks them for runs, and what is answered over HTTP."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from portsync.errors import Problem, SettingsError, StoppedError
from portsync.lanes import end
from portsync.loopback import serving
from portsync.port.owner import owner_of
from portsync.serve.health import Health
from portsync.serve.hook_metrics import HookMetrics
from portsync.serve.hooks import Hooks
from portsync.serve.http import ServiceRoutes
from portsync.serve.job import Job
from portsync.serve.lease import Alone, PostgresLease
from portsync.serve.live import LiveWork
from portsync.serve.port_page import PortPage, PortWatch
from portsync.serve.supply import FileSupply, PortSupply, has_resources
from portsync.state.place import state_place
from portsync.stop import Stop
from portsync.wiring import port_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from portsync.report import Report
    from portsync.serve.lease import Lease
    from portsync.serve.parts import Parts
    from portsync.serve.supply import Supply

_MOST_CONNECTIONS = 100
_TOKENS = 8


class Service:
    """The jobs of a process. `run_once` for a single run of each, `stay` for all runs until it is told to stop."""

    def __init__(
        self,
        paths: Sequence[Path],
        default: Path | None,
        parts: Parts,
        stop: Stop,
        monotonic: Callable[[], float],
        is_up: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`paths` are the mapping files; without any, or where one says nothing of resources, they come from Port's
        page, and `default` is the mapping for an integration that has none there. `is_up` is told the URL under which
        the service answers."""
        self._paths = paths
        self._default = default
        self._parts = parts
        self._monotonic = monotonic
        self._is_up = is_up
        self._stop = stop
        self._jobs: list[Job] = []
        self._live: list[LiveWork] = []

    async def run_once(self) -> list[Report]:
        """Run each mapping once. Raises ConfigError where there is something wrong with a file."""
        async with AsyncExitStack() as stack:
            await self._make_jobs(stack)
            await self._load()
            reports: list[Report] = []
            for job in self._jobs:
                if self._stop.is_requested and reports:
                    break
                reports.append(await job.run_once(self._stop))
        return reports

    async def stay(self) -> None:
        """Run whenever it is due or asked for, until it is told to stop; a run that is under way then is brought
        to its end. Raises SettingsError where it cannot listen at its address, and StateError where
        replicas cannot share the state that is named."""
        async with AsyncExitStack() as stack:
            watches = await self._make_jobs(stack)
            health = Health(self._jobs, self._stop, self._monotonic)
            hook_metrics = HookMetrics(self._parts.metrics.registry)
            self._live = [LiveWork(job, self._parts, hook_metrics) for job in self._jobs]
            tasks = [asyncio.create_task(health.beat())]
            for job, live in zip(self._jobs, self._live, strict=True):
                tasks += [asyncio.create_task(job.look_for_changes()), asyncio.create_task(live.stay_open())]
            try:
                with self._answering(health, hook_metrics):
                    while not self._stop.is_requested:
                        await self._lead(health, watches)
            finally:
                await end(tasks)
        structlog.get_logger().info("service.down")

    @contextmanager
    def _answering(self, health: Health, hook_metrics: HookMetrics) -> Iterator[None]:
        """Answer over HTTP as long as the block lasts. Raises SettingsError where it cannot listen at its address."""
        settings, parts, loop = self._parts.settings, self._parts, asyncio.get_running_loop()
        token = settings.http_token.get_secret_value() if settings.http_token else None
        routes = ServiceRoutes(health, parts.history, parts.metrics, token, lambda name: self._ask(loop, name))
        hooks = Hooks(self._live, settings, hook_metrics, parts.runtime.clock, loop)
        host, port = settings.listen.rsplit(":", 1)
        with ExitStack() as served:
            app = routes.app(hooks.route())
            answering = serving(app, host=host.strip("[]"), port=int(port), most=_MOST_CONNECTIONS)
            try:
                url = served.enter_context(answering)
            except OSError as error:
                message = f"cannot listen on {settings.listen}: {error.strerror}"
                raise SettingsError(Problem("port-taken", message, hint="give --listen")) from error
            self._is_up(url)
            names = [job.supply.name for job in self._jobs]
            structlog.get_logger().info("service.up", url=url, mappings=names)
            yield

    async def _lead(self, health: Health, watches: Sequence[PortWatch]) -> None:
        """Wait until this replica is the one that runs, and then run for as long as it is."""
        lease, metrics, log = self._lease(), self._parts.metrics, structlog.get_logger()
        health.is_standing_by = not isinstance(lease, Alone)
        metrics.leads(is_leader=False)
        try:
            await self._stop.race(lease.wait())
        except StoppedError:
            await lease.release()
            return
        health.is_standing_by = False
        metrics.leads(is_leader=True)
        if not isinstance(lease, Alone):
            log.info("lease.taken")
        try:
            await self._stop.race(self._loaded())
        except StoppedError:
            await lease.release()
            return
        term = Stop()
        tasks = [asyncio.create_task(watch.work()) for watch in watches]
        tasks += [asyncio.create_task(live.work()) for live in self._live]
        tasks.append(asyncio.create_task(self._end_term(term, lease)))
        try:
            await asyncio.gather(*(job.work(term) for job in self._jobs))
        finally:
            await end(tasks)
            await lease.release()

    async def _end_term(self, term: Stop, lease: Lease) -> None:
        """Stop the runs when the service stops, or when another replica may run."""
        try:
            await self._stop.race(lease.lost())
            structlog.get_logger().warning("lease.lost")
        except StoppedError:
            pass
        finally:
            # Also where the lease cannot be asked for a reason that nobody foresaw.
            term.request(self._stop.signal or signal.SIGTERM)
        await self._stop.hurried()
        term.request(self._stop.signal or signal.SIGTERM)

    async def _loaded(self) -> None:
        """Return when all mappings were looked at: each has to know what the others give before the first run."""
        for job in self._jobs:
            await job.loads_first()

    async def _load(self) -> None:
        """Take all mappings before the first run: each has to know what the others give."""
        await asyncio.gather(*(job.reload() for job in self._jobs))

    def _lease(self) -> Lease:
        """The right to run: replicas share it in the database of their state."""
        settings, runtime = self._parts.settings, self._parts.runtime
        owners = tuple(owner_of(settings, job.supply.name).identifier for job in self._jobs)
        place = state_place(settings, owners[0])
        return Alone() if place.url is None else PostgresLease(place.url, owners, runtime.sleep)

    async def _make_jobs(self, stack: AsyncExitStack) -> list[PortWatch]:
        """Make a job for each mapping, and what watches its page in Port."""
        watches = []
        paths: Sequence[Path | None] = self._paths or [None]
        _tell_apart(self._paths)
        for path in paths:
            supply, page = await self._supply(path, stack)
            job = Job(supply, self._parts, partial(self._others, supply))
            self._jobs.append(job)
            if self._parts.settings.listener != "once":
                watches.append(PortWatch(page, job, self._parts))
        return watches

    async def _supply(self, path: Path | None, stack: AsyncExitStack) -> tuple[Supply, PortPage]:
        settings, environment = self._parts.settings, self._parts.runtime.environment
        name = settings.type if path is None else path.stem
        owner = owner_of(settings, name)
        # It signs in again and again, and what its last tokens were is all that has to be known.
        redactor = stack.enter_context(self._parts.redactor.for_a_while(newest=_TOKENS))
        around = replace(self._parts.around, redactor=redactor)
        port = await stack.enter_async_context(port_client(settings, owner, around))
        page = PortPage(port, owner.identifier)
        if path is not None and settings.mapping_from != "port" and has_resources(path):
            return FileSupply(path, environment, settings), page
        return PortSupply(name, path, environment, settings, page.config, self._default), page

    def _others(self, own: Supply) -> list[Job]:
        return [job for job in self._jobs if job.supply is not own]

    def _ask(self, loop: asyncio.AbstractEventLoop, name: str | None) -> list[str]:
        """Pass on a request for a run; called from the thread that serves HTTP."""
        asked = [job for job in self._jobs if name in (None, job.supply.name)]
        for job in asked:
            loop.call_soon_threadsafe(job.asks.add, "http")
        return [job.supply.name for job in asked]


def _tell_apart(paths: Sequence[Path]) -> None:
    """Raises SettingsError where two mappings have one name: it is that of their state and of their metrics."""
    known: dict[str, Path] = {}
    for path in paths:
        if (other := known.setdefault(path.stem, path)) is not path:
            message = f"two mappings have the name `{path.stem}`: {other} and {path}"
            raise SettingsError(Problem("same-name", message, str(path), "give one of the files another name"))
