"""Answers of a source on disk: a folder with a file for each, so that a mapping can be looked at and tested without a
network. Secrets are masked."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson
from pydantic import Field, ValidationError

from portsync.authoring.asked import Asked, seen
from portsync.authoring.keeper import Kept
from portsync.errors import CassetteError, Problem
from portsync.mapping.section import Section
from portsync.masking import MASK, Masking, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from portsync.flow import Json
    from portsync.logs import Redactor
    from portsync.transport.exchange import Exchange

_INDEX = "cassette.json"
_LONGEST_NAME = 60
_KEPT_HEADERS = frozenset({"content-type", "link", "retry-after"})
"""All that reading looks at: what is not kept can give nothing away."""


class _Index(Section):
    version: Literal[1] = 1
    now: datetime
    base_url: str


class _Request(Section):
    method: str
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None


class _Response(Section):
    status: int
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    text: str | None = None
    base64: str | None = None


class _File(Section):
    request: _Request
    response: _Response


@dataclass(frozen=True, slots=True)
class Cassette:
    """The answers in a folder."""

    now: datetime
    """The instant at which they were asked for: expressions see it again."""
    base_url: str
    answers: tuple[Kept, ...]


def save(folder: Path, exchanges: Sequence[Exchange], now: float, base_url: str, redactor: Redactor) -> None:
    """Write the exchanges into `folder`, in place of what was saved there before. `now` is in epoch seconds. Raises
    CassetteError where the folder holds anything else, or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = sorted(folder.iterdir())
        if before and not (folder / _INDEX).exists():
            message = "the folder is not empty, and holds no answers that were saved before"
            raise CassetteError(Problem("cassette", message, str(folder), "name another folder"))
        for file in before:
            if file.name == _INDEX or re.fullmatch(r"\d{3,}-[\w.-]+\.json", file.name):
                file.unlink()
        moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        index = {"version": 1, "now": moment, "base_url": redactor.clean(base_url)}
        _write(folder / _INDEX, index)
        for number, exchange in enumerate(exchanges, start=1):
            _write(folder / _name_of(number, exchange), _as_json(exchange, redactor))
    except OSError as error:
        raise CassetteError(Problem("cassette", f"cannot be written: {error.strerror}", str(folder))) from error


def _write(path: Path, value: Json) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _name_of(number: int, exchange: Exchange) -> str:
    path = exchange.url.partition("?")[0].partition("://")[2].partition("/")[2]
    name = re.sub(r"[^a-z0-9]+", "-", f"{exchange.method} {path}".lower()).strip("-")
    return f"{number:03}-{name[:_LONGEST_NAME].strip('-')}.json"


def _as_json(exchange: Exchange, redactor: Redactor) -> Json:
    masking = Masking(redactor)

    def headers(given: Mapping[str, str]) -> dict[str, str]:
        return {name: MASK if is_secret_name(name) else redactor.clean(value) for name, value in given.items()}

    request: dict[str, Json] = {"method": exchange.method, "url": redactor.clean(exchange.url)}
    request["headers"] = headers(exchange.headers)
    if exchange.content:
        # What is no JSON is compared as the text that it is.
        request["body"] = next(iter(_body_of(exchange.content, masking).values()))
    kept = {name: value for name, value in exchange.answer_headers.items() if name in _KEPT_HEADERS}
    response = {"status": exchange.status, "headers": headers(kept), **_body_of(exchange.answer, masking)}
    return {"request": request, "response": response}


def _body_of(content: bytes, masking: Masking) -> dict[str, Json]:
    """The body as JSON where it is some, else as text, else as base64."""
    try:
        # Python's own reader keeps integers of any length.
        return {"body": masking.of(json.loads(content))}
    except (ValueError, RecursionError):
        pass
    try:
        return {"text": masking.redactor.clean(content.decode())}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def read(folder: Path) -> Cassette:
    """The cassette in `folder`. Raises CassetteError."""
    try:
        index = _Index.model_validate(_parsed(folder / _INDEX))
        files = sorted(file for file in folder.glob("*.json") if file.name != _INDEX)
        answers = tuple(_kept(_File.model_validate(_parsed(file)), index.base_url) for file in files)
    except FileNotFoundError as error:
        hint = "save answers with `portsync preview MAPPING --save DIR`"
        raise CassetteError(Problem("cassette", "there are no saved answers here", str(folder), hint)) from error
    except (OSError, ValueError, ValidationError) as error:
        message = f"the saved answers cannot be read: {str(error).splitlines()[0]}"
        raise CassetteError(Problem("cassette", message, str(folder), "save them again")) from error
    return Cassette(now=index.now, base_url=index.base_url, answers=answers)


def _parsed(file: Path) -> Json:
    return json.loads(file.read_bytes())


def _kept(file: _File, base_url: str) -> Kept:
    request, response = file.request, file.response
    content = None if request.body is None else orjson.dumps(request.body)
    asked = seen(request.method, request.url, {}, content, base_url)
    query: dict[str, list[str]] = {}
    for name, value in asked.query:
        query.setdefault(name, []).append(value)
    wanted = Asked(method=asked.method, path=asked.path, query=query, body=asked.body)
    if response.base64 is not None:
        body = base64.b64decode(response.base64)
    elif response.text is not None:
        body = response.text.encode()
    else:
        body = json.dumps(response.body, ensure_ascii=False).encode()
    return Kept(wanted, response.status, tuple(response.headers.items()), body)
