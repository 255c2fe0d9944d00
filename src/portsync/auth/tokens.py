"""Several tokens in turn: each request goes out with the one that has most of its quota left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import httpx
from pydantic import Field

from portsync.auth.base import Auth, AuthTools
from portsync.auth.headers import HeaderName, Scheme
from portsync.auth.secret import Secret, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

_EPOCH_FROM = 10_000_000
"""A reset above this is a moment (epoch seconds), below it a span: services write either."""
_REST_S = 60.0
"""For how long a token rests that is used up, where the answer does not say."""


class TokensAuth(Auth):
    """`Authorization: Bearer <token>`, with the one of several tokens that may ask for most."""

    has_one_quota: ClassVar[bool] = False

    type: Literal["tokens"]
    """Which way of signing requests this is."""
    tokens: Annotated[tuple[Secret, ...], Field(min_length=1)]
    """The tokens; write `${NAME}` for each."""
    header: HeaderName = "Authorization"
    """The header that carries one of them."""
    scheme: Scheme = "Bearer"
    """What stands before the token in it; may be empty."""

    def build(self, tools: AuthTools) -> httpx.Auth:
        return RotatingAuth(dict.fromkeys(map(text_of, self.tokens)), self.header, self.scheme, tools.clock)

    def secrets(self) -> tuple[str, ...]:
        return tuple(map(text_of, self.tokens))


@dataclass
class Quota:
    """What is known of one token's quota; every request and answer changes it."""

    value: str
    """What the header says."""
    remaining: float = math.inf
    """How many requests it is good for; infinite while no answer has said."""
    resets_at: float = math.inf
    """Epoch seconds: from then on, `remaining` does not count. Infinite where no answer has said."""
    sent: int = 0

    @property
    def is_used_up(self) -> bool:
        return self.remaining <= 0


class RotatingAuth(httpx.Auth):
    """Picks the token that has most left. One that an answer calls used up makes way for another, once."""

    def __init__(self, tokens: Iterable[str], header: str, scheme: str, clock: Callable[[], float]) -> None:
        self._header = header
        self._clock = clock
        self._quotas = [Quota(f"{scheme} {token}".strip()) for token in tokens]

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        quota = self._best()
        answer = yield self._signed(request, quota)
        self._note(quota, answer)
        if quota.is_used_up and answer.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.FORBIDDEN):
            other = self._best()
            if not other.is_used_up:
                answer = yield self._signed(request, other)
                self._note(other, answer)

    def _signed(self, request: httpx.Request, quota: Quota) -> httpx.Request:
        # Many requests may be under way: what is sent counts until an answer says better.
        quota.sent += 1
        quota.remaining -= 1
        request.headers[self._header] = quota.value
        return request

    def _best(self) -> Quota:
        """The one with most left, of equals the least used; where all are used up, the one that is back first."""
        now = self._clock()
        for quota in self._quotas:
            if quota.resets_at <= now:
                quota.remaining = quota.resets_at = math.inf
        return min(self._quotas, key=_order)

    def _note(self, quota: Quota, answer: httpx.Response) -> None:
        now = self._clock()
        remaining = _first_number(answer.headers, "x-ratelimit-remaining", "ratelimit-remaining")
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            remaining = 0.0
        if remaining is None:
            return
        quota.remaining = remaining
        back_at = _back_at(answer.headers, now)
        if back_at is None or back_at <= now:
            back_at = now + _REST_S if quota.is_used_up else math.inf
        quota.resets_at = back_at


def _order(quota: Quota) -> tuple[bool, float, int]:
    return quota.is_used_up, quota.resets_at if quota.is_used_up else -quota.remaining, quota.sent


def _back_at(headers: Mapping[str, str], now: float) -> float | None:
    """When a quota begins anew, in epoch seconds: `Retry-After` (RFC 9110, 10.2.3), else the reset that the answer
    names; None where it says neither."""
    if (seconds := _first_number(headers, "retry-after")) is not None:
        return now + seconds
    try:
        return parsedate_to_datetime(headers["retry-after"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        reset = _first_number(headers, "x-ratelimit-reset", "ratelimit-reset")
    return None if reset is None else reset if reset > _EPOCH_FROM else now + reset


def _first_number(headers: Mapping[str, str], *names: str) -> float | None:
    for name in names:
        try:
            number = float(headers[name])
        except (KeyError, ValueError):
            continue
        if math.isfinite(number):
            return number
    return None
