"""Pages by the number of their first record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.case import Ask, Case
from tests.conformance.cases.page import TITLES
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, get, gets, post, table, things

if TYPE_CHECKING:
    from tests.conformance.wire import Asked


def _posts(asked: Asked) -> Any:
    begin, limit = int(asked.query["offset"]), int(asked.query["limit"])
    return {"data": TITLES[begin : begin + limit], "total_records": 25}


def _posts_by_body(asked: Asked) -> Any:
    begin = asked.json["offset"]
    return {"data": TITLES[begin : begin + asked.json["limit"]], "total_records": 25}


def _posts_by_header(asked: Asked) -> Any:
    begin = int(asked.header("x-skip") or "-1")
    return {"data": TITLES[begin : begin + 5]}


def _capped(asked: Asked) -> Any:
    """Fifty at most of 120, whatever is asked for."""
    begin = int(asked.query["offset"])
    return {"data": things(*range(begin, min(begin + 50, 120))), "total": 120}


def _hole(asked: Asked) -> Any:
    begin = int(asked.query["offset"])
    return {"data": [] if begin == 60 else things(*range(begin, begin + 20)), "total": 100}


def _at(values: list[int], limit: int) -> tuple[Ask, ...]:
    return gets(f"/things?offset={{}}&limit={limit}", values)


def _totals(*totals: Any) -> Any:
    """Pages of three, up to the last total's worth of records; each says another total."""
    return table(
        {
            f"GET /things?offset={3 * index}&limit=3": {
                "data": things(*range(3 * index, min(3 * index + 3, totals[-1]))),
                "total": total,
            }
            for index, total in enumerate(totals)
        }
    )


def _sizes(*sizes: int) -> Any:
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return table(
        {
            f"GET /things?offset={start}&limit=10": {"data": things(*range(start, start + size))}
            for start, size in zip(starts, sizes, strict=True)
        }
    )


def _flagged(flag: Any) -> Any:
    return lambda asked: {"data": things(asked.query["offset"]), "more": flag}


CASES = [
    Case(
        "C07",
        "offsets in the query",
        _posts,
        complete(_at([0, 5, 10, 15, 20], 5), range(25), in_order=False),
        (Fault.IGNORES_TOTALS, Fault.FIRST_PAGE_ONLY),
        pagination="{type: offset, page_size: 5, total_path: .total_records}",
    ),
    Case(
        "C07",
        "offsets in the body, whose other fields are kept",
        _posts_by_body,
        complete(
            (post("/things", json={"ids_greater_than": 0, "offset": n, "limit": 5}) for n in range(0, 25, 5)),
            range(25),
            in_order=False,
        ),
        (Fault.FORGETS_THE_TEMPLATE_BODY, Fault.IGNORES_TOTALS),
        pagination="{type: offset, page_size: 5, total_path: .total_records, into: body}",
        selector="{data_path: .data, method: POST, body: {ids_greater_than: 0}}",
    ),
    Case(
        "C07",
        "offsets in a header",
        _posts_by_header,
        complete(
            (get("/things", headers={"x-skip": str(n), "x-take": "5"}) for n in range(0, 30, 5)),
            range(25),
        ),
        (Fault.FIRST_PAGE_ONLY,),
        pagination="{type: offset, page_size: 5, offset_param: x-skip, limit_param: x-take, into: header}",
    ),
    Case(
        "peers 5",
        "a server that caps the limit loses nothing, the total is known",
        _capped,
        complete(_at([0, 50, 100], 100), range(120), in_order=False),
        (Fault.ADVANCES_BY_LIMIT,),
        pagination="{type: offset, total_path: .total}",
    ),
    Case(
        "peers 5",
        "a server that caps the limit loses nothing, without a total",
        _capped,
        complete(_at([0, 50, 100, 120], 100), range(120)),
        (Fault.ADVANCES_BY_LIMIT, Fault.SHORT_PAGE_ENDS),
        pagination="{type: offset}",
    ),
    Case(
        "C06",
        "a short page in the middle ends nothing, by offset",
        _sizes(10, 9, 10, 4, 0),
        complete(_at([0, 10, 19, 29, 33], 10), range(33)),
        (Fault.SHORT_PAGE_ENDS, Fault.ADVANCES_BY_LIMIT),
        pagination="{type: offset, page_size: 10}",
    ),
    Case(
        "C06",
        "a short page is the end where the mapping says so, by offset",
        _sizes(10, 9, 10, 4, 0),
        complete(_at([0, 10], 10), range(19)),
        (Fault.SHORT_PAGE_NEVER_ENDS,),
        pagination="{type: offset, page_size: 10, until: short}",
    ),
    Case(
        "C09",
        "an empty page before the total is no end",
        _hole,
        broken("truncated", _at([0, 20, 40, 60], 20), range(60), says=("60", "100"), may_ask=_at([80], 20)),
        (Fault.EMPTY_PAGE_IS_THE_END, Fault.REPEATS_AFTER_AN_EMPTY_PAGE),
        pagination="{type: offset, page_size: 20, total_path: .total}",
    ),
    Case(
        "paging",
        "a total that shrinks is believed",
        _totals(10, 8, 6),
        complete(_at([0, 3, 6], 3), range(6), may_ask=_at([9], 3)),
        (Fault.FIRST_TOTAL_COUNTS,),
        pagination="{type: offset, page_size: 3, total_path: .total}",
    ),
    Case(
        "paging",
        "a total that grows is believed",
        _totals(6, 9, 9),
        complete(_at([0, 3, 6], 3), range(9), in_order=False),
        (Fault.FIRST_TOTAL_COUNTS,),
        pagination="{type: offset, page_size: 3, total_path: .total}",
    ),
    *(
        Case(
            "hostile",
            f"a total that is {name} is an error",
            table(
                {
                    f"GET /things?offset={n}&limit=3": {"data": things(n, n + 1, n + 2), "total": total}
                    for n in range(0, 30, 3)
                }
            ),
            broken("pagination", _at([0], 3), range(3), codes=("pagination",)),
            (Fault.MISSING_PATHS_ARE_SILENT,),
            pagination="{type: offset, page_size: 3, total_path: .total}",
        )
        for name, total in {"no number": "abc", "an object": {"value": 9}, "true": True}.items()
    ),
    *(
        Case(
            "hostile",
            f"a flag that is {name} is an error",
            _flagged(flag),
            broken("pagination", _at([0], 3), [0], codes=("pagination",)),
            (Fault.TRUSTS_ANY_FLAG, Fault.MISSING_PATHS_ARE_SILENT),
            pagination="{type: offset, page_size: 3, has_more_path: .more}",
        )
        for name, flag in {"a word": "yes", "a number": 1}.items()
    ),
    Case(
        "hostile",
        "a flag that is the text false ends a chain",
        _flagged("false"),
        complete(_at([0], 3), [0]),
        (Fault.TRUSTS_ANY_FLAG,),
        pagination="{type: offset, page_size: 3, has_more_path: .more}",
    ),
    Case(
        "loops",
        "the offset is ignored",
        always({"data": things(1, 2)}),
        broken("loop", _at([0, 2], 2), [1, 2], codes=("loop",)),
        (Fault.NO_LOOP_GUARD,),
        pagination="{type: offset, page_size: 2}",
    ),
    Case(
        "loops",
        "the offset is ignored, and the total makes it look like progress",
        always({"data": things(1, 2, 3), "total": 9}),
        broken("loop", _at([0], 3), [1, 2, 3], may_ask=_at([3, 6], 3), read=()),
        (Fault.NO_LOOP_GUARD,),
        pagination="{type: offset, page_size: 3, total_path: .total}",
    ),
]
