"""What a login brought, put into requests: headers, query parameters, parts of the body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import httpx

from portsync.auth.headers import is_sendable
from portsync.errors import AuthError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.flow import Json

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Carried:
    """What every request carries."""

    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: Mapping[str, Json]

    def unsendable(self) -> str | None:
        """The name of the first header or parameter whose text cannot be sent."""
        for name, text in self.headers.items():
            if not is_sendable(text):
                return f"headers.{name}"
        return next((f"query_params.{name}" for name, text in self.params.items() if not text.isprintable()), None)

    def put_into(self, request: httpx.Request) -> httpx.Request:
        """A request like the given one, with all of this. Raises AuthError where its body is a JSON list or value."""
        headers = request.headers.copy()
        content = request.content
        if self.body:
            content, headers["content-type"] = self._joined(request)
            headers.pop("content-length", None)
        headers.update(self.headers)
        url = with_query(request.url, self.params)
        return httpx.Request(request.method, url, headers=headers, content=content, extensions=request.extensions)

    def _joined(self, request: httpx.Request) -> tuple[bytes, str]:
        """The request's body and ours, and the type of both; ours alone where there is none, or one that is neither
        JSON nor a form, as in Ocean."""
        said = request.headers.get("content-type", "")
        if said.startswith(FORM):
            given = parse_qsl(request.content.decode(), keep_blank_values=True)
            kept = [(name, value) for name, value in given if name not in self.body]
            return urlencode([*kept, *self.body.items()], doseq=True, errors="replace").encode(), said
        try:
            value = json.loads(request.content)
        except (ValueError, RecursionError):
            value, said = {}, "application/json"
        if not isinstance(value, dict):
            message = "what the login brought cannot be joined to a body that is no JSON object"
            hint = "make `selector.body` an object, or let `template` use headers or query parameters"
            raise AuthError(Problem("no-token", message, f"{request.method} {request.url.path}", hint))
        return json.dumps({**value, **self.body}, separators=(",", ":")).encode(), said


def with_query(url: httpx.URL, params: Mapping[str, str | list[str]]) -> httpx.URL:
    """`url` with `params`, which replace parameters of the same name in its own query."""
    if not params:
        return url
    kept = [pair for pair in url.params.multi_items() if pair[0] not in params]
    added = [(name, item) for name, value in params.items() for item in ([value] if isinstance(value, str) else value)]
    return url.copy_with(params=[*kept, *added])
