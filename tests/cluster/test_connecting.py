"""How a command comes to a Dask cluster, and what it says where that cannot be."""

from __future__ import annotations

import asyncio
import pickle
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from portsync import cluster
from portsync.cli.running import run
from portsync.cluster.gates import told
from portsync.cluster.line import LineLostError
from portsync.cluster.slices import Slice
from portsync.errors import ClusterError, ConfigError, StoppedError
from portsync.logs import Redactor
from portsync.running import Order
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.surroundings import Surroundings

distributed: Any = pytest.importorskip("distributed", reason="distributed is not installed: pip install '.[dask]'")

from dask import config  # noqa: E402 - it needs what is above

from portsync.cluster.dask import NAME, KeeperPlugin, SlicePlugin, dask_cluster  # noqa: E402 - it needs what is above

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def dask(workers: int = 1) -> AsyncIterator[tuple[Any, list[Any]]]:
    """A scheduler and its workers, in this process."""
    async with distributed.Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as scheduler:
        made = [
            distributed.Worker(scheduler.address, nthreads=1, dashboard_address="127.0.0.1:0") for _ in range(workers)
        ]
        try:
            await asyncio.gather(*made)
            yield scheduler, made
        finally:
            await asyncio.gather(*(worker.close() for worker in made))


async def refusal(address: str) -> str:
    """What is said of a cluster that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        async with dask_cluster(address, connect_s=0.2, first_worker_s=0.2):
            pass
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("no-cluster", "--scheduler")
    assert problem.hint
    return f"{problem.message}; {problem.hint}"


def test_a_second_command_leaves_what_the_first_one_brought_to_the_workers() -> None:
    async def scenario() -> None:
        async with dask() as (scheduler, (worker,)), dask_cluster(scheduler.address):
            before = worker.plugins[NAME].worker
            async with dask_cluster(scheduler.address):
                assert worker.plugins[NAME].worker is before
            assert worker.plugins[NAME].worker is before

    asyncio.run(scenario())


def test_a_worker_that_joins_later_can_do_slices() -> None:
    async def scenario() -> None:
        def late(address: str) -> Any:
            return distributed.Worker(address, nthreads=1, dashboard_address="127.0.0.1:0")

        async with dask() as (scheduler, _), dask_cluster(scheduler.address), late(scheduler.address) as worker:
            assert NAME in worker.plugins

    asyncio.run(scenario())


def test_commands_that_come_at_once_both_find_all_workers_ready() -> None:
    async def scenario() -> None:
        async with dask(workers=3) as (scheduler, workers):

            async def command() -> None:
                async with dask_cluster(scheduler.address):
                    assert all(NAME in worker.plugins for worker in workers)

            await asyncio.gather(command(), command())

    asyncio.run(scenario())


def test_a_scheduler_that_goes_away_ends_what_is_asked_of_it() -> None:
    async def scenario() -> None:
        async with dask() as (scheduler, _), dask_cluster(scheduler.address, connect_s=0.2) as cluster:
            waiting = asyncio.create_task(cluster.line.ask("enter", limits=["away", 0.0, 0], wanted=1, told=told()))
            await scheduler.close()
            with pytest.raises(LineLostError):
                await asyncio.wait_for(waiting, 30)
            await cluster._client.close()
            with pytest.raises(LineLostError):
                await cluster.line.ask("over", run="any")
            nothing = Slice("any", 1, 0, (), frozenset(), frozenset(), {})
            with pytest.raises(ClusterError):
                await cluster.do(nothing)

    asyncio.run(scenario())


@pytest.mark.parametrize("plugin", [KeeperPlugin(), SlicePlugin()], ids=["scheduler", "worker"])
def test_who_has_another_version_does_not_take_our_parts(plugin: KeeperPlugin | SlicePlugin) -> None:
    assert pickle.loads(pickle.dumps(plugin)).name == NAME
    theirs = type(plugin).__new__(type(plugin))
    with pytest.raises(ImportError, match=r"^portsync \S+ is installed here$"):
        theirs.__setstate__({"_runtime": None, "_version": "0.0.1"})


def test_who_has_another_version_is_named_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with dask() as (scheduler, _):
            for _ in range(2):
                said = await refusal(scheduler.address)
                assert said.startswith("the Dask scheduler has portsync ")
                assert "and this is portsync 99.0; install the same portsync[dask,postgres] at the" in said

    monkeypatch.setattr(cluster.dask, "__version__", "99.0")
    asyncio.run(scenario())


def test_a_cluster_without_workers_is_refused_after_a_while() -> None:
    async def scenario() -> None:
        async with dask(workers=0) as (scheduler, _):
            assert "has no workers, and got none within 0.2 s" in await refusal(scheduler.address)

    asyncio.run(scenario())


def test_who_answers_but_not_as_a_scheduler_is_not_waited_for_without_end() -> None:
    async def scenario() -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            assert "whoever answers is none" in await refusal(f"tcp://127.0.0.1:{port}")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://127.0.0.1:1", "Timed out trying to connect"),
        ("nonsense", "missing port number"),
        ("http://127.0.0.1:8786", "unknown address scheme"),
        ("tls://127.0.0.1:8786", "DASK_DISTRIBUTED__COMM__TLS__CA_FILE"),
    ],
)
def test_an_address_that_leads_nowhere_is_named_with_the_reason(address: str, said: str) -> None:
    async def scenario() -> None:
        message = await refusal(address)
        assert f"no Dask scheduler answers at {address}: " in message
        assert said in message

    asyncio.run(scenario())


def test_an_address_without_tls_is_refused_where_dask_shall_encrypt() -> None:
    with config.set({"distributed.comm.require-encryption": True}):
        assert "encryption required by Dask configuration" in asyncio.run(refusal("tcp://127.0.0.1:8786"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_wait_for_a_cluster(number: int, code: int) -> None:
    @asynccontextmanager
    async def never() -> AsyncIterator[Any]:
        signal.raise_signal(number)
        await asyncio.Event().wait()
        yield None

    around = Surroundings(read_settings({}), Runtime(environment={}), Redactor())
    with pytest.raises(StoppedError) as caught:
        asyncio.run(asyncio.wait_for(run([], around, Order(), never()), 30))
    assert caught.value.exit_code == code
