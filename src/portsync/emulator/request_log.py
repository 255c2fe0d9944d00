"""What the local Port was asked, so that tests and people can count it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_KEPT = 10_000
_WRITES = ("/entities/bulk", "/bulk/entities/delete")


@dataclass(frozen=True, slots=True)
class Logged:
    """One request. `status` is None where the client got no answer; `entities` counts those in the body of a bulk
    request."""

    method: str
    path: str
    """As it was sent, percent-encoded, without its query."""
    query: str
    status: int | None
    entities: int


class RequestLog:
    """The last requests in the order in which they ended, and how many were under way at once."""

    def __init__(self) -> None:
        self._kept: deque[Logged] = deque(maxlen=_MOST_KEPT)
        self._lock = threading.Lock()
        self._total = 0
        self._under_way = 0
        self._most_at_once = 0

    def begin(self) -> None:
        with self._lock:
            self._under_way += 1
            self._most_at_once = max(self._most_at_once, self._under_way)

    def end(self, logged: Logged) -> None:
        with self._lock:
            self._under_way -= 1
            self._total += 1
            self._kept.append(logged)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._total = 0
            self._most_at_once = self._under_way

    def as_json(self) -> dict[str, Any]:
        """`requests` holds the last 10,000; `total` counts all of them."""
        with self._lock:
            requests = [asdict(logged) for logged in self._kept]
            return {"requests": requests, "total": self._total, "most_at_once": self._most_at_once}


class RequestLogging:
    """ASGI middleware around all of the API."""

    def __init__(self, app: ASGIApp, *, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        is_write = scope["method"] == "POST" and path.endswith(_WRITES)
        body = bytearray()
        status: int | None = None

        async def tapped() -> Message:
            message = await receive()
            if is_write and message["type"] == "http.request":
                body.extend(message.get("body", b""))
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._log.begin()
        try:
            await self._app(scope, tapped, noted)
        finally:
            query = scope.get("query_string", b"").decode("latin-1")
            self._log.end(Logged(scope["method"], path, query, status, _count(body)))


def _count(body: bytearray) -> int:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return 0
    entities = value.get("entities") if isinstance(value, dict) else None
    return len(entities) if isinstance(entities, list) else 0
