"""What the sample organisation did, in the smallest parts that a report can ask for.

The parts are those of the drawn days: nothing is drawn for them, so their sums are those of every other report.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from zlib import crc32

from portsync.demo.data import Day, Usage, day_of
from portsync.demo.models import MODELS, Model
from portsync.demo.organization import DEFAULT_KEYS, SampleKey
from portsync.demo.records import held_days
from portsync.demo.users import DEFAULT_USERS, SampleUser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

_LEAVERS = 25
"""One in so many people is not in the organisation any more."""
_CODING_KEYS = 10
"""One in so many people runs Claude Code with an API key."""
_ORIGINS = 16
_SIGNED_IN = 10
_WITH_A_KEY = 14
"""Of 16 pairs of a user and a model, 10 are used by somebody who is signed in, 4 with a key, and 2 belong to nobody."""
_REQUESTS_PER_SEARCH = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """What one user did with one model on one day, and to whom it is put down: an account, a key, or nobody."""

    date: date
    user: SampleUser
    model: Model
    usage: Usage
    account: SampleUser | None
    api_key: SampleKey | None

    @property
    def owner(self) -> str | None:
        """The id of the account or key, or None where it belongs to nobody."""
        return self.account.user_id if self.account else self.api_key.key_id if self.api_key else None

    @property
    def searches(self) -> int:
        """Searches of the web. Each costs a cent, and is a part of the cell's cost."""
        return min(self.usage.requests // _REQUESTS_PER_SEARCH, self.usage.cents)


class Books:
    """The `days` days before `today`. Each is drawn once, when it is first asked for."""

    def __init__(
        self,
        *,
        today: date,
        days: int = 30,
        seed: int = 1,
        users: Sequence[SampleUser] = DEFAULT_USERS,
        models: Sequence[Model] = MODELS,
        keys: Sequence[SampleKey] = DEFAULT_KEYS,
    ) -> None:
        """Draw nothing yet."""
        self.today = today
        self.users = tuple(users)
        self.keys = tuple(keys)
        self._days = days
        self._by_id = {model.model_id: model for model in models}
        self._drawn: Callable[[date], Day] = cache(
            lambda day: day_of(day, seed=seed, users=self.users, models=tuple(models))
        )
        self._cells: Callable[[date], tuple[Cell, ...]] = cache(self._cells_of)

    def day(self, day: date) -> Day:
        """What was done on `day`: nothing on a day that is not held."""
        return self._drawn(day) if self._holds(day) else Day(day, ())

    def cells(self, day: date) -> tuple[Cell, ...]:
        """The parts of `day`, in the order of users and models."""
        return self._cells(day) if self._holds(day) else ()

    def held_days(self) -> tuple[date, ...]:
        """The days that are held, oldest first."""
        return held_days(today=self.today, days=self._days)

    def coding_key(self, user: SampleUser) -> SampleKey | None:
        """The key with which `user` runs Claude Code, or None for who signs in."""
        number = crc32(f"{user.user_id}/code".encode())
        return None if number % _CODING_KEYS or not self.keys else self.keys[number % len(self.keys)]

    def _holds(self, day: date) -> bool:
        return 0 < (self.today - day).days <= self._days

    def _cells_of(self, day: date) -> tuple[Cell, ...]:
        return tuple(
            Cell(day, each.user, self._by_id[model_id], usage, *self._put_down(each.user, model_id))
            for each in self.day(day).user_days
            for model_id, usage in each.by_model.items()
        )

    def _put_down(self, user: SampleUser, model_id: str) -> tuple[SampleUser | None, SampleKey | None]:
        number = crc32(f"{user.user_id}/{model_id}".encode())
        origin, which = number % _ORIGINS, number // _ORIGINS
        if origin < _SIGNED_IN:
            return user, None
        if origin < _WITH_A_KEY and self.keys:
            return None, self.keys[which % len(self.keys)]
        return None, None


def has_left(user: SampleUser) -> bool:
    """Whether `user` is not in the organisation's list any more, though there is usage from before."""
    return crc32(f"{user.user_id}/left".encode()) % _LEAVERS == 0
