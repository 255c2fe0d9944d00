"""A sync into a Port that has all of its troubles at once: every entity arrives, and the report counts each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LocalPort, Run, Source

BULK = "/v1/blueprints/thing/entities/bulk"
RECORDS = 400


@pytest.fixture
def things(source: Source) -> Source:
    source.answer = lambda _: {"data": [{"id": f"t{n:03}", "size": n} for n in range(RECORDS)]}
    return source


def test_a_run_through_every_passing_trouble_is_whole(
    things: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    troubles: list[dict[str, Any]] = [
        {"status": 401},
        {"status": 429, "retry_after": 1},
        {"status": 500, "times": 2},
        {"status": 503, "retry_after": 1},
        {"cut": "before"},
        # Not the first, whose token the 401 has ended.
        {"cut": "after", "after": 10, "times": 2},
        {"body": "<h1>One moment</h1>"},
        {"more_than": 12, "status": 413, "times": None},
        {"entity": ["t100", "t200"], "items": {"statusCode": 429}, "times": 2},
        {"entity": "t300", "items": {"statusCode": 500}},
    ]
    local_port.script(*({"path": BULK, "method": "POST", **trouble} for trouble in troubles))

    run = sync()

    assert run.exit_code == 0, run.err
    assert local_port.entities("thing").keys() == {f"t{n:03}" for n in range(RECORDS)}
    assert run.resource["entities"] == RECORDS == run.resource["created"] + run.resource["updated"]
    # Those of the cut connections were applied, and then came again.
    assert run.resource["updated"] > 0
    assert len([status for status, _ in local_port.writes() if status is None]) == 3
    assert things.asked


def test_troubles_that_do_not_pass_are_in_the_report_and_nothing_else_is(
    things: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    local_port.script(
        {"path": BULK, "entity": "t007", "items": {"statusCode": 503, "message": "busy"}, "times": None},
        {"path": BULK, "entity": "t070", "status": 413, "times": None},
    )

    run = sync()

    assert run.exit_code == 1
    assert run.resource["rejected"] == 2
    assert {(p["code"], p["identifier"]) for p in run.report["problems"]} == {
        ("port-rejected", "t007"),
        ("entity-too-large", "t070"),
    }
    assert things.asked
    assert len(local_port.entities("thing")) == RECORDS - 2


def test_a_port_that_takes_nothing_any_more_ends_the_run(
    things: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    local_port.script({"path": BULK, "status": 502, "times": None, "after": 3})

    run = sync()

    assert run.exit_code == 1
    assert run.resource["created"] == 60
    assert run.resource["rejected"] == RECORDS - 60
    assert things.asked


def test_a_rate_limit_that_is_used_up_for_almost_a_whole_window_is_waited_for(
    things: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    local_port.script({"path": BULK, "status": 429, "retry_after": 295})

    run = sync()

    assert run.exit_code == 0, run.err
    assert run.resource["created"] == RECORDS
    assert things.asked
