"""Pages by their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.case import Case
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, get, gets, post, table, things

if TYPE_CHECKING:
    from tests.conformance.wire import Asked

TITLES = [{"id": number, "title": f"Post {number}"} for number in range(25)]


def posts(number: int, start: int = 1) -> list[dict[str, Any]]:
    """Five posts of the 25."""
    return TITLES[(number - start) * 5 :][:5]


def _numbered(start: int, **more: Any) -> Any:
    last = start + 4
    return table(
        {
            f"GET /things?page={n}&size=5": {
                "data": posts(n, start),
                "page": n,
                "next_page": n + 1 if n < last else None,
                **more,
            }
            for n in range(start, start + 7)
        }
    )


def _sizes(*sizes: int) -> Any:
    """Pages of so many records each; the first page has number 1, and ids are counted through."""
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return table(
        {
            f"GET /things?page={n}&size=10": {"data": things(*range(start, start + size))}
            for n, (start, size) in enumerate(zip(starts, sizes, strict=True), start=1)
        }
    )


def _clamped(asked: Asked) -> Any:
    """Three pages of two; a number beyond the last page gives the last page."""
    number = min(int(asked.query["page"]), 3)
    return {"data": things(2 * number, 2 * number + 1)}


def _alternating(asked: Asked) -> Any:
    return {"data": things("a1", "a2") if int(asked.query["page"]) % 2 else things("b1", "b2")}


TOTALS = "{type: page, page_size: 5, total_pages_path: .total_pages}"
PLAIN = "{type: page, page_size: 2}"

CASES = [
    Case(
        "C01",
        "page numbers from 1, the total is known",
        _numbered(1, total_pages=5),
        complete(gets("/things?page={}&size=5", range(1, 6)), range(25), in_order=False),
        (Fault.IGNORES_TOTALS, Fault.FIRST_PAGE_ONLY),
        pagination=TOTALS,
    ),
    Case(
        "C01",
        "page numbers from 1, one request at a time",
        _numbered(1, total_pages=5),
        complete(gets("/things?page={}&size=5", range(1, 6)), range(25)),
        (Fault.IGNORES_TOTALS,),
        pagination=TOTALS,
        source="concurrency: 1",
    ),
    Case(
        "C02",
        "page numbers from 0, the total is a count and not the last number",
        _numbered(0, total_pages=5),
        complete(gets("/things?page={}&size=5", range(5)), range(25), in_order=False),
        (Fault.TOTAL_IS_LAST_NUMBER, Fault.IGNORES_START_PAGE),
        pagination="{type: page, start_page: 0, page_size: 5, total_pages_path: .total_pages}",
    ),
    Case(
        "C03",
        "without a total, an empty page is the end",
        _numbered(1),
        complete(gets("/things?page={}&size=5", range(1, 7)), range(25)),
        (Fault.FIRST_PAGE_ONLY,),
        pagination="{type: page, page_size: 5}",
    ),
    Case(
        "C03",
        "a total that is a text is a total",
        _numbered(1, total_pages="3"),
        complete(gets("/things?page={}&size=5", range(1, 4)), range(15), in_order=False),
        (Fault.IGNORES_TEXT_TOTALS,),
        pagination=TOTALS,
    ),
    *(
        Case(
            "C03",
            f"a total that is {name} is an error",
            _numbered(1, **dict(more)),
            broken("pagination", gets("/things?page={}&size=5", [1]), range(5), codes=("pagination",)),
            (Fault.MISSING_PATHS_ARE_SILENT,),
            pagination=TOTALS,
        )
        for name, more in (
            ("no number", [("total_pages", "invalid")]),
            ("missing", []),
            ("null", [("total_pages", None)]),
        )
    ),
    Case(
        "C05",
        "records that the query leaves out count for the length of a page",
        table(
            {
                "GET /things?page=1&size=2": {"data": things(1, 2)},
                "GET /things?page=2&size=2": {"data": things(3, 4)},
                "GET /things?page=3&size=2": {"data": things(5)},
            }
        ),
        complete(gets("/things?page={}&size=2", range(1, 4)), [5], read=(5,)),
        (Fault.FILTERED_PAGE_IS_SHORT,),
        pagination="{type: page, page_size: 2, until: short}",
        selector="{data_path: .data, query: .id > 4}",
    ),
    Case(
        "C06",
        "a short page in the middle ends nothing",
        _sizes(10, 9, 10, 4, 0),
        complete(gets("/things?page={}&size=10", range(1, 6)), range(33)),
        (Fault.SHORT_PAGE_ENDS,),
        pagination="{type: page, page_size: 10}",
    ),
    Case(
        "C06",
        "a short page is the end where the mapping says so",
        _sizes(10, 9, 10, 4, 0),
        complete(gets("/things?page={}&size=10", range(1, 3)), range(19)),
        (Fault.SHORT_PAGE_NEVER_ENDS,),
        pagination="{type: page, page_size: 10, until: short}",
    ),
    Case(
        "paging",
        "an empty page in the middle ends nothing where the total says more",
        table(
            {
                "GET /things?page=1&size=2": {"data": things(1, 2), "pages": 3},
                "GET /things?page=2&size=2": {"data": [], "pages": 3},
                "GET /things?page=3&size=2": {"data": things(3), "pages": 3},
            }
        ),
        complete(gets("/things?page={}&size=2", range(1, 4)), [1, 2, 3], in_order=False),
        (Fault.EMPTY_PAGE_ENDS,),
        pagination="{type: page, page_size: 2, total_pages_path: .pages}",
    ),
    *(
        Case(
            "paging",
            f"a flag that is {name} is heard",
            table(
                {
                    f"GET /things?page={n}&size=2": {"data": things(2 * n, 2 * n + 1), "more": flags[n >= 3]}
                    for n in range(1, 9)
                }
            ),
            complete(gets("/things?page={}&size=2", range(1, 4)), range(2, 8)),
            faults,
            pagination="{type: page, page_size: 2, has_more_path: .more}",
        )
        for name, flags, faults in (
            ("false", (True, False), (Fault.IGNORES_HAS_MORE,)),
            ("the text false", ("true", "false"), (Fault.TRUSTS_ANY_FLAG,)),
        )
    ),
    Case(
        "paging",
        "the last page says that it is the last",
        table(
            {
                f"GET /things?page={n}&size=2": {"data": {"content": things(2 * n, 2 * n + 1), "last": n == 2}}
                for n in range(9)
            }
        ),
        complete(gets("/things?page={}&size=2", range(3)), range(6)),
        (Fault.IGNORES_LAST_PAGE_FLAG,),
        pagination="{type: page, start_page: 0, page_size: 2, last_page_path: data.last}",
        selector="data_path: .data.content",
    ),
    Case(
        "paging",
        "page numbers go into a body, and the rest of it stays",
        lambda asked: {"data": posts(asked.json["paging"]["page"]) if asked.json["paging"]["page"] <= 5 else []},
        complete(
            (post("/things", json={"query": "q", "paging": {"sort": "id", "page": n, "size": 5}}) for n in range(1, 7)),
            range(25),
        ),
        (Fault.FORGETS_THE_TEMPLATE_BODY,),
        pagination="{type: page, page_size: 5, page_param: paging.page, size_param: paging.size, into: body}",
        selector="{data_path: .data, method: POST, body: {query: q, paging: {sort: id}}}",
    ),
    Case(
        "paging",
        "each resource begins at the first page",
        lambda asked: {"data": [{"id": f"{asked.path[1:]}{asked.query['page']}"}] if asked.query["page"] < "3" else []},
        complete(
            [get(f"/{kind}?page={n}&size=1") for kind in "ab" for n in range(1, 4)],
            ["a1", "a2", "b1", "b2"],
            verdicts=("complete", "complete"),
        ),
        (Fault.SHARES_PAGE_STATE,),
        pagination="{type: page, page_size: 1}",
        resources="[{kind: /a}, {kind: /b}]",
    ),
    Case(
        "loops",
        "a number beyond the last page gives the last page again",
        _clamped,
        broken("loop", gets("/things?page={}&size=2", range(1, 5)), range(2, 8), codes=("loop",)),
        (Fault.NO_LOOP_GUARD, Fault.KEEPS_REPEATED_PAGES),
        pagination=PLAIN,
    ),
    Case(
        "loops",
        "the page number is ignored",
        always({"data": things(1, 2)}),
        broken("loop", gets("/things?page={}&size=2", range(1, 3)), [1, 2], codes=("loop",)),
        (Fault.NO_LOOP_GUARD,),
        pagination=PLAIN,
    ),
    Case(
        "loops",
        "two pages come in turn for ever",
        _alternating,
        broken(
            "loop",
            gets("/things?page={}&size=2", range(1, 4)),
            ["a1", "a2", "b1", "b2"],
            codes=("loop",),
            may_ask=gets("/things?page={}&size=2", range(4, 11)),
            read=(),
        ),
        (Fault.COMPARES_WITH_PREVIOUS_ONLY, Fault.NO_LOOP_GUARD),
        pagination=PLAIN,
    ),
]
