"""What is tried again, and how long is waited before."""

from __future__ import annotations

from email.utils import formatdate

from tests.conformance.case import START, Case, Moment
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, get, post, things, turns
from tests.conformance.wire import Reply

_DONE = {"data": things(1)}
_OWN_BACKOFF = (0.1, 2.0)


def _wait_case(asked: str | None, wait: Moment, *faults: Fault, status: int = 429) -> Case:
    """A refusal that asks for a wait, and the moment at which the second request has to come."""
    headers = () if asked is None else (("Retry-After", asked),)
    return Case(
        "C22",
        f"{status} with {'no Retry-After' if asked is None else f'Retry-After {asked}'}",
        always(turns(Reply({"message": "slow down"}, status, headers), _DONE)),
        complete([get("/things"), get("/things")], [1], moments=(0.0, wait)),
        faults,
    )


def _status_case(status: int, *, exit_code: int = 1) -> Case:
    """A status that does not pass."""
    return Case(
        "C25",
        f"{status} is not tried again",
        always(Reply({"message": "no"}, status)),
        broken(
            "status",
            [get("/things")],
            [],
            exit_code=exit_code,
            codes=("source-refused" if exit_code == 3 else "source-status",),
            says=(str(status),),
        ),
        (Fault.RETRIES_EVERY_ERROR, Fault.SWALLOWS_STATUSES),
    )


CASES = [
    _wait_case("4", 4.0, Fault.IGNORES_RETRY_AFTER, Fault.ADDS_A_SECOND, Fault.NEVER_RETRIES),
    _wait_case(formatdate(START + 90, usegmt=True), 90.0, Fault.IGNORES_RETRY_AFTER_DATES),
    _wait_case("Sun Sep 13 12:28:10 2020", 90.0, Fault.IGNORES_RETRY_AFTER_DATES),
    _wait_case(formatdate(START - 90, usegmt=True), (0.0, 1.0), Fault.NEVER_RETRIES),
    _wait_case("1.5", 1.5, Fault.WHOLE_SECONDS_ONLY),
    _wait_case("0", 0.0, Fault.WAITS_AT_LEAST_A_SECOND),
    _wait_case("-5", _OWN_BACKOFF, Fault.TRUSTS_NEGATIVE_WAITS),
    _wait_case("soon", _OWN_BACKOFF, Fault.NEVER_RETRIES),
    _wait_case(None, _OWN_BACKOFF, Fault.NEVER_RETRIES),
    _wait_case("7", 7.0, Fault.IGNORES_RETRY_AFTER, status=503),
    Case(
        "C22",
        "a wait beyond max_wait is not begun, and the moment to come back is named",
        always(turns(Reply({}, 429, (("Retry-After", "3600"),)), _DONE)),
        broken("rate_limit", [get("/things")], [], says=("13:26:40",), moments=(0.0,)),
        (Fault.CLAMPS_RETRY_AFTER, Fault.IGNORES_RETRY_AFTER),
    ),
    *(
        Case(
            "C22",
            f"429 with nothing left until {name}",
            always(turns(Reply({}, 429, (("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset))), _DONE)),
            complete([get("/things"), get("/things")], [1], moments=(0.0, 30.0)),
            (Fault.IGNORES_REMAINING,),
        )
        for name, reset in (("30 seconds from now", "30"), ("a moment in epoch seconds", f"{START + 30:.0f}"))
    ),
    Case(
        "C24",
        "the waits grow, and the last of five tries may still do it",
        always(turns(*[Reply({}, 503)] * 4, _DONE)),
        complete([get("/things")] * 5, [1], moments=(0.0, (0.2, 1.0), (0.8, 3.0), (2.0, 7.0), (5.0, 15.0))),
        (Fault.CONSTANT_BACKOFF, Fault.NEVER_RETRIES),
        source="retry: {attempts: 5, max_wait: 60}",
    ),
    Case(
        "C24",
        "five tries are five requests",
        always(Reply({}, 503)),
        broken("status", [get("/things")] * 5, [], codes=("source-status",), says=("503",)),
        (Fault.COUNTS_RETRIES_NOT_TRIES, Fault.RETRIES_FOR_EVER, Fault.NEVER_RETRIES),
        source="retry: {attempts: 5, max_wait: 60}",
    ),
    Case(
        "C24",
        "429 again and again is the end of a resource, and says why",
        always(Reply({}, 429, (("Retry-After", "1"),))),
        broken("rate_limit", [get("/things")] * 3, [], moments=(0.0, 1.0, 2.0)),
        (Fault.COUNTS_RETRIES_NOT_TRIES, Fault.NEVER_RETRIES),
    ),
    *(_status_case(status) for status in (400, 404, 405, 409, 418, 422)),
    *(_status_case(status, exit_code=3) for status in (401, 403)),
    *(
        Case(
            "C25",
            f"{status} is tried again",
            always(turns(Reply({}, status), _DONE)),
            complete([get("/things"), get("/things")], [1]),
            (Fault.NEVER_RETRIES,),
        )
        for status in (408, 429, 500, 502, 503, 504, 521, 529)
    ),
    Case(
        "C25",
        "a POST is tried again as well",
        always(turns(Reply({}, 503), _DONE)),
        complete([post("/things", json={"q": 1})] * 2, [1]),
        (Fault.NEVER_RETRIES,),
        selector="{data_path: .data, method: POST, body: {q: 1}}",
    ),
    Case(
        "C25",
        "the mapping can say that a status is worth another try",
        always(turns(Reply({}, 409), _DONE)),
        complete([get("/things"), get("/things")], [1]),
        (Fault.IGNORES_ON_STATUS,),
        selector="{data_path: .data, on_status: {409: retry}}",
    ),
]
