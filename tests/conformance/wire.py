"""A source on loopback that says exactly what a case wants said: every header line, every byte, and broken connections.

Cases are data and know no ports, so they write `http://home.test` for the source, `http://named.test` for the same
source under its other name (and `http://NAMED.test` for that name in capitals), and `http://away.test` for a server of
another origin. `Addresses` puts the real hosts in where answers and mappings go out, and takes them out again.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HOME = "http://home.test"
NAMED = "http://named.test"
LOUD = "http://NAMED.test"
AWAY = "http://away.test"

_ENOUGH = HTTPStatus.GONE
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Asked:
    """One request, as it came over the wire."""

    server: str
    """`home`, `named` or `away`: by which name the server was called."""
    method: str
    target: str
    """Path and query, as they stood in the request line."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case."""
    body: bytes = b""
    at: float = 0.0
    """Seconds since the start of the run, on the clock of the run."""
    before: int = 0
    """How many requests with the same method, target and body came before."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query, decoded."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def query(self) -> dict[str, str]:
        return dict(self.pairs)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(frozen=True)
class Reply:
    """An answer, where a JSON value with status 200 does not say enough."""

    body: Any = b""
    """Bytes go out as they are, anything else as JSON."""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    """After so many bytes of the body the connection is closed, whatever `content-length` promised."""
    reset: bool = False
    """Whether it is then closed by a reset instead of an orderly end."""
    silent: bool = False
    """Whether nothing is sent at all before the connection is closed."""


Script = "Callable[[Asked], Any]"
"""What a server does: from a request to a JSON value or a Reply. Holds no state, so that it can play again."""


@dataclass(frozen=True)
class Addresses:
    """Which real hosts the names of the cases stand for."""

    home: str
    """Host and port."""
    away: str

    @property
    def hosts(self) -> Mapping[str, str]:
        port = self.home.rpartition(":")[2]
        return {
            "home.test": self.home,
            "named.test": f"localhost:{port}",
            "NAMED.test": f"LOCALHOST:{port}",
            "away.test": self.away,
        }

    def real(self, text: str) -> str:
        for name, host in self.hosts.items():
            text = text.replace(name, host)
        return text

    def told(self, text: str) -> str:
        for name, host in self.hosts.items():
            text = text.replace(host, name)
        return text

    def name_of(self, host: str) -> str:
        known = {real: name.removesuffix(".test").lower() for name, real in self.hosts.items()}
        return known.get(host, host)


@dataclass
class Stage:
    """What both servers play just now, and what they were asked."""

    script: Callable[[Asked], Any]
    addresses: Addresses
    clock: Callable[[], float]
    """Seconds since the start of the run."""
    most: int
    """After so many requests nothing more is said: who never stops is to fail, not to hang."""
    asked: list[Asked] = field(default_factory=list)
    _counts: Counter[tuple[str, str, bytes]] = field(default_factory=Counter)

    def reply(self, asked: Asked) -> Reply:
        key = (asked.method, asked.target, asked.body)
        asked = replace(asked, at=self.clock(), before=self._counts[key], server=self._server(asked))
        self._counts[key] += 1
        self.asked.append(asked)
        if len(self.asked) > self.most:
            return Reply({"message": "that is more than anybody needs"}, _ENOUGH)
        said = self.script(asked)
        return said if isinstance(said, Reply) else Reply(said)

    def _server(self, asked: Asked) -> str:
        return self.addresses.name_of(asked.header("host") or "")

    def written(self, reply: Reply) -> bytes:
        """The bytes of an answer, as HTTP/1.1 has them."""
        if reply.silent:
            return b""
        body = reply.body
        if not isinstance(body, bytes):
            body = self.addresses.real(json.dumps(body)).encode()
        lines = [f"HTTP/1.1 {reply.status} {responses.get(reply.status, 'as the gateway calls it')}"]
        names = {name.lower() for name, _ in reply.headers}
        lines += [f"{name}: {self.addresses.real(value)}" for name, value in reply.headers]
        if "content-type" not in names:
            lines.append("content-type: application/json")
        if "transfer-encoding" not in names and reply.status != HTTPStatus.NO_CONTENT:
            lines.append(f"content-length: {len(body)}")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head + (body if reply.cut is None else body[: reply.cut])


class Servers:
    """Two servers that play the same stage; which one is meant can be told from the host that is asked for."""

    def __init__(self) -> None:
        self.stage: Stage | None = None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after the other."""
        try:
            while (asked := await _read(reader)) is not None:
                assert self.stage is not None
                reply = self.stage.reply(asked)
                writer.write(self.stage.written(reply))
                await writer.drain()
                if reply.reset:
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                if reply.cut is not None or reply.silent:
                    break
        except ConnectionError:
            pass  # the reader under test may hang up whenever it likes
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    """The next request of a connection; None at its end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    length = int(dict(headers).get("content-length", "0"))
    return Asked("", method, target, headers, await reader.readexactly(length))


@contextmanager
def serving() -> Iterator[tuple[Servers, Addresses]]:
    """Both servers, on free ports of 127.0.0.1, from a thread, for as long as a `with` block lasts."""
    servers = Servers()
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(2)]
    for listener in listeners:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def serve() -> None:
        running = [await asyncio.start_server(servers.handle, sock=listener) for listener in listeners]
        await stopped.wait()
        for server in running:
            server.close()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, name="conformance", daemon=True)
    thread.start()
    hosts = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    try:
        yield servers, Addresses(*hosts)
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(timeout=5)
