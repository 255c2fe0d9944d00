"""Whose entities are whose, groups of values, titles beside relations, and the deletion of all entities (sections 3.5,
3.7 and 3.8 of Port's API)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    import httpx

FIND = "/blueprints/entities/datasource-entities"
MINE = {"datasource_prefix": "portsync/claude/", "datasource_suffix": "/main/exporter"}
DAY = {"day": "2025-01-01T00:00:00Z"}
# The clock of the tests stands at this moment.
NOON = "2025-01-01T12:00:00Z"


def write(port: httpx.Client, *identifiers: str, agent: str | None = None, **more: Any) -> None:
    headers = {} if agent is None else {"user-agent": agent}
    for identifier in identifiers:
        entity = {"identifier": identifier, "properties": DAY, **more}
        port.post("/blueprints/record/entities?upsert=true", json=entity, headers=headers).raise_for_status()


def found(port: httpx.Client, **body: Any) -> list[str]:
    answer = port.post(FIND, json={**MINE, **body})
    assert answer.status_code == 200, answer.text
    return [each["identifier"] for each in answer.json()["entities"]]


@pytest.mark.parametrize(
    ("agent", "is_mine"),
    [
        ("portsync/claude/1.0/main/exporter", True),
        ("portsync/claude/9.9/main/exporter", True),
        ("portsync/claude/main/exporter", False),
        ("portsync/other/1.0/main/exporter", False),
        ("portsync/claude/1.0/second/exporter", False),
        ("x-portsync/claude/1.0/main/exporter", False),
        ("portsync/claude/1.0/main/exporter-x", False),
        ("PORTSYNC/claude/1.0/main/exporter", False),
    ],
)
def test_the_entities_of_a_writer_are_found_by_both_ends(records: httpx.Client, agent: str, is_mine: bool) -> None:
    write(records, "a", agent=agent)

    assert found(records) == (["a"] if is_mine else [])


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, ["a", "b"]),
        (NOON, []),
        ("2025-01-01T13:00:00+01:00", []),
        ("2025-01-01T12:00:00.000001+00:00", ["a"]),
        ("2025-01-01T12:00:00.001Z", ["a"]),
        ("2025-01-01T12:01:00Z", ["a"]),
        ("2025-01-01T12:01:00.0005Z", ["a", "b"]),
    ],
)
def test_before_leaves_what_was_written_earlier(
    records: httpx.Client, clock: SimpleNamespace, before: str | None, expected: list[str]
) -> None:
    write(records, "a")
    clock.now += 60
    write(records, "b")

    assert found(records, **({} if before is None else {"before": before})) == expected


def test_an_entity_says_its_key_and_when_it_was_written(records: httpx.Client) -> None:
    write(records, "a")
    answer = records.post(FIND, json=MINE).json()

    assert answer == {
        "ok": True,
        "entities": [
            {
                "identifier": "a",
                "blueprint": "record",
                "datasource": "portsync/claude/1.0/main/exporter",
                "createdAt": "2025-01-01T12:00:00.000Z",
                "updatedAt": "2025-01-01T12:00:00.000Z",
            }
        ],
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 5000])
def test_pages_go_through_all_blueprints_with_deletions_between(records: httpx.Client, limit: int) -> None:
    write(records, "a", "b", "c")
    for each in ("a", "w"):
        records.post("/blueprints/workspace/entities", json={"identifier": each}).raise_for_status()
    seen: list[tuple[str, str]] = []
    body: dict[str, Any] = {**MINE, "limit": limit}
    while True:
        page = records.post(FIND, json=body).json()
        seen += [(each["blueprint"], each["identifier"]) for each in page["entities"]]
        if "next" not in page:
            break
        # The last of the page, where the next one begins.
        records.delete(f"/blueprints/{seen[-1][0]}/entities/{seen[-1][1]}").raise_for_status()
        body["from"] = page["next"]

    assert seen == [("record", "a"), ("record", "b"), ("record", "c"), ("workspace", "a"), ("workspace", "w")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"datasource_prefix": "x"},
        {**MINE, "limit": 0},
        {**MINE, "limit": 5001},
        {**MINE, "limit": "5"},
        {**MINE, "before": "2025-01-01"},
        {**MINE, "from": "%"},
        {**MINE, "from": "W10="},
        {**MINE, "from": "WzEsMl0="},
        {**MINE, "datasource_prefix": None},
        {**MINE, "more": 1},
        [],
    ],
)
def test_a_wrong_search_by_datasource_is_refused(records: httpx.Client, body: Any) -> None:
    answer = records.post(FIND, json=body)

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")


def test_entities_can_be_handed_over_to_another_writer(records: httpx.Client) -> None:
    write(records, "a", "b", agent="port-ocean/claude/1/main/exporter")
    body = {"entitiesIdentifiers": ["a", "gone"], "datasource": "portsync/claude/1.0/main/exporter"}
    before = records.get("/blueprints/record/entities/a").json()

    answer = records.patch("/blueprints/record/datasource/bulk", json=body)

    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert found(records) == ["a"]
    assert records.get("/blueprints/record/entities/a").json() == before


@pytest.mark.parametrize(
    ("blueprint", "body", "status"),
    [
        ("gone", {"entitiesIdentifiers": [], "datasource": "x"}, 404),
        ("record", {"entitiesIdentifiers": "a", "datasource": "x"}, 422),
        ("record", {"entitiesIdentifiers": [1], "datasource": "x"}, 422),
        ("record", {"entitiesIdentifiers": ["a"]}, 422),
        ("record", {"entitiesIdentifiers": ["a"], "datasource": "x", "more": 1}, 422),
    ],
)
def test_a_wrong_hand_over_is_refused(records: httpx.Client, blueprint: str, body: Any, status: int) -> None:
    assert records.patch(f"/blueprints/{blueprint}/datasource/bulk", json=body).status_code == status


EVERY_RECORD = {"combinator": "and", "rules": [{"property": "$blueprint", "operator": "=", "value": "record"}]}


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        pytest.param("model", [("x", 2), ("y", 1), (None, 1)], id="texts"),
        pytest.param("done", [(None, 3), (True, 1)], id="booleans"),
        pytest.param("cost", [(1, 2), (0, 1), (None, 1)], id="numbers"),
        pytest.param("tags", [(None, 2), ("p", 2), ("q", 1)], id="each-of-a-list"),
        pytest.param("$blueprint", [("record", 4)], id="meta"),
        pytest.param("gone", [(None, 4)], id="unknown"),
    ],
)
def test_matches_are_counted_by_value(records: httpx.Client, by: str, groups: list[tuple[Any, int]]) -> None:
    for identifier, values in {
        "a": {"model": "x", "cost": 1, "tags": ["p", "q", "p"]},
        "b": {"model": "x", "cost": 1, "done": True, "tags": []},
        "c": {"model": "y", "cost": 0, "tags": ["p"]},
        "d": {},
    }.items():
        write(records, identifier, properties={**DAY, **values})

    answer = records.post("/entities/group", json={"query": EVERY_RECORD, "groupBy": by})

    expected = [{"value": value, "count": count} for value, count in groups]
    assert answer.json()["ok"] is True
    assert answer.json()["hasMoreGroups"] is False
    assert sorted(answer.json()["groups"], key=repr) == sorted(expected, key=repr)
    counts = [group["count"] for group in answer.json()["groups"]]
    assert counts == sorted(counts, reverse=True)


def test_there_may_be_more_groups_than_are_given(
    local_port: Callable[..., httpx.Client], with_records: Callable[[httpx.Client], httpx.Client]
) -> None:
    port = with_records(local_port(guesses=Guesses(most_groups=2)))
    body = {"query": EVERY_RECORD, "groupBy": "$identifier"}
    write(port, "a", "b")
    assert port.post("/entities/group", json=body).json()["hasMoreGroups"] is False
    write(port, "c")
    answer = port.post("/entities/group", json=body).json()

    assert (len(answer["groups"]), answer["hasMoreGroups"]) == (2, True)


@pytest.mark.parametrize(
    "body",
    [
        {"query": EVERY_RECORD},
        {"groupBy": "x"},
        {"query": {}, "groupBy": "x"},
        {"query": [], "groupBy": "x"},
        {"query": EVERY_RECORD, "groupBy": 1},
        {"query": EVERY_RECORD, "groupBy": "$gone"},
    ],
)
def test_a_wrong_grouping_is_refused(records: httpx.Client, body: Any) -> None:
    assert records.post("/entities/group", json=body).status_code == 422


def with_workspaces(port: httpx.Client) -> None:
    port.post("/blueprints/workspace/entities", json={"identifier": "w", "title": "Main"}).raise_for_status()
    port.post("/blueprints/workspace/entities", json={"identifier": "v"}).raise_for_status()
    write(port, "a", relations={"workspace": "w", "seen_in": ["v", "w"]})


TITLED = {
    "workspace": {"identifier": "w", "title": "Main"},
    "seen_in": [{"identifier": "v", "title": None}, {"identifier": "w", "title": "Main"}],
}
PLAIN = {"workspace": "w", "seen_in": ["v", "w"]}


@pytest.mark.parametrize(
    ("query", "relations"),
    [
        ("attach_title_to_relation=true", TITLED),
        ("attach_title_to_relation=false", PLAIN),
        ("", PLAIN),
        ("attach_title_to_relation=true&include=relations.workspace", {"workspace": TITLED["workspace"]}),
        ("attach_title_to_relation=true&exclude=relations.seen_in", {"workspace": TITLED["workspace"]}),
    ],
)
def test_relations_are_read_with_titles_on_demand(records: httpx.Client, query: str, relations: dict[str, Any]) -> None:
    with_workspaces(records)

    one = records.get(f"/blueprints/record/entities/a?{query}").json()["entity"]
    every = records.get(f"/blueprints/record/entities?{query}").json()["entities"]
    wide = records.post(f"/entities/search?{query}", json=EVERY_RECORD).json()["entities"]

    assert [each["relations"] for each in (one, *every, *wide)] == [relations] * 3


def test_a_title_is_attached_where_unset_relations_are_null(
    local_port: Callable[..., httpx.Client], with_records: Callable[[httpx.Client], httpx.Client]
) -> None:
    port = with_records(local_port(guesses=Guesses(unset_relation_shown_as_null=True)))
    with_workspaces(port)
    read = port.get("/blueprints/record/entities/a?attach_title_to_relation=true").json()["entity"]

    assert read["relations"] == {"user": None, "parent": None, **TITLED}


def test_all_entities_of_a_blueprint_are_deleted_in_a_migration(records: httpx.Client) -> None:
    with_workspaces(records)
    write(records, "b", relations={"parent": "a", "seen_in": ["w"]})

    answer = records.delete("/blueprints/workspace/all-entities")

    assert answer.status_code == 200
    assert records.get("/blueprints/workspace/entities-count").json()["count"] == 0
    left = records.get("/blueprints/record/entities").json()["entities"]
    assert [(each["identifier"], each["relations"]) for each in left] == [("a", {}), ("b", {"parent": "a"})]
    migration = records.get(f"/migrations/{answer.json()['migrationId']}").json()["migration"]
    assert migration["id"] == answer.json()["migrationId"]
    assert (migration["status"], migration["sourceBlueprint"], migration["actor"]) == ("COMPLETED", "workspace", "id")


def test_what_was_deleted_is_no_longer_related(records: httpx.Client) -> None:
    with_workspaces(records)
    records.delete("/blueprints/record/all-entities").raise_for_status()

    rule = {"operator": "relatedTo", "blueprint": "workspace", "value": "w"}
    assert records.post("/entities/search", json={"combinator": "and", "rules": [rule]}).json()["entities"] == []
    assert records.delete("/blueprints/workspace/entities/w").status_code == 200


def test_the_blueprint_may_go_with_its_entities(records: httpx.Client) -> None:
    write(records, "a")

    assert records.delete("/blueprints/record/all-entities?delete_blueprint=true").status_code == 200
    assert records.get("/blueprints/record").status_code == 404


def test_nothing_is_deleted_where_the_blueprint_has_to_stay(records: httpx.Client) -> None:
    with_workspaces(records)
    answer = records.delete("/blueprints/workspace/all-entities?delete_blueprint=true")

    assert (answer.status_code, answer.json()["error"]) == (403, "has_dependents")
    assert records.get("/blueprints/workspace/entities-count").json()["count"] == 2


def test_the_targets_of_a_required_relation_are_not_deleted(records: httpx.Client) -> None:
    body = {
        "identifier": "desk",
        "title": "Desk",
        "schema": {"properties": {}},
        "relations": {"workspace": {"target": "workspace", "required": True}},
    }
    records.post("/blueprints", json=body).raise_for_status()
    with_workspaces(records)
    answer = records.delete("/blueprints/workspace/all-entities")

    assert (answer.status_code, answer.json()["error"]) == (403, "required_relation")
    assert records.get("/blueprints/workspace/entities-count").json()["count"] == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/blueprints/gone/all-entities", 404),
        ("DELETE", "/blueprints/_user/all-entities", 403),
        ("DELETE", "/blueprints/record/all-entities?delete_blueprint=perhaps", 422),
        ("GET", "/migrations/gone", 404),
    ],
)
def test_what_is_not_there_or_protected_is_not_deleted(
    records: httpx.Client, method: str, path: str, status: int
) -> None:
    assert records.request(method, path).status_code == status
