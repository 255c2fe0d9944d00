"""One entity: its properties, its relations in both directions, and how it came to be so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.emulator.page.conftest import column

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    import httpx

    from tests.emulator.page.conftest import Element

PATH = "/entity?blueprint=record&identifier="


def write(port: httpx.Client, identifier: str, query: str = "upsert=true&merge=true", **entity: Any) -> None:
    entity.setdefault("properties", {}).setdefault("day", "2026-11-01T10:30:00Z")
    answer = port.post(f"/blueprints/record/entities?{query}", json={"identifier": identifier, **entity})
    assert answer.status_code in (200, 201), answer.text


def values(view: Element) -> dict[str, str]:
    """What the panel of properties says."""
    panel = next(each for each in view.all("section") if each.all("h2")[0].words == "Properties")
    return {pair.one("dt").words: pair.one("dd").words for pair in panel.one("dl").children}


def changes(view: Element) -> list[list[list[str]]]:
    """The rows of each change: what, before, after."""
    return [
        [[cell.words for cell in row.children] for table in item.all("tbody") for row in table.children]
        for item in view.one("ol", cls="history").children
    ]


def test_properties_are_shown_by_their_type(records: httpx.Client, look: Callable[..., Element]) -> None:
    shown = {"cost": 1234567.5, "model": "x", "tags": ["a", "b"], "extra": {"k": {"n": [1]}}, "done": True}
    write(records, "a", title="The first", properties=shown)
    view = look(records, PATH + "a")

    assert view.one("h1").words == "The first"
    assert values(view) == {
        "day": "2026-11-01 10:30",
        "cost": "1,234,567.50",
        "model": "x",
        "tags": "ab",
        "done": "Yes",
    }
    folded = next(each for each in view.all("details", cls="fold") if each.one("summary").words == "extra")
    assert "open" not in folded.attributes
    assert folded.one("pre").words == '{ "k": { "n": [ 1 ] } }'
    assert "Without a value: level" in view.text


@pytest.mark.parametrize(
    ("address", "is_link"),
    [
        ("https://git.example/a?b=c&d=%3E", True),
        ("http://git.example", True),
        ("javascript://git.example/%0aalert(1)", False),
        ("vbscript://git.example/a", False),
        ("ftp://git.example/a", False),
        ("file://host/etc/passwd", False),
    ],
)
def test_only_addresses_of_the_web_become_links(
    port: httpx.Client, look: Callable[..., Element], address: str, is_link: bool
) -> None:
    properties = {"link": {"type": "string", "format": "url"}, "text": {"type": "string"}}
    port.post("/blueprints", json={"identifier": "s", "title": "S", "schema": {"properties": properties}})
    entity = {"identifier": "a", "properties": {"link": address, "text": address}}
    port.post("/blueprints/s/entities", json=entity).raise_for_status()
    view = look(port, "/entity?blueprint=s&identifier=a")
    links = [link for link in view.all("a") if link.attributes["href"] == address]

    assert len(links) == is_link
    assert [link.attributes["rel"] for link in links] == ["noopener noreferrer"] * is_link
    for each in (view, look(port, "/blueprints/s")):
        assert all(urlsplit(link.attributes["href"]).scheme in ("", "http", "https") for link in each.all("a"))


def test_relations_lead_in_both_directions(records: httpx.Client, look: Callable[..., Element]) -> None:
    missing = "upsert=true&create_missing_related_entities=true"
    write(records, "a", missing, relations={"workspace": "w/1+:=", "seen_in": ["w2", "w3"], "user": "ann@example.com"})
    write(records, "b", missing, relations={"parent": "a"}, title="The second")
    view = look(records, PATH + "a")
    targets = {
        link.words: parse_qs(urlsplit(link.attributes["href"]).query)
        for link in view.one("main").all("a")
        if link.attributes["href"].startswith("/entity?")
    }

    assert targets == {
        "w/1+:=": {"blueprint": ["workspace"], "identifier": ["w/1+:="]},
        "w2": {"blueprint": ["workspace"], "identifier": ["w2"]},
        "w3": {"blueprint": ["workspace"], "identifier": ["w3"]},
        "ann@example.com": {"blueprint": ["_user"], "identifier": ["ann@example.com"]},
        "The second": {"blueprint": ["record"], "identifier": ["b"]},
    }
    other = look(records, "/entity?blueprint=workspace&identifier=w%2F1%2B%3A%3D")
    assert [head.words for head in other.all("h3")] == ["record by workspace"]


def test_a_change_is_kept_with_old_and_new(
    records: httpx.Client, look: Callable[..., Element], clock: SimpleNamespace
) -> None:
    write(records, "a", properties={"cost": 1, "model": "x"}, title="Old")
    clock.now += 60
    write(records, "a", properties={"cost": 2, "done": True}, title="New", relations={"user": "ann@example.com"})
    clock.now += 60
    records.patch("/blueprints/record/entities/a", json={"properties": {"model": None}}).raise_for_status()
    view = look(records, PATH + "a")

    assert changes(view) == [
        [["model", "x", "—"]],
        [["Title", "Old", "New"], ["cost", "1", "2"], ["done", "—", "Yes"], ["relation user", "—", "ann@example.com"]],
        [],
    ]
    moments = [item.all("time")[0].attributes["datetime"] for item in view.one("ol", cls="history").children]
    assert moments == ["2025-01-01T12:02:00.000Z", "2025-01-01T12:01:00.000Z", "2025-01-01T12:00:00.000Z"]
    assert "portsync/claude/1.0/main/exporter" in view.one("ol", cls="history").text


def test_a_write_that_changes_nothing_leaves_no_history(records: httpx.Client, look: Callable[..., Element]) -> None:
    for _ in range(3):
        write(records, "a", properties={"cost": 1})
    write(records, "a", "upsert=true", properties={"cost": 1})
    write(records, "a", "upsert=true&merge=true&validation_only=true", properties={"cost": 2})

    assert changes(look(records, PATH + "a")) == [[]]


def test_a_deleted_entity_is_remembered(records: httpx.Client, look: Callable[..., Element]) -> None:
    write(records, "a", title="Gone")
    write(records, "b")
    records.delete("/blueprints/record/entities/a").raise_for_status()
    records.post("/blueprints/record/bulk/entities/delete", json={"entities": ["b"]}).raise_for_status()
    view = look(records, PATH + "a")

    assert view.one("h1").words == "Gone"
    assert "Deleted" in view.one("ol", cls="history").text
    assert [each.words for each in view.all("h2") if each.words == "Properties"] == []
    assert "Deleted" in look(records, PATH + "b").text


def test_a_property_taken_out_of_the_blueprint_is_a_change_and_no_deletion(
    records: httpx.Client, look: Callable[..., Element]
) -> None:
    write(records, "a", properties={"model": "x"}, relations={"user": "ann@example.com"})
    body = records.get("/blueprints/record").json()["blueprint"]
    del body["schema"]["properties"]["model"]
    changed = {"schema": body["schema"], "relations": {}}
    records.patch("/blueprints/record", json=changed).raise_for_status()
    view = look(records, PATH + "a")

    assert [row[:2] for row in changes(view)[0]] == [["model", "x"], ["relation user", "ann@example.com"]]
    assert "Deleted" not in view.text
    assert "Nothing relates" in look(records, "/entity?blueprint=_user&identifier=ann@example.com").text


def test_the_history_of_one_entity_is_bounded(records: httpx.Client, look: Callable[..., Element]) -> None:
    write(records, "other", properties={"cost": 1})
    write(records, "other", properties={"cost": 2})
    for number in range(40):
        write(records, "a", properties={"cost": number})

    kept = changes(look(records, PATH + "a"))
    assert len(kept) == 21
    assert kept[0] == [["cost", "38", "39"]]
    assert len(changes(look(records, PATH + "other"))) == 2


def test_the_history_outlives_the_process(
    local_port: Callable[..., httpx.Client],
    with_records: Callable[[httpx.Client], httpx.Client],
    look: Callable[..., Element],
    tmp_path: Any,
) -> None:
    database = f"sqlite:///{tmp_path / 'catalog.db'}"
    first = with_records(local_port(database=database))
    write(first, "a", properties={"cost": 1})
    write(first, "a", properties={"cost": 2})
    second = local_port(database=database)
    write(second, "a", properties={"cost": 3})

    assert changes(look(second, PATH + "a")) == [[["cost", "2", "3"]], [["cost", "1", "2"]], []]


def test_identifiers_with_slashes_and_dots_have_addresses(port: httpx.Client, look: Callable[..., Element]) -> None:
    for identifier in ("a/b", "a/../b", "x.y:z@1+2"):
        body: dict[str, Any] = {"identifier": identifier, "title": identifier, "schema": {"properties": {}}}
        port.post("/blueprints", json=body).raise_for_status()
    view = look(port, "/")
    links = {link.words: link.attributes["href"] for link in view.one("main").all("tbody")[0].all("a")}

    assert links["a/../b"] == "/blueprints/a%2F..%2Fb"
    for identifier, href in links.items():
        assert look(port, href).one("h1").words.startswith(identifier)


def test_the_overview_names_the_last_changes(records: httpx.Client, look: Callable[..., Element]) -> None:
    write(records, "a", title="First")
    write(records, "a", title="Second")
    view = look(records, "/")

    panel = next(each for each in view.all("section") if each.all("h2") and each.all("h2")[0].words == "Last changes")
    assert panel.one("li").words.startswith("Second")
    assert column(view)[0].startswith("Record")
