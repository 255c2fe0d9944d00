"""A cluster of dask.distributed. The only place that knows of Dask, which comes with `portsync[dask]`."""

from __future__ import annotations

import asyncio
import pickle
import zlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import distributed
from distributed.client import ClosedClientError, FutureCancelledError
from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin
from distributed.scheduler import KilledWorker

from portsync import __version__
from portsync.cluster.cluster import LOST_LINE, cluster_lost
from portsync.cluster.keeper import Keeper
from portsync.cluster.line import LineLostError
from portsync.cluster.slices import SliceLostError
from portsync.cluster.worker import Worker
from portsync.errors import ConfigError, Problem
from portsync.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from portsync.cluster.line import Line
    from portsync.cluster.slices import Slice, SliceResult
    from portsync.flow import Json

NAME = f"portsync {__version__}"
"""Under which our parts stand at the scheduler and at the workers: those of another version are others."""
_CONNECT_S = 10.0
_LOOKS_FOR_PLUGIN, _LOOK_FOR_PLUGIN_S = 600, 0.1
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
        return {"_runtime": None, "_version": __version__}  # clocks stay where they are

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(_of_this_version(state))


class SlicePlugin(WorkerPlugin):
    """What does slices, at a worker."""

    name = NAME
    idempotent = True
    """Another coordinator's slices may be under way: they would be cut off where this took the place of itself."""

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._runtime = runtime

    def setup(self, worker: Any) -> None:
        line = _Line(worker.scheduler, worker.address)
        self.worker = Worker(line, self._runtime or Runtime(environment={}))

    async def teardown(self, worker: Any) -> None:
        del worker
        await self.worker.leave()

    def __getstate__(self) -> dict[str, Any]:
        return {"_runtime": None, "_version": __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(_of_this_version(state))


def _of_this_version(state: dict[str, Any]) -> dict[str, Any]:
    """What a plugin holds. Raises ImportError where one of another version sent it: a worker that joins later ends with
    this, and takes no slices that it would misread."""
    version = state.pop("_version", "of an older version")
    if version != __version__:
        message = f"portsync {__version__} is installed here"
        raise ImportError(message)
    return state


class _Line:
    """A line over the cluster's own connections."""

    def __init__(self, scheduler: Any, who: str) -> None:
        self._scheduler = scheduler
        self._who = who

    async def ask(self, what: str, **more: Json) -> Json:
        try:
            return await getattr(self._scheduler, NAME)(who=self._who, what=what, said=more)
        # Dask says with a RuntimeError that it has closed all connections.
        except (OSError, RuntimeError) as error:
            raise LineLostError from error


async def do_slice(packed: bytes) -> SliceResult:
    """Do a slice that `_packed` made small, at the worker that this runs on."""
    slice_: Slice = pickle.loads(zlib.decompress(packed))  # noqa: S301 - Dask itself trusts who gives it work no less
    plugin = distributed.get_worker().plugins[NAME]
    assert isinstance(plugin, SlicePlugin)
    return await plugin.worker.do(slice_)


def _packed(slice_: Slice) -> bytes:
    """What goes through the scheduler, which keeps the last thousand messages to each worker: of a slice as objects,
    each chain would be some hundred bytes there."""
    return zlib.compress(pickle.dumps(slice_), 1)


class DaskCluster:
    """What a coordinator sees of it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._line = _Line(client.scheduler, client.id)
        self._width = 0
        self._alone_since: float | None = None

    @property
    def line(self) -> Line:
        return self._line

    @property
    def width(self) -> int:
        return max(1, self._width)

    async def do(self, slice_: Slice) -> SliceResult:
        """Have a slice done. Raises SliceLostError and ClusterError."""
        packed = _packed(slice_)
        for attempt in range(_TRIES):
            key = f"portsync-{slice_.run}-{slice_.number}-{attempt}"
            try:
                future = self._client.submit(do_slice, packed, key=key, pure=False)
            except ClosedClientError as error:
                raise cluster_lost(LOST_LINE) from error
            try:
                return await self._result(future)
            except KilledWorker:
                continue
            finally:
                future.release()
        raise SliceLostError("the workers that had them were lost, again and again")

    async def _result(self, future: Any) -> SliceResult:
        waiting = asyncio.ensure_future(future.result())
        try:
            while not (await asyncio.wait({waiting}, timeout=_LOOK_EVERY_S))[0]:
                if self._is_without_workers():
                    raise cluster_lost(f"the Dask cluster had no worker for {_WITHOUT_WORKERS_S:.0f} s")
                if self._client.status != "running":
                    raise cluster_lost(LOST_LINE)
            result: SliceResult = waiting.result()
        except (FutureCancelledError, OSError) as error:
            raise cluster_lost(LOST_LINE) from error
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


async def _loaded(dask_worker: Any) -> None:
    """Return when the worker can do slices. Raises TimeoutError where it does not become so."""
    for _ in range(_LOOKS_FOR_PLUGIN):
        if NAME in dask_worker.plugins:
            return
        await asyncio.sleep(_LOOK_FOR_PLUGIN_S)
    raise TimeoutError


@asynccontextmanager
async def dask_cluster(
    address: str, *, connect_s: float = _CONNECT_S, first_worker_s: float = _FIRST_WORKER_S
) -> AsyncIterator[DaskCluster]:
    """The cluster whose scheduler has this address, which is given so long to answer, and to have a worker. Raises
    ConfigError where it cannot be used."""
    async with await _connected(address, connect_s) as client:
        await _wait_for_a_worker(client, first_worker_s)
        await _prepare(client)
        cluster = DaskCluster(client)
        looking = asyncio.create_task(cluster.look())
        try:
            yield cluster
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def _connected(address: str, connect_s: float) -> Any:
    """Raises ConfigError."""
    making: Any = distributed.Client
    client = making(address, asynchronous=True, set_as_default=False, timeout=connect_s)
    is_connected = False
    try:
        # Whoever answers, but not as a scheduler does, is waited for without end by Dask.
        async with asyncio.timeout(2 * connect_s):
            await client
        is_connected = True
    # Dask says with a TypeError that it has no certificates for tls://, and with a RuntimeError that it must not go
    # without them.
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        message = f"no Dask scheduler answers at {address}: {str(error) or 'whoever answers is none'}"
        hint = "check the address, such as tcp://scheduler:8786, and whether the scheduler runs"
        if address.startswith("tls:"):
            hint += "; tls:// needs the certificates that DASK_DISTRIBUTED__COMM__TLS__CA_FILE and the like name"
        raise ConfigError(Problem("no-cluster", message, "--scheduler", hint)) from error
    finally:
        if not is_connected:
            await client.close(timeout=0)
    return client


async def _wait_for_a_worker(client: Any, patience_s: float) -> None:
    """Raises ConfigError."""
    try:
        async with asyncio.timeout(patience_s):
            await client.wait_for_workers(1)
    except TimeoutError as error:
        message = f"the Dask cluster has no workers, and got none within {patience_s:g} s"
        raise ConfigError(Problem("no-cluster", message, "--scheduler", "start some, and try again")) from error


async def _prepare(client: Any) -> None:
    """Let there be our parts at the scheduler and at all workers. Raises ConfigError."""
    said = await client.get_versions(packages=["portsync"])
    workers = {f"the Dask worker {address}": found for address, found in said["workers"].items()}
    for who, found in {"the Dask scheduler": said["scheduler"], **workers}.items():
        version = found["packages"].get("portsync")
        if version != __version__:
            raise _unlike(f"{who} has {'no portsync' if version is None else f'portsync {version}'}")
    await client.register_plugin(KeeperPlugin())
    await client.register_plugin(SlicePlugin())
    # Where another coordinator has begun a moment ago, it is its plugin that workers still load.
    for address, failure in (await client.run(_loaded, on_error="return")).items():
        is_gone = isinstance(failure, OSError) and not isinstance(failure, TimeoutError)
        if failure is not None and not is_gone:
            raise _unlike(f"the Dask worker {address} cannot load it: {str(failure) or 'it takes too long'}")


def _unlike(message: str) -> ConfigError:
    hint = "install the same portsync[dask,postgres] at the scheduler and at all workers"
    return ConfigError(Problem("no-cluster", f"{message}, and this is portsync {__version__}", "--scheduler", hint))
