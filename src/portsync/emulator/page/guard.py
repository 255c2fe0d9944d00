"""Who may look at the page: a browser that was led to this machine by its own name.

A website somewhere can make a browser ask a server on the same machine. What such a page may not do is read the
answers, unless its own name is made to lead here (DNS rebinding), and write. So the `Host` is checked on everything
but Port's API, which takes a token, and the `Origin` on everything that writes.
"""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API = "/v1"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware around the whole local Port. `hosts` are names beside those of this machine."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] != "http" or path == _API or path.startswith(f"{_API}/"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = _refusal(scope, self._hosts)
        if refused is not None:
            await refused(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def _refusal(scope: Scope, hosts: frozenset[str]) -> PlainTextResponse | None:
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not _is_this_machine(host, scope, hosts):
        message = "This is the local Port. Ask for it as localhost or 127.0.0.1.\n"
        return PlainTextResponse(message, HTTPStatus.MISDIRECTED_REQUEST)
    if scope["method"] not in _READING and not _is_same_origin(headers, host):
        return PlainTextResponse("Another site may not write to the local Port.\n", HTTPStatus.FORBIDDEN)
    return None


def _is_this_machine(host: str, scope: Scope, hosts: frozenset[str]) -> bool:
    """Whether the name is a loopback one, one of `hosts`, or the very address that the connection came to."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if name is None:
        return False
    server = scope.get("server")
    if name == "localhost" or name in hosts or (server is not None and name == server[0]):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_same_origin(headers: Headers, host: str) -> bool:
    """Programs send no Origin; browsers do, with every request that writes."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") in (None, "same-origin", "none")
    return origin in (f"http://{host}", f"https://{host}")
