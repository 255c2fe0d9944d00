"""Serve an ASGI app from a thread, for as long as a `with` block lasts; on the loopback interface by default."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp, Receive, Scope, Send


@contextmanager
def serving(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    most: int | None = None,
    within_s: float = 10.0,
    around: Callable[[], AbstractAsyncContextManager[object]] = nullcontext,
) -> Iterator[str]:
    """Serve `app` and give its base URL; port 0 takes a free one, and `::` is every address of both kinds. With `most`,
    for a server that strangers can reach, there are at most so many connections at a time, and one that does not come
    to the end of a request `within_s` seconds is closed. `around` is entered before the first request, in the loop that
    serves, and left after the last one.

    Raises OSError when the port is taken, or the host is none of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    is_both = host == "::" and socket.has_dualstack_ipv6()
    listener = socket.create_server((host, port), family=family, backlog=128, dualstack_ipv6=is_both)
    # asyncio sets it only on sockets of its own making; without it an answer in two parts waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        _cuttable(app, lambda: server.server_state.connections),
        # h11 bounds what a client may send before its request is complete.
        http="h11" if most is None else _bounded(most, within_s),
        log_config=None,
        access_log=False,
        # Who asks is who is connected, whatever a header says of others.
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)

    async def serve() -> None:
        async with around():
            await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="loopback", daemon=True)
    thread.start()
    try:
        # Connections made before the server accepts wait in the listener's backlog, so nobody has to poll.
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def _bounded(most: int, within_s: float) -> type[H11Protocol]:
    """uvicorn's protocol with a bound on connections, and on the time in which one has to come to the end of a
    request; uvicorn itself waits for the first request forever."""

    class Bounded(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None
        _answered: object = None
        """The request at the last look."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.abort()
            else:
                self._deadline = self.loop.call_later(within_s, self._look)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
            super().connection_lost(exc)

        def _look(self) -> None:
            """Close it where no request came since the last look, or the same one is not answered yet."""
            if self.cycle is self._answered:
                self.transport.abort()
                return
            self._answered = self.cycle
            self._deadline = self.loop.call_later(within_s, self._look)

    return Bounded


def _cuttable(app: ASGIApp, connections: Callable[[], Collection[Any]]) -> ASGIApp:
    """`app` with the extension `cut` in its scopes, a function that ends the connection of the request at once:
    no answer, no farewell. ASGI itself has no way to do that."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        def cut() -> None:
            for connection in tuple(connections()):
                if connection.client == scope["client"]:
                    connection.transport.abort()

        await app({**scope, "extensions": {**scope.get("extensions", {}), "cut": cut}}, receive, send)

    return wrapped
