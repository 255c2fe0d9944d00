"""The parent's side of the JQ worker: start it when first needed, give it work, kill it when it does not come back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from portsync.errors import ExpressionError, Problem
from portsync.jq.worker import LENGTHS, frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_START = "import sys; sys.path[:] = sys.argv[1:-2]; from portsync.jq.worker import main; main()"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of a program may take."""

    timeout_s: float = 10.0
    memory_mib: int = 512


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a run gave: one JSON text a line, and which of the programs gave it."""

    lines: tuple[bytes, ...]
    used: int


class JqPool:
    """Runs JQ programs in a worker process: `async with JqPool(limits) as pool`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: asyncio.subprocess.Process | None = None
        self._known: set[str] = set()
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop()

    async def run(self, programs: Sequence[str], variables: bytes, body: bytes) -> Outputs:
        """Run the first of `programs` on `body`; where that fails, the next one.

        `variables` is a JSON object with what `$context`, `$params` and `$window` stand for.
        Raises ExpressionError with code `jq-failed` (every program failed), `jq-timeout` or `jq-crash` (the worker
        died, by its memory limit as a rule).
        """
        async with self._turn:
            try:
                async with asyncio.timeout(self._limits.timeout_s):
                    header, output = await self._exchange(programs, variables + b"\n" + body)
            except TimeoutError:
                await self._stop()
                raise ExpressionError(
                    Problem(
                        "jq-timeout",
                        f"a JQ expression did not end within {self._limits.timeout_s:g} s",
                        hint="look for an endless loop, or raise PORTSYNC_JQ_TIMEOUT",
                    )
                ) from None
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                await self._stop()
                raise ExpressionError(
                    Problem(
                        "jq-crash",
                        f"the JQ worker died, most likely at its limit of {self._limits.memory_mib} MiB",
                        hint="look for an expression that builds something huge, or raise PORTSYNC_JQ_MEMORY",
                    )
                ) from error
            except asyncio.CancelledError:
                # The answer to this request would otherwise be read as the answer to the next one.
                await self._stop()
                raise
        if (message := header.get("error")) is not None:
            raise ExpressionError(Problem("jq-failed", str(message)))
        used = header["used"]
        assert isinstance(used, int)
        return Outputs(tuple(output.split(b"\n")) if output else (), used)

    async def _exchange(self, programs: Sequence[str], body: bytes) -> tuple[dict[str, object], bytes]:
        process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        header: dict[str, object] = {"run": (key := "\0".join(programs))}
        if key not in self._known:
            header["programs"] = list(programs)
        process.stdin.write(frame(header, body))
        await process.stdin.drain()
        self._known.add(key)
        header_length, body_length = LENGTHS.unpack(await process.stdout.readexactly(LENGTHS.size))
        answer = json.loads(await process.stdout.readexactly(header_length))
        return answer, await process.stdout.readexactly(body_length)

    async def _start(self) -> asyncio.subprocess.Process:
        self._known = set()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-c", _START, *filter(None, sys.path), str(self._limits.memory_mib), str(self._limits.timeout_s)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # What libjq says when it dies is about our process, not about the user's data.
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
            # Ctrl-C in the terminal is the parent's to handle.
            start_new_session=True,
        )
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()
