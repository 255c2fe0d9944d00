"""The eye on a run: what it ends, and what it leaves alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from portsync.running import Pulse
from portsync.serve.watched import Cut, Watch, attempted, bug_of, raised
from portsync.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Coroutine


def _watched(work: Coroutine[None, None, None], pulse: Pulse, stop: Stop, patience_s: float) -> Cut | None:
    async def scenario() -> Cut | None:
        task = asyncio.create_task(work)
        try:
            return await asyncio.wait_for(Watch(pulse, stop, patience_s).over(task), 10)
        finally:
            task.cancel()

    return asyncio.run(scenario())


async def _forever() -> None:
    await asyncio.Event().wait()


def test_a_run_that_stands_still_is_cut() -> None:
    cut = _watched(_forever(), Pulse(), Stop(), 0.01)
    assert cut is not None
    assert (cut.problem.code, cut.exit_code) == ("stalled", 70)


def test_a_run_that_goes_on_is_left_alone() -> None:
    pulse = Pulse()
    beats = 0

    async def work() -> None:
        nonlocal beats
        for _ in range(50):
            beats += 1
            await asyncio.sleep(0.005)

    pulse.feel(lambda: beats)
    assert _watched(work(), pulse, Stop(), 0.1) is None


def test_the_second_request_to_stop_cuts_at_once() -> None:
    stop = Stop()

    async def work() -> None:
        stop.request(15)
        await asyncio.sleep(0.01)
        stop.request(2)
        await _forever()

    cut = _watched(work(), Pulse(), stop, 100)
    assert cut is not None
    assert (cut.problem.code, cut.exit_code) == ("interrupted", 143)


def test_a_task_that_is_cancelled_from_within_counts_as_one_that_raised() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    async def scenario() -> BaseException | None:
        return raised(await attempted(work()))

    assert isinstance(asyncio.run(scenario()), asyncio.CancelledError)


def test_who_attempts_something_and_is_cancelled_cancels_it() -> None:
    ended = []

    async def work() -> None:
        try:
            await _forever()
        finally:
            ended.append(1)

    async def scenario() -> None:
        task = asyncio.create_task(attempted(work()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert ended == [1]


def test_a_bug_is_told_with_its_place() -> None:
    async def work() -> None:
        raise KeyError("answer")

    async def scenario() -> BaseException | None:
        return raised(await attempted(work()))

    error = asyncio.run(scenario())
    assert error is not None
    assert "KeyError at test_watched.py:" in bug_of(error).message
