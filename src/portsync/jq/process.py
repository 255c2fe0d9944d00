"""One JQ worker process, seen from the parent: start it, exchange a frame for a frame, kill it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from portsync.errors import ExpressionError, Problem
from portsync.jq.worker import LENGTHS, OUT_OF_MEMORY, READY, frame

if TYPE_CHECKING:
    from collections.abc import Sequence

_START = "import sys; sys.path[:] = sys.argv[1:-3]; from portsync.jq.worker import main; main()"
_PIPE_BUFFER = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of a program may take."""

    timeout_s: float = 10.0
    memory_mib: int = 512
    """Address space beyond what the worker has at its start."""
    start_s: float = 60.0
    """For a worker to start: its own limit, since a machine under load is slow to start one, and a run can be short."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a run gave: one JSON text a line, and which of the programs gave it."""

    lines: tuple[bytes, ...]
    used: int


class WorkerDiedError(Exception):
    """This means that the worker is gone, and that this was not our doing."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"the JQ worker ended with status {status}")
        self.is_out_of_memory = status == -signal.SIGABRT
        """libjq aborts the process when it gets no memory."""


class WorkerProcess:
    """A worker that takes one program run at a time, once it is ready."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._known: set[str] = set()
        self._is_ready = False

    @classmethod
    async def start(cls, limits: Limits) -> WorkerProcess:
        """Start a worker: with no environment, no descriptors but its pipes, and a memory limit."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # -S: the path is given, and what .pth files ask for at each start is nothing that a worker needs.
            *("-I", "-S", "-c", _START, *filter(None, sys.path)),
            *(str(os.getpid()), str(limits.memory_mib), str(limits.timeout_s)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # What libjq says when it dies is about our process, not about the user's data.
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
            # Ctrl-C in the terminal is the parent's to handle.
            start_new_session=True,
            limit=_PIPE_BUFFER,
        )
        return cls(process)

    async def ready(self) -> None:
        """Wait until the worker listens. Raises WorkerDiedError."""
        if self._is_ready:
            return
        assert self._process.stdout is not None
        try:
            await self._process.stdout.readexactly(len(READY))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerDiedError(await self._process.wait()) from error
        self._is_ready = True

    async def run(self, programs: Sequence[str], body: bytes, context: bytes) -> Outputs:
        """Run the first of `programs` on `body`; where that fails, the next one. `context` is what `$context` stands
        for. Raises ExpressionError and WorkerDiedError."""
        try:
            header, output = await self._exchange(programs, body, context)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerDiedError(await self._process.wait()) from error
        if (message := header.get("error")) is not None:
            code = "jq-memory" if message == OUT_OF_MEMORY else "jq-failed"
            raise ExpressionError(Problem(code, str(message)))
        used = header["used"]
        assert isinstance(used, int)
        return Outputs(tuple(output.split(b"\n")) if output else (), used)

    async def stop(self) -> None:
        """Kill the worker, whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _exchange(self, programs: Sequence[str], body: bytes, context: bytes) -> tuple[dict[str, object], bytes]:
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None
        assert writer is not None
        key = blake2b("\0".join(programs).encode() + context, digest_size=16).hexdigest()
        header: dict[str, object] = {"run": key}
        if key not in self._known:
            header |= {"programs": list(programs), "context": json.loads(context)}
        writer.write(frame(header, body))
        await writer.drain()
        self._known.add(key)
        header_length, body_length = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
        answer = json.loads(await reader.readexactly(header_length))
        return answer, await reader.readexactly(body_length)
