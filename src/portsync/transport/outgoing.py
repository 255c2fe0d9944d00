"""A request as it goes out: what a RequestSpec becomes before it is signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlencode

import httpx
import orjson

from portsync.errors import Problem

if TYPE_CHECKING:
    from portsync.flow import Json, RequestSpec

_CONTENT_TYPES = {
    "json": b"application/json",
    "form": b"application/x-www-form-urlencoded",
    "text": b"text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One HTTP request, less its signature."""

    method: str
    url: httpx.URL
    headers: tuple[tuple[bytes, bytes], ...]
    """Names in lower case; of two with one name the first counts."""
    content: bytes | None
    is_signed: bool = True
    """Whether the credentials go along."""


class RefusedError(Exception):
    """This means that a request must not be sent, or that an answer leads nowhere. No other attempt will do better."""

    def __init__(self, problem: Problem, reason: str) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.reason = reason


def outgoing(request: RequestSpec, content: bytes | None) -> Outgoing:
    """`request`, with `content` as its body, ready written, where that is given. Raises RefusedError where its URL is
    none, or its body cannot be written as its type wants it."""
    body = content if content is not None else _body(request)
    # As bytes: HTTP allows them beyond ASCII, and UTF-8 is what servers expect there.
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
    if body is not None:
        headers.append((b"content-type", _CONTENT_TYPES[request.body_type]))
    return Outgoing(request.method, _url(request), tuple(headers), body)


def url_of(request: RequestSpec) -> str:
    """The URL with its parameters, as it goes out before redirects and signatures; as it stands, where it is none."""
    try:
        return str(_url(request))
    except RefusedError:
        return request.url


def _url(request: RequestSpec) -> httpx.URL:
    try:
        # A link holds its parameters already, and every character of it is the source's own.
        has_params = request.params and not request.is_link
        return httpx.URL(_with_params(request.url, request.params) if has_params else request.url)
    except httpx.InvalidURL as error:
        problem = Problem("unreachable", f"cannot be requested: {error}", str(request), "check the URL")
        raise RefusedError(problem, "unreachable") from error


def _body(request: RequestSpec) -> bytes | None:
    body = request.body
    if body is None:
        return None
    match request.body_type:
        case "json":
            return orjson.dumps(body)
        case "form":
            return _form(body, str(request)).encode()
        case "text":
            if not isinstance(body, str):
                raise _unwritable(f"`body_type: text` needs a text, and `body` gave {_shown(body)}", str(request))
            return body.encode()


def _form(body: Json, place: str) -> str:
    if not isinstance(body, dict):
        raise _unwritable(f"`body_type: form` needs an object, and `body` gave {_shown(body)}", place)
    pairs: list[tuple[str, str]] = []
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            match item:
                case str():
                    pairs.append((name, item))
                case bool():
                    pairs.append((name, "true" if item else "false"))
                case int() | float():
                    pairs.append((name, str(item)))
                case _:
                    message = f"`{name}` in `body` is {_shown(item)}, which a form cannot hold"
                    raise _unwritable(message, place)
    return urlencode(pairs)


def _unwritable(message: str, place: str) -> RefusedError:
    hint = "make the expression give a text, a number or a boolean, or leave the name out"
    return RefusedError(Problem("request-value", message, place, hint), "jq")


def _shown(value: Json) -> str:
    """What kind of value it is; never the value, which may hold a secret."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return "a text"
        case _:
            return "a number"


def _with_params(url: str, params: tuple[tuple[str, str], ...]) -> str:
    """`url` with `params`, which replace parameters of the same name in its own query; the others stay as they are."""
    address, _, query = url.partition("#")[0].partition("?")
    names = {name for name, _ in params}
    kept = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in names]
    return f"{address}?{'&'.join([*kept, urlencode(params)])}"
