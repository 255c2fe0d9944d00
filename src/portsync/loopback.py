"""Serve an ASGI app from a thread, for as long as a `with` block lasts; on the loopback interface by default."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send


@contextmanager
def serving(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve `app` and give its base URL; port 0 takes a free one. Raises OSError when the port is taken, or the host is
    none of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=128)
    # asyncio sets it only on sockets of its own making; without it an answer in two parts waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        _cuttable(app, lambda: server.server_state.connections),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="loopback", daemon=True
    )
    thread.start()
    try:
        # Connections made before the server accepts wait in the listener's backlog, so nobody has to poll.
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


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
