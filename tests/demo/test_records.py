from __future__ import annotations

from datetime import date

import pytest

from portsync.demo.data import Day, day_of
from portsync.demo.records import Record, View, held_days, record_counts, records_of
from portsync.demo.users import DEFAULT_USERS, SampleUser, sample_users

TODAY = date(2026, 11, 22)
SUMMED = (
    "total_requests",
    "successful_requests",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
DAYS = [day_of(day, seed=1, users=DEFAULT_USERS) for day in held_days(today=TODAY, days=30)]
NOBODY_ACTIVE = Day(TODAY, ())


def cents(dollars: float) -> int:
    whole = round(dollars * 100)
    assert dollars == whole / 100, "a cost is in whole cents"
    return whole


def only(records: list[Record]) -> Record:
    (record,) = records
    return record


@pytest.mark.parametrize("view", [View.MESSAGES_BY_USER, View.MESSAGES_BY_MODEL])
@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.date.isoformat())
def test_the_parts_of_a_day_sum_to_the_organisations_day(day: Day, view: View) -> None:
    whole = only(records_of(day, View.MESSAGES))
    parts = records_of(day, view)

    assert {key: sum(part[key] for part in parts) for key in SUMMED} == {key: whole[key] for key in SUMMED}
    assert sum(cents(part["cost_usd"]) for part in parts) == cents(whole["cost_usd"])


@pytest.mark.parametrize("view", [View.MESSAGES, View.MESSAGES_BY_USER])
@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.date.isoformat())
def test_a_model_breakdown_sums_to_its_record(day: Day, view: View) -> None:
    for record in records_of(day, view):
        parts = record["model_breakdown"].values()

        assert sum(part["requests"] for part in parts) == record["total_requests"]
        assert sum(part["input_tokens"] for part in parts) == record["input_tokens"]
        assert sum(part["output_tokens"] for part in parts) == record["output_tokens"]
        assert sum(cents(part["cost_usd"]) for part in parts) == cents(record["cost_usd"])


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.date.isoformat())
def test_the_cost_report_agrees_with_the_usage_report(day: Day) -> None:
    cost = only(records_of(day, View.COST))
    by_model = records_of(day, View.MESSAGES_BY_MODEL)

    assert cost["cost_usd"] == only(records_of(day, View.MESSAGES))["cost_usd"]
    assert cost["cost_breakdown"] == {model["model_id"]: model["cost_usd"] for model in by_model}
    assert sum(cents(part) for part in cost["cost_breakdown"].values()) == cents(cost["cost_usd"])


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.date.isoformat())
def test_claude_codes_breakdown_sums_to_its_record(day: Day) -> None:
    for record in records_of(day, View.CLAUDE_CODE):
        for key in ("sessions", "lines_of_code_edited", "commits", "pull_requests"):
            assert sum(part[key] for part in record["breakdown"].values()) == record[key]
        assert 0 < record["active_users"] <= len(day.user_days)
        assert record["active_users"] <= record["sessions"]


@pytest.mark.parametrize("view", View)
def test_a_day_on_which_nobody_is_active_has_no_records(view: View) -> None:
    assert records_of(NOBODY_ACTIVE, view) == []


def test_the_held_days_end_with_yesterday() -> None:
    assert held_days(today=date(2026, 3, 2), days=3) == (
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    )


@pytest.mark.parametrize(
    ("users", "days", "seed"),
    [
        (DEFAULT_USERS, 30, 1),
        (sample_users(1), 200, 1),  # many days without anybody, many without one model or without Claude Code
        (sample_users(300), 3, 7),
        ((), 30, 1),
        (DEFAULT_USERS, 0, 1),
    ],
    ids=["as shipped", "one user", "many users", "no users", "no days"],
)
def test_the_counts_are_exactly_the_records_there_are(users: tuple[SampleUser, ...], days: int, seed: int) -> None:
    drawn = [day_of(day, seed=seed, users=users) for day in held_days(today=TODAY, days=days)]

    assert record_counts(today=TODAY, seed=seed, users=users, days=days) == {
        view: sum(len(records_of(day, view)) for day in drawn) for view in View
    }
