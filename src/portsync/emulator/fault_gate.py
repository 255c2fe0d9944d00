"""Where scripted faults strike: between the request budget and the routes."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import HTMLResponse, Response

from portsync.emulator.answers import answer, refusal
from portsync.emulator.errors import ApiError
from portsync.emulator.faults import Cut, Hang, RefusedItems, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from portsync.emulator.faults import Faults

_BULK = "/entities/bulk"


class FaultGate:
    """ASGI middleware around the routes. `revoke` ends the life of the current token."""

    def __init__(self, app: ASGIApp, *, faults: Faults, revoke: Callable[[], None]) -> None:
        self._app = app
        self._faults = faults
        self._revoke = revoke

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._faults.any():
            await self._app(scope, receive, send)
            return
        body = await _whole(receive)
        items = _items_of(body)
        effect = self._faults.strike(scope["method"], scope["path"], set(map(_name, items)), len(items))
        match effect:
            case None:
                await self._app(scope, _again(body, receive), send)
            case Reply():
                await self._reply(effect)(scope, receive, send)
            case RefusedItems() if scope["method"] == "POST" and scope["path"].endswith(_BULK):
                await (await self._refuse_some(effect, items, scope, receive))(scope, receive, send)
            case RefusedItems():
                await self._app(scope, _again(body, receive), send)
            case Hang():
                if not await _is_gone(receive, effect.seconds):
                    await self._app(scope, _again(body, receive), send)
            case Cut():
                if effect.is_applied:
                    await _carried_out(self._app, scope, _again(body, receive))
                await _cut(scope, receive, send)

    def _reply(self, effect: Reply) -> Response:
        if effect.status == HTTPStatus.UNAUTHORIZED:
            self._revoke()
        if effect.text is not None:
            response: Response = HTMLResponse(effect.text, effect.status)
        else:
            response = refusal(ApiError(effect.status, *effect.reason))
        if effect.retry_after is not None:
            response.headers["retry-after"] = effect.retry_after
        return response

    async def _refuse_some(
        self, effect: RefusedItems, items: Sequence[Any], scope: Scope, receive: Receive
    ) -> Response:
        """The answer to a bulk upsert of which only the entities that are not chosen are carried out."""
        refused = [index for index, item in enumerate(items) if not effect.chosen or _name(item) in effect.chosen]
        kept = [index for index in range(len(items)) if index not in set(refused)]
        entities, errors = [], []
        if kept:
            body = orjson.dumps({"entities": [items[index] for index in kept]})
            status, said = await _carried_out(self._app, _of_length(scope, len(body)), _again(body, receive))
            if status >= HTTPStatus.BAD_REQUEST:
                return Response(said, status, media_type="application/json; charset=utf-8")
            value = orjson.loads(said)
            entities = [{**one, "index": kept[one["index"]]} for one in value["entities"]]
            errors = [{**one, "index": kept[one["index"]]} for one in value["errors"]]
        errors += [
            {
                "identifier": _name(items[index]),
                "index": index,
                "statusCode": effect.status,
                "error": effect.error,
                "message": effect.message,
            }
            for index in refused
        ]
        errors.sort(key=lambda one: one["index"])
        return answer({"entities": entities, "errors": errors}, HTTPStatus.MULTI_STATUS)


async def _whole(receive: Receive) -> bytes:
    """The body, as far as the client sent it."""
    body = bytearray()
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A channel on which a body that was taken already comes once more, and then what comes after it."""
    waiting = [body]

    async def channel() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return channel


def _of_length(scope: Scope, length: int) -> Scope:
    others = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    return {**scope, "headers": [*others, (b"content-length", b"%d" % length)]}


async def _carried_out(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, bytes]:
    """Status and body of the answer, which goes nowhere."""
    statuses: list[int] = []
    body = bytearray()

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, take)
    return statuses[0], bytes(body)


async def _is_gone(receive: Receive, seconds: float | None) -> bool:
    """Wait so long, or without end; whether the client has given up meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _cut(scope: Scope, receive: Receive, send: Send) -> None:
    """End the connection without an answer. ASGI has no word for it: a server that offers the extension `cut` does it,
    with any other the answer breaks off after its head."""
    cut = scope.get("extensions", {}).get("cut")
    if cut is None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
        return
    cut()
    # Until the server has noticed, it would take the end of this call for a mistake and answer 500.
    await _is_gone(receive, None)


def _items_of(body: bytes) -> list[Any]:
    """What the body's `entities` holds: entities, or identifiers to delete."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    items = value.get("entities") if isinstance(value, dict) else None
    return items if isinstance(items, list) else []


def _name(item: Any) -> str:
    """An item's identifier; Port's word for one that cannot be told."""
    identifier = item.get("identifier") if isinstance(item, dict) else item
    return identifier if isinstance(identifier, str) else "unknown"
