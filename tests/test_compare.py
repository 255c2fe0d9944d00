"""What a write would change in what Port holds, row by row, and what must hold for any entity."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.compare import Difference, differences

if TYPE_CHECKING:
    from collections.abc import Mapping

SEARCH = {"combinator": "and", "rules": [{"property": "$title", "operator": "=", "value": "Ada"}]}


def names(sent: Mapping[str, Any], held: Mapping[str, Any], *, is_merge: bool) -> list[str]:
    return [difference.name for difference in differences(sent, held, is_merge=is_merge)]


@pytest.mark.parametrize(
    ("part", "sent", "held"),
    [
        ("title", "One", "One"),
        ("title", None, None),
        ("icon", "Cloud", "Cloud"),
        ("team", "ops", ["ops"]),
        ("team", ["ops"], "ops"),
        ("team", ["ops", "dev"], ["dev", "ops"]),
        ("team", [], None),
        ("team", None, []),
        ("property", None, None),
        ("property", 1, 1.0),
        ("property", 0, -0.0),
        ("property", 9007199254740993, 9007199254740993),
        ("property", {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}),
        ("property", [1, {"a": [True, None]}], [1.0, {"a": [True, None]}]),
        ("property", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000Z"),
        ("property", "2025-01-01t02:00:00.50+02:00", "2025-01-01T00:00:00.500Z"),
        ("property", "2025-01-01T00:00:00-00:00", "2025-01-01T00:00:00z"),
        ("property", ["2025-01-01T00:00:00Z"], ["2025-01-01T00:00:00.000Z"]),
        ("relation", "a", "a"),
        ("relation", "a", ["a"]),
        ("relation", ["a"], "a"),
        ("relation", ["a", "b"], ["a", "b"]),
        ("relation", ["a", "b"], ["b", "a"]),
        ("relation", "a", ["a", "a"]),
        ("relation", [], None),
        ("relation", None, []),
    ],
)
@pytest.mark.parametrize("is_merge", [True, False])
def test_these_say_the_same(part: str, sent: Any, held: Any, is_merge: bool) -> None:
    assert differences(entity(part, sent), entity(part, held), is_merge=is_merge) == ()


@pytest.mark.parametrize(
    ("part", "sent", "held"),
    [
        ("title", "One", "Two"),
        ("title", "One", None),
        ("title", None, "One"),
        ("icon", "Cloud", "Sun"),
        ("team", ["ops"], ["ops", "dev"]),
        ("team", "ops", None),
        ("team", [], ["ops"]),
        ("team", SEARCH, ["ops"]),
        ("team", SEARCH, SEARCH),
        ("team", ["ops", SEARCH], ["ops"]),
        ("property", None, 0),
        ("property", 0, None),
        ("property", "", None),
        ("property", [], None),
        ("property", {}, None),
        ("property", True, 1),
        ("property", 0, False),
        ("property", "1", 1),
        ("property", 9007199254740993, 9007199254740992),
        ("property", 9007199254740993, 9007199254740992.0),
        ("property", [1, 2], [2, 1]),
        ("property", [1], [1, 1]),
        ("property", [1, 1], [1]),
        ("property", {"a": 1}, {"a": 1, "b": None}),
        ("property", {"a": 1, "b": None}, {"a": 1}),
        ("property", {"a": 1}, [1]),
        ("property", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00.001Z"),
        ("property", "2025-01-01T00:00:00.0000001Z", "2025-01-01T00:00:00Z"),
        ("property", "2025-01-01T00:00:00+01:00", "2025-01-01T00:00:00Z"),
        ("property", "2025-01-01", "2025-01-01T00:00:00Z"),
        ("property", "2025-01-01T00:00:00", "2025-01-01T00:00:00Z"),
        ("property", "2025-02-30T00:00:00Z", "2025-02-30T00:00:00.0Z"),
        ("property", "0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00.0+01:00"),
        ("property", "2025-01-01T00:00:00.\uff15Z", "2025-01-01t00:00:00.\uff15Z"),
        ("relation", "a", "b"),
        ("relation", "a", None),
        ("relation", None, "a"),
        ("relation", [], ["a"]),
        ("relation", ["a"], ["a", "b"]),
        ("relation", SEARCH, "a"),
        ("relation", SEARCH, SEARCH),
        ("relation", ["a", SEARCH], ["a"]),
    ],
)
@pytest.mark.parametrize("is_merge", [True, False])
def test_these_differ(part: str, sent: Any, held: Any, is_merge: bool) -> None:
    name = {"property": "properties.x", "relation": "relations.x"}.get(part, part)

    found = differences(entity(part, sent), entity(part, held), is_merge=is_merge)

    assert found == (Difference(name, held, sent),)


def entity(part: str, value: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {"identifier": "e", "title": "E", "properties": {"size": 1}, "relations": {"owner": "o"}}
    match part:
        case "property":
            whole["properties"]["x"] = value
        case "relation":
            whole["relations"]["x"] = value
        case _:
            whole[part] = value
    return whole


HELD = {
    "identifier": "e",
    "blueprint": "thing",
    "title": "E",
    "icon": "Cloud",
    "team": ["ops"],
    "properties": {"size": 1, "name": "n", "nothing": None},
    "relations": {"owner": "o", "users": [], "parent": None},
    "createdAt": "2025-01-01T00:00:00.000Z",
    "scorecards": {"gold": {}},
}


@pytest.mark.parametrize(
    "sent",
    [{"identifier": "e"}, {"identifier": "e", "properties": {}, "relations": {}}, {"properties": None}],
)
def test_what_is_not_sent_is_kept_by_a_merge_and_cleared_without_one(sent: dict[str, Any]) -> None:
    assert differences(sent, HELD, is_merge=True) == ()
    assert differences(sent, HELD, is_merge=False) == (
        Difference("title", "E", None),
        Difference("icon", "Cloud", None),
        Difference("team", ["ops"], None),
        Difference("properties.name", "n", None),
        Difference("properties.size", 1, None),
        Difference("relations.owner", "o", None),
    )


def test_a_null_that_is_sent_clears_in_a_merge_too() -> None:
    sent = {"title": None, "properties": {"name": None, "nothing": None}, "relations": {"owner": None}}

    assert names(sent, HELD, is_merge=True) == ["title", "properties.name", "relations.owner"]


def test_an_icon_alone_is_seen() -> None:
    assert differences({**HELD, "icon": "Sun"}, HELD, is_merge=True) == (Difference("icon", "Cloud", "Sun"),)


def test_everything_is_new_where_port_holds_nothing() -> None:
    sent = {"title": "E", "properties": {"b": 1, "a": 2, "c": None}, "relations": {"owner": "o"}}

    assert names(sent, {}, is_merge=False) == ["title", "properties.a", "properties.b", "relations.owner"]


def test_values_that_nest_more_deeply_than_pythons_stack_are_compared() -> None:
    def nested(leaf: float) -> Any:
        value: Any = leaf
        for _ in range(50_000):
            value = [value]
        return value

    one, other, third = nested(1), nested(1.0), nested(2)

    assert names({"properties": {"x": one}}, {"properties": {"x": other}}, is_merge=False) == []
    assert names({"properties": {"x": one}}, {"properties": {"x": third}}, is_merge=False) == ["properties.x"]


# Any entity

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
TARGETS = st.none() | st.text(min_size=1) | st.lists(st.text(min_size=1), max_size=3)
NAMES = st.text(min_size=1, max_size=3)
ENTITIES = st.fixed_dictionaries(
    {"identifier": st.text(min_size=1)},
    optional={
        "title": st.none() | st.text(),
        "icon": st.none() | st.text(),
        "team": TARGETS,
        "properties": st.dictionaries(NAMES, VALUES, max_size=4),
        "relations": st.dictionaries(NAMES, TARGETS, max_size=4),
    },
)


def reordered(value: Any) -> Any:
    match value:
        case dict():
            return {key: reordered(value[key]) for key in reversed(value)}
        case list():
            return [reordered(item) for item in value]
        case _:
            return value


@settings(deadline=None)
@given(ENTITIES, st.booleans())
def test_an_entity_equals_itself_after_a_round_trip_through_json(sent: dict[str, Any], is_merge: bool) -> None:
    assert differences(sent, json.loads(json.dumps(sent)), is_merge=is_merge) == ()


@settings(deadline=None)
@given(ENTITIES, ENTITIES, st.booleans())
def test_the_order_of_keys_never_counts(sent: dict[str, Any], held: dict[str, Any], is_merge: bool) -> None:
    found = differences(sent, held, is_merge=is_merge)

    assert differences(reordered(sent), reordered(held), is_merge=is_merge) == found


@settings(deadline=None)
@given(ENTITIES, ENTITIES)
def test_a_replacement_differs_in_both_directions_and_in_all_that_a_merge_does(
    sent: dict[str, Any], held: dict[str, Any]
) -> None:
    forth = differences(sent, held, is_merge=False)
    back = differences(held, sent, is_merge=False)

    assert [(d.name, d.old, d.new) for d in forth] == [(d.name, d.new, d.old) for d in back]
    assert {d.name for d in differences(sent, held, is_merge=True)} <= {d.name for d in forth}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    match value:
        case dict() if value:
            return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
        case list() if value:
            return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index))]
        case _:
            return [path]


def changed(value: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return "changed" if value != "changed" else "once more"
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:])
    return copy


@settings(deadline=None)
@given(st.data(), st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), st.booleans())
def test_a_changed_leaf_is_always_found(data: st.DataObject, properties: dict[str, Any], is_merge: bool) -> None:
    path = data.draw(st.sampled_from(leaves(properties)))
    other = changed(properties, path)

    found = names({"properties": other}, {"properties": properties}, is_merge=is_merge)

    assert found == [f"properties.{path[0]}"]
