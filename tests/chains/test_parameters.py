"""Path parameters, from the mapping to Port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source

ORGS = "path_parameters: {org: {endpoint: /orgs, data_path: .orgs, field: .name}}"


def paths(source: Source) -> list[str]:
    return [asked.path for asked in source.asked]


def things_of_orgs(*orgs: Any, fail: dict[str, int] | None = None) -> Callable[[Asked], Any]:
    """A source of organizations, each of which has two things."""

    def answer(asked: Asked) -> Any:
        if asked.path == "/orgs":
            return {"orgs": list(orgs)}
        org = asked.path.split("/")[2]
        if fail and org in fail:
            return Response(status_code=fail[org])
        return {"data": [{"id": f"{org}-{n}", "size": n} for n in range(2)]}

    return answer


def test_a_resource_is_read_once_for_each_value(
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
) -> None:
    source.answer = things_of_orgs({"name": "a"}, {"name": "b"}, {"name": "a"}, {"name": 7})

    text = mapping(kind="/orgs/{org}/things", selector=ORGS, properties="name: .__org + $params.org")
    run = portsync("sync", text, env=port_env)

    assert run.exit_code == 0
    assert sorted(paths(source)) == ["/orgs", "/orgs/7/things", "/orgs/a/things", "/orgs/b/things"]
    entities = local_port.entities("thing")
    assert sorted(entities) == ["7-0", "7-1", "a-0", "a-1", "b-0", "b-1"]
    assert entities["a-0"]["properties"]["name"] == "aa"
    assert run.resource["verdict"] == "complete"
    assert run.resource["chains"] == {"complete": 3, "incomplete": 0, "skipped": 0}
    assert run.resource["requests"] == 4


def test_no_value_means_no_request_and_nothing_wrong(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = things_of_orgs()

    run = sync(kind="/orgs/{org}/things", selector=ORGS)

    assert (run.exit_code, run.resource["verdict"]) == (0, "complete")
    assert paths(source) == ["/orgs"]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a/b c?x=1#f", "/orgs/a%2Fb%20c%3Fx%3D1%23f/things"),
        ("%2e", "/orgs/%252e/things"),
        ("\u00e9{org}", "/orgs/%C3%A9%7Borg%7D/things"),
    ],
)
def test_a_value_stays_one_segment_of_the_path(source: Source, sync: Callable[..., Run], value: str, path: str) -> None:
    selector = f"path_parameters: {{org: {{values: ['{value}']}}}}"

    run = sync(kind="/orgs/{org}/things", selector=selector)

    assert run.exit_code == 0
    assert [asked.raw_path for asked in source.asked] == [path]


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_that_would_lead_out_of_its_place_is_not_sent(
    source: Source, sync: Callable[..., Run], value: str
) -> None:
    selector = f"path_parameters: {{org: {{values: ['{value}', fine]}}}}"

    run = sync(kind="/orgs/{org}/things", selector=selector)

    assert (run.exit_code, run.resource["reason"]) == (1, "parameter")
    assert paths(source) == ["/orgs/fine/things"]
    assert run.codes == ["path-parameter"]


@pytest.mark.parametrize("broken", [{}, {"name": None}, {"name": ""}, {"name": {"x": 1}}, {"name": True}])
def test_a_record_without_a_value_makes_the_resource_incomplete(
    source: Source, local_port: LocalPort, sync: Callable[..., Run], broken: Any
) -> None:
    source.answer = things_of_orgs({"name": "a"}, broken)

    run = sync(kind="/orgs/{org}/things", selector=ORGS)

    assert (run.exit_code, run.resource["verdict"], run.resource["reason"]) == (1, "incomplete", "parameter")
    assert sorted(local_port.entities("thing")) == ["a-0", "a-1"]
    assert run.report["problems"][0]["place"] == "path_parameters.org, path_parameters.org, page 1, record 2"


def test_a_lookup_of_values_that_fails_makes_the_resource_incomplete(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: Response(status_code=404)

    run = sync(kind="/orgs/{org}/things", selector=ORGS)

    assert (run.exit_code, run.resource["verdict"], run.resource["reason"]) == (1, "incomplete", "parameter")
    assert paths(source) == ["/orgs"]


@pytest.mark.parametrize(
    ("rule", "code", "verdict", "exit_code"),
    [("", 404, "incomplete", 1), ("{404: skip}", 404, "skipped", 0), ("{404: empty}", 404, "complete", 0)],
)
def test_one_child_among_many_does_not_stop_the_others(
    source: Source, local_port: LocalPort, sync: Callable[..., Run], rule: str, code: int, verdict: str, exit_code: int
) -> None:
    source.answer = things_of_orgs({"name": "a"}, {"name": "b"}, {"name": "c"}, fail={"b": code})
    selector = ORGS + (f"\non_status: {rule}" if rule else "")

    run = sync(kind="/orgs/{org}/things", selector=selector)

    assert (run.exit_code, run.resource["verdict"]) == (exit_code, verdict)
    assert len(local_port.entities("thing")) == 4
    assert run.resource["chains"][verdict] == (3 if verdict == "complete" else 1)
    if verdict != "complete":
        assert "org=b: GET" in run.report["problems"][0]["place"]


def test_names_multiply_and_nest_and_take_from_another_resource(
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
) -> None:
    def answer(asked: Asked) -> Any:
        match asked.path.split("/")[1:]:
            case ["things"]:
                return {"data": [{"id": "t1", "size": 1}, {"id": "t2", "size": 2}, {"id": "t3", "size": 9}]}
            case ["things", thing, "parts"]:
                return {"data": [{"part": f"p{thing[1]}"}]}
            case _:
                return {"data": [{"id": asked.path.removeprefix("/")}]}

    source.answer = answer
    first = mapping(selector="query: .size < 5")
    selector = """path_parameters:
  part: {endpoint: '/things/{thing}/parts', data_path: .data, field: .part}
  thing: {from: /things, field: .id, with: {size_of: .size}}
  side: {values: [l, r]}"""
    second = mapping(kind="/x/{part}/{side}/{thing}", selector=selector, properties="name: $params.size_of | tostring")
    text = first + second[second.index("  - kind") :]

    run = portsync("sync", text, env=port_env)

    assert run.exit_code == 0
    assert sorted(local_port.entities("thing")) == ["t1", "t2", "x/p1/l/t1", "x/p1/r/t1", "x/p2/l/t2", "x/p2/r/t2"]
    assert local_port.entities("thing")["x/p2/l/t2"]["properties"]["name"] == "2"
    assert paths(source).count("/things") == 1
    assert paths(source).count("/things/t1/parts") == 1


def test_a_parameter_may_stand_in_the_query_in_place_of_the_path(source: Source, sync: Callable[..., Run]) -> None:
    selector = "path_parameters: {year: {values: [2025, 2026]}}\nquery_params: {y: '{{ $params.year }}'}"

    run = sync(selector=selector)

    assert run.exit_code == 0
    assert sorted(dict(asked.query)["y"] for asked in source.asked) == ["2025", "2026"]


def test_a_resource_gives_its_values_also_where_it_stands_later_or_is_not_wanted(
    source: Source, port_env: dict[str, str], mapping: Callable[..., str], portsync: Callable[..., Run]
) -> None:
    source.answer = lambda asked: {"data": [{"id": asked.path.replace("/", "-")}]}
    later = mapping()
    child = mapping(kind="/children/{id}", selector="path_parameters: {id: {from: /things, field: .id}}")
    text = child + later[later.index("  - kind") :]

    both = portsync("sync", text, env=port_env)
    asked, source.asked = paths(source), []
    alone = portsync("sync", text, "--kind", "/children/{id}", env=port_env)

    assert (both.exit_code, alone.exit_code) == (0, 0)
    assert asked == paths(source) == ["/things", "/children/-things"]
    assert [resource["kind"] for resource in both.report["resources"]] == ["/children/{id}", "/things"]


def test_values_taken_from_a_resource_that_was_not_read_whole_are_not_all(
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
) -> None:
    def answer(asked: Asked) -> Any:
        if asked.path == "/things" and dict(asked.query)["offset"] != "0":
            return Response(status_code=500)
        return {"data": [{"id": asked.path.replace("/", "-")}]}

    source.answer = answer
    first = mapping(pagination="{type: offset, page_size: 1}")
    child = "path_parameters: {id: {from: /things, field: .id}}\npagination: {type: none}"
    second = mapping(kind="/children/{id}", selector=child)

    run = portsync("sync", first + second[second.index("  - kind") :], env=port_env)

    assert [resource["reason"] for resource in run.report["resources"]] == ["status", "parameter"]
    assert sorted(local_port.entities("thing")) == ["-children--things", "-things"]


def test_a_source_that_is_gone_is_not_tried_once_for_each_value(sync: Callable[..., Run]) -> None:
    selector = f"path_parameters: {{id: {{values: {list(range(500))}}}}}"

    run = sync(base_url="http://127.0.0.1:9", kind="/x/{id}", selector=selector)

    assert run.exit_code == 3
    assert run.resource["requests"] < 60
    assert "source-gone" in run.codes
