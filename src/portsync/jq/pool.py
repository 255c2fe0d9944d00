"""The JQ workers of a run: started when first needed, reused, replaced when one is late or dies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from portsync.errors import ExpressionError, Problem
from portsync.jq.process import Limits, Outputs, WorkerDiedError, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

RUNAWAY = frozenset({"jq-timeout", "jq-memory", "jq-crash"})
"""The codes of a run that did not come back by itself."""


class JqPool:
    """Runs JQ programs in at most `workers` processes: `async with JqPool(limits, workers=2) as pool`."""

    def __init__(self, limits: Limits, workers: int = 1, *, has_spare: bool = False) -> None:
        """With `has_spare` there is always one more worker that has started already, so that nobody waits for one
        after another one was late."""
        self.limits = limits
        self._has_spare = has_spare
        self._room = asyncio.Semaphore(workers)
        self._idle: list[WorkerProcess] = []
        self._started: set[WorkerProcess] = set()
        self._first: asyncio.Task[WorkerProcess] | None = None
        """Under way before it is needed: its start takes longer than the first request."""
        self.runs = 0
        """How many runs came to their end, well or not."""
        self.lost = 0
        """How many workers were late or died."""

    async def __aenter__(self) -> Self:
        self._first = asyncio.create_task(self._start())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._first is not None:
            await asyncio.gather(self._first, return_exceptions=True)
        for worker in list(self._started):
            await self._stop(worker)

    async def run(
        self,
        programs: Sequence[str],
        variables: bytes,
        body: bytes,
        *,
        context: bytes = b"{}",
        timeout_s: float | None = None,
    ) -> Outputs:
        """Run the first of `programs` on `body`; where that fails, the next one.

        `variables` is a JSON object with what `$params`, `$window` and the range of records stand for, `context` one
        with what `$context` stands for.
        Raises ExpressionError: `jq-failed` (every program failed), `jq-timeout`, `jq-memory`, `jq-crash` or
        `jq-start`.
        """
        text = variables + b"\n" + body
        async with self._room:
            # Twice: somebody may have killed the worker, and not the work the worker.
            for is_last in (False, True):
                try:
                    return await self._run_once(programs, text, context, timeout_s or self.limits.timeout_s)
                except WorkerDiedError as died:
                    if died.is_out_of_memory:
                        raise self._out_of_memory() from died
                    if is_last:
                        raise ExpressionError(Problem("jq-crash", f"{died}, twice on the same page")) from died
        raise AssertionError("unreachable")

    async def _run_once(
        self,
        programs: Sequence[str],
        text: bytes,
        context: bytes,
        timeout_s: float,
    ) -> Outputs:
        worker = self._idle.pop() if self._idle else await self._next()
        is_reusable = False
        try:
            await self._ready(worker)
            async with asyncio.timeout(timeout_s):
                outputs = await worker.run(programs, text, context)
        except WorkerDiedError:
            self.lost += 1
            raise
        except TimeoutError:
            self.lost += 1
            hint = "look for an endless loop, or raise PORTSYNC_JQ_TIMEOUT"
            message = f"a JQ expression did not end within {timeout_s:g} s"
            raise ExpressionError(Problem("jq-timeout", message, hint=hint)) from None
        except ExpressionError:
            is_reusable = True
            raise
        else:
            is_reusable = True
            return outputs
        finally:
            self.runs += 1
            # Also when cancelled: the answer to this run would otherwise be read as the answer to the next one.
            if is_reusable:
                self._idle.append(worker)
            else:
                await self._stop(worker)

    async def _ready(self, worker: WorkerProcess) -> None:
        """Wait for a worker that has just been started: the time of a run is that of its expressions alone."""
        try:
            async with asyncio.timeout(self.limits.start_s):
                await worker.ready()
        except TimeoutError:
            message = f"a JQ worker did not start within {self.limits.start_s:g} s"
            raise ExpressionError(Problem("jq-start", message, hint="let the machine do less at once")) from None

    async def _next(self) -> WorkerProcess:
        """A worker that has not worked yet."""
        first, self._first = self._first, None
        if first is None:
            return await self._start()
        try:
            worker = await asyncio.shield(first)
        except asyncio.CancelledError:
            self._first = first
            raise
        if self._has_spare:
            self._first = asyncio.create_task(self._start())
        return worker

    async def _start(self) -> WorkerProcess:
        worker = await WorkerProcess.start(self.limits)
        self._started.add(worker)
        return worker

    async def _stop(self, worker: WorkerProcess) -> None:
        self._started.discard(worker)
        await worker.stop()

    def _out_of_memory(self) -> ExpressionError:
        hint = "look for an expression that builds something huge, or raise PORTSYNC_JQ_MEMORY"
        message = f"a JQ expression took more than {self.limits.memory_mib} MiB"
        return ExpressionError(Problem("jq-memory", message, hint=hint))
