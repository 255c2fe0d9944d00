"""What goes to and fro between those who do a run: briefs, questions and answers, and that it is over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from portsync.cluster.runs import OVER
from tests.cluster.together import DirectLine, keeper, played

if TYPE_CHECKING:
    from portsync.flow import Json


def lines(count: int = 2) -> tuple[DirectLine, ...]:
    """The lines of a coordinator (`w0`), and of workers."""
    kept = keeper()
    return tuple(DirectLine(kept, f"w{number}", 0.01) for number in range(count))


async def ends(line: DirectLine, how: str) -> None:
    """Let the run `r` be over."""
    if how == "lost":
        line.keeper.lost(line.who)
    else:
        await line.ask(how, run="r")


each_end = pytest.mark.parametrize("how", ["stop", "end", "lost"])


def question(line: DirectLine, details: Json = None) -> asyncio.Task[Json]:
    return asyncio.create_task(line.ask("question", run="r", about="weather", details=details))


def test_workers_get_the_brief_for_as_long_as_the_run_goes_on() -> None:
    async def go() -> None:
        coordinator, worker = lines()
        assert await worker.ask("brief", run="r") is None
        await coordinator.ask("begin", run="r", brief=b"\0brief")
        assert await worker.ask("brief", run="r") == b"\0brief"
        assert await worker.ask("brief", run="another") is None

    played(go())


@each_end
def test_a_run_that_is_over_has_no_brief_and_tells_all_who_wait_for_its_end(how: str) -> None:
    async def go() -> None:
        coordinator, *workers = lines(4)
        await coordinator.ask("begin", run="r", brief=b"")
        await coordinator.ask("begin", run="another", brief=b"")
        waiting = [asyncio.create_task(worker.ask("over", run="r")) for worker in workers]
        await asyncio.sleep(100)
        assert not any(task.done() for task in waiting)
        await ends(coordinator, how)
        await asyncio.wait_for(asyncio.gather(*waiting), 1.0)
        await asyncio.wait_for(workers[0].ask("over", run="r"), 1.0)
        assert await workers[0].ask("brief", run="r") is None

    played(go())


def test_a_worker_that_is_lost_ends_no_run_and_a_coordinator_only_his_own() -> None:
    async def go() -> None:
        coordinator, other, worker = lines(3)
        await coordinator.ask("begin", run="r", brief=b"")
        await other.ask("begin", run="s", brief=b"s")
        worker.keeper.lost("w2")
        assert await worker.ask("brief", run="r") == b""
        worker.keeper.lost("w0")
        assert await worker.ask("brief", run="r") is None
        assert await worker.ask("brief", run="s") == b"s"

    played(go())


def test_each_question_gets_its_own_answer_in_whatever_order_answers_come() -> None:
    async def go() -> list[Json]:
        coordinator, *workers = lines(6)
        await coordinator.ask("begin", run="r", brief=b"")
        asking = [question(worker, number) for number, worker in enumerate(workers)]
        found = [await coordinator.ask("questions", run="r") for _ in workers]
        assert [one["about"] for one in found] == ["weather"] * 5
        for one in reversed(found):
            await coordinator.ask("reply", run="r", number=one["number"], reply={"of": one["details"]})
        return list(await asyncio.wait_for(asyncio.gather(*asking), 1.0))

    assert played(go()) == [{"of": number} for number in range(5)]


@each_end
def test_questions_that_are_open_when_the_run_is_over_are_answered_with_that(how: str) -> None:
    async def go() -> list[Json]:
        coordinator, *workers = lines(3)
        await coordinator.ask("begin", run="r", brief=b"")
        asking = [question(worker) for worker in workers]
        await coordinator.ask("questions", run="r")
        await ends(coordinator, how)
        return [*await asyncio.wait_for(asyncio.gather(*asking), 1.0), await question(workers[0])]

    assert played(go()) == [OVER] * 3


def test_a_question_about_a_run_that_never_was_is_answered_at_once() -> None:
    async def go() -> Json:
        return await asyncio.wait_for(question(lines()[1]), 1.0)

    assert played(go()) == OVER


@each_end
def test_whoever_waits_for_questions_learns_that_there_will_be_none(how: str) -> None:
    async def go() -> None:
        (coordinator,) = lines(1)
        await coordinator.ask("begin", run="r", brief=b"")
        waiting = asyncio.create_task(coordinator.ask("questions", run="r"))
        await asyncio.sleep(100)
        assert not waiting.done()
        await ends(coordinator, how)
        assert await asyncio.wait_for(waiting, 1.0) is None
        for _ in range(2):
            assert await asyncio.wait_for(coordinator.ask("questions", run="r"), 1.0) is None

    played(go())


def test_an_answer_that_comes_too_late_or_twice_or_to_nothing_changes_nothing() -> None:
    async def go() -> list[Json]:
        coordinator, worker = lines()
        await coordinator.ask("begin", run="r", brief=b"")
        first, second = question(worker), question(worker)
        found = [await coordinator.ask("questions", run="r") for _ in range(2)]
        reply = {"number": found[0]["number"], "reply": "first"}
        # Both are at the keeper before whoever asked learns of the one.
        await asyncio.gather(coordinator.ask("reply", run="r", **reply), coordinator.ask("reply", run="r", **reply))
        await coordinator.ask("reply", run="r", **reply)
        await coordinator.ask("reply", run="r", number=99, reply="to nothing")
        await coordinator.ask("reply", run="another", number=found[1]["number"], reply="elsewhere")
        await coordinator.ask("stop", run="r")
        await coordinator.ask("reply", run="r", number=found[1]["number"], reply="too late")
        await coordinator.ask("end", run="r")
        await coordinator.ask("end", run="r")
        return [await first, await second]

    assert played(go()) == ["first", OVER]


def test_a_question_that_nobody_waits_for_any_more_is_answered_all_the_same() -> None:
    async def go() -> None:
        coordinator, worker, other = lines(3)
        await coordinator.ask("begin", run="r", brief=b"")
        gone = question(worker)
        await asyncio.sleep(1)
        worker.cut()
        worker.keeper.lost(worker.who)
        await asyncio.wait({gone})
        gone.exception()
        found = await coordinator.ask("questions", run="r")
        await coordinator.ask("reply", run="r", number=found["number"], reply="x")
        later = question(other)
        found = await coordinator.ask("questions", run="r")
        await coordinator.ask("reply", run="r", number=found["number"], reply="y")
        assert await later == "y"

    played(go())
