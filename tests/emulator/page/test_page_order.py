"""The table's order is that of Python's plain sort, on every page and in both directions."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from portsync.emulator.page.listing import COUNTED
from tests.emulator.page.conftest import column

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.emulator.page.conftest import Element

NUMBER = 230
COLUMNS = ("text", "number", "flag", "day", "$identifier", "$title", "relation.twin")
_VALUES: dict[str, tuple[Any, ...]] = {
    "text": (None, "", "a", "A", "ä", "Z", "10", "9", "\U0001f600", "￿", "x" * 300, "x" * 301, "x" * 200),
    "number": (None, 0, -1, 1, 1.0, 1.5, 10, 9, 2**53, 1e300, -0.25),
    "flag": (None, True, False),
    "day": (None, "2025-01-01T00:00:00Z", "2025-01-01T00:00:00+01:00", "2024-12-31T23:59:59Z"),
}


def thing(index: int, chance: random.Random) -> dict[str, Any]:
    properties = {name: chance.choice(values) for name, values in _VALUES.items()}
    return {
        "identifier": f"e{index:05}",
        "title": chance.choice(["one", "two", "Three"]),
        "properties": {name: value for name, value in properties.items() if value is not None},
        "relations": {"twin": f"e{chance.randrange(NUMBER):05}"} if chance.random() < 0.7 else {},
    }


def fill(port: httpx.Client, number: int) -> list[dict[str, Any]]:
    """Create so many things."""
    chance = random.Random(7)
    day = {"type": "string", "format": "date-time"}
    schema = {"text": {"type": "string"}, "number": {"type": "number"}, "flag": {"type": "boolean"}, "day": day}
    blueprint = {
        "identifier": "thing",
        "title": "Thing",
        "schema": {"properties": schema},
        "relations": {"twin": {"target": "thing"}},
    }
    port.post("/blueprints", json=blueprint).raise_for_status()
    made = [thing(index, chance) for index in range(number)]
    path = "/blueprints/thing/entities/bulk?create_missing_related_entities=true&upsert=true"
    for start in range(0, number, 20):
        answer = port.post(path, json={"entities": made[start : start + 20]})
        assert answer.status_code == 200, answer.text
    return made


@pytest.fixture
def things(port: httpx.Client) -> list[dict[str, Any]]:
    return fill(port, NUMBER)


def value_of(entity: dict[str, Any], name: str) -> Any:
    match name:
        case "$identifier" | "$title":
            return entity[name[1:]]
        case "relation.twin":
            return entity["relations"].get("twin")
        case _:
            return entity["properties"].get(name)


def naive(entities: list[dict[str, Any]], name: str, *, descending: bool) -> list[str]:
    """Sorted by value, those without one at the end, by identifier where values are the same."""
    there = sorted((each for each in entities if value_of(each, name) is not None), key=lambda each: each["identifier"])
    there.sort(key=lambda each: value_of(each, name), reverse=descending)
    rest = sorted(each["identifier"] for each in entities if value_of(each, name) is None)
    return [each["identifier"] for each in there] + rest


def pages(see: Callable[[str], Element], **query: str) -> list[str]:
    """The identifiers of all pages."""
    shown: list[str] = []
    for page in range(1, 12):
        view = see("/blueprints/thing?" + urlencode([("col", "$identifier"), *query.items(), ("page", str(page))]))
        if not view.all("tbody"):
            break
        shown += column(view)
    return shown


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", COLUMNS)
def test_the_order_of_all_pages_is_that_of_a_plain_sort(
    things: list[dict[str, Any]], port: httpx.Client, look: Callable[..., Element], name: str, descending: bool
) -> None:
    sort = ("-" if descending else "") + name
    expected = naive(things, name, descending=descending)

    assert pages(lambda path: look(port, path), sort=sort, size="25") == expected


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", COLUMNS)
def test_so_is_the_order_of_what_a_filter_leaves(
    things: list[dict[str, Any]], port: httpx.Client, look: Callable[..., Element], name: str, descending: bool
) -> None:
    sort = ("-" if descending else "") + name
    left = [each for each in things if each["title"] == "two"]

    shown = pages(lambda path: look(port, path), sort=sort, size="25", by="$title", op="is", value="two")

    assert len(left) > 50
    assert shown == naive(left, name, descending=descending)


def test_so_is_the_order_of_more_matches_than_are_counted(port: httpx.Client, look: Callable[..., Element]) -> None:
    things = fill(port, COUNTED + 100)
    last = len(things) // 200

    for name in ("number", "-number", "-text", "-$identifier"):
        expected = naive(things, name.removeprefix("-"), descending=name.startswith("-"))
        for page in (1, last, last + 1):
            query = {"sort": name, "size": "200", "by": "$identifier", "op": "has", "value": "e", "page": str(page)}
            view = look(port, "/blueprints/thing?" + urlencode([("col", "$identifier"), *query.items()]))
            assert column(view) == expected[(page - 1) * 200 : page * 200], (name, page)
            assert f"more than {COUNTED:,}" in view.text
