"""Paths with values in them: where those come from, how they are written, and what becomes of one that fails."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import COMPLETE, SKIPPED, Case, Expected, incomplete
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, get, gets, ids, table, things
from tests.conformance.wire import Asked, Reply

_ORGS = "{endpoint: /orgs, data_path: .data, field: .id}"
_GONE = Reply({"message": "no such thing"}, 404)
_SICK = Reply({"message": "sick"}, 500)


def _own(asked: Asked) -> Any:
    """One record, whose identifier is made of the request's path."""
    return {"data": things(asked.path.strip("/").replace("/", "-"))}


def _discovered(orgs: list[Any], *faults: Fault, name: str, expected: Expected, parameter: str = _ORGS) -> Case:
    """Orgs of these records, each of which has one team."""
    return Case(
        "parameters",
        name,
        lambda asked: {"data": orgs} if asked.path == "/orgs" else _own(asked),
        expected,
        faults,
        kind="/orgs/{org}/teams",
        selector=f"{{data_path: .data, path_parameters: {{org: {parameter}}}}}",
    )


def _teams(*orgs: Any) -> list[Any]:
    return [get("/orgs"), *gets("/orgs/{}/teams", orgs)]


def _team_ids(*orgs: Any) -> list[str]:
    return [f"orgs-{org}-teams" for org in orgs]


_ANY_TURN: dict[str, Any] = {"in_order": False, "records_in_order": False}


def _one_of_five(name: str, verdict: str, exit_code: int, on_status: str, *faults: Fault) -> Case:
    """Five children, of which the third does not exist."""
    return Case(
        "parameters",
        name,
        lambda asked: _GONE if asked.path == "/orgs/3/teams" else _own(asked),
        complete(
            gets("/orgs/{}/teams", range(1, 6)),
            _team_ids(1, 2, 4, 5),
            verdicts=(verdict,),
            exit_code=exit_code,
            **_ANY_TURN,
        ),
        faults,
        kind="/orgs/{org}/teams",
        selector=f"{{data_path: .data, on_status: {on_status}, path_parameters: {{org: {{values: [1, 2, 3, 4, 5]}}}}}}",
    )


def _mixed(asked: Asked) -> Any:
    return {"2": _GONE, "3": Reply({}, 422), "4": Reply(b"", 204)}.get(asked.path.split("/")[2]) or _own(asked)


def _nested(asked: Asked) -> Any:
    known = {"/orgs": ["a", "b"], "/orgs/a/teams": ["x", "y"], "/orgs/b/teams": ["z"]}
    return {"data": things(*known[asked.path])} if asked.path in known else _own(asked)


_CHILDREN = """
  - {kind: /posts, selector: {pagination: {type: page, page_size: 2}}}
  - kind: /posts/{post}/author
    selector: {path_parameters: {post: {from: /posts, field: .id}}}
"""


def _posts(second_page: Any) -> Any:
    def script(asked: Asked) -> Any:
        if asked.path != "/posts":
            return _own(asked)
        return {"1": {"data": things(1, 2)}, "2": second_page}.get(asked.query["page"], {"data": []})

    return script


CASES = [
    Case(
        "C32",
        "several names multiply",
        _own,
        complete(
            [get(f"/{segment}/{plan}") for segment in ("customer", "store", "subscription") for plan in "AB"],
            [f"{segment}-{plan}" for segment in ("customer", "store", "subscription") for plan in "AB"],
            **_ANY_TURN,
        ),
        (Fault.FIRST_PLACEHOLDER_ONLY,),
        kind="/{segment}/{plan}",
        selector="""
          data_path: .data
          path_parameters: {segment: {values: [customer, store, subscription]}, plan: {values: [A, B]}}
        """,
    ),
    Case(
        "parameters",
        "one name needs another",
        _nested,
        complete(
            [
                *gets("/orgs{}", ("", "/a/teams", "/b/teams")),
                *gets("/orgs/{}/members", ("a/teams/x", "a/teams/y", "b/teams/z")),
            ],
            [f"orgs-{team}-members" for team in ("a-teams-x", "a-teams-y", "b-teams-z")],
            **_ANY_TURN,
        ),
        (Fault.FIRST_PLACEHOLDER_ONLY,),
        kind="/orgs/{org}/teams/{team}/members",
        selector="""
          data_path: .data
          path_parameters:
            org: {endpoint: /orgs, data_path: .data, field: .id}
            team: {endpoint: "/orgs/{org}/teams", data_path: .data, field: .id}
        """,
    ),
    Case(
        "parameters",
        "values are percent-encoded, once",
        lambda asked: {"data": things(f"t{len(asked.path)}")},
        complete(
            gets("/orgs/{}/teams", ("a%2Fb%20c%3Fx%3D1%23f", "%C3%BC", "50%25")),
            ["t33", "t18", "t17"],
            **_ANY_TURN,
        ),
        (Fault.PASTES_VALUES, Fault.ENCODES_TWICE),
        kind="/orgs/{org}/teams",
        selector='{data_path: .data, path_parameters: {org: {values: ["a/b c?x=1#f", "ü", "50%"]}}}',
    ),
    _discovered(
        [],
        Fault.NO_VALUES_IS_AN_ERROR,
        name="no values are no requests, and nothing is wrong",
        expected=complete([get("/orgs")], []),
    ),
    _discovered(
        things("a", "b", "a"),
        Fault.KEEPS_DUPLICATES,
        name="a value that comes twice is asked for once",
        expected=complete(_teams("a", "b"), _team_ids("a", "b"), **_ANY_TURN),
    ),
    _discovered(
        things(1, None, 3),
        Fault.NONE_IS_A_VALUE,
        Fault.SKIPS_MISSING_VALUES,
        name="a value that is null is missed, and the others are read",
        expected=broken("parameter", _teams(1, 3), _team_ids(1, 3), **_ANY_TURN),
    ),
    _discovered(
        things("a", "", "b"),
        Fault.SKIPS_MISSING_VALUES,
        Fault.NONE_IS_A_VALUE,
        name="an empty value is missed, and the others are read",
        expected=broken("parameter", _teams("a", "b"), _team_ids("a", "b"), **_ANY_TURN),
    ),
    _discovered(
        things("a", "..", "."),
        Fault.DOTS_ARE_VALUES,
        name="a value that would leave the path is none",
        expected=broken("parameter", _teams("a"), _team_ids("a"), **_ANY_TURN),
    ),
    _discovered(
        [{"id": "a", "active": True}, {"id": "b", "active": False}, {"id": "c"}],
        Fault.IGNORES_PARAMETER_FILTER,
        name="a filter chooses",
        expected=complete(_teams("a"), _team_ids("a"), **_ANY_TURN),
        parameter="{endpoint: /orgs, data_path: .data, field: .id, filter: .active}",
    ),
    Case(
        "parameters",
        "values that cannot be found out are not none",
        always(_SICK),
        broken("parameter", [get("/orgs")] * 3, [], says=("500",)),
        (Fault.FAILED_DISCOVERY_IS_EMPTY,),
        kind="/orgs/{org}/teams",
        selector=f"{{data_path: .data, path_parameters: {{org: {_ORGS}}}}}",
    ),
    Case(
        "parameters",
        "values that cannot all be found out",
        lambda asked: (
            _own(asked)
            if asked.path != "/orgs"
            else {"data": things("a", "b")}
            if asked.query["page"] == "1"
            else _SICK
        ),
        broken(
            "parameter",
            gets("/orgs?page={}&size=2", (1, 2, 2, 2)),
            None,
            may_ask=gets("/orgs/{}/teams", "ab"),
        ),
        (Fault.FAILED_DISCOVERY_IS_EMPTY,),
        kind="/orgs/{org}/teams",
        selector="""
          data_path: .data
          path_parameters:
            org: {endpoint: /orgs, data_path: .data, field: .id, pagination: {type: page, page_size: 2}}
        """,
    ),
    Case(
        "parameters",
        "values from another resource are not fetched again",
        _posts({"data": things(3)}),
        Expected(
            (*gets("/posts?page={}&size=2", (1, 2, 3)), *gets("/posts/{}/author", (1, 2, 3))),
            ids([1, 2, 3, *(f"posts-{n}-author" for n in (1, 2, 3))]),
            verdicts=(COMPLETE, COMPLETE),
            **_ANY_TURN,
        ),
        (Fault.FETCHES_PARENTS_AGAIN,),
        resources=_CHILDREN,
    ),
    Case(
        "parameters",
        "values from a resource that was not read to its end",
        _posts(_SICK),
        Expected(
            (*gets("/posts?page={}&size=2", (1, 2, 2, 2)), *gets("/posts/{}/author", (1, 2))),
            ids([1, 2, *(f"posts-{n}-author" for n in (1, 2))]),
            verdicts=(incomplete("status"), incomplete("parameter")),
            exit_code=1,
            **_ANY_TURN,
        ),
        (Fault.FAILED_DISCOVERY_IS_EMPTY,),
        resources=_CHILDREN,
    ),
    _one_of_five(
        "one child of five does not exist",
        incomplete("status"),
        1,
        "{}",
        Fault.SWALLOWS_CHILDREN,
        Fault.FIRST_FAILURE_ENDS_ALL,
    ),
    _one_of_five(
        "one child of five does not exist, and is to be skipped",
        SKIPPED,
        0,
        "{404: skip}",
        Fault.IGNORES_ON_STATUS,
        Fault.SKIPPED_IS_COMPLETE,
    ),
    _one_of_five(
        "one child of five does not exist, which means that it is empty",
        COMPLETE,
        0,
        "{404: empty}",
        Fault.IGNORES_ON_STATUS,
    ),
    *(
        Case(
            "parameters",
            f"some children are gone, refused, or have no content{more}",
            _mixed,
            complete(
                gets("/orgs/{}/teams", range(1, 6)),
                _team_ids(1, 5),
                verdicts=(verdict,),
                exit_code=exit_code,
                **_ANY_TURN,
            ),
            (fault, Fault.LAST_CHILD_COUNTS),
            kind="/orgs/{org}/teams",
            selector=f"""
              data_path: .data
              on_status: {on_status}
              path_parameters: {{org: {{values: [1, 2, 3, 4, 5]}}}}
            """,
        )
        for more, on_status, verdict, exit_code, fault in (
            (", which the mapping knows", "{404: empty, 422: skip}", SKIPPED, 0, Fault.NO_CONTENT_IS_AN_ERROR),
            (", of which the mapping knows one", "{422: skip}", incomplete("status"), 1, Fault.SWALLOWS_CHILDREN),
        )
    ),
    Case(
        "parameters",
        "requests and entities see the values",
        table(
            {
                "GET /orgs": {"data": [{"id": 7, "name": "Acme"}]},
                "GET /orgs/7/teams?owner=Acme&org=7": {"data": things("t")},
            }
        ),
        complete(
            [get("/orgs"), get("/orgs/7/teams?owner=Acme&org=7", headers={"x-org": "org 7"})],
            ["t"],
            properties={"t": {"name": "Acme", "size": 7}},
        ),
        (Fault.FORGETS_THE_PARENT,),
        kind="/orgs/{org}/teams",
        selector="""
          data_path: .data
          query_params: {owner: "{{ $params.org_name }}", org: "{{ $params.org }}"}
          headers: {x-org: "org {{ $params.org }}"}
          path_parameters:
            org: {endpoint: /orgs, data_path: .data, field: .id, with: {org_name: .name}}
        """,
        entity="properties: {name: $params.org_name, size: '.__org | tonumber'}",
    ),
]
