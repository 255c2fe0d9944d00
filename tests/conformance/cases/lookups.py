"""Lookups that are made once in a run, and lists that are put together from all pages."""

from __future__ import annotations

from tests.conformance.case import COMPLETE, Case, Expected, incomplete
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import broken, complete, get, gets, ids, table, things
from tests.conformance.wire import Reply

_PEOPLE = {
    "GET /users": {"data": [{"id": "u1", "name": "Ada"}], "next": "b"},
    "GET /users?cursor=b": {"data": [{"id": "u2", "name": "Bob"}], "next": None},
}
_USERS = "{path: /users, data_path: .data, index_by: .id, pagination: {type: cursor, cursor_path: .next}}"
_ORG_PARAM = 'query_params: {org: "{{ $context.org.id }}"}'
_TWO_OF_THREE = f"""
  - {{kind: /a, selector: {{{_ORG_PARAM}}}}}
  - {{kind: /b}}
"""
_JOINED = "(map(.users // []) | add | INDEX(.id)) as $u | map(.items // []) | add | map(.owner = $u[.by].name)"

CASES = [
    Case(
        "lookups",
        "a lookup is made once for three resources",
        table({"GET /me": {"id": "o1"}, **{f"GET /{kind}?org=o1": {"data": things(kind)} for kind in "abc"}}),
        complete([get("/me"), *gets("/{}?org=o1", "abc")], ["a", "b", "c"], verdicts=(COMPLETE,) * 3, in_order=False),
        (Fault.LOOKUP_FOR_EACH_RESOURCE,),
        context="org: {path: /me}",
        resources="\n".join(f"- {{kind: /{kind}, selector: {{{_ORG_PARAM}}}}}" for kind in "abc"),
    ),
    Case(
        "lookups",
        "a lookup is read to its last page, and entities look things up in it",
        table({**_PEOPLE, "GET /things": {"data": [{"id": 1, "by": "u1"}, {"id": 2, "by": "u2"}]}}),
        complete(
            [get("/users"), get("/users?cursor=b"), get("/things")],
            [1, 2],
            in_order=False,
            properties={"1": {"name": "Ada", "size": 2}, "2": {"name": "Bob"}},
        ),
        (Fault.LOOKUP_READS_ONE_PAGE, Fault.IGNORES_INDEX),
        context=f"users: {_USERS}",
        entity="properties: {name: '$context.users[.by].name', size: $context.users | length}",
    ),
    Case(
        "lookups",
        "a lookup without index_by is a list",
        table({**_PEOPLE, "GET /things?by=u1&by=u2": {"data": things(1)}}),
        complete([get("/users"), get("/users?cursor=b"), get("/things?by=u1&by=u2")], [1], in_order=False),
        (Fault.LOOKUP_READS_ONE_PAGE, Fault.LISTS_ARE_JOINED),
        context=f"users: {_USERS}".replace("index_by: .id, ", ""),
        selector='{data_path: .data, query_params: {by: "{{ $context.users | map(.id) }}"}}',
    ),
    Case(
        "lookups",
        "a lookup that fails takes along those alone who need it",
        table({"GET /b": {"data": things("b")}}),
        Expected(
            (get("/me"), get("/b")),
            ids(["b"]),
            verdicts=(incomplete("context"), COMPLETE),
            exit_code=1,
            says=("404",),
            in_order=False,
        ),
        (Fault.FAILED_LOOKUP_IS_EMPTY, Fault.FAILED_LOOKUP_ENDS_ALL),
        context="org: {path: /me}",
        resources=_TWO_OF_THREE,
    ),
    Case(
        "slurp",
        "records are put together from all pages",
        table(
            {
                "GET /things": {"users": [{"id": "u1", "name": "Ada"}], "next": "a"},
                "GET /things?cursor=a": {"items": [{"id": 1, "by": "u2"}, {"id": 2, "by": "u1"}], "next": "b"},
                "GET /things?cursor=b": {"users": [{"id": "u2", "name": "Bob"}], "next": None},
            }
        ),
        complete(
            [get("/things"), *gets("/things?cursor={}", "ab")],
            [1, 2],
            properties={"1": {"name": "Bob"}, "2": {"name": "Ada"}},
        ),
        (Fault.PATHS_SEE_ONE_PAGE,),
        pagination="{type: cursor, cursor_path: .next}",
        selector=f"{{slurp: true, data_path: '{_JOINED}'}}",
        entity="properties: {name: .owner}",
    ),
    Case(
        "slurp",
        "a page that is missing is not left out without a word",
        table({"GET /things": {"users": [], "next": "a"}, "GET /things?cursor=a": Reply({}, 404)}),
        broken("status", [get("/things"), get("/things?cursor=a")], None),
        (Fault.SWALLOWS_STATUSES,),
        pagination="{type: cursor, cursor_path: .next}",
        selector='{slurp: true, data_path: "map(.users // []) | add"}',
    ),
]
