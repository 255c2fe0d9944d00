"""What the plugin at Dask's scheduler tells the keeper of who comes and who goes."""

from __future__ import annotations

import asyncio
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from portsync.cluster.gates import told

pytest.importorskip("distributed", reason="distributed is not installed: pip install 'portsync[dask]'")

from portsync.cluster.dask import NAME, KeeperPlugin

LIMITS = ["server", 60.0, 1, None, 0.0]


async def enters(scheduler: Any, who: str) -> Any:
    """The answer to who asks whether one request may begin, within a moment; `waits` where there is none."""
    said = {"limits": LIMITS, "told": told(), "wanted": 1}
    asking = asyncio.ensure_future(scheduler.handlers[NAME](who=who, what="enter", said=said))
    done, _ = await asyncio.wait({asking}, timeout=0.05)
    if done:
        return asking.result()
    asking.cancel()
    return "waits"


def test_a_worker_that_goes_gives_back_its_room_and_one_that_comes_to_its_address_is_let_in() -> None:
    async def go() -> None:
        scheduler = SimpleNamespace(handlers={})
        plugin = KeeperPlugin()
        await plugin.start(scheduler)
        plugin.add_worker(scheduler, "tcp://a:1")
        assert await enters(scheduler, "tcp://a:1") == {"granted": [0.0]}
        assert await enters(scheduler, "tcp://b:1") == "waits"
        plugin.remove_worker(scheduler, "tcp://a:1", stimulus_id="x")
        assert await enters(scheduler, "tcp://a:1") is None, "it is gone"
        plugin.add_worker(scheduler, "tcp://a:1")
        assert await enters(scheduler, "tcp://a:1") == {"granted": [0.0]}

    asyncio.run(go())


def test_a_coordinator_that_goes_ends_its_runs_and_gives_back_its_room_until_it_comes_again() -> None:
    async def go() -> None:
        scheduler = SimpleNamespace(handlers={})
        plugin = KeeperPlugin()
        await plugin.start(scheduler)
        plugin.add_client(scheduler, "client")
        ask = scheduler.handlers[NAME]
        await ask(who="client", what="begin", said={"run": "r", "brief": b"x"})
        await enters(scheduler, "client")
        plugin.remove_client(scheduler, "client")
        assert await ask(who="tcp://a:1", what="brief", said={"run": "r"}) is None
        assert await enters(scheduler, "client") is None
        plugin.add_client(scheduler, "client")
        assert await enters(scheduler, "client") == {"granted": [0.0]}

    asyncio.run(go())


def test_clocks_do_not_travel_with_the_plugin() -> None:
    assert pickle.loads(pickle.dumps(KeeperPlugin())).name == NAME
