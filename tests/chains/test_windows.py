"""Windows: a span of time, asked for piece by piece."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.chains.windows import windows_between
from portsync.mapping.requests import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LocalPort, Run, Source


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def seconds(start: int, end: int, **window: Any) -> list[tuple[float, float]]:
    """The windows between two seconds, as seconds."""
    spec = Window(start="0", **window)
    found = windows_between(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC), spec)
    return [(a.timestamp(), b.timestamp()) for a, b in found]


@pytest.mark.parametrize(
    ("start", "end", "window", "expected"),
    [
        (20, 50, {"step": "10s"}, [(20, 30), (30, 40), (40, 50)]),
        (20, 50, {"step": "10s", "granularity": "1s"}, [(20, 29), (30, 39), (40, 50)]),
        (20, 55, {"step": "10s"}, [(20, 30), (30, 40), (40, 50), (50, 55)]),
        (20, 50, {"step": "10s", "overlap": "5s"}, [(20, 30), (25, 40), (35, 50)]),
        (20, 50, {"step": "10s", "overlap": "15s"}, [(20, 30), (20, 40), (25, 50)]),
        (20, 50, {"step": "1h"}, [(20, 50)]),
        (20, 50, {"step": "30s"}, [(20, 50)]),
    ],
)
def test_windows_of_seconds(start: int, end: int, window: dict[str, Any], expected: list[tuple[int, int]]) -> None:
    assert seconds(start, end, **window) == expected


def test_months_keep_to_the_calendar() -> None:
    found = list(windows_between(day("2023-12-31"), day("2025-01-03"), Window(start="0", step="1mo", granularity="1d")))

    assert [f"{a:%Y-%m-%d} {b:%Y-%m-%d}" for a, b in found[:3]] == [
        "2023-12-31 2024-01-30",
        "2024-01-31 2024-02-28",
        "2024-02-29 2024-03-30",
    ]
    whole = list(windows_between(day("2024-01-01"), day("2025-01-01"), Window(start="0", step="1mo", granularity="1d")))
    assert len(whole) == 12
    assert f"{whole[1][0]:%m-%d} {whole[1][1]:%m-%d}" == "02-01 02-29"
    years = list(windows_between(day("2024-02-29"), day("2026-03-01"), Window(start="0", step="1y")))
    assert [f"{a:%Y-%m-%d}" for a, _ in years] == ["2024-02-29", "2025-02-28", "2026-02-28"]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 400_000))
def test_windows_leave_no_gap_and_no_overlap(start: int, length: int, step: int) -> None:
    found = seconds(start, start + length, step=f"{step}s") if length / step < 1000 else []

    for (_, end), (begin, _) in itertools.pairwise(found):
        assert end == begin
    assert not found or (found[0][0], found[-1][1]) == (start, start + length)


WINDOW = "window: {start: now - 86400 * 3, step: 1d, format: '%Y-%m-%d'}\n"
PARAMS = "query_params: {from: '{{ $window.start }}', to: '{{ $window.end }}'}\ndelete_stale: false"


def test_each_window_has_its_requests_and_its_records_know_it(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    source.answer = lambda asked: {"data": [{"id": dict(asked.query)["from"]}]}

    run = sync(selector=WINDOW + PARAMS, properties="name: $window.end")

    assert run.exit_code == 0
    asked = sorted((dict(a.query)["from"], dict(a.query)["to"]) for a in source.asked)
    assert asked == [("2026-11-19", "2026-11-20"), ("2026-11-20", "2026-11-21"), ("2026-11-21", "2026-11-22")]
    assert local_port.entities("thing")["2026-11-20"]["properties"]["name"] == "2026-11-21"
    assert run.resource["chains"]["complete"] == 3


def test_a_window_that_fails_names_itself_and_the_others_are_read(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    def answer(asked: Any) -> Any:
        start = dict(asked.query)["from"]
        return {"data": None if start == "2026-11-20" else [{"id": start}]}

    source.answer = answer

    run = sync(selector=WINDOW + PARAMS)

    assert (run.exit_code, run.resource["verdict"], run.resource["reason"]) == (1, "incomplete", "data_path")
    assert len(local_port.entities("thing")) == 2
    assert "window=2026-11-20 to 2026-11-21" in run.report["problems"][0]["place"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("", ("2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z")),
        (", format: '%s'", ("1795262400", "1795348800")),
        (", format: '%Y%m%d %H'", ("20261121 12", "20261122 12")),
    ],
)
def test_moments_are_written_as_the_mapping_says(
    source: Source, sync: Callable[..., Run], form: str, expected: tuple[str, str]
) -> None:
    run = sync(selector=f"window: {{start: now - 86400, step: 1d{form}}}\n{PARAMS}")

    assert run.exit_code == 0
    assert [(dict(a.query)["from"], dict(a.query)["to"]) for a in source.asked] == [expected]


@pytest.mark.parametrize(
    "start", ["now + 1", "now", '"yesterday"', "null", '{"a": 1}', '"2026-13-01"', "1e300", "infinite", '"9999-12-31"']
)
def test_a_start_that_is_no_moment_before_the_end_makes_the_resource_incomplete(
    source: Source, sync: Callable[..., Run], start: str
) -> None:
    selector = f"window: {{start: '{start}', step: 1d}}\n{PARAMS}"

    run = sync(selector=selector)

    assert (run.exit_code, run.resource["verdict"], run.resource["reason"]) == (1, "incomplete", "window")
    assert source.asked == []
    assert run.codes == ["window"]


def test_windows_without_number_are_a_mistake(source: Source, sync: Callable[..., Run]) -> None:
    run = sync(selector=f"window: {{start: '0', step: 1s}}\n{PARAMS}")

    assert (run.resource["reason"], source.asked) == ("window", [])


def test_a_span_is_moved_by_its_own_length() -> None:
    assert seconds(0, 3 * 7 * 86400, step="1w")[1] == (timedelta(weeks=1).total_seconds(), 2 * 7 * 86400)
