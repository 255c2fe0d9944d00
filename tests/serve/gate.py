"""A local Port that holds back what comes first, so that a test decides what overtakes it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Gate:
    """Before an app: the first request whose path ends with `held` waits until it is opened, or one second. It is
    opened when a later request whose path ends with `opener` has been answered, or by the test."""

    def __init__(self, app: ASGIApp, held: str, opener: str | None = None) -> None:
        self.has_come = threading.Event()
        self.open = threading.Event()
        self._app = app
        self._held = held
        self._opener = opener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.endswith(self._held) and not self.has_come.is_set():
            self.has_come.set()
            await asyncio.to_thread(self.open.wait, 1)
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, send)
        if self._opener is not None and self.has_come.is_set() and path.endswith(self._opener):
            self.open.set()
