"""A span of time in pieces (C33, without the state of earlier runs)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.conformance.case import Case, Expected, incomplete
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import broken, complete, get, ids, things
from tests.conformance.wire import Asked, Reply

_PARAMS = 'query_params: {from: "{{ $window.start }}", to: "{{ $window.end }}"}'


def _own(asked: Asked) -> Any:
    return {"data": things(f"{asked.query['from']}/{asked.query['to']}")}


def _window_case(name: str, window: str, pieces: list[tuple[str, str]], *faults: Fault, family: str = "C33") -> Case:
    """The pieces that `window` has to be asked for in."""
    return Case(
        family,
        name,
        _own,
        complete(
            [get(f"/things?from={start}&to={end}".replace("+", "%2B")) for start, end in pieces],
            None,
            in_order=False,
        ),
        faults,
        selector=f"{{data_path: .data, {_PARAMS}, window: {window}}}",
        entity='identifier: .id | gsub("[^0-9/-]"; ".")',
    )


def _pairs(*starts: Any) -> list[tuple[str, str]]:
    return [(str(a), str(b)) for a, b in pairwise(starts)]


_YEAR = [f"2024-{month:02}-{{}}" for month in range(1, 13)]
_LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

CASES = [
    _window_case(
        "pieces of ten seconds",
        '{start: 20, end: 50, step: 10s, format: "%s"}',
        _pairs(20, 30, 40, 50),
        Fault.ONE_WINDOW,
        Fault.ONE_FORMAT,
    ),
    _window_case(
        "the last piece is as long as there is time",
        '{start: 20, end: 45, step: 10s, format: "%s"}',
        _pairs(20, 30, 40, 45),
        Fault.WINDOWS_PASS_THE_END,
    ),
    _window_case(
        "a step longer than the span is one piece",
        '{start: 20, end: 45, step: 1h, format: "%s"}',
        _pairs(20, 45),
        Fault.WINDOWS_PASS_THE_END,
    ),
    _window_case(
        "pieces that include their end leave out what the next one begins with",
        '{start: 20, end: 50, step: 10s, granularity: 1s, format: "%s"}',
        [("20", "29"), ("30", "39"), ("40", "50")],
        Fault.IGNORES_GRANULARITY,
    ),
    _window_case(
        "pieces that overlap",
        '{start: 20, end: 50, step: 10s, overlap: 5s, format: "%s"}',
        [("20", "30"), ("25", "40"), ("35", "50")],
        Fault.IGNORES_OVERLAP,
    ),
    _window_case(
        "pieces that include their end, and overlap",
        '{start: 20, end: 50, step: 10s, overlap: 5s, granularity: 1s, format: "%s"}',
        [("20", "29"), ("25", "39"), ("35", "50")],
        Fault.IGNORES_OVERLAP,
        Fault.IGNORES_GRANULARITY,
    ),
    _window_case(
        "the months of a year",
        """{start: '"2024-01-01"', end: '"2024-12-31"', step: 1mo, granularity: 1d, format: "%Y-%m-%d"}""",
        [(month.format("01"), month.format(last)) for month, last in zip(_YEAR, _LAST_DAYS, strict=True)],
        Fault.MONTHS_ARE_30_DAYS,
    ),
    _window_case(
        "months from a 31st on come back to the 31st",
        """{start: '"2024-01-31"', end: '"2024-05-31"', step: 1mo, format: "%Y-%m-%d"}""",
        _pairs("2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"),
        Fault.MONTHS_DRIFT,
    ),
    _window_case(
        "days in the usual format, up to the moment of the run",
        """{start: '"2020-09-12"', step: 1d}""",
        _pairs("2020-09-12T00:00:00Z", "2020-09-13T00:00:00Z", "2020-09-13T12:26:40Z"),
        Fault.WINDOWS_PASS_THE_END,
        Fault.ONE_WINDOW,
    ),
    _window_case(
        "a start that is calculated",
        "{start: now - 86400, step: 12h}",
        _pairs("2020-09-12T12:26:40Z", "2020-09-13T00:26:40Z", "2020-09-13T12:26:40Z"),
        Fault.ONE_WINDOW,
    ),
    _window_case(
        "a start with an offset from UTC",
        """{start: '"2024-03-01T00:00:00+02:00"', end: '"2024-03-01T00:00:00Z"', step: 1h}""",
        _pairs("2024-02-29T22:00:00Z", "2024-02-29T23:00:00Z", "2024-03-01T00:00:00Z"),
        Fault.IGNORES_OFFSETS,
    ),
    *(
        Case(
            "windows",
            name,
            _own,
            broken("window", [], []),
            (Fault.BAD_WINDOW_IS_EMPTY,),
            selector=f"{{data_path: .data, {_PARAMS}, window: {window}}}",
        )
        for name, window in (
            ("a start that is no moment", """{start: '"soon"', step: 1d}"""),
            ("a start that is null", '{start: "null", step: 1d}'),
            ("a start after the end", """{start: '"2024-02-01"', end: '"2024-01-01"', step: 1d}"""),
        )
    ),
    Case(
        "windows",
        "each piece begins at the first page, and entities see the piece",
        lambda asked: {
            "data": things(f"{asked.query['from']}-{asked.query['page']}") if asked.query["page"] < "3" else []
        },
        complete(
            [get(f"/things?from={start}&page={n}&size=1") for start in (20, 30) for n in (1, 2, 3)],
            [f"{start}-{n}" for start in (20, 30) for n in (1, 2)],
            in_order=False,
            records_in_order=False,
            properties={"20-1": {"name": "20..30"}, "30-2": {"name": "30..40"}},
        ),
        (Fault.SHARES_PAGE_STATE,),
        pagination="{type: page, page_size: 1}",
        selector="""
          data_path: .data
          query_params: {from: "{{ $window.start }}"}
          window: {start: 20, end: 40, step: 10s, format: "%s"}
        """,
        entity="""properties: {name: '"\\($window.start)..\\($window.end)"'}""",
    ),
    Case(
        "windows",
        "a piece that cannot be read does not keep the others from being read",
        lambda asked: Reply({}, 404) if asked.query["from"] == "30" else _own(asked),
        Expected(
            tuple(get(f"/things?from={start}&to={start + 10}") for start in (20, 30, 40)),
            ids(["20/30", "40/50"]),
            verdicts=(incomplete("status"),),
            exit_code=1,
            in_order=False,
            records_in_order=False,
        ),
        (Fault.FIRST_FAILURE_ENDS_ALL,),
        selector=f'{{data_path: .data, {_PARAMS}, window: {{start: 20, end: 50, step: 10s, format: "%s"}}}}',
    ),
    Case(
        "windows",
        "each value has all pieces",
        lambda asked: {"data": things(f"{asked.path[1:]}-{asked.query['from']}")},
        complete(
            [get(f"/{org}?from={start}&to={start + 10}") for org in "ab" for start in (20, 30)],
            ["a-20", "a-30", "b-20", "b-30"],
            in_order=False,
            records_in_order=False,
        ),
        (Fault.ONE_WINDOW, Fault.FIRST_PLACEHOLDER_ONLY)[:1],
        kind="/{org}",
        selector=f"""
          data_path: .data
          {_PARAMS}
          window: {{start: 20, end: 40, step: 10s, format: "%s"}}
          path_parameters: {{org: {{values: [a, b]}}}}
        """,
    ),
]
