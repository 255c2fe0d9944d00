"""The one way by which requests go out, to the source and to Port alike."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self
from urllib.request import getproxies

import httpx
import orjson

from portsync.errors import AuthError, Problem, SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.retry import RETRIED_STATUSES, RetryPolicy, TryAgainError, asked_wait, retrying
from portsync.transport.tls import ssl_context

if TYPE_CHECKING:
    from types import TracebackType


LARGEST_ANSWER = 256 * 2**20
"""Bytes, after decompression."""

_CERTIFICATE_HINT = "check the certificate: `source.tls.ca` names an authority, `verify_tls: false` trusts any"
_OWN_CERTIFICATE_HINT = "a server that asks for a certificate of ours gets the one of `source.tls.cert`"
_DEEPEST_CAUSE = 10
"""Chains of causes can be circles."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `total` is for one whole attempt, so that an answer which drips in for ever ends too."""

    connect: float = 30.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 30.0
    total: float = 300.0


class Client:
    """Sends requests to one peer, with its credentials, time-outs and retries."""

    def __init__(
        self,
        *,
        policy: RetryPolicy,
        timeouts: Timeouts,
        user_agent: str,
        auth: httpx.Auth | None = None,
        tls: ssl.SSLContext | None = None,
        use_proxies: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
        largest_answer: int = LARGEST_ANSWER,
    ) -> None:
        """`largest_answer` is in bytes, after decompression. Without `tls` the usual authorities are trusted."""
        self._policy = policy
        self._timeouts = timeouts
        self._largest_answer = largest_answer
        self._headers = [
            (b"user-agent", user_agent.encode()),
            (b"accept", b"application/json"),
            (b"accept-encoding", b"gzip, deflate"),
        ]
        self._auth = auth
        self._is_down = False
        self.attempts = 0
        """How many have come to their end, well or not."""
        self._given = transport
        self._tls = tls or ssl_context()
        self._idle: list[httpx.AsyncBaseTransport] = []
        self._started: list[httpx.AsyncBaseTransport] = []
        self._proxied = None
        if transport is None and use_proxies and getproxies():
            self._proxied = httpx.AsyncClient(verify=self._tls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for transport in self._started:
            await transport.aclose()
        if self._proxied is not None:
            await self._proxied.aclose()

    async def send(self, request: RequestSpec, content: bytes | None = None) -> Answer:
        """The answer to `request`, whatever its status, after as many attempts as the policy allows.

        `content` is a ready JSON body in place of `request.body`. Raises SendError where no answer came.
        """
        waits: list[float] = []
        requests = 0
        last: Answer | SendError | None = None
        try:
            # A peer that could not be reached a moment ago, with all attempts, gets one: five resources of a dead
            # source shall not take five times as long to say so.
            policy = replace(self._policy, attempts=1) if self._is_down else self._policy
            async for attempt in retrying(policy, waits.append):
                with attempt:
                    requests += 1
                    last = await self._once(request, content, requests, waits)
                    self.attempts += 1
                    self._try_again_after(last)
        except TryAgainError:
            pass  # `last` says what the last attempt came to
        assert last is not None
        # A request that can never be sent says nothing about the peer.
        self._is_down = isinstance(last, SendError) and last.reason == "unreachable" and last.may_pass
        if isinstance(last, SendError):
            raise last
        return last

    def _try_again_after(self, last: Answer | SendError) -> None:
        """Raise TryAgainError where another attempt may do better."""
        if isinstance(last, SendError):
            if last.may_pass:
                raise TryAgainError(last.asked_s)
        elif last.status in RETRIED_STATUSES:
            raise TryAgainError(asked_wait(last.headers, self._policy.clock()))

    async def _once(
        self, request: RequestSpec, content: bytes | None, requests: int, waits: list[float]
    ) -> Answer | SendError:
        place = str(request)
        may_pass, asked_s = True, None
        try:
            async with asyncio.timeout(self._timeouts.total):
                status, answered, body = await self._exchange(self._built(request, content))
            return Answer(status, answered, body, requests, sum(waits))
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
            reason = "timeout"
            message = f"no answer within {self._timeouts.read:g} s"
            if isinstance(error, TimeoutError):
                message = f"no whole answer within {self._timeouts.total:g} s"
            problem = Problem("timeout", message, place, "raise `timeout`, or ask for smaller pages")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            reason = "unreachable"
            message = f"no connection: {str(error) or 'refused'}"
            if isinstance(error, httpx.ConnectTimeout):
                message = f"no connection within {self._timeouts.connect:g} s"
            is_tls = _is_tls(error)
            hint = _CERTIFICATE_HINT if is_tls else "check host, port and network"
            problem = Problem("unreachable", message, place, hint)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            reason, may_pass = "unreachable", False
            problem = Problem("unreachable", f"cannot be requested: {error}", place, "check the URL")
        except httpx.LocalProtocolError:
            reason, may_pass = "unreachable", False
            # The library's message holds the value, which may be a secret.
            message = "a header has a value that HTTP does not allow"
            problem = Problem("unreachable", message, place, "look for line breaks in headers and tokens")
        except AuthError as error:
            reason, may_pass, problem = error.reason, error.may_pass, error.problems[0]
            asked_s = asked_wait(error.headers, self._policy.clock())
        except TooLargeError:
            reason, may_pass = "too-large", False
            message = f"the answer has more than {self._largest_answer // 2**20} MiB"
            problem = Problem("answer-too-large", message, place, "ask for smaller pages")
        except (httpx.TransportError, httpx.DecodingError) as error:
            reason = "connection"
            message = f"the connection broke: {str(error) or type(error).__name__}"
            hint = _OWN_CERTIFICATE_HINT if _is_tls(error) else "run it again; what was read before is kept"
            problem = Problem("broken-connection", message, place, hint)
        return SendError(
            problem, reason=reason, requests=requests, waited_s=sum(waits), may_pass=may_pass, asked_s=asked_s
        )

    def _built(self, request: RequestSpec, content: bytes | None) -> httpx.Request:
        body = content if content is not None else None if request.body is None else orjson.dumps(request.body)
        # As bytes: HTTP allows them beyond ASCII, and UTF-8 is what servers expect there.
        headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
        if body is not None:
            headers.append((b"content-type", b"application/json"))
        # The first of each name counts: the request's own come before what is the same for all.
        given = dict(reversed([*headers, *self._headers]))
        url = _with_params(httpx.URL(request.url), request.params)
        limits = self._timeouts
        timeout = {"connect": limits.connect, "read": limits.read, "write": limits.write, "pool": limits.pool}
        return httpx.Request(
            request.method, url, headers=list(given.items()), content=body, extensions={"timeout": timeout}
        )

    async def _exchange(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body of the answer. Steps through the authentication's own exchange, where it has one.

        Straight to httpx's transport: its client spends a third of the time of a small request on what is not used
        here. Redirects are not followed: one may lead to another origin, where the credentials have no business.
        """
        if self._auth is None:
            return await self._answer(request)
        flow = self._auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                try:
                    status, headers, body = await self._answer(request)
                except httpx.RequestError as error:
                    # It may have been a token's request, for which others wait.
                    await flow.athrow(error)
                    raise
                try:
                    request = await flow.asend(httpx.Response(status, headers=headers, content=body, request=request))
                except StopAsyncIteration:
                    return status, headers, body
        finally:
            await flow.aclose()

    async def _answer(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        try:
            response, body = await self._sent(request)
        except ssl.SSLError as error:
            # A TLS alert after the handshake comes through bare: httpx does not translate it.
            raise httpx.ReadError(str(error)) from error
        headers = response.headers
        if "content-encoding" in headers:
            # The body is decompressed; who reads it with its headers must not do it again.
            headers = httpx.Headers([pair for pair in headers.raw if pair[0].lower() not in _OF_THE_WIRE])
        return response.status_code, headers, body

    async def _sent(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        if self._proxied is not None:
            response = await self._proxied.send(request, stream=True)
            return response, await self._read(response)
        transport = self._idle.pop() if self._idle else self._new_transport()
        try:
            response = await transport.handle_async_request(request)
            return response, await self._read(response)
        finally:
            self._idle.append(transport)

    def _new_transport(self) -> httpx.AsyncBaseTransport:
        """A transport of one connection. One with many looks after all of them at every request, which costs more than
        the request; how many there are is up to the caller, who has so many requests under way at most."""
        transport = self._given or httpx.AsyncHTTPTransport(verify=self._tls, limits=_ONE_CONNECTION)
        self._started.append(transport)
        return transport

    async def _read(self, response: httpx.Response) -> bytes:
        """The body, decompressed. Raises TooLargeError as soon as it is too large: a small answer can unpack to
        gigabytes."""
        parts: list[bytes] = []
        size = 0
        try:
            async for part in response.aiter_bytes():
                size += len(part)
                if size > self._largest_answer:
                    raise TooLargeError
                parts.append(part)
        finally:
            await response.aclose()
        return b"".join(parts)


_OF_THE_WIRE = (b"content-encoding", b"content-length", b"transfer-encoding")
_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class TooLargeError(Exception):
    """This means that an answer has more bytes than anybody can have meant."""


def _with_params(url: httpx.URL, params: tuple[tuple[str, str], ...]) -> httpx.URL:
    """`url` with `params`, which replace parameters of the same name in its own query."""
    if not params:
        return url
    names = {name for name, _ in params}
    kept = [pair for pair in url.params.multi_items() if pair[0] not in names]
    return url.copy_with(params=[*kept, *params])


def _is_tls(error: httpx.RequestError) -> bool:
    cause: BaseException | None = error
    for _ in range(_DEEPEST_CAUSE):
        if cause is None or isinstance(cause, ssl.SSLError):
            return cause is not None
        cause = cause.__cause__ or cause.__context__
    return False
