"""What every exchange passes through: encoded paths, trace identifiers and the request budget."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from portsync.emulator.answers import refusal
from portsync.emulator.errors import ApiError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from portsync.emulator.rate import RateWindow


class Gateway:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp, *, window: RateWindow, reset_as_epoch: bool) -> None:
        self._app = app
        self._window = window
        self._reset_as_epoch = reset_as_epoch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        budget = self._window.take()
        extra = [
            # By this, and by its address, portsync knows that it speaks to no real Port.
            (b"x-portsync-local", b"1"),
            (b"x-trace-id", secrets.token_hex(16).encode()),
            *budget.headers(reset_as_epoch=self._reset_as_epoch),
        ]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        if budget.exceeded:
            error = ApiError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", "The rate limit is exceeded")
            await refusal(error)(scope, receive, send_with_headers)
            return
        await self._app({**scope, "path": _encoded_path(scope)}, receive, send_with_headers)


def _encoded_path(scope: Scope) -> str:
    """The path as it was sent: decoded, an encoded slash within an identifier would split it."""
    raw: bytes | None = scope.get("raw_path")
    return quote(scope["path"]) if raw is None else raw.decode("latin-1")
