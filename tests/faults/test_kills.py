"""Runs that are killed, or asked to stop, at random moments, while the source changes: `./dev bench kills` does it for
longer."""

from __future__ import annotations

from signal import SIGINT, SIGKILL, SIGTERM
from typing import TYPE_CHECKING

import pytest

from tests.faults.storm import brewing
from tests.faults.tripwire import Trip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.storm import Ended, Storm

KILLS, STOPS = 15, 4


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    with brewing(tmp_path, seed=7) as storm:
        storm.heal()
        yield storm


def test_runs_that_are_killed_lose_nothing_and_the_next_one_makes_all_well(storm: Storm) -> None:
    ended = list(storm.rage(KILLS, (SIGKILL,)))

    assert storm.strikes.total() >= KILLS
    assert {one.code for one in ended} <= {-SIGKILL, 0}
    assert storm.catalog() == storm.tide.now


def test_runs_that_are_asked_to_stop_say_so_in_their_report_and_the_next_one_makes_all_well(storm: Storm) -> None:
    for ended in storm.rage(STOPS, (SIGTERM, SIGINT)):
        check_stopped(ended)

    assert storm.catalog() == storm.tide.now


def check_stopped(ended: Ended) -> None:
    assert ended.took_s < 12
    assert ended.trip is not None
    if not ended.was_struck:
        assert ended.code == 0, ended.out
    elif ended.trip.kind != "start":
        # Before a run has begun there is nothing to report.
        assert ended.code == 128 + ended.trip.signal, ended.out
        assert ended.report is not None
        assert (ended.report["exit_code"], ended.report["status"]) == (ended.code, "interrupted")


def test_a_run_that_is_asked_to_stop_while_port_does_not_answer_a_deletion_ends_in_time(storm: Storm) -> None:
    storm.script({"path": "/v1/blueprints/thing/bulk/entities/delete", "hang": True, "times": None})
    storm.tide.turn()
    ended = storm.run(Trip("delete", 1, 0.0, SIGTERM))
    storm.script()

    check_stopped(ended)
    assert ended.was_struck
    assert ended.report is not None
    assert [one["refused"] for one in ended.report["deletions"] if one["blueprint"] == "thing"] == ["port"]
    storm.heal()
