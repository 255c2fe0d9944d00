"""The addresses of the studio: each takes JSON and gives JSON."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import ValidationError
from starlette.responses import Response
from starlette.routing import Route

from portsync.errors import PortSyncError
from portsync.mapping.schema import editor_schema
from portsync.masking import Masking
from portsync.report import problem_as_json
from portsync.studio.asked import Asked, Connect, Endpoint, Place, Proposed, Save, Slice, Text, Value, WriteFiles
from portsync.studio.bundle import packed, taken, taken_files
from portsync.studio.drafting import drafts, proposals
from portsync.studio.files import ConflictError
from portsync.studio.finding import found_out
from portsync.studio.newest import SupersededError
from portsync.studio.saving import opened, save, write_files
from portsync.studio.tree import Slicer
from portsync.studio.view import LONGEST_TEXT
from portsync.studio.work import ask_source, look
from portsync.studio.writing import connected, endpoint_at, placed, proposed, with_endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from portsync.studio.session import Session
    from portsync.studio.trial import Trial

A = TypeVar("A", bound=Asked)


def routes(session: Session, trial: Trial) -> Sequence[BaseRoute]:
    """What the page asks for."""
    looks, writes, takes = Looks(session), Writes(), Takes(session, trial)
    return [
        _route("/api/look", Text, looks.look),
        _route("/api/ask", Text, looks.ask),
        _route("/api/stop", Asked, looks.stop),
        _route("/api/slice", Slice, looks.slice),
        _route("/api/value", Value, looks.value),
        _route("/api/schema", Asked, looks.schema),
        _route("/api/proposals", Text, looks.proposals),
        _route("/api/find-out", Text, looks.find_out),
        _route("/api/drafts", Text, looks.drafts),
        _route("/api/connect", Connect, writes.connect),
        _route("/api/endpoint", Endpoint, writes.endpoint),
        _route("/api/endpoint-of", Text, writes.endpoint_of),
        _route("/api/place", Place, writes.place),
        _route("/api/proposed", Proposed, writes.proposed),
        _route("/api/open", Asked, takes.open),
        _route("/api/save", Save, takes.save),
        _route("/api/taken", Text, takes.taken),
        _route("/api/archive", Text, takes.archive),
        _route("/api/write", WriteFiles, takes.write),
        _route("/api/try", Text, takes.begin),
        _route("/api/try-state", Asked, takes.state),
        _route("/api/try-end", Asked, takes.end),
    ]


class Looks:
    """What is seen of the text in the editor and of the source."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def look(self, asked: Text) -> Any:
        return await self._session.looking.run(look(self._session, asked))

    async def ask(self, asked: Text) -> Any:
        await self._session.asking.run(ask_source(self._session, asked))
        return await self.look(asked)

    async def stop(self, _asked: Asked) -> Any:
        self._session.asking.give_up()
        return {}

    async def slice(self, asked: Slice) -> Any:
        seen = self._session.seen
        if asked.name not in seen:
            return {"node": None}
        slicer = Slicer(Masking(self._session.redactor, LONGEST_TEXT))
        return {"node": slicer.slice(seen[asked.name], asked.keys, asked.first)}

    async def value(self, asked: Value) -> Any:
        self._session.give(asked.name, asked.value)
        return {}

    async def schema(self, _asked: Asked) -> Any:
        return editor_schema()

    async def proposals(self, asked: Text) -> Any:
        return await self._session.drafting.run(proposals(self._session, asked))

    async def find_out(self, asked: Text) -> Any:
        return await self._session.asking.run(found_out(self._session, asked))

    async def drafts(self, asked: Text) -> Any:
        return {"blueprints": await self._session.drafting.run(drafts(self._session, asked))}


class Writes:
    """What a click writes into the text."""

    async def connect(self, asked: Connect) -> Any:
        return {"text": connected(asked)}

    async def endpoint(self, asked: Endpoint) -> Any:
        text, index = with_endpoint(asked)
        return {"text": text, "index": index}

    async def endpoint_of(self, asked: Text) -> Any:
        return endpoint_at(asked.text, asked.index)

    async def place(self, asked: Place) -> Any:
        return {"text": placed(asked)}

    async def proposed(self, asked: Proposed) -> Any:
        return {"text": proposed(asked)}


class Takes:
    """Files, commands, and the local Port."""

    def __init__(self, session: Session, trial: Trial) -> None:
        self._session = session
        self._trial = trial

    async def open(self, _asked: Asked) -> Any:
        return opened(self._session)

    async def save(self, asked: Save) -> Any:
        return save(self._session, asked)

    async def taken(self, asked: Text) -> Any:
        return await self._session.drafting.run(taken(self._session, asked))

    async def archive(self, asked: Text) -> Any:
        files = await taken_files(self._session, asked)
        return {"zip": base64.b64encode(packed(files)).decode()}

    async def write(self, asked: WriteFiles) -> Any:
        files = await taken_files(self._session, asked.of)
        return write_files(self._session, files, over=asked.over)

    async def begin(self, asked: Text) -> Any:
        return await self._trial.begin(asked)

    async def state(self, _asked: Asked) -> Any:
        return self._trial.state()

    async def end(self, _asked: Asked) -> Any:
        return self._trial.end()


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
            # Nothing went wrong: the page has asked for something newer.
            return _json({"is_superseded": True})
        except PortSyncError as error:
            status = HTTPStatus.CONFLICT if isinstance(error, ConflictError) else HTTPStatus.UNPROCESSABLE_ENTITY
            return _json({"problems": [problem_as_json(problem) for problem in error.problems]}, status)

    return Route(path, handle, methods=["POST"])


def _json(value: Any, status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _wrong(error: Any) -> dict[str, Any]:
    place = ".".join(str(part) for part in error["loc"])
    return {"code": "bad-setting", "message": f"{place or 'the request'}: {error['msg']}", "place": None, "hint": None}
