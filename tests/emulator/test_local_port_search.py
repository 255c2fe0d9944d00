"""Searching: operators, paging, both routes, and whose entities they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import SimpleNamespace

    import httpx

SEARCH = "/blueprints/record/entities/search"
ENTITIES: list[dict[str, Any]] = [
    {
        "identifier": "a",
        "title": "Alpha",
        "team": ["Blue"],
        "properties": {"day": "2025-01-01T00:00:00Z", "cost": 1, "model": "opus-4", "tags": ["x", "y"]},
        "relations": {"user": "ann@example.com"},
    },
    {
        "identifier": "b",
        "title": "Beta",
        "properties": {"day": "2024-12-20T00:00:00+01:00", "cost": 2.5, "model": "haiku-3", "done": True},
    },
    {"identifier": "c", "properties": {"day": "2024-01-01T00:00:00Z", "cost": 0, "model": "", "extra": {}}},
]


@pytest.fixture
def filled(records: httpx.Client) -> httpx.Client:
    records.post("/blueprints/record/entities/bulk", json={"entities": ENTITIES}).raise_for_status()
    return records


def rule(name: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"property": name, "operator": operator, **({"value": value[0]} if value else {})}


def both(*rules: dict[str, Any], combinator: str = "and") -> dict[str, Any]:
    return {"combinator": combinator, "rules": list(rules)}


def found(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return "".join(each["identifier"] for each in answer.json()["entities"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (both(), "abc"),
        (both(combinator="or"), "abc"),
        (both(rule("model", "=", "opus-4")), "a"),
        (both(rule("model", "!=", "opus-4")), "bc"),
        (both(rule("done", "=", 1)), ""),
        (both(rule("done", "=", True)), "b"),
        (both(rule("done", "!=", True)), "ac"),
        (both(rule("done", "=", None)), "ac"),
        (both(rule("day", "=", "2024-12-19T23:00:00Z")), "b"),
        (both(rule("model", "contains", "us-")), "a"),
        (both(rule("model", "doesNotContains", "us-")), "bc"),
        (both(rule("tags", "contains", "x")), "a"),
        (both(rule("tags", "containsAny", ["q", "y"])), "a"),
        (both(rule("model", "containsAny", ["opus", "haiku"])), "ab"),
        (both(rule("model", "beginsWith", "op")), "a"),
        (both(rule("model", "doesNotBeginsWith", "op")), "bc"),
        (both(rule("model", "endsWith", "-3")), "b"),
        (both(rule("model", "doesNotEndsWith", "-3")), "ac"),
        (both(rule("model", "in", ["opus-4", "haiku-3"])), "ab"),
        (both(rule("model", "notIn", ["opus-4", "haiku-3"])), "c"),
        (both(rule("tags", "in", ["y"])), "a"),
        (both(rule("cost", ">", 1)), "b"),
        (both(rule("cost", ">=", 1)), "ab"),
        (both(rule("cost", "<", 1)), "c"),
        (both(rule("cost", "<=", 1)), "ac"),
        (both(rule("model", ">", 1)), ""),
        (both(rule("day", ">", "2024-12-31T00:00:00Z")), "a"),
        (both(rule("day", "<", "2024-12-20T00:00:00Z")), "bc"),
        (both(rule("day", "between", {"from": "2024-12-01T00:00:00Z", "to": "2025-01-01T00:00:00Z"})), "ab"),
        (both(rule("day", "notBetween", {"preset": "lastMonth"})), "c"),
        (both(rule("day", "between", {"preset": "today"})), "a"),
        (both(rule("day", "between", {"preset": "lastDay"})), "a"),
        (both(rule("day", "between", {"preset": "last2Weeks"})), "ab"),
        (both(rule("day", "=", {"preset": "lastWeek"})), "a"),
        (both(rule("day", "!=", {"preset": "lastWeek"})), "bc"),
        (both(rule("tags", "isEmpty")), "bc"),
        (both(rule("model", "isEmpty")), "c"),
        (both(rule("extra", "isEmpty")), "abc"),
        (both(rule("cost", "isNotEmpty")), "abc"),
        (both(rule("$identifier", "in", ["c", "a", "z"])), "ac"),
        (both(rule("$title", "=", "Beta")), "b"),
        (both(rule("$team", "contains", "Blue")), "a"),
        (both(rule("$updatedAt", "<", "2025-01-01T12:00:00Z")), ""),
        (both(rule("$updatedAt", "<=", "2025-01-01T12:00:00Z")), "abc"),
        (both(rule("$createdBy", "=", "id")), "abc"),
        (both(rule("cost", ">", 0), rule("model", "contains", "haiku")), "b"),
        (both(rule("cost", "=", 0), rule("cost", "=", 1), combinator="or"), "ac"),
        (
            both(rule("cost", ">=", 0), both(rule("cost", "=", 0), rule("cost", "=", 1), combinator="or")),
            "ac",
        ),
        (both(rule("$identifier", "=", "a"), rule("cost", "=", 0), combinator="or"), "ac"),
    ],
)
def test_operators_find_what_they_say_on_both_routes(
    filled: httpx.Client, query: dict[str, Any], expected: str
) -> None:
    assert found(filled.post(SEARCH, json={"query": query})) == expected
    everywhere = both(rule("$blueprint", "=", "record"), query)
    assert found(filled.post("/entities/search", json=everywhere)) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"rules": []}, "\"query\" must have required property 'combinator'"),
        ({"combinator": "and"}, "\"query\" must have required property 'rules'"),
        ({"combinator": "xor", "rules": []}, '"query.combinator" must be equal to one of'),
        ({"combinator": "and", "rules": {}}, '"query.rules" must be array'),
        ({**both(), "more": 1}, '"query" must NOT have additional properties (more)'),
        (both({"property": "cost"}), "\"query.rules.0\" must have required property 'operator'"),
        (both({"operator": "=", "value": 1}), "\"query.rules.0\" must have required property 'property'"),
        (both(rule("cost", "=")), "\"query.rules.0\" must have required property 'value'"),
        (both({**rule("cost", "=", 1), "x": 1}), '"query.rules.0" must NOT have additional properties (x)'),
        (both(rule("cost", "~", 1)), '"query.rules.0.operator" must be equal to one of the allowed values'),
        (both(rule("cost", "in", 1)), '"query.rules.0.value" must be array'),
        (both(rule("cost", ">", "x")), '"query.rules.0.value" must be number or match format "date-time"'),
        (both(rule("day", "between", 1)), '"query.rules.0.value" must be object'),
        (both(rule("day", "between", {"preset": "lastEra"})), '"query.rules.0.value.preset" must be equal'),
        (both(rule("day", "between", {"from": "x", "to": "y"})), 'must match format "date-time"'),
        (both(rule("model", "contains", {})), '"query.rules.0.value" must be string'),
        (both(rule("$nothing", "=", 1)), '"query.rules.0.property" must be equal to one of'),
        (both(both(rule("cost", "~", 1))), '"query.rules.0.rules.0.operator"'),
    ],
)
def test_a_wrong_query_is_refused_with_its_place(filled: httpx.Client, query: dict[str, Any], message: str) -> None:
    answer = filled.post(SEARCH, json={"query": query})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    "body", [{"limit": 0}, {"limit": 1001}, {"limit": "5"}, {"from": "%"}, {"from": "_w=="}, {"page": 2}, []]
)
def test_the_search_body_is_closed_and_bounded(filled: httpx.Client, body: Any) -> None:
    assert filled.post(SEARCH, json=body).status_code == 422


@pytest.mark.parametrize(("limit", "pages"), [(1, ["a", "b", "c"]), (2, ["ab", "c"]), (3, ["abc"])])
def test_pages_follow_next_which_the_last_one_lacks(filled: httpx.Client, limit: int, pages: list[str]) -> None:
    body: dict[str, Any] = {"limit": limit}
    seen: list[str] = []
    while True:
        answer = filled.post(SEARCH, json=body)
        seen.append(found(answer))
        if "next" not in answer.json():
            break
        body["from"] = answer.json()["next"]
    assert seen == pages


def test_pages_of_named_entities_go_on_as_well(filled: httpx.Client) -> None:
    body: dict[str, Any] = {"query": both(rule("$identifier", "in", ["c", "a"])), "limit": 1}
    first = filled.post(SEARCH, json=body)
    second = filled.post(SEARCH, json={**body, "from": first.json()["next"]})
    assert (found(first), found(second), "next" in second.json()) == ("a", "c", False)


def test_a_page_has_two_hundred_unless_told(records: httpx.Client) -> None:
    for start in range(0, 220, 20):
        entities = [
            {"identifier": f"e{index:03}", "properties": {"day": "2025-01-01T00:00:00Z"}}
            for index in range(start, start + 20)
        ]
        records.post("/blueprints/record/entities/bulk", json={"entities": entities})
    first = records.post(SEARCH, json={}).json()
    assert len(first["entities"]) == 200
    second = records.post(SEARCH, json={"from": first["next"]}).json()
    assert len(second["entities"]) == 20


def test_a_deletion_between_pages_neither_skips_nor_repeats(filled: httpx.Client) -> None:
    first = filled.post(SEARCH, json={"limit": 1}).json()
    filled.delete("/blueprints/record/entities/a")
    assert found(filled.post(SEARCH, json={"from": first["next"]})) == "bc"


@pytest.mark.parametrize(
    ("lists", "shown"),
    [
        ({"include": ["$identifier", "cost"]}, {"identifier": "a", "properties": {"cost": 1}}),
        ({"include": ["$title", "user"]}, {"title": "Alpha", "relations": {"user": "ann@example.com"}}),
    ],
)
def test_a_blueprint_search_prints_the_included_names(
    filled: httpx.Client, lists: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert filled.post(SEARCH, json={**lists, "limit": 1}).json()["entities"] == [shown]


def test_an_excluded_name_is_not_printed(filled: httpx.Client) -> None:
    entity = filled.post(SEARCH, json={"exclude": ["$title", "day"], "limit": 1}).json()["entities"][0]
    assert "title" not in entity
    assert "day" not in entity["properties"]
    assert entity["properties"]["cost"] == 1


def test_the_wide_search_covers_all_blueprints_and_takes_paths(filled: httpx.Client) -> None:
    query = both(rule("$identifier", "in", ["a", "ann@example.com"]))
    answer = filled.post("/entities/search?include=identifier&include=properties.status", json=query)
    assert answer.json()["entities"] == [
        {"identifier": "ann@example.com", "properties": {"status": "Active"}},
        {"identifier": "a"},
    ]


def test_the_stale_entities_of_one_writer_can_be_found(filled: httpx.Client, clock: SimpleNamespace) -> None:
    clock.now += 60
    other = {"user-agent": "port-ocean/other/9/main/exporter"}
    touched = [ENTITIES[1]]
    filled.post("/blueprints/record/entities/bulk?upsert=true", json={"entities": touched}, headers=other)
    clock.now += 60
    touched = [ENTITIES[0]]
    filled.post("/blueprints/record/entities/bulk?upsert=true", json={"entities": touched})
    mine = both(
        rule("$datasource", "contains", "portsync/claude/"),
        rule("$datasource", "contains", "/main/exporter"),
    )
    assert found(filled.post(SEARCH, json={"query": mine})) == "ac"
    stale = both(mine, rule("$updatedAt", "<", "2025-01-01T12:01:00Z"))
    assert found(filled.post(SEARCH, json={"query": stale})) == "c"
