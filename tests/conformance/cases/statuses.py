"""Statuses that mean more than a number: what a mapping says of them, and what they take along."""

from __future__ import annotations

from tests.conformance.case import COMPLETE, SKIPPED, Case, incomplete
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, get, gets, table, things
from tests.conformance.wire import Reply

_NO = Reply({"message": "not yours"}, 403)
_GONE = Reply({"message": "no such page"}, 404)
_SICK = Reply({"message": "sick"}, 500)
_NUMBERS = "{type: page, page_size: 2}"
_ONE, _TWO = "/things?page=1&size=2", "/things?page=2&size=2"
_THREE = """
  - {kind: /a}
  - {kind: /b}
  - {kind: /c}
"""

CASES = [
    Case(
        "statuses",
        "403 that is to be skipped",
        always(_NO),
        complete([get("/things")], [], verdicts=(SKIPPED,)),
        (Fault.IGNORES_ON_STATUS, Fault.SKIPPED_IS_COMPLETE),
        selector="{data_path: .data, on_status: {403: skip}}",
    ),
    Case(
        "statuses",
        "403 that means empty",
        always(_NO),
        complete([get("/things")], []),
        (Fault.IGNORES_ON_STATUS,),
        selector="{data_path: .data, on_status: {403: empty}}",
    ),
    Case(
        "statuses",
        "404 beyond the last page, which the mapping calls empty",
        table({f"GET {_ONE}": {"data": things(1, 2)}, f"GET {_TWO}": {"data": things(3, 4)}}),
        complete(gets("/things?page={}&size=2", (1, 2, 3)), [1, 2, 3, 4]),
        (Fault.IGNORES_ON_STATUS,),
        pagination=_NUMBERS,
        selector="{data_path: .data, on_status: {404: empty}}",
    ),
    Case(
        "statuses",
        "404 beyond the last page, of which the mapping does not speak",
        table({f"GET {_ONE}": {"data": things(1, 2)}, f"GET {_TWO}": {"data": things(3, 4)}}),
        broken("status", gets("/things?page={}&size=2", (1, 2, 3)), [1, 2, 3, 4], codes=("source-status",)),
        (Fault.SWALLOWS_STATUSES,),
        pagination=_NUMBERS,
    ),
    Case(
        "statuses",
        "a page after the first cannot be skipped",
        table({f"GET {_ONE}": {"data": things(1, 2)}, f"GET {_TWO}": _NO}),
        broken("status", [get(_ONE), get(_TWO)], [1, 2], codes=("source-refused",)),
        (Fault.SKIPS_THE_REST,),
        pagination=_NUMBERS,
        selector="{data_path: .data, on_status: {403: skip}}",
    ),
    Case(
        "statuses",
        "503 that the mapping calls final",
        always(Reply({}, 503)),
        broken("status", [get("/things")], [], codes=("source-status",)),
        (Fault.RETRIES_WHAT_FAILS, Fault.IGNORES_ON_STATUS),
        selector="{data_path: .data, on_status: {503: fail}}",
    ),
    Case(
        "statuses",
        "500 on the second page keeps what the first one gave",
        table({f"GET {_ONE}": {"data": things(1, 2)}, f"GET {_TWO}": _SICK}),
        broken("status", [get(_ONE), get(_TWO), get(_TWO), get(_TWO)], [1, 2], says=("500", "page 2")),
        (Fault.SWALLOWS_STATUSES,),
        pagination=_NUMBERS,
    ),
    Case(
        "statuses",
        "a resource that is refused does not keep the others from being read",
        table({"GET /a": {"data": things(1)}, "GET /b": _NO, "GET /c": {"data": things(3)}}),
        complete(
            [get("/a"), get("/b"), get("/c")],
            [1, 3],
            verdicts=(COMPLETE, incomplete("status"), COMPLETE),
            exit_code=1,
            codes=("source-refused",),
            in_order=False,
        ),
        (Fault.SWALLOWS_STATUSES,),
        resources=_THREE,
    ),
    Case(
        "statuses",
        "a source that refuses everything could not be used",
        always(Reply({"message": "who are you?"}, 401)),
        complete(
            [get("/a"), get("/b"), get("/c")], [], verdicts=(incomplete("status"),) * 3, exit_code=3, in_order=False
        ),
        (Fault.SWALLOWS_STATUSES,),
        resources=_THREE,
    ),
    Case(
        "statuses",
        "a source that nobody can reach could not be used",
        always(None),
        broken("unreachable", [], [], exit_code=3, codes=("unreachable",)),
        (Fault.TAKES_HALF_AN_ANSWER,),
        source="base_url: http://127.0.0.1:1",
    ),
]
