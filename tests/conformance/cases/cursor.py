"""Pages joined by a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.case import Case
from tests.conformance.cases.page import TITLES
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import broken, complete, first_then, get, gets, post, table, things

if TYPE_CHECKING:
    from tests.conformance.wire import Asked

CURSOR = "{type: cursor, cursor_path: .next}"
_ABSENT = object()


def _page(begin: int, end: Any = None) -> dict[str, Any]:
    """Five posts, and the integer at which the next five begin."""
    following = begin + 5 if begin < 20 else end
    page: dict[str, Any] = {"data": TITLES[begin : begin + 5]}
    return page if following is _ABSENT else page | {"next": following}


def _by_query(end: Any) -> Any:
    return lambda asked: _page(int(asked.query.get("cursor", 0)), end)


def _by_body(asked: Asked) -> Any:
    return _page((asked.json or {}).get("cursor", 0))


def _by_header(asked: Asked) -> Any:
    return _page(int(asked.header("x-cursor") or 0))


def _circle(first: str, *rest: str) -> Any:
    """Cursors that come round again."""
    names = (first, *rest)
    leads_to = {None: first} | dict(zip(names, (*rest, first), strict=True))
    return lambda asked: {"data": things(f"{asked.query.get('cursor')}"), "next": leads_to[asked.query.get("cursor")]}


def _circle_case(name: str, *cursors: str, faults: tuple[Fault, ...]) -> Case:
    return Case(
        "C14",
        name,
        _circle(*cursors),
        broken("loop", [get("/things"), *gets("/things?cursor={}", cursors)], [None, *cursors], codes=("loop",)),
        faults,
        pagination=CURSOR,
    )


_SECOND = {"existing": "data", "cursor": {"next": "cursor-2"}}
_ODD = "a+b/c==&d=ü %20"


def _two(asked: Asked) -> Any:
    if "cursor" not in asked.json:
        return {"data": things(1), "next": "cursor-2"}
    return {"data": things(2), "next": None}


CASES = [
    *(
        Case(
            "C11",
            f"integer cursors in the query, the end is {name}",
            _by_query(end),
            complete([get("/things"), *gets("/things?cursor={}", (5, 10, 15, 20))], range(25)),
            (fault,),
            pagination=CURSOR,
        )
        for name, end, fault in (
            ("null", None, Fault.FIRST_PAGE_ONLY),
            ("no such key", _ABSENT, Fault.FIRST_PAGE_ONLY),
            ("an empty text", "", Fault.EMPTY_TEXT_IS_A_CURSOR),
            ("false", False, Fault.FALSE_IS_A_CURSOR),
        )
    ),
    Case(
        "C11",
        "integer cursors in the body stay integers",
        _by_body,
        complete(
            [
                post("/things", json={"existing": "data"}),
                *(post("/things", json={"existing": "data", "cursor": n}) for n in (5, 10, 15, 20)),
            ],
            range(25),
        ),
        (Fault.CURSORS_ARE_TEXT, Fault.FORGETS_THE_TEMPLATE_BODY),
        pagination="{type: cursor, cursor_path: .next, into: body}",
        selector="{data_path: .data, method: POST, body: {existing: data}}",
    ),
    Case(
        "C11",
        "integer cursors in a header",
        _by_header,
        complete(
            [
                get("/things", headers={"x-cursor": None}),
                *(get("/things", headers={"x-cursor": str(n)}) for n in (5, 10, 15, 20)),
            ],
            range(25),
        ),
        (Fault.FIRST_PAGE_ONLY,),
        pagination="{type: cursor, cursor_path: .next, cursor_param: x-cursor, into: header}",
    ),
    Case(
        "C12",
        "has_more is false, whatever the cursor",
        table(
            {
                "GET /things": {"data": things(1), "next": "c", "more": False},
                "GET /things?cursor=c": {"data": things(2)},
            }
        ),
        complete([get("/things")], [1]),
        (Fault.IGNORES_HAS_MORE,),
        pagination="{type: cursor, cursor_path: .next, has_more_path: .more}",
    ),
    Case(
        "C12",
        "has_more is the text false",
        table({"GET /things": {"data": things(1), "next": "c", "more": "false"}}),
        complete([get("/things")], [1]),
        (Fault.TRUSTS_ANY_FLAG,),
        pagination="{type: cursor, cursor_path: .next, has_more_path: .more}",
    ),
    Case(
        "C12",
        "has_more is looked for where it is not",
        table({"GET /things": {"data": things(1), "next": "c"}, "GET /things?cursor=c": {"data": things(2)}}),
        broken("pagination", [get("/things")], [1], codes=("pagination",)),
        (Fault.MISSING_PATHS_ARE_SILENT,),
        pagination="{type: cursor, cursor_path: .next, has_more_path: .mroe}",
    ),
    Case(
        "C12",
        "there is more, but no way to it",
        table({"GET /things": {"data": things(1), "next": None, "more": True}}),
        broken("truncated", [get("/things")], [1]),
        (Fault.EMPTY_PAGE_IS_THE_END,),
        pagination="{type: cursor, cursor_path: .next, has_more_path: .more}",
    ),
    Case(
        "C13",
        "a cursor goes into the body, and the mapping's body is not changed by it",
        _two,
        complete(
            [post("/things", json={"existing": "data"}), post("/things", json=_SECOND)] * 2,
            [1, 2, 1, 2],
            verdicts=("complete", "complete"),
            records_in_order=False,
        ),
        (Fault.FORGETS_THE_TEMPLATE_BODY, Fault.SHARES_BODIES),
        pagination="{type: cursor, cursor_path: .next, cursor_param: cursor.next, into: body}",
        resources="""
          - {kind: /things, selector: &s {method: POST, body: {existing: data}}}
          - {kind: /things, selector: *s}
        """,
    ),
    _circle_case("a cursor that is always the same", "A", faults=(Fault.NO_LOOP_GUARD,)),
    _circle_case("two cursors in turn", "A", "B", faults=(Fault.COMPARES_WITH_PREVIOUS_ONLY, Fault.NO_LOOP_GUARD)),
    _circle_case("three cursors in turn", "A", "B", "C", faults=(Fault.COMPARES_WITH_PREVIOUS_ONLY,)),
    Case(
        "C14",
        "new cursors, but the page is always the same",
        lambda asked: {"data": things(1, 2), "next": int(asked.query.get("cursor", 0)) + 1},
        broken("loop", [get("/things"), get("/things?cursor=1")], [1, 2], codes=("loop",)),
        (Fault.NO_LOOP_GUARD, Fault.KEEPS_REPEATED_PAGES),
        pagination=CURSOR,
    ),
    Case(
        "C17",
        "an empty page with a cursor is not the last",
        table(
            {
                "GET /things": {"data": things(1, 2), "next": "a"},
                "GET /things?cursor=a": {"data": [], "next": "b"},
                "GET /things?cursor=b": {"data": [], "next": "c"},
                "GET /things?cursor=c": {"data": things(3), "next": None},
            }
        ),
        complete([get("/things"), *gets("/things?cursor={}", "abc")], [1, 2, 3]),
        (Fault.EMPTY_PAGE_ENDS, Fault.EMPTY_PAGES_ARE_A_LOOP),
        pagination=CURSOR,
    ),
    Case(
        "paging",
        "zero is a cursor",
        table(
            {"GET /things": {"data": things(1), "next": 0}, "GET /things?cursor=0": {"data": things(2), "next": None}}
        ),
        complete([get("/things"), get("/things?cursor=0")], [1, 2]),
        (Fault.ZERO_IS_NO_CURSOR,),
        pagination=CURSOR,
    ),
    *(
        Case(
            "hostile",
            f"a cursor that is {name} is an error",
            first_then({"data": things(1), "next": cursor}, {"data": []}),
            broken("pagination", [get("/things")], [1], codes=("pagination",)),
            (Fault.ANYTHING_IS_A_CURSOR,),
            pagination=CURSOR,
        )
        for name, cursor in {"an object": {"id": 7}, "a list": [7], "true": True}.items()
    ),
    Case(
        "paging",
        "a cursor of any characters comes back as it was",
        first_then({"data": things(1), "next": _ODD}, {"data": things(2), "next": None}),
        complete([get("/things"), get("/things?cursor=a%2Bb%2Fc%3D%3D%26d%3D%C3%BC+%2520")], [1, 2]),
        (Fault.PASTES_PARAMS,),
        pagination=CURSOR,
    ),
    Case(
        "paging",
        "the limit goes along with every cursor",
        table(
            {
                "GET /things?limit=7": {"data": things(1), "next": "a"},
                "GET /things?limit=7&cursor=a": {"data": things(2), "next": None},
            }
        ),
        complete([get("/things?limit=7"), get("/things?limit=7&cursor=a")], [1, 2]),
        (Fault.LIMITS_THE_FIRST_PAGE_ONLY,),
        pagination="{type: cursor, cursor_path: .next, limit_param: limit, page_size: 7}",
    ),
    Case(
        "paging",
        "a path without its leading dot is read as Ocean reads it",
        table(
            {
                "GET /things": {"data": things(1), "meta": {"after": "a"}},
                "GET /things?after=a": {"data": things(2), "meta": {"after": None}},
            }
        ),
        complete([get("/things"), get("/things?after=a")], [1, 2]),
        (Fault.FIRST_PAGE_ONLY,),
        pagination="{type: cursor, cursor_path: meta.after, cursor_param: after}",
    ),
]
