"""What holds for every search, whatever its rule: it finds what a plain reading of the operators finds, `not` is the
complement, pages give every match once, and relations are followed as a graph is walked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portsync.emulator.app import create_app
from tests.emulator.conftest import NOON, InProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Values = dict[str, Any]

TEXTS = [
    "", "opus", "opus-4", 'a"b', "a\\b", "ü", "🚀", "%", "_", "null", '"opus"', "Opus", "\u0000", "3",
    "2025-01-01T00:00:00Z", "2025-01-01T01:00:00+01:00", "2024-12-31t23:59:60-00:00", "2025-01-01T00:00:00.001Z",
    "0001-01-02T00:00:00+14:00", "9999-12-31T23:59:59.999Z", "2025-01-01",
]  # fmt: skip
NUMBERS = [0, 1, 1.0, -1, 0.1, 0.30000000000000004, 1e-9, 3, 2**53 + 1, 2**63 - 1, 2**63, 1e308, -2.5]
LISTS: list[list[Any]] = [[], ["opus"], ["x", "opus-4"], ["2025-01-01T00:00:00Z"], [1, "3"], [True], ['a"b', ""]]
OBJECTS: list[Values] = [{}, {"text": "opus"}, {"number": 1, "list": ["opus"]}]
MOMENTS = [text for text in TEXTS if text[4:5] == "-" and len(text) > 10]


def entities() -> list[Values]:
    texts = [{"text": text, "when": MOMENTS[index % len(MOMENTS)]} for index, text in enumerate(TEXTS)]
    numbers: list[Values] = [{"number": number, "flag": index % 2 == 0} for index, number in enumerate(NUMBERS)]
    others: list[Values] = [{"list": each} for each in LISTS] + [{"object": each} for each in OBJECTS] + [{}]
    return [{"identifier": f"e{index:02}", "properties": each} for index, each in enumerate(texts + numbers + others)]


ENTITIES = entities()
SCHEMA: Values = {
    "text": {"type": "string"}, "when": {"type": "string", "format": "timer"}, "number": {"type": "number"},
    "flag": {"type": "boolean"}, "list": {"type": "array"}, "object": {"type": "object"},
}  # fmt: skip


@pytest.fixture(scope="module")
def port() -> Iterator[httpx.Client]:
    app = create_app(client_id="id", client_secret="secret", clock=lambda: NOON)
    with httpx.Client(transport=InProcess(app), base_url="http://port.test/v1", trust_env=False) as client:
        token = client.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"})
        client.headers["authorization"] = f"Bearer {token.json()['accessToken']}"
        thing = {"identifier": "thing", "title": "Thing", "schema": {"properties": SCHEMA}}
        client.post("/blueprints", json=thing).raise_for_status()
        node: Values = {"identifier": "node", "title": "Node", "schema": {"properties": {}}}
        node["relations"] = {"to": {"target": "node", "many": True}, "up": {"target": "node"}}
        client.post("/blueprints", json=node).raise_for_status()
        for start in range(0, len(ENTITIES), 20):
            body = {"entities": ENTITIES[start : start + 20]}
            answer = client.post("/blueprints/thing/entities/bulk", json=body)
            assert answer.status_code == 200, answer.text
        yield client


def search(port: httpx.Client, query: Values, blueprint: str = "thing") -> list[str]:
    answer = port.post(f"/blueprints/{blueprint}/entities/search", json={"query": query, "limit": 1000})
    assert answer.status_code == 200, answer.text
    return [each["identifier"] for each in answer.json()["entities"]]


# A plain reading of the operators, written from the guide and apart from the code.


def moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) < 20:
        return None
    text = value.upper().replace("Z", "+00:00")
    leap = text[17:19] == "60"
    try:
        return datetime.fromisoformat(text[:17] + "59" + text[19:] if leap else text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def equal(left: Any, right: Any) -> bool:
    if moment(left) and moment(right):
        return moment(left) == moment(right)
    return repr(type(left) is bool) == repr(type(right) is bool) and bool(left == right)


def reads(operator: str, actual: Any, wanted: Any) -> bool:
    items = actual if isinstance(actual, list) else [actual]
    both_texts = isinstance(actual, str) and isinstance(wanted, str)
    plain: dict[str, Callable[[], bool]] = {
        "=": lambda: equal(actual, wanted),
        "in": lambda: any(equal(item, each) for item in items for each in wanted),
        "contains": lambda: (
            any(equal(item, wanted) for item in actual) if isinstance(actual, list) else both_texts and wanted in actual
        ),
        "containsAny": lambda: any(reads("contains", actual, each) for each in wanted),
        "beginsWith": lambda: both_texts and actual[: len(wanted)] == wanted,
        "endsWith": lambda: both_texts and actual[len(actual) - len(wanted) :] == wanted and len(wanted) <= len(actual),
        "isEmpty": lambda: actual is None or (not actual and isinstance(actual, str | list | dict)),
        "isExpired": lambda: (moment(actual) or datetime.max.replace(tzinfo=UTC)) <= datetime.fromtimestamp(NOON, UTC),
        "between": lambda: reads(">=", actual, wanted["from"]) and reads("<=", actual, wanted["to"]),
    }
    return plain[operator]() if operator in plain else ordered(operator, actual, wanted)


def ordered(operator: str, actual: Any, wanted: Any) -> bool:
    pair = [moment(actual), moment(wanted)]
    if all(type(each) in (int, float) for each in (actual, wanted)):
        pair = [actual, wanted]
    if None in pair:
        return False
    left, right = pair
    return bool({">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator])  # type: ignore[operator]


NOT = {
    "!=": "=", "notIn": "in", "doesNotContains": "contains", "doesNotBeginsWith": "beginsWith",
    "doesNotEndsWith": "endsWith", "notBetween": "between", "isNotEmpty": "isEmpty", "isNotExpired": "isExpired",
}  # fmt: skip

VALUELESS = ["isEmpty", "isExpired"]
names = st.sampled_from([*SCHEMA, "gone", "te"])
scalars: st.SearchStrategy[Any] = st.sampled_from([*TEXTS, *NUMBERS, True, False, None])
moments = st.sampled_from(MOMENTS)


def rules_of(operators: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Values]:
    return st.builds(
        lambda name, operator, value: {"property": name, "operator": operator, "value": value},
        names, st.sampled_from(operators), values,
    )  # fmt: skip


rules = st.one_of(
    rules_of(["=", "contains", "beginsWith", "endsWith"], scalars),
    rules_of(["in", "containsAny"], st.lists(scalars, max_size=12)),
    rules_of([">", ">=", "<", "<="], st.sampled_from([*NUMBERS, *MOMENTS])),
    rules_of(["between"], st.builds(lambda first, last: {"from": first, "to": last}, moments, moments)),
    st.builds(lambda name, each: {"property": name, "operator": each}, names, st.sampled_from(VALUELESS)),
)  # fmt: skip


def matches(query: Values, values: Values) -> bool:
    if "rules" in query:
        parts = [matches(rule, values) for rule in query["rules"]]
        return all(parts) if query["combinator"] == "and" or not parts else any(parts)
    actual = values.get(query["property"])
    operator = str(query["operator"])
    holds = reads(NOT.get(operator, operator), actual, query.get("value"))
    return holds is not (operator in NOT)


def opposite(rule: Values) -> Values:
    turned = {plain: negative for negative, plain in NOT.items()}
    return {**rule, "operator": turned[rule["operator"]]} if rule["operator"] in turned else rule


groups = st.recursive(
    st.one_of(rules, rules.map(opposite)),
    lambda inner: st.builds(
        lambda combinator, parts: {"combinator": combinator, "rules": parts},
        st.sampled_from(["and", "or"]), st.lists(inner, max_size=4),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(query=groups)
@example(query={"property": "flag", "operator": "=", "value": 1})
@example(query={"property": "when", "operator": "<=", "value": "0001-01-01T12:00:00Z"})  # written as the day after
def test_a_search_finds_what_a_plain_reading_of_its_rules_finds(port: httpx.Client, query: Values) -> None:
    whole = {"combinator": "and", "rules": [query]}

    assert search(port, whole) == [each["identifier"] for each in ENTITIES if matches(query, each["properties"])]


@settings(deadline=None, max_examples=100)
@given(rule=rules.filter(lambda rule: opposite(rule) != rule))
def test_an_operator_and_its_opposite_part_the_entities(port: httpx.Client, rule: Values) -> None:
    found = [search(port, {"combinator": "and", "rules": [each]}) for each in (rule, opposite(rule))]

    assert sorted(found[0] + found[1]) == [each["identifier"] for each in ENTITIES]


@settings(deadline=None, max_examples=40)
@given(
    limit=st.integers(1, 7),
    gone=st.lists(st.integers(0, 19), max_size=12),
    is_wanted=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_pages_give_every_match_once_whatever_is_deleted_between(
    port: httpx.Client, limit: int, gone: list[int], is_wanted: list[bool]
) -> None:
    nodes = [{"identifier": f"n{i:02}", "title": "wanted" if is_wanted[i] else "other"} for i in range(20)]
    port.delete("/blueprints/node/all-entities").raise_for_status()
    port.post("/blueprints/node/entities/bulk", json={"entities": nodes}).raise_for_status()
    rule = {"property": "$title", "operator": "=", "value": "wanted"}
    body: Values = {"query": {"combinator": "and", "rules": [rule]}, "limit": limit}
    deletions, seen, deleted = iter(gone), [], set()
    while True:
        page = port.post("/blueprints/node/entities/search", json=body).json()
        assert len(page["entities"]) <= limit
        seen += [each["identifier"] for each in page["entities"]]
        if "next" not in page:
            break
        body["from"] = page["next"]
        deleted.add(f"n{next(deletions, 0):02}")
        port.post("/blueprints/node/bulk/entities/delete", json={"entities": sorted(deleted)}).raise_for_status()

    wanted = {node["identifier"] for node in nodes if node["title"] == "wanted"}
    assert seen == sorted(set(seen))
    assert wanted - deleted <= set(seen) <= wanted


def walked(edges: dict[str, list[str]], start: list[str]) -> set[str]:
    found: set[str] = set()
    ahead = [target for each in start for target in edges[each]]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += edges[here]
    return found - set(start) if len(set(start)) == 1 else found


def stepped(edges: dict[str, list[str]], start: set[str], hops: int) -> set[str]:
    for _ in range(hops):
        start = {target for each in start for target in edges[each]}
    return start


NODES = [f"n{index}" for index in range(7)]


@settings(deadline=None, max_examples=60)
@given(
    edges=st.fixed_dictionaries({name: st.lists(st.sampled_from(NODES), max_size=3) for name in NODES}),
    start=st.lists(st.sampled_from(NODES), min_size=1, max_size=3),
    hops=st.integers(1, 4),
)
def test_relations_are_followed_as_a_graph_is_walked(
    port: httpx.Client, edges: dict[str, list[str]], start: list[str], hops: int
) -> None:
    port.delete("/blueprints/node/all-entities").raise_for_status()
    for content in (
        [{"identifier": name} for name in NODES],
        [{"identifier": k, "relations": {"to": v}} for k, v in edges.items()],
    ):
        answer = port.post("/blueprints/node/entities/bulk?upsert=true", json={"entities": content})
        assert answer.status_code == 200, answer.text
    backwards = {name: [each for each in NODES if name in edges[each]] for name in NODES}

    def found(rule: Values) -> set[str]:
        return set(search(port, {"combinator": "and", "rules": [rule]}, "node"))

    for direction, graph in (("upstream", edges), ("downstream", backwards)):
        rule = {"operator": "relatedTo", "blueprint": "node", "value": start, "direction": direction}
        assert found(rule) == walked(graph, start)
    path: Values = {"path": ["to"] * hops}
    assert found({"operator": "matchAny", "property": path, "value": start}) == stepped(backwards, set(start), hops)
    downstream = {"operator": "matchAny", "property": {**path, "fromBlueprint": "node"}, "value": start}
    assert found(downstream) == stepped(edges, set(start), hops)
    up_to = {**downstream, "property": {"path": [{"relation": "to", "maxHops": hops}], "fromBlueprint": "node"}}
    assert found(up_to) == set().union(*(stepped(edges, set(start), each) for each in range(1, hops + 1)))
