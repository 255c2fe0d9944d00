"""What may be tried again, and how long to wait before. The only place where tenacity is imported."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from portsync.errors import Problem, SendError
from portsync.transport.moments import seconds_until
from portsync.transport.quotas import exhausted_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 521, 529})
"""Statuses that a later attempt may turn into success. 529 is Anthropic's word for being overloaded."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long. Clock, sleep and randomness are arguments, so that no test waits."""

    attempts: int
    """Tries of one request in all."""
    max_wait: float
    """The longest single wait, in seconds."""
    clock: Callable[[], float]
    """Epoch seconds."""
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    """Between 0 and 1."""
    steady: float = 0.0
    """The share of each wait that is not left to chance."""

    def back_off(self, attempt: int) -> float:
        """Seconds to wait after so many attempts, where the server does not say."""
        # Jitter: many clients that failed together shall not come back together.
        share = self.steady + (1 - self.steady) * self.random()
        return share * min(self.max_wait, 0.5 * 2.0**attempt)


@dataclass(slots=True)
class Tally:
    """What one `send` has taken so far."""

    attempt: int = 0
    requests: int = 0
    """The attempts of which anything was sent."""
    waited_s: float = 0.0
    rate_limited: int = 0

    def wait(self, seconds: float) -> None:
        self.waited_s += seconds

    def error(self, problem: Problem, reason: str, *, may_pass: bool, asked_s: float | None = None) -> SendError:
        return SendError(
            problem,
            reason=reason,
            requests=self.requests,
            waited_s=self.waited_s,
            may_pass=may_pass,
            rate_limited=self.rate_limited,
            asked_s=asked_s,
        )


class TryAgainError(Exception):
    """This means that an attempt failed in a way that the next one may not."""

    def __init__(self, wait_s: float | None = None) -> None:
        super().__init__("try again")
        self.wait_s = wait_s
        """What the server asked for; 0 where the next attempt waits elsewhere."""


def retrying(policy: RetryPolicy, waited: Callable[[float], None]) -> AsyncRetrying:
    """Attempts as `policy` says; `waited` is told of each wait, in seconds. Reraises the last TryAgainError."""

    async def sleep(seconds: float) -> None:
        if seconds > 0:
            waited(seconds)
            await policy.sleep(seconds)

    def wait(state: RetryCallState) -> float:
        assert state.outcome is not None
        error = state.outcome.exception()
        assert isinstance(error, TryAgainError)
        return policy.back_off(state.attempt_number) if error.wait_s is None else error.wait_s

    def asked_for_too_long(state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        return isinstance(error, TryAgainError) and error.wait_s is not None and error.wait_s > policy.max_wait

    return AsyncRetrying(
        sleep=sleep,
        wait=wait,
        stop=lambda state: stop_after_attempt(policy.attempts)(state) or asked_for_too_long(state),
        retry=retry_if_exception_type(TryAgainError),
        reraise=True,
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds `Retry-After` (RFC 9110, 10.2.3) asks to wait; None where it does not say."""
    return None if (value := headers.get("retry-after")) is None else seconds_until(value, now)


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds an answer of 429 asks to wait, with `Retry-After` or with what it says of its limits; None where
    it does not say."""
    if (seconds := retry_after(headers, now)) is not None:
        return seconds
    return exhausted_for({name.lower(): value for name, value in headers.items()}, now)


def is_for_all(status: int, asked: float | None) -> bool:
    """Whether an answer, which asks to wait so long, speaks to all who send to this origin: a 503 that says when to
    come back does, other errors may be those of one request."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and asked is not None)
