"""Port's REST API, signed in: token, base URL, what its answers mean."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from portsync.errors import PortError, PortRefusedError, PortUnreachableError, Problem, SendError
from portsync.excerpts import cut, first_words
from portsync.flow import Answer, RequestSpec
from portsync.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from portsync.transport.client import Client

_EXCERPT = 500
_MARGIN_S = 60.0
"""A token is renewed this long before it ends, so that no request is under way when it does."""
_MOMENT_S = 2.0
_MARK = "x-portsync-local"
"""The header by which answers of the local Port say what they are."""


class PortClient:
    """Sends requests to Port's API with a token that is fetched when needed, and renewed before it ends."""

    def __init__(
        self,
        http: Client,
        base_url: str,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float],
        learned: Callable[[str], None] = lambda _: None,
        fetched: Callable[[str], Awaitable[tuple[str, float]]] | None = None,
    ) -> None:
        """`learned` is told of every token: Port may repeat one in an error, and it must not get into any output.
        `fetched` gives a token in place of one that is of no use any more, and the seconds that it is good for, where
        somebody else signs in for many."""
        self._http = http
        self._base_url = base_url
        self._credentials = {"clientId": client_id, "clientSecret": client_secret}
        self._clock = clock
        self._learned = learned
        self._fetched = fetched
        self._token = ""
        self._ends_at = 0.0
        self._signing_in = asyncio.Lock()
        self._waiting: set[asyncio.Timeout] = set()
        self._given_up: Problem | None = None
        self._is_marked = False

    @property
    def is_local(self) -> bool:
        """Whether this is the local Port of `portsync emulate`: on this machine, and its answers say so."""
        return self._is_marked and is_loopback(self._base_url)

    @property
    def attempts(self) -> int:
        """How many requests were sent, each try of one counted."""
        return self._http.attempts

    async def sign_in(self) -> None:
        """Fetch a token. Raises PortRefusedError and PortUnreachableError."""
        async with self._signing_in:
            await self._fetch_token()

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: tuple[tuple[str, str], ...] = (),
        body: Any = None,
        content: bytes | None = None,
        retried: frozenset[int] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        """The answer to one request, whatever its status but 401. `path` begins after `/v1`; `retried` are the
        statuses that are worth another attempt, where they are not the usual ones.

        Raises PortRefusedError where Port does not accept the token even after a renewal, PortUnreachableError after
        `give_up`, and SendError.
        """
        if self._given_up is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as waiting:
                    self._waiting.add(waiting)
                    try:
                        return await self._send(method, path, params, body, content, retried, headers)
                    finally:
                        self._waiting.discard(waiting)
        assert self._given_up is not None
        raise PortUnreachableError(self._given_up)

    def give_up(self, problem: Problem) -> None:
        """Wait for no answer any more, and send nothing: whoever asks is told this problem."""
        self._given_up = problem
        for waiting in self._waiting:
            waiting.reschedule(0)

    async def token(self) -> str:
        """A token that Port accepts, for requests that do not go through here. Raises PortRefusedError,
        PortUnreachableError and, after `give_up`, its problem."""
        if self._given_up is not None:
            raise PortUnreachableError(self._given_up)
        return await self._valid_token()

    async def renewed(self, refused: str) -> tuple[str, float]:
        """For others who send to the same Port: a token in place of one that is of no use any more, and the seconds
        that it is good for. Raises PortRefusedError and PortUnreachableError."""
        async with self._signing_in:
            if self._token == refused or self._clock() >= self._ends_at:
                await self._fetch_token()
            return self._token, self._ends_at - self._clock()

    async def hand_in(self, report: Mapping[str, Any], *, within_s: float = _MOMENT_S) -> None:
        """Give the report of a run to the local Port, whose page shows it. Nothing is sent to any other Port; nothing
        comes of it where this goes wrong, or takes longer than so many seconds."""
        if self.is_local:
            request = RequestSpec("POST", f"{self._base_url}/_runs", body=dict(report), retried=frozenset())
            with suppress(SendError, TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._http.send(request)

    async def _send(
        self,
        method: str,
        path: str,
        params: tuple[tuple[str, str], ...],
        body: Any,
        content: bytes | None,
        retried: frozenset[int] | None,
        headers: tuple[tuple[str, str], ...],
    ) -> Answer:
        request = RequestSpec(method, f"{self._base_url}/v1{path}", params, headers, body, retried=retried)
        token = await self._valid_token()
        answer = await self._http.send(_signed(request, token), content)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            async with self._signing_in:
                if token == self._token:
                    await self._fetch_token()
            answer = await self._http.send(_signed(request, self._token), content)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise PortRefusedError(_refused(str(request), answer))
        return answer

    async def pause(self, attempt: int) -> None:
        """Wait as long as one waits after so many attempts in vain."""
        await self._http.pause(attempt)

    async def _valid_token(self) -> str:
        async with self._signing_in:
            if self._clock() >= self._ends_at:
                await self._fetch_token()
            return self._token

    async def _fetch_token(self) -> None:
        if self._fetched is not None:
            self._token, life_s = await self._fetched(self._token)
            self._learned(self._token)
            self._ends_at = self._clock() + life_s
            return
        request = RequestSpec("POST", f"{self._base_url}/v1/auth/access_token", body=self._credentials)
        try:
            answer = await self._http.send(request)
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error
        if answer.status in (400, 401, 403, 404, 422):
            raise PortRefusedError(_refused(str(request), answer))
        value = json_of(answer)
        if not answer.is_success or not _is_token(value):
            raise PortUnreachableError(
                Problem(
                    "port-unusable",
                    f"Port answered {answer.status} where a token was expected: {message_of(answer)}",
                    str(request),
                    "check PORT_BASE_URL",
                )
            )
        self._is_marked = answer.headers.get(_MARK) == "1"
        self._token = value["accessToken"]
        self._learned(self._token)
        life = float(value["expiresIn"])
        # A token that lives no longer than the margin would be fetched anew for every request.
        self._ends_at = self._clock() + (life - _MARGIN_S if life > 2 * _MARGIN_S else life / 2)


def _is_token(value: Any) -> bool:
    """Whether this is what Port's API reference says of a token: text, and for how many seconds it holds."""
    if not isinstance(value, dict):
        return False
    token, life = value.get("accessToken"), value.get("expiresIn")
    is_number = isinstance(life, int | float) and not isinstance(life, bool)
    return isinstance(token, str) and token.isascii() and token.isprintable() and token != "" and is_number


def _signed(request: RequestSpec, token: str) -> RequestSpec:
    return replace(request, headers=(("authorization", f"Bearer {token}"),))


def segment(text: str) -> str:
    """One part of a path, percent-encoded."""
    return quote(text, safe="")


def json_of(answer: Answer) -> Any:
    """The answer's body as JSON, or None where it is none."""
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def message_of(answer: Answer) -> str:
    """What Port says in an error answer: `code: message`, or the first words of whatever it is."""
    value = json_of(answer)
    if isinstance(value, dict) and ("error" in value or "message" in value):
        return cut(": ".join(str(value[key]) for key in ("error", "message") if value.get(key)), _EXCERPT)
    return first_words(answer.body, _EXCERPT)


def accepted(answer: Answer, place: str, subject: str) -> dict[str, Any]:
    """The answer's JSON object. Raises PortError where Port refused what was asked; `subject` says what of Port's
    documentation speaks of it."""
    value = json_of(answer)
    if answer.is_success and isinstance(value, dict):
        return value
    is_invalid = answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    hint = f"compare it with Port's documentation on {subject}" if is_invalid else None
    raise PortError(Problem("port-rejected", f"Port answered {answer.status}: {message_of(answer)}", place, hint))


def unreachable(error: SendError) -> Problem:
    """The problem of a Port that does not answer, or not before we would have waited for too long."""
    problem = error.problems[0]
    if error.reason == "rate_limit":
        return Problem("port-trouble", f"Port asks to wait: {problem.message}", problem.place, "come back then")
    tries = f" after {error.requests} tries" if error.requests > 1 else ""
    return Problem(
        "port-unreachable",
        f"Port cannot be reached{tries}: {problem.message}",
        problem.place,
        "check PORT_BASE_URL (or PORT_REGION) and the network",
    )


def _refused(place: str, answer: Answer) -> Problem:
    return Problem(
        "port-refused",
        f"Port does not accept the credentials ({answer.status} {message_of(answer)})",
        place,
        "check PORT_CLIENT_ID and PORT_CLIENT_SECRET, and that they belong to the region of PORT_BASE_URL",
    )
