"""One blueprint's entities as a table: sorted, filtered, searched, in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.emulator.page.conftest import column, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.emulator.page.conftest import Element

DAY = "2026-11-01T00:00:00Z"


def entity(identifier: str, **properties: Any) -> dict[str, Any]:
    return {"identifier": identifier, "properties": {"day": DAY, **properties}}


def create(port: httpx.Client, *entities: dict[str, Any]) -> None:
    for start in range(0, len(entities), 20):
        answer = port.post(
            "/blueprints/record/entities/bulk?upsert=true&create_missing_related_entities=true",
            json={"entities": entities[start : start + 20]},
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
def table(records: httpx.Client, look: Callable[..., Element]) -> Callable[..., Element]:
    """Look at the table of records with these parameters."""

    def see(*query: tuple[str, str], **more: str) -> Element:
        return look(records, "/blueprints/record?" + urlencode([*query, *more.items()]))

    return see


SOME = (
    entity("a", cost=10, model="opus", level="low", done=True),
    entity("b", cost=9.5, model="Sonnet", level="high", done=False),
    entity("c", cost=100, model="haiku 100%", tags=["x", "y"]),
    entity("d", model="so_net"),
)


def test_columns_sort_numbers_as_numbers_and_what_is_empty_comes_last(
    records: httpx.Client, table: Callable[..., Element]
) -> None:
    create(records, *SOME)

    assert column(table(sort="cost")) == ["b", "a", "c", "d"]
    assert column(table(sort="-cost")) == ["c", "a", "b", "d"]
    assert column(table(sort="-$identifier")) == ["d", "c", "b", "a"]
    assert column(table(sort="nonsense")) == ["a", "b", "c", "d"]


def test_the_head_of_a_column_sorts_by_it_and_the_second_time_the_other_way_round(
    records: httpx.Client, table: Callable[..., Element], look: Callable[..., Element]
) -> None:
    create(records, *SOME)
    heads = {head.words: head for head in table(q="o").all("th")}
    first = look(records, heads["cost"].one("a").attributes["href"])
    head = next(each for each in first.all("th") if each.words == "cost")

    assert head.attributes["aria-sort"] == "ascending"
    assert "sort=-cost" in head.one("a").attributes["href"]
    assert "q=o" in head.one("a").attributes["href"]


@pytest.mark.parametrize(
    ("by", "op", "value", "found"),
    [
        ("model", "is", "opus", "a"),
        ("model", "not", "opus", "bcd"),
        ("model", "has", "SON", "b"),
        ("model", "has", "%", "c"),
        ("model", "has", "_", "d"),
        ("model", "empty", "", ""),
        ("cost", "is", "10", "a"),
        ("cost", "is", "9.5", "b"),
        ("cost", "gt", "10", "ac"),
        ("cost", "lt", "10", "ab"),
        ("cost", "gt", "ten", ""),
        ("cost", "empty", "", "d"),
        ("cost", "set", "", "abc"),
        ("done", "is", "true", "a"),
        ("done", "is", "false", "b"),
        ("day", "lt", "2026-12-01", "abcd"),
        ("day", "gt", "2026-12-01", ""),
        ("$identifier", "is", "c", "c"),
        ("tags", "has", "y", "c"),
    ],
)
def test_a_filter_keeps_what_it_says(
    records: httpx.Client, table: Callable[..., Element], by: str, op: str, value: str, found: str
) -> None:
    create(records, *SOME)
    view = table(("by", by), ("op", op), ("value", value))

    assert (column(view) if found else view.all("tbody")) == list(found)


def test_filters_add_up_and_each_can_be_taken_away(
    records: httpx.Client, table: Callable[..., Element], look: Callable[..., Element]
) -> None:
    create(records, *SOME)
    view = table(("by", "cost"), ("op", "gt"), ("value", "10"), ("by", "model"), ("op", "is"), ("value", "opus"))
    chips = {chip.text.split("\N{MULTIPLICATION SIGN}")[0].strip(): chip for chip in view.all("a", cls="chip")}

    assert column(view) == ["a"]
    assert set(chips) == {"cost is at least 10", "model is opus"}
    assert column(look(records, chips["model is opus"].attributes["href"])) == ["a", "c"]


@pytest.mark.parametrize(
    ("words", "found"),
    [("opus", "a"), ("OPUS", "a"), ("100%", "c"), ("so_n", "d"), ("s o", "abd"), ("100", "c"), ("2026-11-01 low", "a")],
)
def test_the_search_looks_into_identifiers_and_values(
    records: httpx.Client, table: Callable[..., Element], words: str, found: str
) -> None:
    create(records, *SOME)

    assert column(table(q=words)) == list(found)


@pytest.mark.parametrize("words", ["model", "properties", '"', "\\", "zzz", "opus zzz"])
def test_the_search_does_not_look_into_names_and_quotes(
    records: httpx.Client, table: Callable[..., Element], words: str
) -> None:
    create(records, *SOME)
    view = table(q=words)

    assert view.all("tbody") == []
    assert "No entity fits" in view.one("main").text


def test_the_search_finds_quotes_letters_of_other_alphabets_and_relations(
    records: httpx.Client, table: Callable[..., Element]
) -> None:
    create(
        records,
        entity("a", model='say "hi"'),
        entity("b", model="Ünïcödé 中文"),
        {**entity("c"), "relations": {"workspace": "w77"}},
    )

    assert column(table(q='"hi"')) == ["a"]
    assert column(table(q="中文")) == ["b"]
    assert column(table(q="W77")) == ["c"]


def test_pages_hold_every_entity_once(
    records: httpx.Client, table: Callable[..., Element], look: Callable[..., Element]
) -> None:
    create(records, *(entity(f"e{number:03}", cost=number % 7) for number in range(130)))
    seen: list[str] = []
    view = table(sort="-cost", size="50")
    while True:
        seen += column(view)
        following = view.all("a", rel="next")
        if not following:
            break
        view = look(records, following[0].attributes["href"])

    assert sorted(seen) == [f"e{number:03}" for number in range(130)]
    assert "130 of 130" in view.one("div", cls="pager").text
    assert view.all("a", rel="prev")


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "٣", "1.5", "4"])
def test_a_page_that_is_not_there_is_empty_or_the_first(
    records: httpx.Client, table: Callable[..., Element], page: str
) -> None:
    create(records, entity("a"))

    assert "of 1" in table(page=page, size="9" * 30).one("div", cls="pager").text


def test_what_the_table_is_sorted_by_is_shown(records: httpx.Client, table: Callable[..., Element]) -> None:
    create(records, *SOME)
    heads = [[head.words for head in table(sort=name).all("th")] for name in ("cost", "$updatedAt")]

    assert heads[1] == ["Title", "Updated", *heads[0][1:]]


def test_columns_are_chosen(records: httpx.Client, table: Callable[..., Element]) -> None:
    create(records, *SOME)
    view = table(("col", "cost"), ("col", "$identifier"), ("col", "nonsense"), sort="cost")

    assert [head.words for head in view.all("th")] == ["cost", "Identifier"]
    assert rows(view)[0] == ["9.50", "b"]
    assert {box.attributes["value"] for box in view.all("input", name="col") if "checked" in box.attributes} == {
        "cost",
        "$identifier",
    }


def test_values_have_the_colours_of_the_blueprint(port: httpx.Client, look: Callable[..., Element]) -> None:
    schema = {
        "type": "string",
        "enum": ["up", "down", "odd"],
        "enumColors": {"up": "green", "down": "red", "odd": "lime"},
    }
    calculated = {
        "share": {"calculation": ".properties.n", "type": "number", "colorized": True, "colors": {"5": "gold"}}
    }
    body = {
        "identifier": "s",
        "title": "S",
        "schema": {"properties": {"state": schema, "n": {"type": "number"}}},
        "calculationProperties": calculated,
    }
    port.post("/blueprints", json=body).raise_for_status()
    for state in schema["enum"]:
        port.post("/blueprints/s/entities", json={"identifier": state, "properties": {"state": state, "n": 5}})
    view = look(port, "/blueprints/s?sort=%24identifier")

    assert [tag.attributes["class"] for tag in view.all("span", cls="tag")] == [
        "tag tint-red",
        "tag tint-gold",
        "tag tint-lime",
        "tag tint-gold",
        "tag tint-green",
        "tag tint-gold",
    ]


def test_more_than_ten_thousand_matches_are_not_counted_but_reached(
    records: httpx.Client, table: Callable[..., Element]
) -> None:
    create(records, *(entity(f"e{number:05}", model="same") for number in range(10_030)))
    view = table(q="same", page="201", size="50")

    assert "more than 10,000" in view.one("div", cls="pager").text
    assert column(view) == [f"e{number:05}" for number in range(10_000, 10_030)]
    assert column(table(q="same", page="2", size="50"))[0] == "e00050"
    assert "of 10,030" in table().one("div", cls="pager").text
