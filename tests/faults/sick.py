"""Answers that no client should get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, JSONResponse, Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Torn(Response):
    """Begins as it should; then the connection is gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"data": [{"id": "t000", "si', "more_body": True})
        scope["extensions"]["cut"]()
        while (await receive())["type"] != "http.disconnect":
            pass


class Silent(Response):
    """Never comes."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


def refusal(status: int, **headers: str) -> Response:
    return JSONResponse({"error": "no"}, status, {name.replace("_", "-"): value for name, value in headers.items()})


def web_page() -> Response:
    return HTMLResponse("<h1>Please sign in</h1>")
