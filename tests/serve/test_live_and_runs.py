"""Live events beside a run of the same mapping: whatever the order, Port ends with what is newest."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from portsync.flow import Batch, BatchResult, Entity, Fate, Outcome
from portsync.left_alone import SparingSink
from portsync.state.hook_store import HookStore
from portsync.state.place import StatePlace
from portsync.state.touched import LeftAlone, Named, touch
from portsync.under_way import UnderWay
from tests.serve.gate import Gate
from tests.serve.hooks import HOOK_SECRET, event, with_live
from tests.serve.test_hooks import applied, ready

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Source, Stage

# Every run lists what Port has from us, so that nothing is kept only because nobody looks.
ENV = {"HOOK_SECRET": HOOK_SECRET, "PORTSYNC_RUN_AT_START": "false", "PORTSYNC_COMPARE_EVERY": "0"}
PAGES = "{type: page, page_size: 2, has_more_path: .more}"


class Held:
    """A source whose second page comes when the test says so; by then the first has been read."""

    def __init__(self, source: Source, **sizes: int) -> None:
        self.sizes: dict[str, int] = sizes
        self.is_first_read = threading.Event()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self._read = list(sizes.items())
        source.answer = self._answer

    def _answer(self, asked: Asked) -> Any:
        if dict(asked.query)["page"] == "1":
            self._read = list(self.sizes.items())
            return {"data": [{"id": name, "size": size} for name, size in self._read], "more": True}
        self.is_first_read.set()
        self.goes_on.wait(20)
        return {"data": [], "more": False}

    def hold(self) -> None:
        self.is_first_read.clear()
        self.goes_on.clear()


def sizes(local_port: LocalPort) -> dict[str, int]:
    return {name: thing["properties"]["size"] for name, thing in local_port.entities("thing").items()}


@contextlib.asynccontextmanager
async def a_run_that_has_read(served: Any, held: Held, before: int = 1) -> Any:
    """A run that has read the records and sent nothing of them; it goes on after the block, to its end. There were
    so many runs `before`."""
    for _ in range(before):
        await served.ask("POST", "/resync")
        await served.next_run()
    held.hold()
    await served.ask("POST", "/resync")
    await served.until(held.is_first_read.is_set)
    yield
    held.goes_on.set()
    await served.next_run()


@pytest.mark.parametrize("before", [0, 1])
def test_what_the_run_read_before_an_event_does_not_go_over_it(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort, before: int
) -> None:
    async def scenario() -> None:
        held = Held(source, ada=1, bob=1)
        async with serving_of(with_live(mapping(pagination=PAGES)), env=ENV) as served:
            sender = await ready(served)
            async with a_run_that_has_read(served, held, before):
                held.sizes["ada"] = 5
                await sender.send(event("ada", 5))
                await served.until(lambda: applied(served) == 1)
            assert sizes(local_port) == {"ada": 5, "bob": 1}
            assert served.runs()[-1]["status"] == "ok"

            # The event was the last that came of it: from here on the source counts again.
            held.sizes["ada"] = 1
            await served.ask("POST", "/resync")
            await served.next_run()
            assert sizes(local_port) == {"ada": 1, "bob": 1}

    asyncio.run(scenario())


def test_the_next_run_sends_what_an_event_changed_though_the_state_says_that_nothing_did(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    async def scenario() -> None:
        Held(source, ada=1)
        env = {**ENV, "PORTSYNC_COMPARE_EVERY": "never"}
        async with serving_of(with_live(mapping(pagination=PAGES)), env=env) as served:
            sender = await ready(served)
            await served.ask("POST", "/resync")
            await served.next_run()
            await sender.send(event("ada", 5))
            await sender.send(event("new", 5))
            await served.until(lambda: applied(served) == 2)
            assert sizes(local_port) == {"ada": 5, "new": 5}
            await served.ask("POST", "/resync")
            run = await served.next_run()
            assert (run["totals"]["updated"], sizes(local_port)) == (1, {"ada": 1, "new": 5})
            # Half of what was there is more than the rule allows, but it is known to be stale.
            report = (await served.ask("GET", f"/runs/{run['run_id']}")).json()
            assert [(d["stale"], d["refused"]) for d in report["deletions"]] == [(1, "threshold")]

    asyncio.run(scenario())


def test_a_run_does_not_delete_what_an_event_created_while_it_read(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    async def scenario() -> None:
        held = Held(source, ada=1, bob=1, eve=1)
        async with serving_of(with_live(mapping(pagination=PAGES)), env=ENV) as served:
            sender = await ready(served)
            async with a_run_that_has_read(served, held):
                await sender.send(event("new", 1))
                await served.until(lambda: applied(served) == 1)
            assert sorted(local_port.entities("thing")) == ["ada", "bob", "eve", "new"]

            # A source that still does not have it means that it is gone.
            await served.ask("POST", "/resync")
            assert (await served.next_run())["totals"]["deleted"] == 1
            assert sorted(local_port.entities("thing")) == ["ada", "bob", "eve"]

    asyncio.run(scenario())


def test_a_run_does_not_delete_what_came_back_by_an_event(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    async def scenario() -> None:
        held = Held(source, ada=1, bob=1, eve=1, kim=1, zoe=1)
        async with serving_of(with_live(mapping(pagination=PAGES)), env=ENV) as served:
            sender = await ready(served)
            await served.ask("POST", "/resync")
            await served.next_run()
            # One of them is really gone: a quarter of all, which the rule allows, and of two it would not.
            del held.sizes["bob"], held.sizes["eve"]
            async with a_run_that_has_read(served, held, before=0):
                await sender.send(event("bob", 2))
                await served.until(lambda: applied(served) == 1)
            assert sizes(local_port) == {"ada": 1, "bob": 2, "kim": 1, "zoe": 1}

    asyncio.run(scenario())


def test_a_run_does_not_bring_back_what_an_event_deleted(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    async def scenario() -> None:
        held = Held(source, ada=1, bob=1)
        async with serving_of(with_live(mapping(pagination=PAGES)), env=ENV) as served:
            sender = await ready(served)
            await served.ask("POST", "/resync")
            await served.next_run()
            held.sizes["ada"] = 9
            async with a_run_that_has_read(served, held, before=0):
                await sender.send(event("ada", 9, "deleted"))
                await served.until(lambda: applied(served) == 1)
            assert sorted(local_port.entities("thing")) == ["bob"]

    asyncio.run(scenario())


@pytest.fixture
def held_back(port_stage: tuple[Stage, str], local_port: LocalPort) -> Callable[..., Gate]:
    """Let the local Port hold back the first request to a path: `held_back("/entities/bulk")`."""
    del local_port  # it has to be there

    def before(held: str, opener: str | None = None) -> Gate:
        gate = Gate(port_stage[0].app, held, opener)
        port_stage[0].app = gate
        return gate

    return before


def test_a_run_reads_the_source_only_after_the_events_that_came_before_it(
    serving_of: Any,
    mapping: Callable[..., str],
    source: Source,
    local_port: LocalPort,
    held_back: Callable[..., Gate],
) -> None:
    there: list[dict[str, int]] = []

    async def scenario() -> None:
        gate = held_back("/entities/bulk")

        def answer(_: Asked) -> Any:
            there.append(sizes(local_port))
            gate.open.set()
            return {"data": []}

        source.answer = answer
        async with serving_of(with_live(mapping()), env=ENV) as served:
            sender = await ready(served)
            await sender.send(event("ada", 5))
            await served.until(gate.has_come.is_set)
            await served.ask("POST", "/resync")
            await served.next_run()

    asyncio.run(scenario())
    assert there == [{"ada": 5}]


def test_a_batch_of_a_run_that_is_on_its_way_arrives_before_an_event_of_the_same_entity(
    serving_of: Any,
    mapping: Callable[..., str],
    source: Source,
    local_port: LocalPort,
    held_back: Callable[..., Gate],
) -> None:
    async def scenario() -> None:
        Held(source, ada=1)
        gate = held_back("/entities/bulk", "/entities/bulk")
        async with serving_of(with_live(mapping(pagination=PAGES)), env=ENV) as served:
            sender = await ready(served)
            await served.ask("POST", "/resync")
            await served.until(gate.has_come.is_set)
            await sender.send(event("ada", 5))
            await served.next_run()
            await served.until(lambda: applied(served) == 1)

    asyncio.run(scenario())
    assert sizes(local_port) == {"ada": 5}


def test_a_deletion_of_a_run_that_is_on_its_way_arrives_before_an_event_of_the_same_entity(
    serving_of: Any,
    mapping: Callable[..., str],
    source: Source,
    local_port: LocalPort,
    held_back: Callable[..., Gate],
) -> None:
    async def scenario() -> None:
        held = Held(source, ada=1, bob=1, eve=1, kim=1)
        async with serving_of(with_live(mapping(pagination=PAGES)), env=ENV) as served:
            sender = await ready(served)
            await served.ask("POST", "/resync")
            await served.next_run()
            del held.sizes["ada"]
            gate = held_back("/bulk/entities/delete", "/entities/bulk")
            await served.ask("POST", "/resync")
            await served.until(gate.has_come.is_set)
            await sender.send(event("ada", 5))
            await served.next_run()
            await served.until(lambda: applied(served) == 1)

    asyncio.run(scenario())
    assert sizes(local_port) == {"ada": 5, "bob": 1, "eve": 1, "kim": 1}


class SlowSink:
    """Takes a batch when the test says so."""

    writes = True

    def __init__(self) -> None:
        self.begun, self.goes_on = asyncio.Event(), asyncio.Event()

    def at_once(self, _blueprint: str) -> int:
        return 20

    async def upsert(self, batch: Batch) -> BatchResult:
        self.begun.set()
        await self.goes_on.wait()
        return BatchResult(tuple(Outcome(entity, Fate.UPDATED) for entity in batch.entities))


def test_an_event_waits_for_what_the_run_has_on_its_way(tmp_path: Path) -> None:
    async def scenario() -> None:
        under_way: UnderWay[Named] = UnderWay()
        store = HookStore(StatePlace(tmp_path / "state.db"))
        slow = SlowSink()
        sink = SparingSink(slow, LeftAlone(store, "c", under_way))
        batch = Batch("thing", (Entity("thing", "ada", b"{}", b"", 1, 1), Entity("thing", "bob", b"{}", b"", 1, 2)))
        sending = asyncio.create_task(sink.upsert(batch))
        await slow.begun.wait()

        touch(store, "c", [("thing", "ada")])
        waiting = asyncio.create_task(under_way.without([("thing", "ada")]))
        await under_way.without([("thing", "zoe"), ("other", "ada")])
        await asyncio.sleep(0)
        assert not waiting.done()
        slow.goes_on.set()
        assert [outcome.fate for outcome in (await sending).outcomes] == [Fate.UPDATED, Fate.UPDATED]
        await asyncio.wait_for(waiting, 10)

        # From now on the run leaves it alone.
        again = await sink.upsert(batch)
        assert [outcome.fate for outcome in again.outcomes] == [Fate.UNCHANGED, Fate.UPDATED]
        store.close()

    asyncio.run(scenario())
