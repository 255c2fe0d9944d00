"""What the sample organisation did with Claude on a day: a pure function of day, seed, users and models.

Every user's day is drawn on its own, so a day has the same numbers whatever window it is asked in, and
whatever today is. Totals are never drawn; they are sums of these parts, which is why all views agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import TYPE_CHECKING

from portsync.demo.models import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portsync.demo.models import Model
    from portsync.demo.users import SampleUser

SATURDAY = 5
WEEKDAY_CHANCE = 0.9  # that a user is active
WEEKEND_CHANCE = 0.35
WEEKEND_LEVEL = 0.4  # of a weekday's requests
CODING_CHANCE = 0.6  # that an active user's day has Claude Code sessions
TREND_START = date(2026, 1, 1)
TREND_PER_DAY = 0.03 / 7  # linear: a compound rate would reach absurd numbers within a few years


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests, tokens and cost; whole cents, so that sums of parts are exact."""

    requests: int = 0
    successful: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    cents: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.successful + other.successful,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read + other.cache_read,
            self.cache_creation + other.cache_creation,
            self.cents + other.cents,
        )


@dataclass(frozen=True, slots=True)
class Coding:
    """Claude Code activity."""

    sessions: int = 0
    lines: int = 0
    commits: int = 0
    pull_requests: int = 0

    def __add__(self, other: Coding) -> Coding:
        return Coding(
            self.sessions + other.sessions,
            self.lines + other.lines,
            self.commits + other.commits,
            self.pull_requests + other.pull_requests,
        )


@dataclass(frozen=True, slots=True)
class UserDay:
    """One user's active day: usage by model id (never empty), and Claude Code activity, if any."""

    user: SampleUser
    by_model: Mapping[str, Usage]
    coding: Coding | None


@dataclass(frozen=True, slots=True)
class Day:
    """The organisation's day: its active users, in the order the users were given."""

    date: date
    user_days: tuple[UserDay, ...]


def day_of(day: date, *, seed: int, users: Sequence[SampleUser], models: Sequence[Model] = MODELS) -> Day:
    """Draw what `users` did on `day` with `models`; the same arguments always give the same numbers."""
    return Day(day, tuple(_user_days(day, seed, users, models)))


def _user_days(day: date, seed: int, users: Sequence[SampleUser], models: Sequence[Model]) -> Iterator[UserDay]:
    weekend = day.weekday() >= SATURDAY
    trend = 1 + TREND_PER_DAY * max(0, (day - TREND_START).days)
    level = trend * (WEEKEND_LEVEL if weekend else 1.0)
    chance = WEEKEND_CHANCE if weekend else WEEKDAY_CHANCE
    for user in users:
        rng = Random(f"{seed}/{day.toordinal()}/{user.user_id}")  # noqa: S311 - invented data, no secret
        if rng.random() >= chance:
            continue
        by_model = {
            model.model_id: _usage(rng, model, user.requests_per_day * model.share * level)
            for model in models
            if rng.random() < model.chance
        }
        if by_model:
            yield UserDay(user, by_model, _coding(rng, level) if rng.random() < CODING_CHANCE else None)


def _usage(rng: Random, model: Model, expected_requests: float) -> Usage:
    requests = max(1, round(expected_requests * rng.uniform(0.6, 1.4)))
    failed = int(requests * rng.uniform(0, 0.03))
    input_tokens = round(requests * rng.uniform(600, 2400))
    output_tokens = round(requests * rng.uniform(150, 900))
    cache_read = round(input_tokens * rng.uniform(1, 5))
    cache_creation = round(input_tokens * rng.uniform(0.1, 0.4))
    # Anthropic bills a cache read at a tenth of the input price and a cache write at five quarters of it.
    priced_input = input_tokens + cache_read * 0.1 + cache_creation * 1.25
    cents = round((priced_input * model.input_price + output_tokens * model.output_price) / 1_000_000)
    return Usage(requests, requests - failed, input_tokens, output_tokens, cache_read, cache_creation, cents)


def _coding(rng: Random, level: float) -> Coding:
    sessions = max(1, round(level * rng.uniform(0.5, 3)))
    lines = round(sessions * rng.uniform(20, 240))
    commits = round(sessions * rng.uniform(0, 1.6))
    return Coding(sessions, lines, commits, round(commits * rng.uniform(0, 0.5)))
