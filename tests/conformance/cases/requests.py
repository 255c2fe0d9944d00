"""What requests are made of: values that keep their types, bodies of every kind, and values that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.case import USER_HEADER, Case
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, get, post, table, things

if TYPE_CHECKING:
    from tests.conformance.wire import Asked

_DONE = {"data": things(1)}
_RECORD = {"id": "007", "v": "1_0", "w": "[1,2]", "n": 10, "b": False, "o": {"a": [None]}}


def _sent_case(name: str, asks: Any, selector: str, *faults: Fault, family: str = "requests", **more: Any) -> Case:
    """One request, and all that is in it."""
    return Case(
        family,
        name,
        always(_DONE),
        complete([asks], [1]),
        faults,
        selector=f"{{data_path: .data, {selector}}}",
        **more,
    )


def _missing_case(place: str, selector: str) -> Case:
    """An expression that finds nothing: no request is made of it."""
    return Case(
        "C35",
        f"a missing value in {place} is an error with its place",
        always(_DONE),
        broken("jq", [], [], says=(place,)),
        (Fault.MISSING_IS_EMPTY_TEXT,),
        selector=f"{{data_path: .data, {selector}}}",
    )


def _recorded(asked: Asked) -> Any:
    return {"data": [_RECORD]} if asked.path == "/records" else _DONE


CASES = [
    Case(
        "C35",
        "values keep their types on the way into a body",
        _recorded,
        complete(
            [get("/records"), post("/things/007", json={**_RECORD, "text": "n=10, b=false", "list": [10, "1_0"]})],
            [1],
        ),
        (Fault.LOSES_TYPES,),
        kind="/things/{record}",
        selector="""
          data_path: .data
          method: POST
          body:
            id: "{{ $params.record }}"
            v: "{{ $params.v }}"
            w: "{{ $params.w }}"
            n: "{{ $params.n }}"
            b: "{{ $params.b }}"
            o: "{{ $params.o }}"
            text: "n={{ $params.n }}, b={{ $params.b }}"
            list: ["{{ $params.n }}", "{{ $params.v }}"]
          path_parameters:
            record:
              endpoint: /records
              data_path: .data
              field: .id
              with: {v: .v, w: .w, n: .n, b: .b, o: .o}
        """,
    ),
    _missing_case("selector.query_params.since", 'query_params: {since: "{{ $params.since }}"}'),
    _missing_case("selector.headers.x-since", 'headers: {x-since: "from {{ $params.since }}"}'),
    _missing_case("selector.body.since", 'method: POST, body: {since: "{{ $params.since }}"}'),
    _sent_case(
        "null in a body that is one program is null",
        post("/things", json={"a": None, "b": 1}),
        "method: POST, body: '{a: ($params.since // null), b: 1}'",
        Fault.DROPS_NULLS,
        family="C35",
    ),
    _sent_case(
        "a list repeats its parameter",
        get("/things?group_by[]=model&group_by[]=api_key_id"),
        'query_params: {"group_by[]": [model, api_key_id]}',
        Fault.LISTS_ARE_JOINED,
    ),
    _sent_case(
        "a list that an expression gives repeats its parameter",
        get("/things?id=1&id=2"),
        'query_params: {id: "{{ [1, 2] }}"}',
        Fault.LISTS_ARE_JOINED,
    ),
    _sent_case(
        "booleans and numbers are written as JSON writes them",
        get("/things?a=true&b=false&n=10&x=0.5"),
        'query_params: {a: true, b: "{{ 1 > 2 }}", n: 10, x: 0.5}',
        Fault.BOOLEANS_ARE_PYTHONS,
    ),
    _sent_case(
        "dates are calculated",
        get("/things?starting_at=2020-08-14"),
        """query_params: {starting_at: '{{ now - 86400*30 | strftime("%Y-%m-%d") }}'}""",
        Fault.SPANS_ARE_TEXT,
    ),
    _sent_case(
        "a body that is one program is JSON",
        post("/things", json={"startDate": 1597408000000, "page": 1}, headers={"content-type": "application/json"}),
        "method: POST, body: '{startDate: ((now | floor) - (86400 * 30)) * 1000, page: 1}'",
        Fault.SPANS_ARE_TEXT,
    ),
    _sent_case(
        "a form",
        post(
            "/things",
            form=(("a", "1"), ("b", "x y&z"), ("c", "ü")),
            headers={"content-type": "application/x-www-form-urlencoded"},
        ),
        'method: POST, body_type: form, body: {a: 1, b: "x y&z", c: "{{ "ü" }}"}'.replace(
            '"{{ "ü" }}"', """'{{ "ü" }}'"""
        ),
        Fault.EVERY_BODY_IS_JSON,
    ),
    _sent_case(
        "a text",
        post("/things", text='fields name; where id = "7";'),
        """method: POST, body_type: text, body: '"fields name; where id = \\"\\(3 + 4)\\";"'""",
        Fault.EVERY_BODY_IS_JSON,
    ),
    _sent_case(
        "a query string in the path is kept",
        get("/things?status=open&page=1"),
        "query_params: {page: 1}",
        Fault.PARAMS_REPLACE_THE_QUERY,
        kind="/things?status=open",
    ),
    _sent_case(
        "a parameter replaces one of the same name in the path",
        get("/things?status=closed&a=1"),
        "query_params: {status: closed}",
        Fault.PARAMS_ARE_ADDED,
        kind="/things?status=open&a=1",
    ),
    _sent_case(
        "a resource's header replaces the source's, whatever its case",
        get("/things", headers={"x-version": "2", USER_HEADER: None}),
        "headers: {X-Version: 2}".replace("2", '"2"'),
        Fault.SOURCE_HEADERS_WIN,
        source='headers: {x-version: "1"}',
    ),
    Case(
        "requests",
        "credentials go with every page",
        table(
            {
                "GET /things": {"data": things(1), "next": "a"},
                "GET /things?cursor=a": {"data": things(2), "next": None},
            }
        ),
        complete(
            [
                get(target, headers={"authorization": "Bearer source-token-7f3a", USER_HEADER: "acme"})
                for target in ("/things", "/things?cursor=a")
            ],
            [1, 2],
        ),
        (Fault.NO_AUTH,),
        pagination="{type: cursor, cursor_path: .next}",
    ),
]
