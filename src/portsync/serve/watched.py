"""A run, watched from outside: that it goes on, that it ends when it is told to, and that a bug ends nothing but it."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from portsync.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from portsync.running import Pulse
    from portsync.stop import Stop

T = TypeVar("T")
BUG = 70
"""The exit code of what should not have happened."""
_LAST_S = 20.0
"""A run that is told to stop brings to its end what is under way, for 10 seconds at most; this is for one that does
not."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Why a run may not go on."""

    problem: Problem
    exit_code: int


async def attempted(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """The task of `work` when it has ended, however that was. It is cancelled with whoever waits here."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    return task


def raised(task: asyncio.Task[Any]) -> BaseException | None:
    """What a task that has ended raised; one that was cancelled raised that."""
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def bug_of(error: BaseException, hint: str = "please report it; the service goes on with the next run") -> Problem:
    """The problem of an error that nobody foresaw, with the place where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return Problem("bug", f"a bug in portsync: {type(error).__name__}{where}: {error}", hint=hint)


class Watch:
    """The eye on one run."""

    def __init__(self, pulse: Pulse, stop: Stop, patience_s: float) -> None:
        """`patience_s` is longer than anything may take that neither sends a request nor maps a page, in seconds."""
        self._pulse = pulse
        self._stop = stop
        self._patience_s = patience_s

    async def over(self, work: asyncio.Task[Any]) -> Cut | None:
        """Return when the work has ended by itself, or why it has to be ended."""
        looking = asyncio.ensure_future(self._stalled())
        leaving = asyncio.ensure_future(self._out_of_time())
        try:
            await asyncio.wait({work, looking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return None
            return looking.result() if looking.done() else leaving.result()
        finally:
            looking.cancel()
            leaving.cancel()

    async def _stalled(self) -> Cut:
        before = -1
        while (now := self._pulse.count()) != before:
            before = now
            await asyncio.sleep(self._patience_s)
        message = f"the run made no request and mapped no page for {self._patience_s:.0f} s"
        hint = "please report it; the service goes on with the next run"
        return Cut(Problem("stalled", message, hint=hint), BUG)

    async def _out_of_time(self) -> Cut:
        await self._stop.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_S):
                await self._stop.hurried()
        problem = Problem("interrupted", "the run was ended before it had come to its end", hint="run it again")
        return Cut(problem, self._stop.exit_code)
