"""When runs are due: what schedules say, what chance adds, and what clocks do meanwhile."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portsync.runtime import Runtime
from portsync.schedule import Cron, Interval, Schedule, read_schedule, with_jitter
from portsync.serve.due import next_due, sleep_until
from tests.conftest import NOW

MOMENTS = st.floats(min_value=0, max_value=4e9)
CRONS = st.sampled_from(["*/5 * * * *", "0 3 * * *", "30 2 29 2 *", "0 0 * * SUN", "59 23 31 12 *", "* * * * * *"])
SPANS = st.floats(min_value=1, max_value=366 * 86400).map(Interval)
CHANCES = st.floats(min_value=0, max_value=1)


@dataclass
class SettableClock:
    """A clock on the wall that is set, by so many seconds, after each sleep."""

    now: float
    settings: list[float] = field(default_factory=list)
    passed: float = 0.0

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.now += seconds + (self.settings.pop(0) if self.settings else 0.0)

    def runtime(self) -> Runtime:
        return Runtime({}, self.time, self.sleep, lambda: 0.0)


@settings(deadline=None)
@given(st.text(alphabet="0123456789*/,-LW#smhd .SUNJA", max_size=14))
@example("30 2 31 2 *")
@example("0 0 29-31 2 1#5")
@example("9" * 400)
@example("1e9d")
def test_whatever_the_text_says_it_is_a_schedule_or_a_reason(text: str) -> None:
    try:
        schedule = read_schedule(text)
    except ValueError:
        return
    assert schedule is None or schedule.next(NOW) > NOW


@pytest.mark.parametrize("text", ["0", " 0 "])
def test_zero_is_no_schedule(text: str) -> None:
    assert read_schedule(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0s", "less than a second"),
        ("9000d", "more than a year"),
        ("0 0 31 2 *", "cron text"),
        ("0 0 30 2 1#6", "cron text"),
        ("every day", "cron text"),
        ("60 * * * *", "cron text"),
    ],
)
def test_what_names_no_moment_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_schedule(text)


def test_a_cron_text_is_in_utc_on_days_when_clocks_elsewhere_are_changed() -> None:
    # 2026-03-29 02:30 is no time in Berlin, and 2026-10-25 02:30 is two.
    at = [datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)]
    found = [datetime.fromtimestamp(Cron("30 2 * * *").next(moment.timestamp()), UTC) for moment in at]
    assert [f"{moment:%m-%d %H:%M}" for moment in found] == ["03-29 02:30", "10-25 02:30"]


@settings(deadline=None)
@given(SPANS | CRONS.map(Cron), MOMENTS, CHANCES)
def test_chance_adds_a_tenth_and_half_a_minute_at_most(schedule: Schedule, now: float, chance: float) -> None:
    moment = schedule.next(now)
    at = with_jitter(moment, now, chance)
    assert moment <= at <= moment + min(30.0, 0.1 * (moment - now)) + 1e-6
    due = next_due(schedule, 0, now, chance)
    assert due is not None
    assert (due.reason, due.at) == ("schedule", at)


@pytest.mark.parametrize(
    ("schedule", "waits"),
    [
        (None, [60, 120, 240, 480, 960, 1920, 3600, 3600]),
        (Interval(86400), [60, 120, 240, 480, 960, 1920, 3600, 3600]),
        (Interval(10), [10, 20, 40, 80, 160, 320, 640, 1280]),
        (Cron("* * * * *"), [60, 120, 240, 480, 960, 1920, 3600, 3600]),
    ],
)
def test_failures_double_the_wait_under_each_schedule(schedule: Schedule | None, waits: list[float]) -> None:
    due = [next_due(schedule, failures, NOW, 0.0) for failures in range(1, len(waits) + 1)]
    assert [(one.reason, one.at - NOW, one.cron) for one in due if one] == [("retry", wait, None) for wait in waits]
    far = next_due(schedule, 10**9, NOW, 1.0)
    assert far is not None
    assert far.delay_s <= 3630


def test_without_a_schedule_nothing_is_due() -> None:
    assert next_due(None, 0, NOW, 0.5) is None


@settings(deadline=None)
@given(SPANS, MOMENTS, CHANCES, st.lists(st.floats(min_value=-1e6, max_value=1e6), max_size=5))
def test_an_interval_is_never_longer_than_it_is_however_the_clock_is_set(
    schedule: Interval, now: float, chance: float, set_by: list[float]
) -> None:
    due = next_due(Interval(min(schedule.seconds, 7200)), 0, now, chance)
    assert due is not None
    clock = SettableClock(now, list(set_by))
    asyncio.run(sleep_until(due, clock.runtime()))
    assert clock.passed <= due.delay_s + 1e-3
    if not any(by > 0 for by in set_by):
        assert clock.passed >= due.delay_s - 1e-3


@settings(deadline=None, max_examples=20)
@given(CRONS.filter(lambda text: "29 2" not in text and "31 12" not in text and "SUN" not in text), CHANCES)
@example("0 3 * * *", 0.0)
def test_a_cron_run_never_begins_before_its_moment_on_the_wall(text: str, chance: float) -> None:
    # A clock that is set by half a second each half minute, as one that runs fast is, and sleep that follows another.
    due = next_due(Cron(text), 0, NOW, chance)
    assert due is not None
    clock = SettableClock(NOW, list(itertools.repeat(-0.5, 5000)))
    asyncio.run(sleep_until(due, clock.runtime()))
    assert due.at <= clock.now <= due.at + 1
    following = next_due(Cron(text), 0, clock.now, 0.0)
    assert following is not None
    assert following.at > due.at - due.jitter_s, "the same moment does not come twice"


def test_a_machine_that_slept_runs_when_it_wakes() -> None:
    due = next_due(Cron("0 3 * * *"), 0, NOW, 0.0)
    assert due is not None
    clock = SettableClock(NOW, [0.0, 86400.0])
    asyncio.run(sleep_until(due, clock.runtime()))
    assert clock.passed == 60.0


def test_a_clock_that_is_set_back_brings_the_earlier_moment_again() -> None:
    due = next_due(Cron("0 * * * *"), 0, NOW, 0.0)
    assert due is not None
    clock = SettableClock(NOW, [-7200.0])
    asyncio.run(sleep_until(due, clock.runtime()))
    assert clock.now == NOW - 3600, "12:00 was set back to 10:00, and 11:00 comes again"
