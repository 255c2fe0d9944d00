"""Where things go: blueprints in the drawing, ticks and slices in charts, moments in spans of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.emulator.measures.buckets import INTERVALS, next_start, start_of, starts_between
from portsync.emulator.page.charts import Series, bars, donut, line_chart, nice_ticks
from portsync.emulator.page.graph import NODE_HEIGHT, NODE_WIDTH, Arc, Drawing, draw
from portsync.emulator.page.shell import Item
from portsync.emulator.page.texts import clipped, moment, number, short_number

NAMES = [f"b{index}" for index in range(9)]
ARCS = st.lists(
    st.builds(Arc, st.sampled_from(NAMES), st.sampled_from(NAMES), st.just("r"), st.booleans()), max_size=25
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def drawing(arcs: list[Arc], names: list[str] = NAMES) -> tuple[Drawing, dict[str, tuple[float, float]]]:
    drawn = draw({name: Item(name, f"/{name}") for name in names}, arcs)
    return drawn, {node.item.title: (node.x, node.y) for node in drawn.nodes}


@settings(deadline=None)
@given(ARCS)
def test_every_blueprint_is_drawn_once_and_none_over_another(arcs: list[Arc]) -> None:
    drawn, places = drawing(arcs)

    assert sorted(places) == NAMES
    assert len(drawn.edges) == len(arcs)
    corners = sorted(places.values())
    for (x1, y1), (x2, y2) in ((a, b) for index, a in enumerate(corners) for b in corners[index + 1 :]):
        assert abs(x1 - x2) >= NODE_WIDTH or abs(y1 - y2) >= NODE_HEIGHT
    assert all(0 <= x <= drawn.width - NODE_WIDTH and 0 <= y <= drawn.height - NODE_HEIGHT for x, y in corners)


@settings(deadline=None)
@given(ARCS)
def test_without_circles_every_relation_leads_to_the_right(arcs: list[Arc]) -> None:
    forward = [
        Arc(min(arc.source, arc.target), max(arc.source, arc.target), arc.label, arc.many)
        for arc in arcs
        if arc.source != arc.target
    ]
    drawn, places = drawing(forward)

    assert all(places[arc.source][0] < places[arc.target][0] for arc in forward)
    assert not any(edge.backwards for edge in drawn.edges)


def test_a_relation_that_passes_a_column_goes_round_its_boxes() -> None:
    arcs = [Arc("a", "b", "r", many=False), Arc("b", "c", "r", many=False), Arc("a", "c", "long", many=False)]
    drawn, places = drawing(arcs, ["a", "b", "c"])
    long = next(edge for edge in drawn.edges if edge.label == "long")
    passed = float(long.path.split("L")[1].split("C")[0].split()[1])

    assert not places["b"][1] <= passed <= places["b"][1] + NODE_HEIGHT


def test_a_circle_and_a_relation_to_itself_are_drawn() -> None:
    arcs = [Arc("a", "b", "to", many=False), Arc("b", "a", "back", many=False), Arc("a", "a", "self", many=True)]
    drawn, places = drawing(arcs, ["a", "b"])

    assert [edge.backwards for edge in drawn.edges] == [False, True, False]
    assert places["a"][0] < places["b"][0]


def test_a_great_many_blueprints_are_drawn_in_part() -> None:
    drawn, places = drawing([], [f"b{index}" for index in range(400)])

    assert (len(places), drawn.left_out) == (150, 250)


@settings(deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_ticks_hold_all_values_at_equal_distances(one: float, other: float) -> None:
    low, high = min(one, other, 0), max(one, other, 0)
    ticks = nice_ticks(low, high)

    assert ticks[0] <= low + 1e-9
    assert ticks[-1] >= high - 1e-9 * max(1, abs(high))
    assert 2 <= len(ticks) <= 12
    assert all(right > left for left, right in pairwise(ticks))
    steps = [right - left for left, right in pairwise(ticks)]
    assert max(steps) == pytest.approx(min(steps))


@settings(deadline=None)
@given(st.lists(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=5, max_size=5), max_size=4), st.floats(200, 1200))
def test_lines_stay_within_their_chart(values: list[list[float | None]], width: float) -> None:
    series = [Series("s", tuple(each), 1) for each in values]
    chart = line_chart([(str(n), str(n)) for n in range(5)], series, width)

    for line in chart.lines:
        for x, y in line.dots:
            assert chart.left <= x <= chart.right
            assert chart.top - 0.1 <= y <= chart.height
    assert sum(len(line.dots) for line in chart.lines) == sum(v is not None for each in values for v in each)
    assert sum(len(stop.rows) for stop in chart.stops) == sum(len(line.dots) for line in chart.lines)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=15))
def test_slices_and_bars_have_the_share_of_their_number(sizes: list[int]) -> None:
    parts = [(f"p{index}", size, "tone-1") for index, size in enumerate(sizes)]

    assert sum(part.share for part in donut(parts).parts) == pytest.approx(1)
    drawn = bars(parts, 600)
    assert all(part.width / drawn.parts[0].width == pytest.approx(part.number / sizes[0]) for part in drawn.parts)
    assert all(drawn.left + part.width < 600 for part in drawn.parts)


@given(MOMENTS, st.sampled_from(INTERVALS))
def test_a_moment_is_in_one_span(at: datetime, interval: str) -> None:
    start = start_of(at, interval)

    assert start <= at < next_start(start, interval)
    assert start_of(start, interval) == start


@given(MOMENTS, st.integers(0, 1000), st.sampled_from(INTERVALS))
def test_the_spans_between_two_moments_follow_each_other(at: datetime, days: int, interval: str) -> None:
    last = at + timedelta(days=days)
    starts = list(starts_between(at, last, interval))

    assert all(next_start(one, interval) == other for one, other in pairwise(starts))
    assert starts[-1] == start_of(last, interval)
    assert interval == "hour" or starts[0] == start_of(at, interval)
    assert len(starts) <= 1001


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234, "1,234"), (-5, "-5"), (0.5, "0.50"), (2.0, "2"), (0.001234, "0.0012"), (1e20, "1e+20"),
     (10**18, "1000000000000000000"), (float("inf"), "inf")],
)  # fmt: skip
def test_numbers_are_read_by_people(value: float, text: str) -> None:
    assert number(value) == text


def test_other_texts_are_short() -> None:
    assert [short_number(value) for value in (0, 950, 1500, 2_500_000, -3e9)] == ["0", "950", "1.5k", "2.5M", "-3B"]
    assert [clipped("abcdef", most) for most in (6, 5, 1)] == ["abcdef", "abcd…", "…"]
    assert moment("2026-11-01T00:00:00Z") == "2026-11-01"
    assert moment("2026-11-01T02:30:00+02:00") == "2026-11-01 00:30"
    assert moment("last tuesday") == "last tuesday"
