"""A worker: does slices of a run in one place, for as long as the run goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from portsync.auth import TokenStore
from portsync.cluster.brief import Brief
from portsync.cluster.keeper import Keeper
from portsync.cluster.sharing import answer_questions, of_coordinator
from portsync.cluster.slices import Slice
from portsync.cluster.worker import Worker
from portsync.errors import ConfigError, StateLostError
from portsync.jq.variables import Variables
from portsync.logs import Redactor
from portsync.port.owner import owner_of
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.state.catalog import Catalog
from portsync.state.place import state_place
from portsync.state.slice_book import SliceBook
from portsync.state.store import opened_state
from portsync.surroundings import Surroundings
from portsync.wiring import planned, port_client, source_tools
from tests.cluster.together import DirectLine
from tests.conftest import NOW
from tests.postgres import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from portsync.cluster.sharing import RenewsToken
    from portsync.cluster.slices import SliceResult
    from portsync.transport.client import Client
    from tests.conftest import Asked, LocalPort, Source

__all__ = ["fresh_postgres", "postgres"]

SELECTOR = "path_parameters: {org: {endpoint: /orgs, data_path: .data, field: .id}}"


async def _no_sleep(_seconds: float) -> None:
    return


@dataclass
class Run:
    """A run whose coordinator is the test, and a worker."""

    line: DirectLine
    worker: Worker
    workers_line: DirectLine
    book: SliceBook
    brief: Brief
    answers: Callable[[str], Awaitable[None]]
    """Answers questions of the run with this name until it is over."""
    answering: list[asyncio.Future[None]] = field(default_factory=list)

    async def begin(self, brief: bytes | None = None, *, name: str = "r") -> None:
        await self.line.ask("begin", run=name, brief=self.brief.packed() if brief is None else brief)
        self.answering.append(asyncio.ensure_future(self.answers(name)))

    def slice(self, *orgs: str) -> Slice:
        places = tuple(Variables({"org": org}) for org in orgs)
        return Slice("r", self.book.new(), 0, places, frozenset({0}), frozenset(), {"thing": (True, False)})

    async def do(self, *orgs: str) -> SliceResult:
        return await self.worker.do(self.slice(*orgs))

    async def until_over(self) -> SliceResult:
        """The first result that says why nothing is done any more."""
        for _ in range(500):
            result = await self.do("late")
            if result.down is not None:
                return result
        raise AssertionError("the worker goes on and on")


@dataclass
class Cluster:
    """Plays runs."""

    mapping: str
    env: dict[str, str]

    def play(self, act: Callable[[Run], Awaitable[Any]]) -> Any:
        async def go() -> Any:
            async with self._run() as run:
                return await asyncio.wait_for(act(run), 30.0)

        return asyncio.run(go())

    @asynccontextmanager
    async def _run(self) -> AsyncIterator[Run]:
        settings, path = read_settings(self.env), Path("m.yaml")
        runtime = Runtime({}, clock=lambda: NOW, sleep=_no_sleep, random=lambda: 0.5)
        keeper = Keeper(runtime.clock, runtime.sleep, runtime.random)
        line, workers_line = DirectLine(keeper, "coordinator"), DirectLine(keeper, "worker")
        mapping, plan = planned(self.mapping, path, self.env, settings, "m", is_from_port=False)
        owner = owner_of(settings, mapping.name)
        with opened_state(state_place(settings, owner.identifier)) as connection:
            catalog = Catalog(connection, "me", "merge")
            brief = Brief(
                "r", self.mapping, "m.yaml", "m", self.env, "me", catalog.id, "merge", catalog.run, NOW, {}, False, (0,)
            )
            book = SliceBook(connection, catalog.id, catalog.run)
            async with AsyncExitStack() as stack:
                sharing = await stack.enter_async_context(of_coordinator(line))
                around = Surroundings(settings, runtime, Redactor(()), sharing=sharing)
                port = await stack.enter_async_context(port_client(settings, owner, around))
                source = await stack.enter_async_context(source_tools(mapping, plan, around, TokenStore()))
                answers = partial(_answers, line, port.renewed, source.client)
                run = Run(line, Worker(workers_line, runtime), workers_line, book, brief, answers)
                try:
                    yield run
                finally:
                    for name in ("r", "s"):
                        await line.ask("end", run=name)
                    await run.worker.leave()
                    await asyncio.gather(*run.answering)


async def _answers(line: DirectLine, port: RenewsToken, source: Client, run: str) -> None:
    await answer_questions(line, run, port, source)


@pytest.fixture
def cluster(mapping: Callable[..., str], port_env: dict[str, str], fresh_postgres: str, source: Source) -> Cluster:
    source.answer = things
    text = mapping(kind="/orgs/{org}/things", selector=SELECTOR)
    return Cluster(text, {**port_env, "PORTSYNC_STATE": fresh_postgres})


def things(asked: Asked) -> Any:
    org = asked.path.split("/")[2]
    return {"data": [{"id": f"{org}-{number}", "size": number} for number in range(3)]}


class Held(Response):
    """An answer that comes when a test says so."""

    def __init__(self, go_on: threading.Event) -> None:
        super().__init__(b'{"data": []}', media_type="application/json")
        self.go_on = go_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert await asyncio.to_thread(self.go_on.wait, 20)
        await super().__call__(scope, receive, send)


class Slow:
    """A source that answers for `a` at once, with more than goes into one batch, and for `b` when a test says so."""

    def __init__(self, source: Source) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()
        source.answer = self.answer

    def answer(self, asked: Asked) -> Any:
        if asked.path == "/orgs/a/things":
            return {"data": [{"id": f"a-{number}", "size": number} for number in range(25)]}
        self.asked.set()
        return Held(self.go_on)


def wait_for_a_batch(local_port: LocalPort) -> None:
    """Return when Port has accepted something."""
    while not local_port.writes():
        time.sleep(0.005)


def codes(result: SliceResult) -> list[str]:
    assert result.down is not None
    return [problem.code for problem in result.down.problems]


def test_a_slice_brings_the_entities_of_its_chains_into_port(cluster: Cluster, local_port: LocalPort) -> None:
    async def act(run: Run) -> SliceResult:
        await run.begin()
        return await run.do("a", "b")

    result = cluster.play(act)

    assert set(local_port.entities("thing")) == {f"{org}-{number}" for org in "ab" for number in range(3)}
    assert result.down is None
    assert result.is_whole
    assert result.attempt == 1
    assert {name: result.part.counts[name] for name in ("pages", "records", "created")} == {
        "pages": 2,
        "records": 6,
        "created": 6,
    }
    assert result.fates["thing"]["created"] == 6


def test_slices_at_one_moment_and_after_each_other_share_one_workplace(cluster: Cluster, local_port: LocalPort) -> None:
    async def act(run: Run) -> list[str]:
        await run.begin()
        results = await asyncio.gather(*(run.do(org) for org in "abcd"))
        results.append(await run.do("e"))
        assert [result.part.counts["created"] for result in results] == [3] * 5
        return run.workers_line.asked

    asked = cluster.play(act)

    assert asked.count("brief") == asked.count("over") == 1
    assert len(local_port.entities("thing")) == 15


def test_entities_that_two_slices_give_at_one_moment_are_sent_once(cluster: Cluster, source: Source) -> None:
    source.answer = lambda _: {"data": [{"id": "same", "size": 1}]}

    async def act(run: Run) -> list[int]:
        await run.begin()
        results = await asyncio.gather(*(run.do(org) for org in "abc"))
        return sorted(result.part.counts["duplicates"] for result in results)

    assert cluster.play(act) == [0, 1, 1]


def test_a_slice_of_a_run_that_is_over_is_done_by_nobody(cluster: Cluster, source: Source) -> None:
    async def act(run: Run) -> list[SliceResult]:
        results = [await run.do("a")]
        await run.begin()
        await run.line.ask("stop", run="r")
        results.append(await run.do("a"))
        return results

    for result in cluster.play(act):
        assert codes(result) == ["superseded"]
        assert not result.is_whole
    assert source.asked == []


@pytest.mark.parametrize("how", ["stop", "lost"])
def test_a_slice_that_is_under_way_when_the_run_is_over_brings_to_port_what_it_has_and_ends(
    cluster: Cluster, source: Source, local_port: LocalPort, how: str
) -> None:
    slow = Slow(source)

    async def act(run: Run) -> SliceResult:
        await run.begin()
        doing = asyncio.create_task(run.do("a", "b"))
        await asyncio.to_thread(slow.asked.wait, 10)
        await asyncio.to_thread(wait_for_a_batch, local_port)
        if how == "stop":
            await run.line.ask("stop", run="r")
        else:
            run.workers_line.cut()
        result = await asyncio.wait_for(doing, 5.0)
        slow.go_on.set()
        return result

    result = cluster.play(act)

    assert result.down is None
    assert not result.is_whole
    if how == "stop":
        assert result.part.counts["created"] == len(local_port.entities("thing")) == 25


def test_a_slice_that_comes_while_the_workplace_is_cleared_is_told_that_the_run_is_over(cluster: Cluster) -> None:
    async def act(run: Run) -> list[SliceResult]:
        await run.begin()
        await run.do("a")
        slices = [run.slice("b") for _ in range(60)]
        stopping = asyncio.create_task(run.line.ask("stop", run="r"))
        doing = []
        for one in slices:
            doing.append(asyncio.create_task(run.worker.do(one)))
            await asyncio.sleep(0)
        await stopping
        return await asyncio.gather(*doing)

    for result in cluster.play(act):
        assert not result.is_whole
        assert result.down is None or codes(result) == ["superseded"]


def test_a_run_that_is_over_leaves_nothing_and_another_one_of_the_same_name_begins_anew(cluster: Cluster) -> None:
    async def act(run: Run) -> list[str]:
        await run.begin()
        await run.do("a")
        await run.line.ask("stop", run="r")
        await run.until_over()
        await run.begin()
        assert (await run.do("b")).is_whole
        return run.workers_line.asked

    assert cluster.play(act).count("over") == 2


def test_two_runs_at_one_worker_have_a_workplace_each_and_end_apart(cluster: Cluster) -> None:
    async def act(run: Run) -> tuple[SliceResult, SliceResult]:
        await run.begin()
        other = replace(run.brief, run="s")
        await run.begin(other.packed(), name="s")
        await run.do("a")
        await run.worker.do(replace(run.slice("b"), run="s"))
        await run.line.ask("stop", run="s")
        over = await run.worker.do(replace(run.slice("d"), run="s"))
        return await run.do("c"), over

    going_on, over = cluster.play(act)

    assert going_on.is_whole
    assert not over.is_whole


def test_a_workplace_that_lacks_what_the_coordinator_has_says_so_in_each_result(cluster: Cluster) -> None:
    async def act(run: Run) -> list[SliceResult]:
        environment = {name: value for name, value in run.brief.environment.items() if name != "PORT_CLIENT_SECRET"}
        await run.begin(replace(run.brief, environment=environment).packed())
        return list(await asyncio.gather(run.do("a"), run.do("b")))

    for result in cluster.play(act):
        assert isinstance(result.down, ConfigError)
        assert codes(result) == ["no-credentials"]
        assert not result.is_whole


def test_a_database_that_cannot_be_reached_is_why_nothing_is_written_and_its_own_error_stays_at_the_worker(
    cluster: Cluster,
) -> None:
    """Dask has exceptions pickled with all that caused them, which may hold a connection, or what none should have."""

    async def act(run: Run) -> SliceResult:
        environment = {**run.brief.environment, "PORTSYNC_STATE": "postgresql://state@/postgres?host=/nowhere"}
        await run.begin(replace(run.brief, environment=environment).packed())
        return await run.do("a")

    result = cluster.play(act)

    assert codes(result) == ["bad-state"]
    down: Any = result.down
    assert (down.__cause__, down.__context__, down.__traceback__) == (None, None, None)


def test_a_worker_joins_no_run_after_which_a_later_one_began(cluster: Cluster) -> None:
    async def act(run: Run) -> SliceResult:
        await run.begin(replace(run.brief, number=run.brief.number - 1).packed())
        return await run.do("a")

    result = cluster.play(act)

    assert isinstance(result.down, StateLostError)
    assert codes(result) == ["superseded"]


def test_a_brief_that_nobody_can_read_is_a_bug_that_each_slice_raises(cluster: Cluster) -> None:
    async def act(run: Run) -> list[Any]:
        await run.begin(b"no pickle")
        return list(await asyncio.gather(run.do("a"), run.do("b"), return_exceptions=True))

    for error in cluster.play(act):
        assert type(error).__name__ == "UnpicklingError"


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_worker_whose_line_is_lost_ends_its_part_in_the_run(cluster: Cluster, when: str) -> None:
    async def act(run: Run) -> SliceResult:
        await run.begin()
        if when == "meanwhile":
            await run.do("a")
        run.workers_line.cut()
        return await run.until_over()

    result = cluster.play(act)

    assert codes(result) == ["superseded"]


def test_a_worker_that_has_to_go_gives_back_what_it_had_under_way(cluster: Cluster, source: Source) -> None:
    slow = Slow(source)

    async def act(run: Run) -> SliceResult:
        await run.begin()
        doing = asyncio.create_task(run.do("b"))
        await asyncio.to_thread(slow.asked.wait, 10)
        await asyncio.wait_for(run.worker.leave(), 5.0)
        slow.go_on.set()
        return await asyncio.wait_for(doing, 1.0)

    result = cluster.play(act)

    assert result.down is None
    assert not result.is_whole
    assert result.part.counts["failures"] == 0


def test_a_slice_that_was_given_back_is_done_by_another_attempt(cluster: Cluster, source: Source) -> None:
    source.answer = lambda _: Response(status_code=503)

    async def act(run: Run) -> list[SliceResult]:
        await run.begin()
        slice_ = run.slice("a", "b")
        first = await run.worker.do(slice_)
        source.answer = things
        return [first, await run.worker.do(slice_)]

    first, second = cluster.play(act)

    assert (first.attempt, second.attempt) == (1, 2)
    assert second.part.counts["created"] == 6
