"""The page of how far it scales shows what the model says."""

from __future__ import annotations

import pytest
from bench.simulation.costs import Costs
from bench.simulation.forecast import forecast
from bench.simulation.scale import ENTITIES, PAGE, ROWS, RUNS, SOURCES, Row, duration
from bench.simulation.shapes import Cluster, Local

TEXT = PAGE.read_text(encoding="utf-8")
COSTS = Costs.load()
_QUICK = [row for row in ROWS if row.entities <= 1_000_000 and not (row.entities > 10_000 and row.run == "first")]
_LARGE = [row for row in ROWS if row.entities == max(ENTITIES) and "10 requests" in row.source and row.run != "first"]


def section(source: str) -> str:
    """What stands below the heading of a table."""
    return TEXT.partition(f"### {source}\n")[2].partition("\n#")[0]


def test_there_is_a_row_for_each_number_and_run_of_each_source() -> None:
    for source in SOURCES:
        begins = [line.split("|")[1:3] for line in section(source).splitlines() if line[:3].strip("| ").isdigit()]
        assert [(a.strip(), b.strip()) for a, b in begins] == [(f"{n:,}", run) for n in ENTITIES for run in RUNS]


@pytest.mark.parametrize("row", [*_QUICK, *_LARGE], ids=lambda row: f"{row.source[-20:]}, {row.entities}, {row.run}")
def test_a_row_is_what_the_model_says(row: Row) -> None:
    """The largest ones take too long for a test; `./dev bench simulate --scale` writes all of them."""
    assert row.text(COSTS) in section(row.source), "write it anew with ./dev bench simulate --scale"


def test_one_machine_keeps_up_with_port_as_the_page_says() -> None:
    row = Row(next(iter(SOURCES)), 1_000_000, "first")
    assert forecast(row.shape(Local(has_servers=False)), COSTS, grain=10).held_up_by == "Port"


def test_a_thousand_workers_do_not_help_where_the_source_allows_little_as_the_page_says() -> None:
    row = Row(next(iter(SOURCES)), 1_000_000, "nothing changed")
    one, many = (forecast(row.shape(site), COSTS) for site in (Local(has_servers=False), Cluster(1_000)))
    assert many.wall_s == pytest.approx(one.wall_s, rel=0.1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.42, "0.42 s"),
        (12.3, "12 s"),
        (89.0, "89 s"),
        (91.0, "1.5 min"),
        (1_200, "20 min"),
        (43_000, "12 h"),
        (2e5, "2.3 d"),
    ],
)
def test_a_duration_is_said_as_exactly_as_it_is_known(seconds: float, text: str) -> None:
    assert duration(seconds) == text
