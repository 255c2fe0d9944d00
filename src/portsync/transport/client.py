"""The one way by which requests go out, to the source and to Port alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

import httpx

from portsync.errors import AuthError, Problem, SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.connections import Connections, TooLargeError
from portsync.transport.exchange import Exchange
from portsync.transport.limiter import AnyGate, Budget, ClosedError, Gate
from portsync.transport.moments import back_at
from portsync.transport.outgoing import Outgoing, RefusedError, outgoing
from portsync.transport.peers import Peers
from portsync.transport.redirects import REDIRECTS, admitted, origin_of_url, origins_of, redirected, step_of
from portsync.transport.retry import (
    RETRIED_STATUSES,
    RetryPolicy,
    Tally,
    TryAgainError,
    is_for_all,
    retry_after,
    retrying,
)
from portsync.transport.tls import ssl_context
from portsync.transport.trouble import Timeouts, trouble_of
from portsync.urls import Origins

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType


LARGEST_ANSWER = 256 * 2**20
"""Bytes, after decompression."""


class Client:
    """Sends requests to one peer, with its credentials, limits, time-outs and retries."""

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
        origin: str | None = None,
        allow_origins: Iterable[str] = (),
        concurrency: int | None = None,
        budget: Budget | None = None,
        has_one_quota: bool = True,
        secrets: Iterable[str] = (),
        taken: Callable[[Exchange], None] | None = None,
        gate_of: Callable[[str], AnyGate] | None = None,
    ) -> None:
        """`largest_answer` is in bytes, after decompression. Without `tls` the usual authorities are trusted.

        Requests go to `origin` and to `allow_origins`, credentials to `origin` alone; where it is None, each request's
        own origin stands for it, so that only redirects are refused. `concurrency` and `budget` are for each origin.
        Where `has_one_quota` is false, what an answer says of limits holds for its credentials alone, who see to it.
        No address of another origin may hold one of `secrets`: a link can carry them there as well as a header.
        `taken` is told of every request, redirected ones too, with its answer. `gate_of` gives the gate of an origin,
        where others ask it too; it has the limits then.
        """
        self._policy = policy
        self._timeouts = timeouts
        self._largest_answer = largest_answer
        self._headers = [
            (b"user-agent", user_agent.encode()),
            (b"accept", b"application/json"),
            (b"accept-encoding", b"gzip, deflate"),
        ]
        self.auth = auth
        self._origins = None if origin is None else origins_of(origin, allow_origins)
        self._has_one_quota = has_one_quota
        self._secrets = frozenset(secrets)
        self._taken = taken
        own = partial(Gate, policy, concurrency, budget)
        self._peers = Peers(policy, gate_of or (lambda _origin: own()), has_one_quota=has_one_quota)
        self.attempts = 0
        """How many have come to their end, well or not."""
        if tls is None and transport is None:
            # A transport that is given has its own; it takes 75 ms to build.
            tls = ssl_context()
        self._connections = Connections(
            tls, use_proxies=use_proxies, transport=transport, largest_answer=largest_answer
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._connections.aclose()

    async def send(self, request: RequestSpec, content: bytes | None = None) -> Answer:
        """The answer to `request`, whatever its status, after as many attempts as the policy allows; redirects are
        followed.

        `content` is a body that is written already, in place of `request.body`. Raises SendError where no answer came,
        and where the request, or a redirect, leads to where nothing may be sent.
        """
        spent = Tally()
        place = str(request)
        try:
            first = outgoing(request, content)
            origins = self._origins or Origins(origin_of_url(first.url))
            first = admitted(first, origins, place, is_link=request.is_link)
        except RefusedError as error:
            raise spent.error(error.problem, error.reason, may_pass=False) from error
        peer = self._peers.of(first.url)
        met_before = peer.met
        retried = RETRIED_STATUSES if request.retried is None else request.retried
        # A peer that could not be reached a moment ago, with all attempts, gets one: five resources of a dead source
        # shall not take five times as long to say so.
        policy = replace(self._policy, attempts=1) if peer.is_down else self._policy
        last = await self._once(first, origins, place, retried, spent)
        if not isinstance(last, Answer) or last.status in retried:
            try:
                async for attempt in retrying(policy, spent.wait):
                    with attempt:
                        if spent.attempt < attempt.retry_state.attempt_number:
                            last = await self._once(first, origins, place, retried, spent)
                        self._try_again_after(last, retried)
            except TryAgainError:
                pass  # `last` says what the last attempt came to
        if isinstance(last, Answer):
            return last
        if last.reason in ("timeout", "connection"):
            peer.is_met()
        elif last.reason == "unreachable" and last.may_pass:  # one that can never be sent says nothing of the peer
            peer.is_missed(met_before)
        raise last

    async def answer_once(self, call: httpx.Request) -> httpx.Response:
        """The answer to a request that is ready to be sent, such as a token's, after one attempt. Raises ClosedError,
        TimeoutError, TooLargeError and what httpx raises."""
        call.extensions = {"timeout": self._timeouts.each()}
        status, headers, body = await self._answer(call, Tally())
        return httpx.Response(status, headers=headers, content=body, request=call)

    async def pause(self, attempt: int) -> None:
        """Wait as long as the policy says after so many attempts in vain: for those who try again by themselves, what
        was refused within an answer."""
        await self._policy.sleep(self._policy.back_off(attempt))

    def _try_again_after(self, last: Answer | SendError, retried: frozenset[int]) -> None:
        """Raise TryAgainError where another attempt may do better."""
        if isinstance(last, SendError):
            if last.may_pass:
                raise TryAgainError(last.asked_s)
        elif last.status in retried:
            asked = retry_after(last.headers, self._policy.clock())
            # Where the gate is closed for all, the next attempt waits there.
            raise TryAgainError(0 if self._has_one_quota and is_for_all(last.status, asked) else asked)

    async def _once(
        self, request: Outgoing, origins: Origins, place: str, retried: frozenset[int], spent: Tally
    ) -> Answer | SendError:
        """What one attempt comes to."""
        spent.attempt += 1
        try:
            return await self._follow(request, origins, place, retried, spent)
        except AuthError as error:
            asked_s = retry_after(error.headers, self._policy.clock())
            if is_for_all(error.status, asked_s):
                asked_s = 0  # the next attempt waits at the gate
            return spent.error(error.problems[0], error.reason, may_pass=error.may_pass, asked_s=asked_s)
        except (TimeoutError, httpx.RequestError, httpx.InvalidURL, TooLargeError) as error:
            problem, reason, may_pass = trouble_of(error, place, self._timeouts, self._largest_answer)
            return spent.error(problem, reason, may_pass=may_pass)
        finally:
            self.attempts += 1

    async def _follow(
        self, request: Outgoing, origins: Origins, place: str, retried: frozenset[int], spent: Tally
    ) -> Answer | SendError:
        """The answer to `request`, or to what it is redirected to. Raises what httpx raises, TimeoutError and
        TooLargeError."""
        trail: list[str] = []
        while True:
            try:
                status, headers, body = await self._exchange(request, spent)
                if self._taken is not None:
                    self._taken(_exchange_of(request, status, headers, body))
                if status not in REDIRECTS or status in retried:
                    requests, waited_s, rate_limited = spent.requests, spent.waited_s, spent.rate_limited
                    return Answer(status, headers, body, requests, waited_s, str(request.url), rate_limited)
                trail.append(step_of(request))
                request = redirected(request, status, headers.get("location"), origins, trail, place)
            except RefusedError as error:
                return spent.error(error.problem, error.reason, may_pass=False)
            except ClosedError as error:
                return spent.error(self._rate_limited(error, place), "rate_limit", may_pass=False)

    async def _exchange(self, request: Outgoing, spent: Tally) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body of the answer. Steps through the authentication's own exchange, where it has one.

        Nobody stands in a gate while the authentication makes him wait: who fetches a token has to pass one too.
        """
        built = self._built(request)
        if not request.is_signed:
            self._check_secrets(request)
        if self.auth is None or not request.is_signed:
            return await self._answer(built, spent)
        # What a request is signed with shall not come to its end while the server makes it wait.
        await _counted(self._peers.of(built.url).gate.opened(), spent)
        flow = self.auth.async_auth_flow(built)
        try:
            signed = await anext(flow)
            while True:
                try:
                    status, headers, body = await self._answer(signed, spent)
                except (httpx.RequestError, ClosedError, TimeoutError) as error:
                    # It may have been a token's request, for which others wait.
                    await flow.athrow(error)
                    raise
                try:
                    signed = await flow.asend(httpx.Response(status, headers=headers, content=body, request=signed))
                except StopAsyncIteration:
                    return status, headers, body
        finally:
            await flow.aclose()

    def _built(self, request: Outgoing) -> httpx.Request:
        # The first of each name counts: the request's own come before what is the same for all.
        given = dict(reversed([*request.headers, *self._headers]))
        return httpx.Request(
            request.method,
            request.url,
            headers=list(given.items()),
            content=request.content,
            extensions={"timeout": self._timeouts.each()},
        )

    async def _answer(self, request: httpx.Request, spent: Tally) -> tuple[int, httpx.Headers, bytes]:
        """The answer to one request, through the gate of its origin. Raises ClosedError, TimeoutError where the answer
        takes too long, TooLargeError and what httpx raises."""
        peer = self._peers.of(request.url)
        await _counted(peer.gate.enter(), spent)
        spent.requests = spent.attempt
        try:
            async with asyncio.timeout(self._timeouts.total):
                status, headers, body = await self._connections.answer(request, peer.idle)
            peer.is_met()
            peer.heed(status, headers, spent)
        finally:
            peer.gate.leave()
        return status, headers, body

    def _check_secrets(self, request: Outgoing) -> None:
        """Raise RefusedError where the address of a request to another origin holds a credential of ours."""
        address = unquote(str(request.url))
        if any(secret in address for secret in self._secrets):
            origin = origin_of_url(request.url)
            message = f"an address of {origin} holds a credential of the source's own origin, and is not asked"
            hint = "credentials go to the origin of `base_url` alone"
            raise RefusedError(Problem("foreign-origin", message, f"{request.method} {origin}", hint), "origin")

    def _rate_limited(self, error: ClosedError, place: str) -> Problem:
        moment = back_at(self._policy.clock(), error.wait_s)
        message = f"the server takes no more requests until {moment}, {error.wait_s:,.0f} s from now"
        hint = f"come back then; `retry.max_wait` says that nobody waits longer than {self._policy.max_wait:g} s"
        return Problem("rate-limited", message, place, hint)


def _exchange_of(request: Outgoing, status: int, headers: httpx.Headers, body: bytes) -> Exchange:
    asked = {name.decode(): value.decode(errors="replace") for name, value in reversed(request.headers)}
    return Exchange(
        request.method,
        str(request.url),
        asked,
        request.content,
        status,
        dict(headers.items()),
        body,
        is_signed=request.is_signed,
    )


async def _counted(waiting: Awaitable[float], spent: Tally) -> None:
    """Wait at a gate, and count the seconds. Raises ClosedError."""
    try:
        spent.wait(await waiting)
    except ClosedError as error:
        spent.wait(error.waited_s)
        raise
