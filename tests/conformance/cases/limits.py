"""Budgets: how many requests in what time, and how many pages at all (C27)."""

from __future__ import annotations

from tests.conformance.case import Case
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, get, gets, things, turns
from tests.conformance.wire import Asked, Reply

_NUMBERS = "/things?page={}&size=1"


def _chain(length: int, **limits: str) -> object:
    """So many pages of one record; each answer says `limits` of the server's own budget."""
    headers = tuple((f"x-ratelimit-{name}", value) for name, value in limits.items())

    def script(asked: Asked) -> object:
        number = int(asked.query.get("cursor", 1))
        return Reply({"data": things(number), "next": number + 1 if number < length else None}, headers=headers)

    return script


def _asked(length: int) -> list[object]:
    return [get("/things"), *gets("/things?cursor={}", range(2, length + 1))]


def _paced_case(name: str, script: object, length: int, moments: list[float], fault: Fault, source: str = "") -> Case:
    """A chain of pages, and the moment of each request."""
    return Case(
        "C27",
        name,
        script,  # type: ignore[arg-type]
        complete(_asked(length), range(1, length + 1), moments=tuple(moments)),  # type: ignore[arg-type]
        (fault,),
        pagination="{type: cursor, cursor_path: .next}",
        source=source,
    )


CASES = [
    _paced_case(
        "ten requests in a minute, and the eleventh a minute after the first",
        _chain(25),
        25,
        [0.0] * 10 + [60.0] * 10 + [120.0] * 5,
        Fault.NO_BUDGET,
        "rate_limit: {requests: 10, per: 60}",
    ),
    Case(
        "C27",
        "retries count",
        always(turns(*[Reply({}, 503, (("Retry-After", "0"),))] * 2, {"data": things(1)})),
        complete([get("/things")] * 3, [1], moments=(0.0, 0.0, 60.0)),
        (Fault.RETRIES_ARE_FREE,),
        source="rate_limit: {requests: 2, per: 60}",
    ),
    _paced_case(
        "what the server says is left is heeded",
        _chain(3, remaining="0", reset="30"),
        3,
        [0.0, 30.0, 60.0],
        Fault.IGNORES_REMAINING,
    ),
    _paced_case(
        "what the server says is left does not raise the budget",
        _chain(3, remaining="1000", reset="1"),
        3,
        [0.0, 10.0, 20.0],
        Fault.HEADERS_RAISE_THE_BUDGET,
        "rate_limit: {requests: 1, per: 10}",
    ),
    Case(
        "limits",
        "more pages than max_pages are not read, and it is said so",
        lambda asked: {"data": things(asked.query["page"])},
        broken("truncated", gets(_NUMBERS, (1, 2)), [1, 2], says=("2",)),
        (Fault.IGNORES_MAX_PAGES, Fault.MAX_PAGES_IS_COMPLETE),
        pagination="{type: page, page_size: 1, max_pages: 2}",
    ),
    Case(
        "limits",
        "as many pages as max_pages are all",
        lambda asked: {"data": things(asked.query["page"]), "pages": 2},
        complete(gets(_NUMBERS, (1, 2)), [1, 2], in_order=False),
        (Fault.MAX_PAGES_ALWAYS_CUTS,),
        pagination="{type: page, page_size: 1, max_pages: 2, total_pages_path: .pages}",
    ),
]
