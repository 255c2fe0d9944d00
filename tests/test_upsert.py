"""Several batches under way at once: as many as go well, each with its result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from portsync.errors import PortUnreachableError, Problem
from portsync.flow import Batch, BatchResult, Entity, Fate, Outcome
from portsync.room import RoomSize
from portsync.stop import Stop
from portsync.upsert import IN_FLIGHT, Upserter, upserting

_TURNS = 300
"""So many turns of the event loop let everybody begin who may."""


@dataclass
class CountingSink:
    """Takes batches in rounds: all that are under way end together, those of a round in `bad` not well."""

    writes: bool = True
    bad: frozenset[int] = frozenset()
    broken: frozenset[int] = frozenset()
    rounds: list[int] = field(default_factory=list)
    """How many were under way in each."""
    _waiting: list[asyncio.Future[int]] = field(default_factory=list)

    def at_once(self, _blueprint: str) -> int:
        return 20

    async def upsert(self, batch: Batch) -> BatchResult:
        end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(end)
        number = await end
        if number in self.broken:
            raise PortUnreachableError(Problem("port-unreachable", "gone"))
        return BatchResult(tuple(Outcome(e, Fate.CREATED) for e in batch.entities), went_well=number not in self.bad)

    async def end_rounds(self) -> None:
        while True:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if self._waiting:
                self.rounds.append(len(self._waiting))
                ended, self._waiting = self._waiting, []
                for end in ended:
                    end.set_result(len(self.rounds))


def one(number: int) -> Batch:
    return Batch("thing", (Entity("thing", f"e{number}", b"{}", b"", 1, number),))


def rounds_of(sink: CountingSink, batches: int, size: RoomSize = IN_FLIGHT) -> list[int]:
    """How many of so many batches were under way in each round. Each has its result in the end."""

    async def run() -> list[BatchResult]:
        upserter = Upserter(sink, size)
        results: list[BatchResult] = []
        ending = asyncio.ensure_future(sink.end_rounds())
        for number in range(batches):
            await upserter.put(one(number), results.append)
        await upserter.settle()
        ending.cancel()
        return results

    found = [outcome.entity.identifier for result in asyncio.run(run()) for outcome in result.outcomes]
    assert sorted(found) == sorted(f"e{number}" for number in range(batches))
    return sink.rounds


def test_more_and_more_are_under_way_while_all_goes_well_up_to_the_most() -> None:
    assert rounds_of(CountingSink(), 8 + 16 + 4 * 32) == [8, 16, 32, 32, 32, 32]


def test_trouble_halves_what_is_under_way_and_it_grows_again() -> None:
    rounds = rounds_of(CountingSink(bad=frozenset({5})), 300, RoomSize(first=8, least=1, most=12))

    assert rounds[:10] == [8, 12, 12, 12, 12, 6, 7, 8, 9, 10]


def test_lasting_trouble_leaves_one() -> None:
    assert rounds_of(CountingSink(bad=frozenset(range(100))), 30)[:8] == [8, 4, 2, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("number", [1, 2])
def test_a_sink_that_gives_up_gets_nothing_more_and_every_batch_has_its_result(number: int) -> None:
    sink = CountingSink(broken=frozenset({number}))

    rounds_of(sink, 100)

    assert len(sink.rounds) == number


def test_what_is_under_way_when_a_run_is_cut_has_its_result_before_the_cut_is_over() -> None:
    sink = CountingSink()
    results: list[BatchResult] = []

    async def run(stop: Stop) -> None:
        async with upserting(sink, stop, 10, lambda _: None) as upserter:
            for number in range(3):
                await upserter.put(one(number), results.append)
            await upserter.settle()

    async def cut() -> set[asyncio.Task[None]]:
        running = asyncio.create_task(run(Stop()))
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
        await asyncio.sleep(0)
        return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert asyncio.run(cut()) == set()
    assert [outcome.code for result in results for outcome in result.outcomes] == ["interrupted"] * 3


def test_the_grace_of_a_run_that_is_told_to_stop_ends_for_what_is_under_way_and_for_who_else_waits() -> None:
    told: list[Problem] = []
    results: list[BatchResult] = []

    async def run() -> None:
        stop = Stop()
        async with upserting(CountingSink(), stop, 0.01, told.append) as upserter:
            await upserter.put(one(0), results.append)
            stop.request(15)
            await upserter.settle()

    asyncio.run(asyncio.wait_for(run(), 10))

    assert [problem.code for problem in told] == ["interrupted"]
    assert [outcome.code for result in results for outcome in result.outcomes] == ["interrupted"]
