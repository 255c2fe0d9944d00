"""Single entities: create, read, list, count, change, replace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

DAY = "2025-01-01T00:00:00Z"
COLLECTION = "/blueprints/record/entities"
FIRST = {
    "identifier": "e",
    "title": "E",
    "icon": "Star",
    "team": ["Blue"],
    "properties": {"day": DAY, "cost": 1},
}


def test_a_created_entity_is_201_and_reads_back(records: httpx.Client) -> None:
    answer = records.post(COLLECTION, json={**FIRST, "blueprint": "record"})
    assert answer.status_code == 201
    entity = answer.json()["entity"]
    assert entity == {
        **FIRST,
        "blueprint": "record",
        "relations": {},
        "createdAt": "2025-01-01T12:00:00.000Z",
        "createdBy": "id",
        "updatedAt": "2025-01-01T12:00:00.000Z",
        "updatedBy": "id",
    }
    assert records.get(f"{COLLECTION}/e").json() == {"ok": True, "entity": entity}
    assert records.get(COLLECTION).json() == {"ok": True, "entities": [entity]}
    assert records.get("/blueprints/record/entities-count").json() == {"ok": True, "count": 1}


@pytest.mark.parametrize(("query", "status"), [("", 409), ("?upsert=true", 200), ("?merge=true", 409)])
def test_a_creation_over_an_existing_entity_needs_upsert(records: httpx.Client, query: str, status: int) -> None:
    records.post(COLLECTION, json=FIRST)
    assert records.post(COLLECTION + query, json=FIRST).status_code == status


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"identifier": "a b"}, '"body.identifier" must match pattern'),
        ({"identifier": 5}, '"body.identifier" must be string,object'),
        ({"title": 5}, '"body.title" must be string'),
        ({"icon": None}, '"body.icon" must be string'),
        ({"team": [5]}, '"body.team.0" must be string'),
        ({"properties": []}, '"body.properties" must be object'),
        ({"relations": None}, '"body.relations" must be object'),
        ({"team": {"combinator": "and", "rules": []}}, "A search query as team is not supported"),
        ({"identifier": {"combinator": "and"}}, "\"identifier\" must have required property 'rules'"),
        ({"relations": {"user": {"rules": []}}}, "\"relations.user\" must have required property 'combinator'"),
    ],
)
def test_a_malformed_entity_is_refused_with_its_place(
    records: httpx.Client, change: dict[str, Any], place: str
) -> None:
    answer = records.post(COLLECTION, json={**FIRST, **change})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert place in answer.json()["message"]


def test_a_patch_changes_what_is_sent_and_null_empties(records: httpx.Client) -> None:
    records.post(COLLECTION, json=FIRST)
    body = {"title": None, "properties": {"model": "m"}, "relations": {"user": "ann@example.com"}}
    entity = records.patch(f"{COLLECTION}/e", json=body).json()["entity"]
    assert (entity["title"], entity["icon"], entity["team"]) == (None, "Star", ["Blue"])
    assert entity["properties"] == {"day": DAY, "cost": 1, "model": "m"}
    assert entity["relations"] == {"user": "ann@example.com"}


def test_a_put_replaces_the_whole(records: httpx.Client) -> None:
    records.post(COLLECTION, json=FIRST)
    entity = records.put(f"{COLLECTION}/e", json={"properties": {"day": DAY}}).json()["entity"]
    assert (entity["title"], entity["team"], entity["properties"]) == (None, [], {"day": DAY})


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_change_needs_an_entity_and_fits_its_name(records: httpx.Client, method: str) -> None:
    body = {"properties": {"day": DAY}}
    assert records.request(method, f"{COLLECTION}/e", json=body).status_code == 404
    records.post(COLLECTION, json=FIRST)
    renamed = records.request(method, f"{COLLECTION}/e", json={**body, "identifier": "f"})
    assert (renamed.status_code, renamed.json()["error"]) == (422, "invalid_request")
    assert records.get("/blueprints/record/entities-count").json()["count"] == 1


def test_a_patch_takes_no_other_keys(records: httpx.Client) -> None:
    records.post(COLLECTION, json=FIRST)
    assert records.patch(f"{COLLECTION}/e", json={"blueprint": "record"}).status_code == 422


@pytest.mark.parametrize("identifier", ["a/b", "bulk", "search", "a+b@c:d=e", "größe", "a\\b"])
def test_any_identifier_can_stand_in_a_path(records: httpx.Client, identifier: str) -> None:
    escaped = identifier.replace("/", "%2F").replace("\\", "%5C").replace("+", "%2B")
    assert records.post(COLLECTION, json={**FIRST, "identifier": identifier}).status_code == 201
    read = records.get(f"{COLLECTION}/{escaped}")
    assert read.json()["entity"]["identifier"] == identifier
    assert records.delete(f"{COLLECTION}/{escaped}").status_code == 200


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("include=identifier&include=properties.cost", {"identifier": "e", "properties": {"cost": 1}}),
        ("include=properties", {"properties": {"day": DAY, "cost": 1}}),
        (
            "include=title&include=properties&exclude=properties.day",
            {"title": "E", "properties": {"cost": 1}},
        ),
    ],
)
def test_a_read_prints_the_wanted_parts(records: httpx.Client, query: str, shown: dict[str, Any]) -> None:
    records.post(COLLECTION, json=FIRST)
    assert records.get(f"{COLLECTION}/e?{query}").json()["entity"] == shown


@pytest.mark.parametrize("path", ["entities", "entities/e", "entities-count"])
def test_reading_below_an_unknown_blueprint_is_404(port: httpx.Client, path: str) -> None:
    assert port.get(f"/blueprints/none/{path}").status_code == 404
