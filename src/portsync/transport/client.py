"""The one way by which requests go out, to the source and to Port alike."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx
import orjson

from portsync.errors import Problem, SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.retry import RETRIED_STATUSES, RetryPolicy, TryAgainError, asked_wait, retrying

if TYPE_CHECKING:
    from types import TracebackType


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
        verify_tls: bool = True,
        use_proxies: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._policy = policy
        self._timeouts = timeouts
        self._http = httpx.AsyncClient(
            auth=auth,
            verify=verify_tls,
            transport=transport,
            headers={"user-agent": user_agent, "accept": "application/json"},
            timeout=httpx.Timeout(
                connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
            ),
            # A redirect may lead to another origin, where the credentials have no business.
            follow_redirects=False,
            trust_env=use_proxies,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, request: RequestSpec, content: bytes | None = None) -> Answer:
        """The answer to `request`, whatever its status, after as many attempts as the policy allows.

        `content` is a ready JSON body in place of `request.body`. Raises SendError where no answer came.
        """
        waits: list[float] = []
        requests = 0
        last: Answer | SendError | None = None
        try:
            async for attempt in retrying(self._policy, waits.append):
                with attempt:
                    requests += 1
                    last = await self._once(request, content, requests, waits)
                    self._try_again_after(last)
        except TryAgainError:
            pass  # `last` says what the last attempt came to
        assert last is not None
        if isinstance(last, SendError):
            raise last
        return last

    def _try_again_after(self, last: Answer | SendError) -> None:
        """Raise TryAgainError where another attempt may do better."""
        if isinstance(last, SendError):
            raise TryAgainError
        if last.status in RETRIED_STATUSES:
            raise TryAgainError(asked_wait(last.headers, self._policy.clock()))

    async def _once(
        self, request: RequestSpec, content: bytes | None, requests: int, waits: list[float]
    ) -> Answer | SendError:
        def failed(code: str, reason: str, message: str, hint: str) -> SendError:
            problem = Problem(code, message, place=str(request), hint=hint)
            return SendError(problem, reason=reason, requests=requests, waited_s=sum(waits))

        body = content if content is not None else None if request.body is None else orjson.dumps(request.body)
        headers = list(request.headers)
        if body is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("content-type", "application/json"))
        try:
            url = _with_params(httpx.URL(request.url), request.params)
            async with asyncio.timeout(self._timeouts.total):
                response = await self._http.request(request.method, url, headers=headers, content=body)
        except TimeoutError:
            return failed(
                "timeout",
                "timeout",
                f"no whole answer within {self._timeouts.total:g} s",
                "raise `timeout: {total: ...}`, or ask for smaller pages",
            )
        except httpx.ConnectTimeout:
            message = f"no connection within {self._timeouts.connect:g} s"
            return failed("unreachable", "unreachable", message, "check the host, the port and the network")
        except httpx.TimeoutException:
            message = f"no answer within {self._timeouts.read:g} s"
            return failed("timeout", "timeout", message, "raise `timeout`, or ask for smaller pages")
        except httpx.ConnectError as error:
            hint = "check the host, the port and the network"
            if _is_tls(error):
                hint = "check the certificate; `verify_tls: false` trusts any"
            return failed("unreachable", "unreachable", f"no connection: {str(error) or 'refused'}", hint)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            return failed("unreachable", "unreachable", f"cannot be requested: {error}", "check the URL")
        except (httpx.TransportError, httpx.DecodingError) as error:
            message = f"the connection broke: {str(error) or type(error).__name__}"
            return failed("broken-connection", "connection", message, "run it again; what was read before is kept")
        return Answer(response.status_code, response.headers, response.content, requests, sum(waits))


def _with_params(url: httpx.URL, params: tuple[tuple[str, str], ...]) -> httpx.URL:
    """`url` with `params`, which replace parameters of the same name in its own query."""
    if not params:
        return url
    names = {name for name, _ in params}
    kept = [pair for pair in url.params.multi_items() if pair[0] not in names]
    return url.copy_with(params=[*kept, *params])


def _is_tls(error: httpx.ConnectError) -> bool:
    cause: BaseException | None = error
    for _ in range(_DEEPEST_CAUSE):
        if cause is None or isinstance(cause, ssl.SSLError):
            return cause is not None
        cause = cause.__cause__ or cause.__context__
    return False
