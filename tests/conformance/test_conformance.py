"""Every case against portsync, and every case against readers of which one thing is known to be wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.conformance.cases import CASES
from tests.conformance.judge import differences
from tests.conformance.naive.faults import Fault
from tests.conformance.runner import Place, WatchedPort, run_portsync
from tests.conformance.twin import run_naive

if TYPE_CHECKING:
    from tests.conformance.case import Case

_MOST_SHOWN = 12

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_twin = pytest.mark.parametrize(
    ("case", "fault"), [pytest.param(c, fault, id=f"{c}-{fault}") for c in CASES for fault in c.twins]
)


def _shown(found: list[str]) -> str:
    more = [f"... and {len(found) - _MOST_SHOWN} more"] if len(found) > _MOST_SHOWN else []
    return "\n".join([*found[:_MOST_SHOWN], *more])


@every_case
def test_portsync_passes(case: Case, place: Place, port: WatchedPort) -> None:
    found = differences(case, run_portsync(case, place, port))

    assert not found, _shown(found)


@every_case
def test_portsync_passes_over_a_cluster(case: Case, place: Place, port: WatchedPort, postgres: str) -> None:
    found = differences(case, run_portsync(case, place, port, postgres))

    assert not found, _shown(found)


@every_case
def test_a_reader_without_faults_passes(case: Case, place: Place) -> None:
    """Otherwise nobody could pass, and a twin would prove nothing."""
    found = differences(case, run_naive(case, place))

    assert not found, _shown(found)


@every_twin
def test_the_broken_twin_fails(case: Case, fault: Fault, place: Place) -> None:
    assert differences(case, run_naive(case, place, fault)) != []


def test_every_case_has_a_twin_and_a_name_of_its_own() -> None:
    assert [str(case) for case in CASES if not case.twins] == []
    assert [name for name, count in Counter(map(str, CASES)).items() if count > 1] == []


def test_every_fault_is_noticed_by_some_case() -> None:
    assert set(Fault) - {fault for case in CASES for fault in case.twins} == set()
