"""As little HTTP/1.1 as a loopback server needs: keep-alive, bodies with a Content-Length, answers ready as bytes."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Answerer = Callable[[str, str, bytes], bytes]
    """From method, target and body to the whole answer, as `answer` makes it."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


def answer(status: str, body: bytes) -> bytes:
    """The bytes of an answer with a JSON body; `status` is such as `200 OK`."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def with_headers(ready: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """An answer that `answer` made, with more headers."""
    head, _, body = ready.partition(_HEAD_END)
    return b"\r\n".join([head, *(b"%s: %s" % pair for pair in headers)]) + _HEAD_END + body


class _Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, answerer: Answerer, latency_s: float) -> None:
        self._answerer = answerer
        self._latency_s = latency_s
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._received += data
        while (head_end := self._received.find(_HEAD_END)) >= 0:
            head = bytes(self._received[:head_end])
            length = _LENGTH.search(head)
            start = head_end + len(_HEAD_END)
            end = start + (int(length[1]) if length else 0)
            if len(self._received) < end:
                return
            method, target, _ = head.split(b" ", 2)
            body = bytes(self._received[start:end])
            del self._received[:end]
            ready = self._answerer(method.decode(), target.decode(), body)
            if self._latency_s:
                asyncio.get_running_loop().call_later(self._latency_s, self._transport.write, ready)
            else:
                self._transport.write(ready)


def serve(answerer: Answerer, latency_s: float = 0) -> None:
    """Serve on a free loopback port until standard input ends; the base URL is printed first. Each answer goes out
    `latency_s` seconds after its request came in."""
    asyncio.run(_serve(answerer, latency_s))


async def _serve(answerer: Answerer, latency_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answerer, latency_s), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()
