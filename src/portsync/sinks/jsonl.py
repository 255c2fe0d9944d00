"""The sink that is a file or a pipe: one line of JSON for each entity, and no Port at all."""

from __future__ import annotations

import asyncio
import os
import select
import stat
from typing import TYPE_CHECKING

import orjson

from portsync.batch import MOST_ENTITIES
from portsync.errors import OutputError, Problem
from portsync.flow import BatchResult, Fate, Outcome

if TYPE_CHECKING:
    from portsync.flow import Batch, Entity


class JsonlSink:
    """Writes entities in the order in which their batches come. Whoever reads them may be slow: only so much is
    written at once as is taken without waiting, so that a stop is never held up by it."""

    writes = False

    def __init__(self, descriptor: int, name: str) -> None:
        """`descriptor` stays the caller's to close; `name` is what a user calls it."""
        self._descriptor = descriptor
        self._name = name
        self._turn = asyncio.Lock()
        self._may_block = not stat.S_ISREG(os.fstat(descriptor).st_mode)

    def at_once(self, _blueprint: str) -> int:
        """As many as one request may hold."""
        return MOST_ENTITIES

    async def upsert(self, batch: Batch) -> BatchResult:
        """Write a batch. Raises OutputError where the file or pipe takes no more."""
        try:
            async with self._turn:
                await self._write(b"".join(_line_of(entity) for entity in batch.entities))
        except OSError as error:
            message = f"the entities cannot be written to {self._name}: {error.strerror or error}"
            hint = "entities before it are written; make room, or let the reader read to the end"
            raise OutputError(Problem("output", message, hint=hint)) from error
        return BatchResult(tuple(Outcome(entity, Fate.CREATED) for entity in batch.entities))

    async def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            part = rest
            if self._may_block:
                await _writable(self._descriptor)
                # A pipe that can be written at all takes so many bytes without waiting (POSIX, write).
                part = rest[: select.PIPE_BUF]
            rest = rest[os.write(self._descriptor, part) :]


async def _writable(descriptor: int) -> None:
    """Return when something can be written without waiting, or when an attempt would fail."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_writer(descriptor, ready.set)
    except PermissionError:
        return  # a device such as /dev/null, which never lets anybody wait
    try:
        await ready.wait()
    finally:
        loop.remove_writer(descriptor)


def _line_of(entity: Entity) -> bytes:
    return b'{"blueprint":' + orjson.dumps(entity.blueprint) + b"," + entity.body[1:].replace(b"\n", b" ") + b"\n"
