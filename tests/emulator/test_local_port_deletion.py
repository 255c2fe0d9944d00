"""Deleting entities, one or many, and what depends on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

DAY = "2025-01-01T00:00:00Z"
BULK = "/blueprints/record/bulk/entities/delete"


def fill(port: httpx.Client) -> httpx.Client:
    """`child` relates to `parent`, `grandchild` to `child`; `loop` relates to itself; `free` to nothing."""
    parents = {"parent": None, "child": "parent", "grandchild": "child", "loop": "loop", "free": None}
    entities = [
        {"identifier": name, "properties": {"day": DAY}, "relations": {"parent": parent}}
        for name, parent in parents.items()
    ]
    port.post("/blueprints/record/entities/bulk", json={"entities": entities}).raise_for_status()
    return port


def left(port: httpx.Client) -> set[str]:
    return {each["identifier"] for each in port.get("/blueprints/record/entities").json()["entities"]}


ALL = {"parent", "child", "grandchild", "loop", "free"}


@pytest.mark.parametrize(
    ("identifier", "query", "status", "gone"),
    [
        ("free", "", 200, {"free"}),
        ("loop", "", 200, {"loop"}),
        ("none", "", 404, set()),
        ("child", "", 403, set()),
        ("child", "?delete_dependents=true", 200, {"child", "grandchild"}),
        ("parent", "?delete_dependents=true", 200, {"parent", "child", "grandchild"}),
    ],
)
def test_one_entity_is_deleted_unless_others_depend_on_it(
    records: httpx.Client, identifier: str, query: str, status: int, gone: set[str]
) -> None:
    answer = fill(records).delete(f"/blueprints/record/entities/{identifier}{query}")
    assert answer.status_code == status
    assert status != 403 or answer.json()["error"] == "has_dependents"
    assert left(records) == ALL - gone


@pytest.mark.parametrize(
    ("identifiers", "query", "status", "deleted", "gone"),
    [
        (["free", "none", "loop", "free"], "", 200, ["free", "loop"], {"free", "loop"}),
        (["none"], "", 200, [], set()),
        (["free", "child"], "", 403, None, set()),
        (["child", "grandchild"], "", 403, None, set()),
        (["child"], "?delete_dependents=true", 200, ["child"], {"child", "grandchild"}),
    ],
)
def test_many_are_deleted_all_or_none(
    records: httpx.Client,
    identifiers: list[str],
    query: str,
    status: int,
    deleted: list[str] | None,
    gone: set[str],
) -> None:
    answer = fill(records).post(BULK + query, json={"entities": identifiers})
    assert answer.status_code == status
    assert answer.json().get("deletedEntities") == deleted
    assert left(records) == ALL - gone


def test_dependents_named_in_the_same_call_can_be_let_through(
    local_port: Callable[..., httpx.Client], with_records: Callable[[httpx.Client], httpx.Client]
) -> None:
    port = fill(with_records(local_port(guesses=Guesses(dependents_inside_batch_block=False))))
    assert port.post(BULK, json={"entities": ["parent", "child"]}).status_code == 403
    assert port.post(BULK, json={"entities": ["parent", "child", "grandchild"]}).status_code == 200
    assert left(port) == {"loop", "free"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"entities": [f"e{index}" for index in range(100)]}, 200),
        ({"entities": [f"e{index}" for index in range(101)]}, 422),
        ({"entities": []}, 422),
        ({"entities": ["free"], "force": True}, 422),
        ({"entities": [1]}, 422),
    ],
)
def test_a_bulk_delete_takes_one_to_a_hundred_identifiers(
    records: httpx.Client, body: dict[str, Any], status: int
) -> None:
    assert fill(records).post(BULK, json=body).status_code == status
    assert left(records) == ALL


def test_a_deleted_entity_is_no_dependent_any_more(records: httpx.Client) -> None:
    fill(records).delete("/blueprints/record/entities/grandchild")
    assert records.delete("/blueprints/record/entities/child").status_code == 200
