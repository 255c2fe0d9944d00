"""`POST /hooks/{name}`: a webhook is looked at, put on the disk, and answered. What it does is done later."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from portsync.errors import StateLostError
from portsync.serve.signature import is_signed
from portsync.state.hook_queue import Event, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from portsync.mapping.live import Live
    from portsync.serve.hook_metrics import HookMetrics
    from portsync.serve.live import LiveWork
    from portsync.settings import Settings

_READING_S = 30.0
"""A sender who takes longer for one body holds it back on purpose."""
_LONGEST_ID = 500
_RETRY_AFTER_S = 10


@dataclass(frozen=True, slots=True)
class Reply:
    """What a webhook is answered."""

    status: HTTPStatus
    result: str
    """As the metrics and the log name it."""
    said: str


_ACCEPTED = Reply(HTTPStatus.ACCEPTED, "accepted", "accepted")
_DUPLICATE = Reply(HTTPStatus.ACCEPTED, "duplicate", "accepted before")
_UNKNOWN = Reply(HTTPStatus.NOT_FOUND, "unknown", "no mapping has a hook of this name")
_NOT_READY = Reply(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "not ready yet; send it again")
_FULL = Reply(HTTPStatus.SERVICE_UNAVAILABLE, "full", "too many events wait; send it again later")
_NO_ROOM = Reply(HTTPStatus.SERVICE_UNAVAILABLE, "lost-state", "the event cannot be kept; send it again later")
_UNSIGNED = Reply(HTTPStatus.UNAUTHORIZED, "bad-signature", "the signature is missing or wrong, or too old")
_TOO_LARGE = Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "refused", "the body is too large")
_TOO_SLOW = Reply(HTTPStatus.REQUEST_TIMEOUT, "refused", "the body did not come in time")
_NOT_JSON = Reply(HTTPStatus.BAD_REQUEST, "refused", "the body is no JSON")
_BAD_ID = Reply(HTTPStatus.BAD_REQUEST, "refused", "the id of the delivery is too long")


class _RefusedError(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.said)
        self.reply = reply


class Hooks:
    """Takes webhooks for all mappings of the service. Lives in the thread that answers HTTP."""

    def __init__(
        self,
        live: Sequence[LiveWork],
        settings: Settings,
        metrics: HookMetrics,
        clock: Callable[[], float],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`loop` is that of the workers."""
        self._live = live
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._loop = loop

    def route(self) -> Route:
        return Route("/hooks/{name}", self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """202 as soon as the event is on the disk, or why it is not."""
        name = request.path_params["name"]
        try:
            reply = await self._received(name, request)
        except _RefusedError as error:
            reply = error.reply
        except StateLostError as error:
            structlog.get_logger().error("hook.lost_state", hook=name, message=error.problems[0].message)
            reply = _NO_ROOM
        known = name if reply not in (_UNKNOWN, _NOT_READY) else ""
        self._metrics.came(known, reply.result)
        if reply.status is not HTTPStatus.ACCEPTED:
            structlog.get_logger().warning("hook.refused", hook=known, status=reply.status.value, reason=reply.said)
        is_later = reply.status is HTTPStatus.SERVICE_UNAVAILABLE
        headers = {"retry-after": str(_RETRY_AFTER_S)} if is_later else {}
        if reply in (_TOO_LARGE, _TOO_SLOW):
            # Otherwise the rest of the body would be read, to no use.
            headers["connection"] = "close"
        body = orjson.dumps({"status" if reply.status is HTTPStatus.ACCEPTED else "error": reply.said})
        return Response(body, status_code=reply.status, headers=headers, media_type="application/json")

    async def _received(self, name: str, request: Request) -> Reply:
        listening = [(live, hook) for live in self._live if (hook := live.hook(name)) is not None]
        if not listening:
            # A mapping that is not loaded yet may have it.
            return _UNKNOWN if all(live.is_loaded for live in self._live) else _NOT_READY
        body = await _body(request, self._settings.hook_body)
        headers, now = request.headers, self._clock()
        # Two mappings may have hooks of one name: each is told what is signed as it says.
        meant = [(live, hook) for live, hook in listening if _is_let_in(hook, request, body, now)]
        if not meant:
            return _UNSIGNED
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError:
            return _NOT_JSON
        taken = set()
        for live, hook in meant:
            delivery = None if hook.id_header is None else headers.get(hook.id_header) or None
            if delivery is not None and len(delivery) > _LONGEST_ID:
                return _BAD_ID
            if live.queue is None:
                return _NOT_READY
            event = Event(live.name, name, delivery, now, body)
            taken.add(await asyncio.to_thread(live.queue.put, event))
            self._loop.call_soon_threadsafe(live.wake)
        if Taken.FULL in taken:
            return _FULL
        return _ACCEPTED if Taken.QUEUED in taken else _DUPLICATE


def _is_let_in(hook: Live, request: Request, body: bytes, now: float) -> bool:
    return hook.signature is None or is_signed(hook.signature, request.headers, body, now)


async def _body(request: Request, most: int) -> bytes:
    """The body. Raises _RefusedError before more than `most` bytes of it are in memory."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_READING_S):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise _RefusedError(_TOO_LARGE)
                parts.append(part)
    except TimeoutError:
        raise _RefusedError(_TOO_SLOW) from None
    except ClientDisconnect:
        raise _RefusedError(_TOO_SLOW) from None
    return b"".join(parts)
