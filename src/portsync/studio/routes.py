"""The addresses of the studio: each takes JSON and gives JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import ValidationError
from starlette.responses import Response
from starlette.routing import Route

from portsync.errors import PortSyncError
from portsync.mapping.explain import editor_schema
from portsync.masking import Masking
from portsync.report import problem_as_json
from portsync.studio.asked import Asked, Connect, Endpoint, Place, Save, Slice, Text, Value
from portsync.studio.files import ConflictError
from portsync.studio.newest import SupersededError
from portsync.studio.saving import opened, save
from portsync.studio.tree import Slicer
from portsync.studio.view import LONGEST_TEXT
from portsync.studio.work import ask_source, look
from portsync.studio.writing import connected, placed, with_endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from portsync.studio.session import Session

A = TypeVar("A", bound=Asked)


def routes(session: Session) -> list[BaseRoute]:
    """What the page asks for."""

    async def looked(asked: Text) -> Any:
        return await session.looking.run(look(session, asked))

    async def asked_source(asked: Text) -> Any:
        await session.asking.run(ask_source(session, asked))
        return await session.looking.run(look(session, asked))

    async def stopped(_asked: Asked) -> Any:
        session.asking.give_up()
        return {}

    async def sliced(asked: Slice) -> Any:
        if asked.name not in session.seen:
            return {"node": None}
        slicer = Slicer(Masking(session.redactor, LONGEST_TEXT))
        return {"node": slicer.slice(session.seen[asked.name], asked.keys, asked.first)}

    async def given(asked: Value) -> Any:
        session.give(asked.name, asked.value)
        return {}

    async def saved(asked: Save) -> Any:
        return save(session, asked)

    async def opened_file(_asked: Asked) -> Any:
        return opened(session)

    async def schema(_asked: Asked) -> Any:
        return editor_schema()

    async def connect(asked: Connect) -> Any:
        return {"text": connected(asked)}

    async def endpoint(asked: Endpoint) -> Any:
        text, index = with_endpoint(asked)
        return {"text": text, "index": index}

    async def place(asked: Place) -> Any:
        return {"text": placed(asked)}

    return [
        _route("/api/look", Text, looked),
        _route("/api/ask", Text, asked_source),
        _route("/api/stop", Asked, stopped),
        _route("/api/slice", Slice, sliced),
        _route("/api/value", Value, given),
        _route("/api/save", Save, saved),
        _route("/api/open", Asked, opened_file),
        _route("/api/schema", Asked, schema),
        _route("/api/connect", Connect, connect),
        _route("/api/endpoint", Endpoint, endpoint),
        _route("/api/place", Place, place),
    ]


def _route(path: str, model: type[A], answer: Callable[[A], Awaitable[Any]]) -> Route:
    """`answer` at `path`: what it is asked is JSON, and so is what it gives, and what went wrong."""

    async def handle(request: Request) -> Response:
        try:
            asked = model.model_validate_json(await request.body())
        except ValidationError as error:
            return _json({"problems": [_wrong(each) for each in error.errors()]}, HTTPStatus.BAD_REQUEST)
        try:
            return _json(await answer(asked))
        except SupersededError:
            return _json({"is_superseded": True}, HTTPStatus.CONFLICT)
        except PortSyncError as error:
            status = HTTPStatus.CONFLICT if isinstance(error, ConflictError) else HTTPStatus.UNPROCESSABLE_ENTITY
            return _json({"problems": [problem_as_json(problem) for problem in error.problems]}, status)

    return Route(path, handle, methods=["POST"])


def _json(value: Any, status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _wrong(error: Any) -> dict[str, Any]:
    place = ".".join(str(part) for part in error["loc"])
    return {"code": "bad-setting", "message": f"{place or 'the request'}: {error['msg']}", "place": None, "hint": None}
