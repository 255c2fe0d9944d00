"""Credentials that have to be fetched, and fetched again: one call at a time, before they end, and after a 401."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import httpx

from portsync.auth.answers import shown
from portsync.errors import AuthError, Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

_TAKEN_ALONG = ("user-agent", "accept-encoding")
"""Headers of a request that its token call has too: they say what the client is, and nothing of what is asked."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a token call brought."""

    put_into: Callable[[httpx.Request], httpx.Request]
    """Gives the request with them; may be asked for the same request twice."""
    fresh_until: float
    """Epoch seconds; infinite where nothing but a 401 says that they ended."""


class TokenCall(Protocol):
    """How credentials are fetched."""

    def request(self) -> httpx.Request:
        """The request that asks for them. Raises AuthError."""
        ...

    def read(self, answer: httpx.Response) -> Credentials:
        """What is in its answer. Raises AuthError."""
        ...


class FetchedAuth(httpx.Auth):
    """Signs requests with credentials that are fetched when the first request needs them.

    However many requests wait for them, one call is made. A call that fails fails all that wait for it, and the next
    request tries again. A 401 is answered once, with new credentials; a second one is the caller's.
    """

    def __init__(self, call: TokenCall, clock: Callable[[], float]) -> None:
        self._call = call
        self._clock = clock
        self._held: Credentials | None = None
        self._calling = asyncio.Lock()
        self._calls = 0
        """How many calls have come to an end, good or bad."""
        self._failure: AuthError | None = None
        """What the last of them came to."""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        refused: Credentials | None = None
        for _ in range(2):
            calls = self._calls
            async with self._calling:
                if self._failure is not None and self._calls != calls:
                    raise self._failure  # it befell the call that this request waited for
                held = self._held
                # Where somebody else has renewed what was refused here, that will do.
                if held is None or held is refused or self._clock() >= held.fresh_until:
                    self._failure = None
                    try:
                        call = _beside(self._call.request(), request)
                        try:
                            answer = yield call
                        except httpx.RequestError as error:
                            raise _unanswered(call, error) from error
                        self._held = held = self._call.read(answer)
                    except AuthError as error:
                        self._failure = error
                        raise
                    finally:
                        self._calls += 1
            answer = yield held.put_into(request)
            if answer.status_code != HTTPStatus.UNAUTHORIZED:
                return
            refused = held


def fresh_until(now: float, life: float, leeway: float) -> float:
    """Until when credentials are used that end `life` seconds from now: `leeway` seconds less, so that no request is
    under way when they do. Short-lived ones are used for half their life: they would be fetched for every request."""
    return now + max(life - leeway, life / 2)


def _beside(call: httpx.Request, request: httpx.Request) -> httpx.Request:
    """A token call with the time-outs of the request that it is made for."""
    for name in _TAKEN_ALONG:
        if name in request.headers:
            call.headers.setdefault(name, request.headers[name])
    call.extensions = dict(request.extensions)
    return call


def _unanswered(call: httpx.Request, error: httpx.RequestError) -> AuthError:
    said, reason, may_pass = str(error) or type(error).__name__, "connection", True
    match error:
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            # The library's message holds the header's value, which may be a secret.
            said, reason, may_pass = "it cannot be sent; look for line breaks in URL and headers", "auth", False
        case httpx.ConnectError() | httpx.ConnectTimeout():
            reason = "unreachable"
        case httpx.TimeoutException():
            reason = "timeout"
        case _:
            pass
    message = f"{shown(call)} cannot be asked for a token: {said}"
    hint = "check the address in `source.auth`, and the network"
    problem = Problem("no-token", message, f"{call.method} {shown(call)}", hint)
    return AuthError(problem, reason=reason, may_pass=may_pass)
