"""The bulk upsert: results by index, items independent of each other, the four ways of writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    import httpx

DAY = "2025-01-01T00:00:00Z"
BULK = "/blueprints/record/entities/bulk"


def record(identifier: str, **properties: Any) -> dict[str, Any]:
    return {"identifier": identifier, "properties": {"day": DAY, **properties}}


def related(identifier: str, **relations: Any) -> dict[str, Any]:
    return {**record(identifier), "relations": relations}


def send(port: httpx.Client, *entities: dict[str, Any], query: str = "upsert=true") -> httpx.Response:
    return port.post(f"{BULK}?{query}", json={"entities": list(entities)})


def read(port: httpx.Client, identifier: str) -> dict[str, Any]:
    entity: dict[str, Any] = port.get(f"/blueprints/record/entities/{identifier}").json()["entity"]
    return entity


def test_all_good_items_are_200_with_both_lists(records: httpx.Client) -> None:
    send(records, record("old"))
    answer = send(records, record("old"), record("new"))
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "entities": [
            {"identifier": "old", "index": 0, "created": False},
            {"identifier": "new", "index": 1, "created": True},
        ],
        "errors": [],
    }


def test_a_failed_item_makes_207_and_leaves_its_neighbours(records: httpx.Client) -> None:
    answer = send(records, record("a"), record("b", cost="1"), record("c"), {"identifier": {"rules": []}})
    body = answer.json()
    assert (answer.status_code, body["ok"]) == (207, True)
    assert [(each["identifier"], each["index"]) for each in body["entities"]] == [("a", 0), ("c", 2)]
    assert body["errors"][0] == {
        "identifier": "b",
        "index": 1,
        "statusCode": 422,
        "error": "blueprint_schema_mismatch",
        "message": '"properties.cost" must be number',
    }
    assert (body["errors"][1]["identifier"], body["errors"][1]["index"]) == ("unknown", 3)
    assert records.get("/blueprints/record/entities-count").json() == {"ok": True, "count": 2}


@pytest.mark.parametrize(
    ("entities", "status"),
    [(20, 200), (21, 422), (0, 422)],
)
def test_a_batch_holds_one_to_twenty(records: httpx.Client, entities: int, status: int) -> None:
    answer = send(records, *(record(f"e{index}") for index in range(entities)))
    assert answer.status_code == status
    count = records.get("/blueprints/record/entities-count").json()["count"]
    assert count == (entities if status == 200 else 0)


@pytest.mark.parametrize(
    "body", [{"entities": [1]}, {"entities": {}}, {}, [], {"entities": [record("a")], "upsert": True}]
)
def test_a_body_of_another_shape_fails_as_a_whole(records: httpx.Client, body: Any) -> None:
    answer = records.post(BULK, json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert "errors" not in answer.json()


def test_an_unknown_blueprint_fails_as_a_whole(port: httpx.Client) -> None:
    answer = send(port, record("a"))
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("upsert=false&merge=false", 409),
        ("upsert=false&merge=true", 409),
        ("upsert=true&merge=false", {"day": DAY, "model": "new"}),
        ("upsert=true&merge=true", {"day": DAY, "model": "new", "cost": 1}),
    ],
)
def test_upsert_and_merge_decide_over_an_existing_entity(
    records: httpx.Client, query: str, outcome: int | dict[str, Any]
) -> None:
    first = {**related("e", user="ann@example.com"), "title": "First", "icon": "Star", "team": "Blue"}
    first["properties"] |= {"cost": 1, "model": "old"}
    send(records, first)
    answer = send(records, record("e", model="new"), query=query)
    entity = read(records, "e")
    if isinstance(outcome, int):
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["statusCode"], error["error"]) == (207, 409, "identifier_taken")
        assert entity["properties"]["model"] == "old"
        return
    kept = "merge=true" in query
    assert entity["properties"] == outcome
    assert entity["relations"] == ({"user": "ann@example.com"} if kept else {})
    assert (entity["title"], entity["icon"], entity["team"]) == (
        ("First", "Star", ["Blue"]) if kept else (None, None, [])
    )


def test_a_merge_replaces_objects_and_lists_whole(records: httpx.Client) -> None:
    for name in ("w1", "w2"):
        records.post("/blueprints/workspace/entities", json={"identifier": name})
    first = {**record("e", extra={"a": 1}, tags=["x"]), "relations": {"seen_in": ["w1"]}}
    second = {**record("e", extra={"b": 2}, tags=["y"]), "relations": {"seen_in": ["w2"]}}
    send(records, first)
    send(records, second, query="upsert=true&merge=true")
    entity = read(records, "e")
    assert entity["properties"] == {"day": DAY, "extra": {"b": 2}, "tags": ["y"]}
    assert entity["relations"] == {"seen_in": ["w2"]}
    # The old target has no dependent any more, the new one has.
    assert records.delete("/blueprints/workspace/entities/w1").status_code == 200
    assert records.delete("/blueprints/workspace/entities/w2").status_code == 403


def test_null_clears_an_optional_value_and_fails_a_required_one(records: httpx.Client) -> None:
    send(records, {**record("e", cost=1), "relations": {"user": "ann@example.com"}})
    cleared = {"identifier": "e", "properties": {"cost": None}, "relations": {"user": None}}
    assert send(records, cleared, query="upsert=true&merge=true").status_code == 200
    assert (read(records, "e")["properties"], read(records, "e")["relations"]) == ({"day": DAY}, {})
    failed = {"identifier": "e", "properties": {"day": None}}
    error = send(records, failed, query="upsert=true&merge=true").json()["errors"][0]
    assert error["message"] == "\"properties\" must have required property 'day'"


def test_the_last_of_two_items_with_one_identifier_wins(records: httpx.Client) -> None:
    answer = send(records, record("e", cost=1), record("e", cost=2))
    assert [each["created"] for each in answer.json()["entities"]] == [True, False]
    assert read(records, "e")["properties"]["cost"] == 2


def test_an_item_without_identifier_gets_one(records: httpx.Client) -> None:
    answer = send(records, {"properties": {"day": DAY}}).json()
    identifier = answer["entities"][0]["identifier"]
    assert identifier.startswith("e_")
    assert read(records, identifier)["properties"] == {"day": DAY}


@pytest.mark.parametrize(
    ("relations", "status", "error"),
    [
        ({"user": "ann@example.com"}, None, None),
        ({"parent": "e"}, None, None),
        ({"seen_in": ["w"]}, None, None),
        ({"seen_in": []}, None, None),
        ({"user": "nobody@example.com"}, 404, "not_found"),
        ({"workspace": "none"}, 404, "not_found"),
        ({"seen_in": ["w", "none"]}, 404, "not_found"),
        ({"nothing": "w"}, 404, "not_found"),
        ({"workspace": ["w"]}, 422, "relation_many_violation"),
        ({"seen_in": "w"}, 422, "relation_many_violation"),
        ({"workspace": "a b"}, 422, "invalid_request"),
        ({"workspace": 5}, 422, "invalid_request"),
        ({"seen_in": [None]}, 422, "invalid_request"),
        ({"workspace": {"combinator": "and"}}, 422, "invalid_request"),
    ],
)
def test_relations_need_their_shape_and_their_targets(
    records: httpx.Client, relations: dict[str, Any], status: int | None, error: str | None
) -> None:
    records.post("/blueprints/workspace/entities", json={"identifier": "w"})
    answer = send(records, related("e", **relations)).json()
    if status is None:
        assert answer["errors"] == []
        assert read(records, "e")["relations"] == relations
    else:
        assert (answer["errors"][0]["statusCode"], answer["errors"][0]["error"]) == (status, error)
        assert records.get("/blueprints/record/entities/e").status_code == 404


def test_a_later_item_may_relate_to_an_earlier_one_not_the_reverse(records: httpx.Client) -> None:
    answer = send(records, related("b", parent="c"), record("c"), related("d", parent="c"))
    assert [each["identifier"] for each in answer.json()["entities"]] == ["c", "d"]


def test_missing_targets_are_made_bare_on_request(records: httpx.Client) -> None:
    query = "upsert=true&create_missing_related_entities=true"
    answer = send(records, related("e", workspace="w1", seen_in=["w1", "w2"]), query=query)
    assert answer.status_code == 200
    listed = records.get("/blueprints/workspace/entities").json()["entities"]
    assert [(each["identifier"], each["title"], each["properties"]) for each in listed] == [
        ("w1", None, {}),
        ("w2", None, {}),
    ]
    assert records.delete("/blueprints/workspace/entities/w1").status_code == 403


def test_users_are_never_made_in_passing_and_nothing_else_of_the_item_is(records: httpx.Client) -> None:
    item = related("e", workspace="w1", user="nobody@example.com")
    answer = send(records, item, query="upsert=true&create_missing_related_entities=true").json()
    assert (answer["errors"][0]["statusCode"], answer["errors"][0]["error"]) == (404, "not_found")
    assert records.get("/blueprints/workspace/entities-count").json()["count"] == 0
    assert records.get("/blueprints/_user/entities-count").json()["count"] == 1


def test_validation_only_says_all_and_writes_nothing(records: httpx.Client) -> None:
    answer = send(records, record("a"), record("b", cost=-1), query="upsert=true&validation_only=true")
    assert [each["identifier"] for each in answer.json()["entities"]] == ["a"]
    assert answer.json()["errors"][0]["message"] == '"properties.cost" must be >= 0'
    assert records.get("/blueprints/record/entities-count").json()["count"] == 0


def test_an_update_keeps_the_creation_stamp(records: httpx.Client, clock: SimpleNamespace) -> None:
    send(records, record("e"))
    clock.now += 60
    send(records, record("e"))
    entity = read(records, "e")
    assert (entity["createdAt"], entity["updatedAt"]) == (
        "2025-01-01T12:00:00.000Z",
        "2025-01-01T12:01:00.000Z",
    )


def test_a_required_relation_needs_a_value(records: httpx.Client) -> None:
    relations = {"user": {"target": "_user", "required": True}}
    records.patch("/blueprints/record", json={"relations": relations})
    answer = send(records, record("a"), related("b", user=None), related("c", user="ann@example.com")).json()
    assert [(each["statusCode"], each["error"]) for each in answer["errors"]] == [
        (422, "required_relation"),
        (422, "required_relation"),
    ]
    assert [each["identifier"] for each in answer["entities"]] == ["c"]


def test_a_team_is_refused_where_ownership_is_inherited(records: httpx.Client) -> None:
    records.patch("/blueprints/record", json={"ownership": {"type": "Inherited", "path": "workspace"}})
    answer = send(records, {**record("a"), "team": ["Blue"]}, record("b")).json()
    assert answer["errors"][0]["error"] == "inherited_ownership_enabled"
    assert [each["identifier"] for each in answer["entities"]] == ["b"]


@pytest.mark.parametrize(
    ("guesses", "entities", "status", "ok", "errors"),
    [
        (Guesses(), [record("a b")], 207, True, [422]),
        (Guesses(all_failed_status=422), [record("a b")], 422, True, [422]),
        (Guesses(all_failed_status=422), [record("a b"), record("c")], 207, True, [422]),
        (Guesses(ok_with_failures=False), [record("a b"), record("c")], 207, False, [422]),
        (Guesses(unknown_property_status=400), [record("a", more=1)], 207, True, [400]),
        (Guesses(unknown_property_status=None), [record("a", more=1)], 200, True, []),
        (Guesses(duplicate_in_batch_allowed=False), [record("a"), record("a")], 207, True, [422]),
        (Guesses(malformed_item_fails_batch=True), [record("a b"), record("c")], 422, False, None),
        (Guesses(lone_string_for_many=True), [related("a", seen_in="w")], 207, True, [404]),
        (Guesses(too_large_error="x"), [record("a", model="x" * 1024 * 1024)], 413, False, None),
    ],
)
def test_each_guess_can_be_switched(
    local_port: Callable[..., httpx.Client],
    with_records: Callable[[httpx.Client], httpx.Client],
    guesses: Guesses,
    entities: list[dict[str, Any]],
    status: int,
    ok: bool,
    errors: list[int] | None,
) -> None:
    answer = send(with_records(local_port(guesses=guesses)), *entities)
    body = answer.json()
    assert (answer.status_code, body["ok"]) == (status, ok)
    found = None if "errors" not in body else [each["statusCode"] for each in body["errors"]]
    assert found == errors


def test_unset_relations_can_be_shown_as_null(
    local_port: Callable[..., httpx.Client], with_records: Callable[[httpx.Client], httpx.Client]
) -> None:
    port = with_records(local_port(guesses=Guesses(unset_relation_shown_as_null=True)))
    send(port, related("e", user="ann@example.com"))
    assert read(port, "e")["relations"] == {
        "user": "ann@example.com",
        "workspace": None,
        "seen_in": None,
        "parent": None,
    }


def search(property_: str, value: str) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"property": property_, "operator": "=", "value": value}]}


def test_an_identifier_may_be_a_search_for_the_one_entity_that_is_meant(records: httpx.Client) -> None:
    send(records, record("a", model="m1"), record("b", model="m2"), record("c", model="m2"))
    found, none, several = (search("model", f"m{number}") for number in (1, 3, 2))

    answer = send(
        records,
        *({**record("x", cost=number), "identifier": query} for number, query in enumerate((found, none, several))),
        query="upsert=true&merge=true",
    )

    assert (answer.status_code, answer.json()["entities"]) == (207, [{"identifier": "a", "index": 0, "created": False}])
    errors = [(e["identifier"], e["index"], e["statusCode"], e["error"]) for e in answer.json()["errors"]]
    assert errors == [("unknown", 1, 404, "not_found"), ("unknown", 2, 404, "not_found")]
    assert read(records, "a")["properties"]["cost"] == 0
    assert len(records.get("/blueprints/record/entities").json()["entities"]) == 3


def test_a_relation_may_be_a_search(records: httpx.Client) -> None:
    for name in ("w1", "w2", "w3"):
        body = {"identifier": name, "title": "old" if name == "w3" else "new"}
        records.post("/blueprints/workspace/entities", json=body).raise_for_status()

    answer = send(
        records,
        related("one", workspace=search("$title", "old")),
        related("many", seen_in=search("$title", "new")),
        related("none", workspace=search("$title", "none")),
        related("two", workspace=search("$title", "new")),
        related("empty", seen_in=search("$title", "none")),
        query="upsert=true&create_missing_related_entities=true",
    )

    assert [(e["index"], e["error"]) for e in answer.json()["errors"]] == [(2, "not_found"), (3, "not_found")]
    assert read(records, "one")["relations"] == {"workspace": "w3"}
    assert read(records, "many")["relations"] == {"seen_in": ["w1", "w2"]}
    assert read(records, "empty")["relations"] == {"seen_in": []}
