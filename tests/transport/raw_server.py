"""A server on loopback that says exactly what a test makes it say, be it HTTP or not."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable


@dataclass
class RawServer:
    """`talk(connection)` is called for each connection, which is closed when it returns."""

    talk: Callable[[Connection], Awaitable[None]]
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    """The heads of all requests, in the order in which they came."""
    url: str = ""


@dataclass
class Connection:
    server: RawServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """The head of the next request; its body is read as well. Raises IncompleteReadError where there is none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        for line in head.lower().splitlines():
            if line.startswith(b"content-length:"):
                await self.reader.readexactly(int(line.partition(b":")[2]))
        self.server.requests.append(head)
        return head

    async def say(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    def reset(self) -> None:
        """Break off without a farewell."""
        self.writer.transport.abort()


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole answer with the length that it has."""
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@asynccontextmanager
async def raw_server(
    talk: Callable[[Connection], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve for as long as the block lasts."""
    server = RawServer(talk)
    talking: set[asyncio.Task[None]] = set()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(Connection(server, reader, writer))
        finally:
            talking.discard(task)
            writer.close()

    listening = await asyncio.start_server(met, "127.0.0.1", 0, ssl=tls)
    host, port = listening.sockets[0].getsockname()
    server.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield server
    finally:
        listening.close()
        for task in talking:
            task.cancel()
        if talking:
            await asyncio.wait(talking)
