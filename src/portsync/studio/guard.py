"""Who may use the studio: the one browser that was shown the address in the terminal, and no other page within it.

A site elsewhere can make a browser ask a server on the same machine, or have its own name lead here (DNS rebinding). So
`Host` and `Origin` are checked on every request. A browser comes in once, with the token of the address that was
printed; from then on it is known by a cookie, which neither scripts nor other sites get hold of.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENTRY = "/enter"
LARGEST_REQUEST = 32 * 2**20
"""Bytes. A mapping is some kilobytes; nobody else has a reason to send more."""
_NAMES = frozenset({"127.0.0.1", "localhost"})
_OWN = frozenset({None, "same-origin", "none"})
"""What `Sec-Fetch-Site` says of requests by the page itself, by who types an address, and by programs."""
_ENTERED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>portsync studio</title>
<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Open the studio</a></p></html>
"""
_USED = (
    "This address has been used, or was never one. It opens the studio once, in one browser.\n"
    "End `portsync studio` in the terminal with Ctrl-C and start it again for a new one.\n"
)
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass
class Keys:
    """What opens the studio."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """Stands in the printed address, and opens once."""
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _is_spent: bool = False

    def spend(self, token: str) -> bool:
        """Whether `token` opens. It does so once."""
        if self._is_spent or not compare_digest(token.encode(), self.token.encode()):
            return False
        self._is_spent = True
        return True


class Guard:
    """ASGI middleware around the studio, which listens on `port`."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = _refusal(scope) or self._entry(scope)
        if answer is None:
            await self._app(scope, receive, send_with_headers)
        else:
            await answer(scope, receive, send_with_headers)

    def _entry(self, scope: Scope) -> Response | None:
        """What is answered to who comes in, or is not in; None for who is."""
        name = f"portsync-studio-{_port_of(scope)}"
        is_in = compare_digest(_cookie(scope, name).encode(), self._keys.cookie.encode())
        if scope["path"] != ENTRY:
            return None if is_in else PlainTextResponse(_USED, HTTPStatus.FORBIDDEN)
        if scope["method"] != "GET":
            return PlainTextResponse("Only GET opens.\n", HTTPStatus.METHOD_NOT_ALLOWED)
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not is_in and not self._keys.spend(token):
            return PlainTextResponse(_USED, HTTPStatus.FORBIDDEN)
        # Not a redirect: a browser that was led here by another page would send no strict cookie along with it.
        entered = HTMLResponse(_ENTERED)
        entered.set_cookie(name, self._keys.cookie, httponly=True, samesite="strict", path="/")
        return entered


def _refusal(scope: Scope) -> Response | None:
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not _is_this_server(host, scope):
        return PlainTextResponse("This is portsync studio. Ask for it as 127.0.0.1.\n", HTTPStatus.MISDIRECTED_REQUEST)
    origin = headers.get("origin")
    is_entry = scope["path"] == ENTRY
    if (origin is not None and origin != f"http://{host}") or (
        not is_entry and headers.get("sec-fetch-site") not in _OWN
    ):
        return PlainTextResponse("Another site may not use the studio.\n", HTTPStatus.FORBIDDEN)
    if scope["method"] not in ("GET", "HEAD") and (
        origin is None or headers.get("content-type", "").partition(";")[0] != "application/json"
    ):
        # A form of another site can send neither without being asked first.
        return PlainTextResponse("Only the studio's own page may change something.\n", HTTPStatus.FORBIDDEN)
    length = headers.get("content-length", "0")
    if scope["method"] not in ("GET", "HEAD") and (not length.isdecimal() or int(length) > LARGEST_REQUEST):
        return PlainTextResponse("Too large.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return None


def _is_this_server(host: str, scope: Scope) -> bool:
    """Whether a browser that sends this `Host` means this machine and this port: no name of a site is let through."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname in _NAMES and (parts.port or 80) == _port_of(scope) and "@" not in host
    except ValueError:
        return False


def _port_of(scope: Scope) -> int:
    server = scope.get("server")
    return server[1] if server is not None and server[1] is not None else 0


def _cookie(scope: Scope, name: str) -> str:
    try:
        found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value
