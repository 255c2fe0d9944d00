"""What may be tried again, and how long to wait before. The only place where tenacity is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 521, 529})
"""Statuses that a later attempt may turn into success. 529 is Anthropic's word for being overloaded."""

_EPOCH_FROM = 10_000
"""A rate-limit reset above this is a moment (epoch seconds), below it a span: Port's own material says both."""


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


class TryAgainError(Exception):
    """This means that an attempt failed in a way that the next one may not."""

    def __init__(self, wait_s: float | None = None) -> None:
        super().__init__("try again")
        self.wait_s = wait_s
        """What the server asked for."""


def retrying(policy: RetryPolicy, waited: Callable[[float], None]) -> AsyncRetrying:
    """Attempts as `policy` says; `waited` is told of each wait, in seconds. Reraises the last TryAgainError."""

    async def sleep(seconds: float) -> None:
        waited(seconds)
        await policy.sleep(seconds)

    def wait(state: RetryCallState) -> float:
        assert state.outcome is not None
        error = state.outcome.exception()
        assert isinstance(error, TryAgainError)
        if error.wait_s is not None:
            return error.wait_s
        # Full jitter: many clients that failed together shall not come back together.
        return policy.random() * min(policy.max_wait, 0.5 * 2.0**state.attempt_number)

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


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds the server asks to wait: `Retry-After` as seconds or date (RFC 9110, 10.2.3), else Port's
    `x-ratelimit-reset`; None where it does not say."""
    if (value := headers.get("retry-after")) is not None:
        if (seconds := _number(value)) is not None:
            return max(0.0, seconds)
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError, TypeError):
            return None
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max(0.0, aware.timestamp() - now)
    if (value := headers.get("x-ratelimit-reset")) is not None and headers.get("x-ratelimit-remaining", "0") == "0":
        reset = _number(value)
        if reset is not None:
            return max(0.0, reset - now if reset > _EPOCH_FROM else reset)
    return None


def back_at(now: float, wait_s: float) -> str:
    """The moment after a wait, for people."""
    try:
        return datetime.fromtimestamp(now + wait_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "a time beyond the calendar"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
