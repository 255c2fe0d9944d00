"""Runs JQ programs that may never end: in a process of their own, with a deadline and a memory limit."""

from __future__ import annotations

import asyncio
import threading
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING

from portsync.jq.fence import prelude
from portsync.jq.pool import JqPool
from portsync.jq.process import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

DEADLINE_S = 2.0
"""For one program on one batch."""
_LIMITS = Limits(timeout_s=DEADLINE_S, memory_mib=256)
LARGEST = 64 * 1024
"""Bytes of one result as JSON. An entity is at most 1 MiB, and a page has up to 1,000 of them."""


class Fence:
    """A thread that keeps the worker processes, so that whoever prints entities, in whatever thread, can wait for them.

    The first program starts it. It ends when nobody refers to this object any more: an application in process has
    nobody to call a close.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._home: _Home | None = None

    def run(self, program: str, entities: Sequence[bytes], now: float, timeout_s: float) -> list[bytes]:
        """The first result of the program for each entity's JSON, as JSON: null where it fails, has none or has one
        that is too large. `now` is what the program takes for the time, in epoch seconds.

        ExpressionError where the whole run does not come back (`jq-timeout`, `jq-memory`, `jq-crash`), or where the
        program does not compile (`jq-failed`).
        """
        home = self._started()
        body = b"[" + b",".join(entities) + b"]"
        running = home.pool.run([_code(program)], repr(now).encode(), body, timeout_s=timeout_s)
        return list(asyncio.run_coroutine_threadsafe(running, home.loop).result().lines)

    def _started(self) -> _Home:
        with self._lock:
            if self._home is None:
                ready: Future[_Home] = Future()
                threading.Thread(target=_serve, args=(ready,), name="calculations", daemon=True).start()
                self._home = ready.result()
                weakref.finalize(self, self._home.end)
            return self._home


class _Home:
    """Where the workers live."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: JqPool, over: asyncio.Event) -> None:
        self.loop = loop
        self.pool = pool
        self._over = over

    def end(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._over.set)


def _serve(ready: Future[_Home]) -> None:
    async def serve() -> None:
        over = asyncio.Event()
        async with JqPool(_LIMITS) as pool:
            ready.set_result(_Home(asyncio.get_running_loop(), pool, over))
            await over.wait()

    asyncio.run(serve())


def _code(program: str) -> str:
    """The program for each entity of a batch.

    Twice, as a definition and between parentheses: `1) | (2` stands up to the one and `1; def f: 2` to the other, but
    only what is a program by itself to both.
    """
    return (
        f"{prelude(0.0)}.[0] as $__now | def now: $__now; "
        f"def __alone: {program}\n; def __calculation: ({program}\n); "
        f'.[1][] | try first((__calculation | tojson | if utf8bytelength > {LARGEST} then "null" else . end), "null") '
        'catch "null"'
    )
