from __future__ import annotations

from datetime import date, timedelta

import pytest

from portsync.demo.data import Day, UserDay, day_of
from portsync.demo.models import MODELS, sample_models
from portsync.demo.users import DEFAULT_USERS, SampleUser, sample_users

MONDAY = date(2026, 11, 16)
SUNDAY = date(2026, 11, 15)
MANY_USERS = sample_users(200)


def requests_of(day: Day) -> int:
    return sum(usage.requests for each in day.user_days for usage in each.by_model.values())


def test_the_same_arguments_give_the_same_day() -> None:
    assert day_of(MONDAY, seed=1, users=DEFAULT_USERS) == day_of(MONDAY, seed=1, users=DEFAULT_USERS)


@pytest.mark.parametrize(
    ("day", "seed"), [(MONDAY, 2), (MONDAY + timedelta(days=1), 1)], ids=["another seed", "another day"]
)
def test_another_seed_or_weekday_makes_other_users_active(day: date, seed: int) -> None:
    def active(drawn: Day) -> list[SampleUser]:
        return [each.user for each in drawn.user_days]

    first = day_of(MONDAY, seed=1, users=MANY_USERS)

    assert active(day_of(day, seed=seed, users=MANY_USERS)) != active(first)


def test_the_numbers_of_a_user_do_not_depend_on_who_else_is_there() -> None:
    def by_user(day: Day) -> dict[str, UserDay]:
        return {each.user.user_id: each for each in day.user_days}

    few = by_user(day_of(MONDAY, seed=1, users=MANY_USERS[:50]))
    all_of_them = by_user(day_of(MONDAY, seed=1, users=MANY_USERS))

    assert few.items() <= all_of_them.items()


def test_a_weekend_has_fewer_active_users_and_fewer_requests() -> None:
    weekday, weekend = (day_of(day, seed=1, users=MANY_USERS) for day in (MONDAY, SUNDAY))

    assert len(weekend.user_days) < len(weekday.user_days) / 2
    assert requests_of(weekend) < requests_of(weekday) / 3


def test_half_a_year_later_there_are_more_requests() -> None:
    earlier, later = (day_of(day, seed=1, users=MANY_USERS) for day in (MONDAY - timedelta(weeks=26), MONDAY))

    assert requests_of(earlier) * 1.2 < requests_of(later) < requests_of(earlier) * 3


def test_some_requests_fail_but_few() -> None:
    day = day_of(MONDAY, seed=1, users=MANY_USERS)
    requests = requests_of(day)
    failed = requests - sum(usage.successful for each in day.user_days for usage in each.by_model.values())

    assert 0 < failed < requests * 0.03


def test_not_every_user_and_not_every_model_is_active_on_a_weekday() -> None:
    day = day_of(MONDAY, seed=1, users=MANY_USERS)

    assert 100 < len(day.user_days) < len(MANY_USERS)
    assert {len(each.by_model) for each in day.user_days} == {1, 2, len(MODELS)}
    assert {each.coding is None for each in day.user_days} == {True, False}


def test_a_smaller_count_gives_the_first_models_of_a_larger_one() -> None:
    assert sample_models(40)[:12] == sample_models(12)
    assert sample_models(12)[:3] == sample_models(3) == MODELS
    assert len({model.model_id for model in sample_models(40)}) == 40


def test_more_models_leave_what_was_done_with_the_others_as_it_was() -> None:
    few = day_of(MONDAY, seed=1, users=MANY_USERS)
    many = {
        each.user: each.by_model
        for each in day_of(MONDAY, seed=1, users=MANY_USERS, models=sample_models(12)).user_days
    }

    assert all(each.by_model.items() <= many[each.user].items() for each in few.user_days)
    assert {model for by_model in many.values() for model in by_model} == {each.model_id for each in sample_models(12)}
