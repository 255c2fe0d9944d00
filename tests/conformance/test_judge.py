"""The judge: it says nothing of what is as it should be, and something of everything else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.case import Case, Expected, Observed, incomplete
from tests.conformance.judge import differences
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, get, post
from tests.conformance.wire import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

EXPECTED = Expected(
    (get("/things?b=2&a=1", headers={"x-one": "1"}), post("/things", json={"n": 1, "flag": True})),
    ("1", "2", "3"),
    verdicts=(incomplete("loop"),),
    exit_code=1,
    codes=("loop",),
    says=("page 2",),
    properties={"1": {"size": 1}},
    moments=(0.0, (1.0, 2.0)),
)
CASE = Case("judge", "a case", always(None), EXPECTED, (Fault.NO_AUTH,))
FIRST = Asked("home", "GET", "/things?a=1&b=2", (("x-one", "1"), ("authorization", "Bearer t")))
SECOND = Asked("home", "POST", "/things", (), b'{"flag": true, "n": 1}', at=1.5)
OBSERVED = Observed(
    requests=(FIRST, SECOND),
    batches=(("3",), ("1", "2")),
    properties={"1": {"size": 1, "name": "x"}, "2": {}, "3": {}},
    verdicts=("incomplete: loop",),
    read=(3,),
    exit_code=1,
    problems=(("loop", "the same again, page 2"),),
)


def seen(change: Callable[[Observed], Observed], **expected: Any) -> list[str]:
    """What the judge says of OBSERVED after a change, and of a case with other expectations."""
    return differences(replace(CASE, expected=replace(EXPECTED, **expected)), change(OBSERVED))


def same(observed: Observed) -> Observed:
    return observed


def with_requests(*requests: Asked) -> Callable[[Observed], Observed]:
    return lambda observed: replace(observed, requests=requests)


def with_(**changes: Any) -> Callable[[Observed], Observed]:
    return lambda observed: replace(observed, **changes)


def test_what_is_as_it_should_be_is_no_difference() -> None:
    assert seen(same) == []


def test_requests_may_be_made_in_any_order_where_that_is_said() -> None:
    assert seen(with_requests(SECOND, FIRST), in_order=False, moments=None) == []


def test_what_may_be_asked_need_not_be() -> None:
    more = Asked("home", "GET", "/more", ())

    assert seen(same, may_ask=(get("/more"),)) == []
    assert seen(with_requests(FIRST, SECOND, more), may_ask=(get("/more"),), moments=None) == []
    assert seen(with_requests(FIRST, SECOND, more, more), may_ask=(get("/more"),), moments=None) != []


def test_records_may_arrive_in_any_order_where_that_is_said() -> None:
    assert seen(with_(batches=(("3", "1", "2"),)), records_in_order=False) == []


def test_more_may_be_read_than_arrives_where_that_is_said() -> None:
    assert seen(with_(read=(9,)), read=(9,)) == []
    assert seen(with_(read=(9,)), read=()) == []


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_requests(FIRST), id="a request is missing"),
        pytest.param(with_requests(FIRST, SECOND, SECOND), id="a request is made twice"),
        pytest.param(with_requests(replace(FIRST, target="/things?a=1&b=3"), SECOND), id="another parameter"),
        pytest.param(with_requests(replace(FIRST, target="/things?a=1&b=2&b=2"), SECOND), id="a parameter twice"),
        pytest.param(with_requests(replace(FIRST, target="/Things?a=1&b=2"), SECOND), id="another path"),
        pytest.param(with_requests(replace(FIRST, method="PUT"), SECOND), id="another method"),
        pytest.param(with_requests(replace(FIRST, headers=()), SECOND), id="a header is missing"),
        pytest.param(with_requests(replace(FIRST, server="away"), SECOND), id="another server"),
        pytest.param(with_requests(FIRST, replace(SECOND, body=b'{"flag": 1, "n": 1}')), id="a type is lost"),
        pytest.param(with_requests(FIRST, replace(SECOND, body=b"")), id="the body is missing"),
        pytest.param(with_requests(FIRST, replace(SECOND, at=0.5)), id="too early"),
        pytest.param(with_requests(FIRST, replace(SECOND, at=2.5)), id="too late"),
        pytest.param(with_(batches=(("1", "2"),)), id="a record is missing"),
        pytest.param(with_(batches=(("1", "2"), ("3", "4"))), id="a record too many"),
        pytest.param(with_(batches=(("1", "2"), ("3", "3"))), id="a record twice"),
        pytest.param(with_(read=(4,)), id="more records are counted"),
        pytest.param(with_(properties={"1": {"size": True}}), id="a property of another type"),
        pytest.param(with_(properties={}), id="an entity without its properties"),
        pytest.param(with_(verdicts=("complete",)), id="another verdict"),
        pytest.param(with_(verdicts=("incomplete: status",)), id="another reason"),
        pytest.param(with_(verdicts=()), id="no resource"),
        pytest.param(with_(exit_code=0), id="another exit code"),
        pytest.param(with_(problems=()), id="no problem"),
        pytest.param(with_(problems=(("status", "page 2"),)), id="another code"),
        pytest.param(with_(problems=(("loop", "somewhere"),)), id="the place is not named"),
        pytest.param(with_(faults=("a secret in the output",)), id="a fault whatever the case"),
    ],
)
def test_the_judge_notices(change: Callable[[Observed], Observed], in_order: bool) -> None:
    assert seen(change, in_order=in_order, records_in_order=in_order) != []


@pytest.mark.parametrize(
    "change", [with_requests(SECOND, FIRST), with_(batches=(("2", "1"), ("3",))), with_(batches=(("1", "3"), ("2",)))]
)
def test_the_judge_notices_a_wrong_order(change: Callable[[Observed], Observed]) -> None:
    assert seen(change, moments=None) != []


@pytest.mark.parametrize("name", ["authorization", "x-customer", "cookie", "x-api-key"])
def test_the_judge_notices_what_another_origin_may_not_see(name: str) -> None:
    away = Asked("away", "GET", "/more", ((name, "secret"),))
    more = (*EXPECTED.requests, get("/more", server="away"))

    assert seen(with_requests(FIRST, SECOND, away), requests=more, moments=None) == [
        f"GET /more to away carries {name}"
    ]
