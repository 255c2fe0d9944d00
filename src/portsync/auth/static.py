"""Credentials that stay the same for a whole run: none, bearer, basic, api_key."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import httpx
from pydantic import SecretStr, model_validator
from pydantic_core import PydanticCustomError

from portsync.auth.base import Auth, AuthTools
from portsync.auth.headers import HeaderName
from portsync.auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Generator


class NoAuth(Auth):
    """No credentials."""

    type: Literal["none"] = "none"
    """Which way of signing requests this is."""

    def build(self, _tools: AuthTools) -> None:
        return None


class BearerAuth(Auth):
    """`Authorization: Bearer <token>`."""

    type: Literal["bearer", "bearer_token"]
    """Which way of signing requests this is."""
    token: Secret
    """The token; write `${NAME}` to take it from the environment."""

    def build(self, _tools: AuthTools) -> httpx.Auth:
        return HeaderAuth("Authorization", f"Bearer {self.token.get_secret_value()}")

    def secrets(self) -> tuple[str, ...]:
        return (self.token.get_secret_value(),)


class BasicAuth(Auth):
    """HTTP basic authentication (RFC 7617). An empty password is allowed: many APIs take a key as user name."""

    type: Literal["basic", "basic_auth"]
    """Which way of signing requests this is."""
    username: str
    """The user's name."""
    password: SecretStr = SecretStr("")
    """The password; write `${NAME}`."""

    def build(self, _tools: AuthTools) -> httpx.Auth:
        return httpx.BasicAuth(self.username, self.password.get_secret_value())

    def secrets(self) -> tuple[str, ...]:
        password = self.password.get_secret_value()
        pair = base64.b64encode(f"{self.username}:{password}".encode()).decode()
        return (password, pair) if password else (self.username, pair)


class ApiKeyAuth(Auth):
    """A key in a header, or in the query."""

    type: Literal["api_key"]
    """Which way of signing requests this is."""
    key: Secret
    """The key; write `${NAME}` to take it from the environment."""
    header: HeaderName | None = None
    """The header that carries it; X-API-Key where neither `header` nor `query` is given."""
    query: str | None = None
    """The query parameter that carries it, in place of a header."""

    @model_validator(mode="after")
    def one_place(self) -> ApiKeyAuth:
        if self.header is not None and self.query is not None:
            raise PydanticCustomError("api_key", "give `header` or `query`, not both")
        return self

    def build(self, _tools: AuthTools) -> httpx.Auth:
        key = self.key.get_secret_value()
        if self.query is not None:
            return QueryAuth(self.query, key)
        return HeaderAuth(self.header or "X-API-Key", key)

    def secrets(self) -> tuple[str, ...]:
        return (self.key.get_secret_value(),)


class HeaderAuth(httpx.Auth):
    """Sets one header on every request."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._name] = self._value
        yield request


class QueryAuth(httpx.Auth):
    """Sets one query parameter of every request. The rest of the query stays byte for byte: a link is the source's."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        name = quote(self._name, safe="").encode()
        others = [part for part in request.url.query.split(b"&") if part and part.partition(b"=")[0] != name]
        own = name + b"=" + quote(self._value, safe="").encode()
        request.url = request.url.copy_with(query=b"&".join([*others, own]))
        yield request
