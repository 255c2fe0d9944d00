"""A source and a Port that repeat what they were told, in every form, wherever an answer has room for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from tests.secrets.planted import spoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from tests.conftest import Asked
    from tests.secrets.planted import Planted

LOGIN = {"access_token": "", "expires_in": 3600, "token_type": "Bearer", "session": {"id": ""}}


def said_in(asked: Asked) -> list[str]:
    """Every value of a request in which a credential can be."""
    values = [value for name, value in asked.headers.items() if name.startswith(("x-", "authorization"))]
    values += [value.removeprefix("Bearer ").removeprefix("Basic ") for value in values]
    values += [value for _, value in asked.query]
    return values + list(_leaves(asked.body))


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value] if isinstance(value, str) else []


class EchoingSource:
    """Answers in one of MANNERS; logins get the planted tokens, unless the manner is that of a login."""

    def __init__(self, planted: Planted, manner: str) -> None:
        self._manner = manner
        self._token = planted.plant("what the login answers", plain=True)
        self._session = planted.plant("what else the login answers", plain=True)

    def __call__(self, asked: Asked) -> Any:
        said = said_in(asked)
        echo = " | ".join(map(spoken, said))
        if asked.path == "/login" and self._manner != "login":
            return {**LOGIN, "access_token": self._token, "session": {"id": self._session}}
        return {"name": "acme"} if asked.path == "/org" else _MANNERS[self._manner](said, echo)


def _records(said: list[str], echo: str) -> Any:
    records = [{"id": f"r{n}", "size": text, "password": text, "note": text} for n, text in enumerate(said)]
    return {"data": [*records, {"id": None, "note": echo}, {"id": {"a": echo}, "size": 1}]}


def _refusal(_said: list[str], echo: str) -> Any:
    headers = {"x-echo": quote(echo)[:4000], "www-authenticate": f'Bearer error="{quote(echo)[:2000]}"'}
    return Response(json.dumps({"error": {"message": echo}}), 403, headers)


def _page(_said: list[str], echo: str) -> Any:
    return Response(f"<html><body>You said {echo[:3000]}</body></html>", media_type="text/html")


def _broken(_said: list[str], echo: str) -> Any:
    return Response('{"data": [{"id": ' + json.dumps(echo) + " ?", media_type="application/json")


def _server(said: list[str], _echo: str) -> Any:
    return Response("\n".join(f"x {text}" for text in said) or "x", 500)


def _foreign(_said: list[str], echo: str) -> Any:
    return Response(status_code=307, headers={"location": f"https://elsewhere.example/{quote(echo)}"})


def _userinfo(said: list[str], _echo: str) -> Any:
    target = f"http://{quote(said[0], safe='')}:x@127.0.0.1:1/{quote(said[-1], safe='')}"
    return Response(status_code=302, headers={"location": target})


def _circle(said: list[str], _echo: str) -> Any:
    return Response(status_code=307, headers={"location": f"/things?echo={quote(said[0], safe='')}"})


def _links(said: list[str], _echo: str) -> Any:
    return {"data": [{"id": "a"}], "next": f"/things?after={quote(said[0], safe='')}&x={quote(said[-1])}"}


def _late(_said: list[str], echo: str) -> Any:
    return Response(echo, 429, {"retry-after": "86400"})


_MANNERS: dict[str, Callable[[list[str], str], Any]] = {
    "records": _records,
    "refusal": _refusal,
    "login": _refusal,
    "page": _page,
    "broken": _broken,
    "server": _server,
    "foreign": _foreign,
    "userinfo": _userinfo,
    "circle": _circle,
    "links": _links,
    "late": _late,
}
MANNERS = list(_MANNERS)


class EchoingPort:
    """A local Port whose refusals repeat everything that came with the request, token and secret included."""

    def __init__(self, inner: ASGIApp, planted: Planted, *refusing: str, status: int = 422) -> None:
        """Paths that hold one of `refusing` are refused."""
        self.inner = inner
        self._planted = planted
        self._refusing = refusing
        self._status = status
        self._secret = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        if request.url.path.endswith("/auth/access_token"):
            self._secret = json.loads(body).get("clientSecret", "")
        if token := request.headers.get("authorization", "").removeprefix("Bearer "):
            self._planted.came_up("token of Port", token[-30:])
        if any(path in request.url.path for path in self._refusing):
            said = (token, self._secret, *map(spoken, (self._secret, token, str(request.url))))
            echo = " ".join((*said, body.decode(errors="replace")))
            answer = Response(json.dumps({"ok": False, "error": "invalid_request", "message": echo}), self._status)
            await answer(scope, receive, send)
            return

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.inner(scope, again, send)
