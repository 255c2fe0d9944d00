"""The fault matrix: what can go wrong with a run, and what comes of it. The page of guarantees shows this table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from starlette.responses import JSONResponse

from tests.faults import machine
from tests.faults.outcome import Outcome
from tests.faults.sick import Silent, Torn, refusal, web_page
from tests.faults.world import no_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.responses import Response

    from tests.faults.machine import Machine

_ALL = "/v1/"
_BLUEPRINT = "/v1/blueprints/thing$"
_BULK = "/v1/blueprints/thing/entities/bulk"
_SEARCH = "/v1/blueprints/thing/entities/search"
_DELETE = "/v1/blueprints/thing/bulk/entities/delete"


@dataclass(frozen=True)
class Row:
    """A fault in the second of three runs."""

    where: Literal["source", "Port", "machine"]
    happens: str
    outcome: Outcome
    source: Callable[[int, int], Response | None] = no_fault
    port: tuple[Mapping[str, Any], ...] = ()
    """In the form of docs/reference/local-port.md."""
    machine: Machine = machine.sound
    blocks: int | None = None
    """How long a file may be, in blocks of 512 bytes; None where there is no limit."""
    things: int = 100
    gone_in_ten: int = 1
    options: tuple[str, ...] = field(default=())


def _page(number: int, answer: Callable[[], Response], *, times: int = 100) -> Callable[[int, int], Response | None]:
    """The first `times` answers to one page."""
    return lambda page, time: answer() if page == number and time <= times else None


def _each_page(answer: Callable[[], Response], *, times: int = 100) -> Callable[[int, int], Response | None]:
    return lambda _, time: answer() if time <= times else None


def _empty() -> Response:
    return JSONResponse({"data": []})


def _too_many() -> Response:
    return refusal(429, retry_after="30")


ROWS = (
    Row(
        "source",
        "It answers 500 to page 3 of 4",
        Outcome(
            1,
            "`incomplete` (`status`); deletion refused (`incomplete`); `source-status`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        source=_page(3, lambda: refusal(500)),
    ),
    Row(
        "source",
        "It answers 200 with an empty list",
        Outcome(
            1,
            "deletion refused (`empty`); `deletion-refused`",
            "as before",
            "sends what is missing and deletes what is gone",
        ),
        source=_page(1, _empty),
    ),
    Row(
        "source",
        "The connection drops in the middle of an answer, once",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        source=_page(2, Torn, times=1),
    ),
    Row(
        "source",
        "The connection drops in the middle of an answer, every time",
        Outcome(
            1,
            "`incomplete` (`connection`); deletion refused (`incomplete`); `broken-connection`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        source=_page(3, Torn),
    ),
    Row(
        "source",
        "It answers 200 with a web page in place of JSON",
        Outcome(
            1,
            "`incomplete` (`decode`); deletion refused (`incomplete`); `not-json`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        source=_page(2, web_page),
    ),
    Row(
        "source",
        "It answers 401 from page 3 on",
        Outcome(
            1,
            "`incomplete` (`status`); deletion refused (`incomplete`); `source-refused`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        source=_page(3, lambda: refusal(401)),
    ),
    Row(
        "source",
        "It answers 401 from the start",
        Outcome(
            3,
            "`incomplete` (`status`); deletion refused (`incomplete`); `source-refused`",
            "as before",
            "sends what is missing and deletes what is gone",
        ),
        source=_each_page(lambda: refusal(401)),
    ),
    Row(
        "source",
        "It answers 429 to each page, three times",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        source=_each_page(_too_many, times=3),
    ),
    Row(
        "source",
        "It answers 429 to page 3 until all attempts are used up",
        Outcome(
            1,
            "`incomplete` (`rate_limit`); deletion refused (`incomplete`); `source-status`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        source=_page(3, _too_many),
    ),
    Row(
        "source",
        "It does not answer, once",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        source=_page(2, Silent, times=1),
    ),
    Row(
        "source",
        "It does not answer any more",
        Outcome(
            1,
            "`incomplete` (`timeout`); deletion refused (`incomplete`); `timeout`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        source=_page(3, Silent),
    ),
    Row(
        "Port",
        "The connection drops after a write was applied",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _BULK, "cut": "after", "times": 3},),
    ),
    Row(
        "Port",
        "The connection drops before a write was applied",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _BULK, "cut": "before", "times": 3},),
    ),
    Row(
        "Port",
        "The token dies in the middle of the run",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _BULK, "status": 401, "after": 2},),
    ),
    Row(
        "Port",
        "The credentials are withdrawn in the middle of the run",
        Outcome(
            1,
            "`incomplete` (`port`); `rejected`; `port-refused`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        port=({"path": _BULK, "status": 401, "after": 2, "times": None},),
    ),
    Row(
        "Port",
        "It answers 429 to everything for a minute",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _ALL, "status": 429, "retry_after": 20, "for_s": 60},),
    ),
    Row(
        "Port",
        "It answers 500 to everything for 10 s",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _ALL, "status": 500, "for_s": 10},),
    ),
    Row(
        "Port",
        "It is down for 30 s when the run begins",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _ALL, "cut": "before", "for_s": 30},),
    ),
    Row(
        "Port",
        "It is down for 30 s in the middle of the run",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _BULK, "status": 503, "for_s": 30},),
    ),
    Row(
        "Port",
        "It is down",
        Outcome(4, "`port-unreachable`", "as before", "sends what is missing and deletes what is gone"),
        port=({"path": _ALL, "cut": "before", "times": None},),
    ),
    Row(
        "Port",
        "It goes down in the middle of the run",
        Outcome(
            1,
            "`rejected`; deletion refused (`rejected`); `port-trouble`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        port=({"path": _BULK, "status": 503, "after": 2, "times": None},),
    ),
    Row(
        "Port",
        "It refuses single entities (207)",
        Outcome(
            1,
            "`rejected`; deletion refused (`rejected`); `port-rejected`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        port=({"path": _BULK, "entity": ["t001", "u001"], "items": {"statusCode": 422}, "times": None},),
    ),
    Row(
        "Port",
        "It takes no batch of more than 7 entities (413)",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _BULK, "more_than": 7, "status": 413, "times": None},),
    ),
    Row(
        "Port",
        "It does not take one entity, not even alone (413)",
        Outcome(
            1,
            "`rejected`; deletion refused (`rejected`); `entity-too-large`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        port=({"path": _BULK, "entity": "t011", "status": 413, "times": None},),
    ),
    Row(
        "Port",
        "It answers two batches with a web page",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _BULK, "body": "<h1>One moment</h1>", "times": 2},),
    ),
    Row(
        "Port",
        "It answers everything but the sign-in with a web page",
        Outcome(
            4,
            "`incomplete` (`port`); `rejected`; `port-unusable`",
            "as before",
            "sends what is missing and deletes what is gone",
        ),
        port=({"path": "/v1/blueprints", "body": "<h1>Maintenance</h1>", "times": None},),
    ),
    Row(
        "Port",
        "It cannot be searched",
        Outcome(1, "deletion refused (`port`); `deletion-failed`", "all but the deletions", "deletes what is gone"),
        port=({"path": _SEARCH, "status": 500, "times": None},),
    ),
    Row(
        "Port",
        "It cannot be searched, and the state is lost too",
        Outcome(1, "deletion refused (`port`); `deletion-failed`", "all but the deletions", "deletes what is gone"),
        port=({"path": _SEARCH, "status": 500, "times": None},),
        machine=machine.without_state,
    ),
    Row(
        "Port",
        "It answers 500 to the second of two calls that delete",
        Outcome(1, "deletion refused (`port`); `deletion-failed`", "all but some deletions", "deletes what is gone"),
        port=({"path": _DELETE, "status": 500, "after": 1, "times": None},),
        things=240,
        gone_in_ten=5,
        options=("--max-delete", "1"),
    ),
    Row(
        "Port",
        "The answer to a deletion is lost after it was applied, once",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        port=({"path": _DELETE, "cut": "after"},),
    ),
    Row(
        "Port",
        "The answer to a deletion is lost after it was applied, every time",
        Outcome(1, "deletion refused (`port`); `deletion-failed`", "as the source", "finds nothing to do"),
        port=({"path": _DELETE, "cut": "after", "times": None},),
    ),
    Row(
        "machine",
        "The state file is deleted between two runs",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        machine=machine.without_state,
    ),
    Row(
        "machine",
        "The state file has garbage at its start",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        machine=machine.state_with_garbage_at_its_start,
    ),
    Row(
        "machine",
        "The state file has garbage in its middle",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        machine=machine.state_with_garbage_in_the_middle,
    ),
    Row(
        "machine",
        "The state file is cut short",
        Outcome(0, "all is well", "as the source", "finds nothing to do"),
        machine=machine.state_cut_short,
    ),
    Row(
        "machine",
        "The folder of the state cannot be written",
        Outcome(2, "`bad-state`", "as before", "sends what is missing and deletes what is gone"),
        machine=machine.no_place_for_the_state,
    ),
    Row(
        "machine",
        "Another process has the state",
        Outcome(2, "`state-in-use`", "as before", "sends what is missing and deletes what is gone"),
        machine=machine.state_of_another_process,
    ),
    Row(
        "machine",
        "The disk is full before the run",
        Outcome(2, "`bad-state`", "as before", "sends what is missing and deletes what is gone"),
        blocks=8,
    ),
    Row(
        "machine",
        "The disk is full while the state is written",
        Outcome(
            1,
            "`incomplete` (`state`); `rejected`; `state-lost`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        blocks=64,
        things=300,
    ),
    Row(
        "machine",
        "The dead letters of a refused entity cannot be written",
        Outcome(
            1,
            "`rejected`; deletion refused (`rejected`); `dead-letters`, `port-rejected`",
            "some of the changes, nothing deleted",
            "sends what is missing and deletes what is gone",
        ),
        port=({"path": _BULK, "entity": "t001", "items": {"statusCode": 422}, "times": None},),
        options=("--dead-letters", "/dev/null/letters.jsonl"),
    ),
)
