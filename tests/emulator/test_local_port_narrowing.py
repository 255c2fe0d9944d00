"""Searches leave rows to the database, and find the same as without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.emulator.app import create_app
from tests.emulator.conftest import NOON, InProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

SEARCH = "/blueprints/thing/entities/search"
MOMENTS = (
    "2025-01-01T00:00:00Z",
    "2025-01-01T23:30:00-12:00",
    "2024-12-31T23:59:59.999999Z",
    "2025-01-02T00:30:00+01:00",
    "2024-12-31T12:00:00+14:00",
    "2025-01-01t00:00:00z",
    "2025-01-01T00:00:00." + "0" * 220 + "Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
)
TEXTS = (
    "",
    "a",
    "A",
    "ä",
    'say "a"',
    "back\\slash",
    "line\nbreak",
    "%",
    "_",
    "x" * 199 + "ä",
    "x" * 300,
    "null",
    *MOMENTS,
)
NUMBERS = (0, 1, 1.0, -1, 0.1, 0.30000000000000004, 1e-320, 2**53, 2**53 + 1, 2**63, 1.7e308, 123456789.12345679)
NAMES = ("text", "number", "flag", "list", "object")
OPERATORS = ("=", "!=", "contains", "beginsWith", "endsWith", ">", ">=", "<", "<=", "in", "notIn", "between")

texts = st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
numbers = st.sampled_from(NUMBERS) | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
scalars = texts | numbers | st.booleans()


def number(index: int) -> Any:
    return NUMBERS[index % len(NUMBERS)]


def thing(index: int) -> dict[str, Any]:
    text = TEXTS[index % len(TEXTS)]
    properties = {
        "text": text,
        "number": number(index),
        "flag": index % 2 == 0,
        "list": [text, number(index), {"text": "a"}],
        "object": {"text": text, "number": 1, "inner": {"list": ["a"]}},
    }
    left_out = NAMES[index % 7] if index % 7 < len(NAMES) else None
    return {
        "identifier": f"e{index}",
        "title": None if index % 5 == 0 else text,
        "properties": {name: value for name, value in properties.items() if name != left_out},
        "relations": {"one": f"e{index}"} if index % 3 else {"many": ["e1", f"e{index}"]},
    }


@pytest.fixture(scope="module")
def things() -> Iterator[httpx.Client]:
    """A catalog that no test changes."""
    app = create_app(client_id="id", client_secret="secret", clock=lambda: NOON)
    with httpx.Client(transport=InProcess(app), base_url="http://port.test/v1", trust_env=False) as port:
        token = port.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"})
        port.headers["authorization"] = f"Bearer {token.json()['accessToken']}"
        fill(port)
        yield port


def fill(port: httpx.Client) -> None:
    kinds = {"text": "string", "number": "number", "flag": "boolean", "list": "array", "object": "object"}
    blueprint = {
        "identifier": "thing",
        "title": "Thing",
        "schema": {"properties": {name: {"type": kind} for name, kind in kinds.items()}},
        "relations": {"one": {"target": "thing"}, "many": {"target": "thing", "many": True}},
    }
    port.post("/blueprints", json=blueprint).raise_for_status()
    for start in range(0, 60, 20):
        entities = [
            {key: value for key, value in thing(index).items() if value is not None}
            for index in range(start, start + 20)
        ]
        answer = port.post(
            "/blueprints/thing/entities/bulk?create_missing_related_entities=true&upsert=true",
            json={"entities": entities},
        )
        assert answer.status_code == 200, answer.text


def found(port: httpx.Client, query: dict[str, Any]) -> list[str] | None:
    """The identifiers; None for a query that is refused."""
    answer = port.post(SEARCH, json={"query": query, "limit": 1000, "include": ["$identifier"]})
    assert answer.status_code in (200, 422), answer.text
    return [each["identifier"] for each in answer.json()["entities"]] if answer.status_code == 200 else None


def unbounded(query: dict[str, Any]) -> dict[str, Any]:
    """The same query in a form of which nothing can be told beforehand."""
    return {"combinator": "or", "rules": [query, {"property": "$identifier", "operator": "isEmpty"}]}


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(OPERATORS))
    place: dict[str, Any] = draw(
        st.sampled_from([{"property": name} for name in NAMES])
        | st.sampled_from([{"property": name} for name in ("$title", "$identifier", "$datasource", "$createdAt")])
        | st.sampled_from([{"property": 'odd"name\\'}, {"relation": "one"}, {"relation": "many"}])
    )
    value: Any
    if operator in ("in", "notIn"):
        value = draw(st.lists(scalars, max_size=3))
    elif operator == "between":
        value = {"from": draw(st.sampled_from(MOMENTS)), "to": draw(st.sampled_from(MOMENTS))}
    else:
        value = draw(scalars | st.sampled_from(["e1", "portsync", "2025-01-01T12:00:00Z"]))
    return {**place, "operator": operator, "value": value}


groups = st.recursive(
    st.builds(
        lambda combinator, parts: {"combinator": combinator, "rules": parts},
        st.sampled_from(["and", "or"]),
        st.lists(rules(), max_size=3),
    ),
    lambda inner: st.builds(
        lambda combinator, parts: {"combinator": combinator, "rules": parts},
        st.sampled_from(["and", "or"]),
        st.lists(inner, max_size=2),
    ),
    max_leaves=3,
)


@settings(deadline=None, max_examples=60)
@given(groups)
def test_what_is_left_to_the_database_loses_no_match(things: httpx.Client, query: dict[str, Any]) -> None:
    assert found(things, query) == found(things, unbounded(query))


@pytest.mark.parametrize("operator", ["=", "contains", ">", "<=", "in", "between"])
@pytest.mark.parametrize("name", ["text", "number", "list", "$createdAt", "$datasource"])
def test_each_operator_finds_the_same_for_every_value_there_is(things: httpx.Client, name: str, operator: str) -> None:
    for each in values(name, operator):
        query = {"combinator": "and", "rules": [{"property": name, "operator": operator, "value": each}]}
        assert found(things, query) == found(things, unbounded(query)), each


def values(name: str, operator: str) -> list[Any]:
    """What the operator may tell apart."""
    match operator:
        case "between":
            return [{"from": MOMENTS[2], "to": last} for last in MOMENTS]
        case ">" | "<=":
            return [*MOMENTS, "2025-01-01T12:00:00Z", *NUMBERS]
    texts = [*(TEXTS if name in ("text", "list") else MOMENTS[:3]), "portsync/claude/1.0/main/exporter"]
    numbers = [*NUMBERS, True] if operator == "=" or name == "list" else [0]
    return [[each] for each in (*texts, *numbers)] if operator == "in" else [*texts, *numbers]
