"""Credentials that have to be fetched, and fetched again: one call at a time, before they end, and after a 401."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import httpx

from portsync.auth.answers import shown
from portsync.errors import AuthError, Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    Elsewhere = Callable[[int], Awaitable["TokenAnswer"]]

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


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The answer to a token call, for others who sign with the same credentials."""

    number: int
    """Counts the calls: a later answer has a higher one."""
    status: int
    headers: Mapping[str, str]
    content: bytes
    age_s: float
    """Seconds since it came."""


class FetchedAuth(httpx.Auth):
    """Signs requests with credentials that are fetched when the first request needs them.

    However many requests wait for them, one call is made. A call that fails fails all that wait for it, and the next
    request tries again. A 401 is answered once, with new credentials; a second one is the caller's.
    """

    def __init__(self, call: TokenCall, clock: Callable[[], float], elsewhere: Elsewhere | None = None) -> None:
        """`elsewhere` makes the calls in our place: it is given the number of the answer that is of no use any more, 0
        where there was none."""
        self._call = call
        self._clock = clock
        self._elsewhere = elsewhere
        self._held: Credentials | None = None
        self._answer: TokenAnswer | None = None
        """What `_held` was read from, of the age 0."""
        self._came_at = 0.0
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
                        if self._elsewhere is not None:
                            held = self._taken(await self._elsewhere(self._number))
                        else:
                            call = _beside(self._call.request(), request)
                            try:
                                answer = yield call
                            except httpx.RequestError as error:
                                raise _unanswered(call, error) from error
                            held = self._read(answer)
                    except AuthError as error:
                        self._failure = error
                        raise
                    finally:
                        self._calls += 1
            answer = yield held.put_into(request)
            if answer.status_code != HTTPStatus.UNAUTHORIZED:
                return
            refused = held

    async def renewed(self, number: int, answered: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> TokenAnswer:
        """For others who sign with the same credentials: the answer of a call in place of that with this number, which
        is of no use any more. `answered` sends a request. Raises AuthError."""
        async with self._calling:
            held, answer = self._held, self._answer
            if held is None or answer is None or answer.number == number or self._clock() >= held.fresh_until:
                call = self._call.request()
                try:
                    self._read(await answered(call))
                except (httpx.RequestError, TimeoutError) as error:
                    raise _unanswered(call, error) from error
            assert self._answer is not None
            return replace(self._answer, age_s=self._clock() - self._came_at)

    @property
    def _number(self) -> int:
        return 0 if self._answer is None else self._answer.number

    def _read(self, answer: httpx.Response) -> Credentials:
        self._held = self._call.read(answer)
        self._came_at = self._clock()
        self._answer = TokenAnswer(self._number + 1, answer.status_code, dict(answer.headers), answer.content, 0.0)
        return self._held

    def _taken(self, answer: TokenAnswer) -> Credentials:
        """What is in the answer to a call that somebody else made."""
        request = self._call.request()
        held = self._call.read(
            httpx.Response(answer.status, headers=answer.headers, content=answer.content, request=request)
        )
        self._held = replace(held, fresh_until=held.fresh_until - answer.age_s)
        self._answer = answer
        return self._held


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


def _unanswered(call: httpx.Request, error: httpx.RequestError | TimeoutError) -> AuthError:
    said, reason, may_pass = str(error) or type(error).__name__, "connection", True
    match error:
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            # The library's message holds the header's value, which may be a secret.
            said, reason, may_pass = "it cannot be sent; look for line breaks in URL and headers", "auth", False
        case httpx.ConnectError() | httpx.ConnectTimeout():
            reason = "unreachable"
        case httpx.TimeoutException() | TimeoutError():
            reason = "timeout"
        case _:
            pass
    message = f"{shown(call)} cannot be asked for a token: {said}"
    hint = "check the address in `source.auth`, and the network"
    problem = Problem("no-token", message, f"{call.method} {shown(call)}", hint)
    return AuthError(problem, reason=reason, may_pass=may_pass)
