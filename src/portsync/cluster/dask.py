"""A cluster of dask.distributed. The only place that knows of Dask, which comes with `portsync[dask]`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import distributed
from distributed.client import FutureCancelledError
from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin
from distributed.scheduler import KilledWorker

from portsync import __version__
from portsync.cluster.keeper import Keeper
from portsync.cluster.line import LineLostError
from portsync.cluster.slices import SliceLostError
from portsync.cluster.worker import Worker
from portsync.errors import ClusterError, ConfigError, Problem
from portsync.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from portsync.cluster.line import Line
    from portsync.cluster.slices import Slice, SliceResult
    from portsync.flow import Json

NAME = f"portsync {__version__}"
"""Under which our parts stand at the scheduler and at the workers: those of another version are others."""
_CONNECT_S = 10
_FIRST_WORKER_S = 60.0
_WITHOUT_WORKERS_S = 120.0
"""A cluster that has no worker for so long gets none any more."""
_LOOK_EVERY_S = 2.0
_TRIES = 3
"""How often a slice is given to Dask, which itself gives it to four workers before it says that it kills them."""


class KeeperPlugin(SchedulerPlugin):
    """The keeper, at the scheduler."""

    name = NAME
    idempotent = True

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._runtime = runtime

    async def start(self, scheduler: Any) -> None:
        runtime = self._runtime or Runtime(environment={})
        self.keeper = Keeper(runtime.clock, runtime.sleep, runtime.random)
        scheduler.handlers[NAME] = self.ask

    async def ask(self, who: str, what: str, said: Json) -> Json:
        """The keeper's answer."""
        return await self.keeper.answer(who, what, said)

    def add_worker(self, scheduler: Any, worker: str) -> None:
        del scheduler
        self.keeper.met(worker)

    def add_client(self, scheduler: Any, client: str) -> None:
        del scheduler
        self.keeper.met(client)

    def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
        del scheduler
        self.keeper.lost(worker)

    def remove_client(self, scheduler: Any, client: str) -> None:
        del scheduler
        self.keeper.lost(client)

    def __getstate__(self) -> dict[str, Any]:
        return {"_runtime": None}  # clocks stay where they are


class SlicePlugin(WorkerPlugin):
    """What does slices, at a worker."""

    name = NAME

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._runtime = runtime

    def setup(self, worker: Any) -> None:
        line = _Line(worker.scheduler, worker.address)
        self.worker = Worker(line, self._runtime or Runtime(environment={}))

    async def teardown(self, worker: Any) -> None:
        del worker
        await self.worker.leave()

    def __getstate__(self) -> dict[str, Any]:
        return {"_runtime": None}


class _Line:
    """A line over the cluster's own connections."""

    def __init__(self, scheduler: Any, who: str) -> None:
        self._scheduler = scheduler
        self._who = who

    async def ask(self, what: str, **more: Json) -> Json:
        try:
            return await getattr(self._scheduler, NAME)(who=self._who, what=what, said=more)
        except OSError as error:
            raise LineLostError from error


async def do_slice(slice_: Slice) -> SliceResult:
    """Do a slice, at the worker that this runs on."""
    plugin = distributed.get_worker().plugins[NAME]
    assert isinstance(plugin, SlicePlugin)
    return await plugin.worker.do(slice_)


class DaskCluster:
    """What a coordinator sees of it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._line = _Line(client.scheduler, client.id)
        self._width = 0
        self._numbers: dict[str, int] = {}
        self._alone_since: float | None = None

    @property
    def line(self) -> Line:
        return self._line

    @property
    def width(self) -> int:
        return max(1, self._width)

    async def do(self, slice_: Slice) -> SliceResult:
        """Have a slice done. Raises SliceLostError and ClusterError."""
        for attempt in range(_TRIES):
            key = f"portsync-{slice_.run}-{slice_.number}-{attempt}"
            future = self._client.submit(do_slice, slice_, key=key, pure=False)
            try:
                return await self._result(future)
            except KilledWorker:
                continue
            finally:
                future.release()
        raise SliceLostError

    async def _result(self, future: Any) -> SliceResult:
        waiting = asyncio.ensure_future(future.result())
        try:
            while not (await asyncio.wait({waiting}, timeout=_LOOK_EVERY_S))[0]:
                if self._is_without_workers():
                    raise SliceLostError
                if self._client.status != "running":
                    raise _lost()
            result: SliceResult = waiting.result()
        except (FutureCancelledError, OSError) as error:
            raise _lost() from error
        finally:
            waiting.cancel()
        return result

    async def look(self) -> None:
        """Count the workers, from time to time."""
        while True:
            with suppress(OSError):
                self._width = sum((await self._client.ncores()).values())
            now = asyncio.get_running_loop().time()
            self._alone_since = None if self._width else self._alone_since or now
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_without_workers(self) -> bool:
        since = self._alone_since
        return since is not None and asyncio.get_running_loop().time() - since > _WITHOUT_WORKERS_S


@asynccontextmanager
async def dask_cluster(address: str) -> AsyncIterator[DaskCluster]:
    """The cluster whose scheduler has this address. Raises ConfigError where it cannot be used."""
    try:
        connecting: Any = distributed.Client
        client = await connecting(address, asynchronous=True, set_as_default=False, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        message = f"no Dask scheduler answers at {address}: {error}"
        hint = "check the address, such as tcp://scheduler:8786, and whether the scheduler runs"
        raise ConfigError(Problem("no-cluster", message, "--scheduler", hint)) from error
    async with client:
        await _prepare(client)
        cluster = DaskCluster(client)
        looking = asyncio.create_task(cluster.look())
        try:
            yield cluster
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def _prepare(client: Any) -> None:
    """Let there be our parts at the scheduler and at all workers. Raises ConfigError."""
    try:
        async with asyncio.timeout(_FIRST_WORKER_S):
            await client.wait_for_workers(1)
    except TimeoutError as error:
        problem = Problem("no-cluster", "the Dask cluster has no workers", "--scheduler", "start some, and try again")
        raise ConfigError(problem) from error
    try:
        await client.register_plugin(KeeperPlugin())
        await client.register_plugin(SlicePlugin())
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        message = f"the Dask cluster cannot load portsync {__version__}: {error}"
        hint = "install the same portsync[dask,postgres] at the scheduler and at all workers"
        raise ConfigError(Problem("no-cluster", message, "--scheduler", hint)) from error


def _lost() -> ClusterError:
    hint = "nothing is lost by it: run it again"
    return ClusterError(Problem("cluster-lost", "the connection to the Dask scheduler is lost", "--scheduler", hint))
