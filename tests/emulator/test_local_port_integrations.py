"""The integration object: what Port's page of data sources shows of whoever writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import SimpleNamespace

    import httpx

BODY: dict[str, Any] = {
    "installationId": "me",
    "installationAppType": "custom",
    "version": "1.0",
    "title": "Mine",
    "config": {"resources": []},
    "changelogDestination": {},
}
STATE = {"status": "running", "lastResyncStart": "2025-01-01T12:00:00Z", "nextResync": None, "intervalInMinuets": None}
KIND = "/kinds/%2Fv1%2Fthings/examples"


@pytest.fixture
def installed(port: httpx.Client) -> httpx.Client:
    """The local Port with the integration `me`."""
    assert port.post("/integration", json=BODY).status_code == 201
    return port


def test_an_integration_is_created_read_listed_changed_and_deleted(port: httpx.Client, clock: SimpleNamespace) -> None:
    missing = port.get("/integration/me?byField=installationId")
    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
    created = port.post("/integration", json=BODY)
    assert created.status_code == 201
    integration = created.json()["integration"]
    assert BODY.items() <= integration.items()
    assert integration["installationType"] == "OnPrem"
    assert port.get("/integration/me").json() == {"ok": True, "integration": integration}
    assert port.get("/integration").json()["integrations"] == [integration]
    clock.now += 60
    changed = port.patch("/integration/me", json={"version": "2.0"}).json()["integration"]
    assert (changed["version"], changed["title"], changed["createdAt"]) == ("2.0", "Mine", integration["createdAt"])
    assert changed["updatedAt"] == "2025-01-01T12:01:00.000Z"
    assert port.delete("/integration/me").json() == {"ok": True}
    assert port.get("/integration/me").status_code == 404


def test_a_second_creation_is_a_conflict_unless_it_may_change_the_first(installed: httpx.Client) -> None:
    again = installed.post("/integration", json=BODY)
    assert (again.status_code, again.json()["error"]) == (409, "identifier_taken")
    over = installed.post("/integration?upsert=true", json={**BODY, "title": "Yours"})
    assert (over.status_code, over.json()["integration"]["title"]) == (200, "Yours")


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("POST", "", {}, "\"body\" must have required property 'installationId'"),
        ("POST", "", {"installationId": ""}, '"body.installationId" must NOT have fewer than 1'),
        ("POST", "", {"installationId": "x", "config": []}, '"body.config" must be object,null'),
        ("PATCH", "/me", {"version": 1}, '"body.version" must be string'),
        ("PATCH", "/me", {"processingMode": "x"}, '"body.processingMode" must be equal to one of'),
        ("PATCH", "/me/config", {}, "\"body\" must have required property 'config'"),
        ("PATCH", "/me/config", {"config": {}, "more": 1}, "must NOT have additional properties (more)"),
        ("PATCH", "/me/resync-state", {**STATE, "status": "done"}, '"body.status" must be equal to one of'),
        ("PATCH", "/me/resync-state", {**STATE, "intervalInMinutes": 1}, "(intervalInMinutes)"),
        ("PATCH", "/me/resync-state", {**STATE, "lastResyncStart": "now"}, 'must match format "date-time"'),
        ("POST", f"/me{KIND}", {"examples": []}, '"body.examples" must NOT have fewer than 1 items'),
        ("POST", f"/me{KIND}", {"examples": [{}] * 6}, '"body.examples" must NOT have more than 5 items'),
        ("POST", f"/me{KIND}", {"examples": ["x"]}, '"body.examples.0" must be object'),
        ("POST", f"/me{KIND}", {"examples": [{}], "kind": "x"}, "must NOT have additional properties (kind)"),
    ],
)
def test_what_breaks_a_schema_is_refused_with_its_place(
    method: str, path: str, body: dict[str, Any], says: str, installed: httpx.Client
) -> None:
    answer = installed.request(method, f"/integration{path}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert says in answer.json()["message"]


def test_a_state_keeps_what_the_next_one_does_not_say(installed: httpx.Client, clock: SimpleNamespace) -> None:
    started = installed.patch("/integration/me/resync-state", json=STATE).json()["integration"]["resyncState"]
    assert started == {**STATE, "updatedAt": "2025-01-01T12:00:00.000Z"}
    clock.now += 60
    end = {"status": "completed", "lastResyncEnd": "2025-01-01T12:01:00Z", "nextResync": None, "intervalInMinuets": 5}
    installed.patch("/integration/me/resync-state", json=end)
    state = installed.get("/integration/me").json()["integration"]["resyncState"]
    assert state == {**STATE, **end, "updatedAt": "2025-01-01T12:01:00.000Z"}


def test_an_empty_change_and_a_new_config_ask_for_a_resync(installed: httpx.Client, clock: SimpleNamespace) -> None:
    def requested() -> Any:
        return installed.get("/integration/me/resync-request").json()["request"]

    assert requested() == {}
    installed.patch("/integration/me", json={"title": "Other"})
    installed.patch("/integration/me/config", json={"config": {}}, headers={"x-skip-resync": "true"})
    assert requested() == {}
    installed.patch("/integration/me", json={})
    assert requested() == {"updatedAt": "2025-01-01T12:00:00.000Z"}
    clock.now += 60
    changed = installed.patch("/integration/me/config", json={"config": {"resources": [1]}})
    assert changed.json()["integration"]["config"] == {"resources": [1]}
    assert requested() == {"updatedAt": "2025-01-01T12:01:00.000Z"}


def test_the_newest_five_examples_of_a_kind_are_kept_and_paged_by_kind(installed: httpx.Client) -> None:
    installed.post(f"/integration/me{KIND}", json={"examples": [{"id": n} for n in range(5)]})
    installed.post(f"/integration/me{KIND}", json={"examples": [{"id": 5}, {"id": 6}]})
    installed.post("/integration/me/kinds/other/examples", json={"examples": [{"id": "x"}]})
    kinds = installed.get("/integration/me/kinds").json()["data"]
    assert [each["data"]["id"] for each in kinds["/v1/things"]["examples"]] == [2, 3, 4, 5, 6]
    assert len({each["_id"] for kind in kinds.values() for each in kind["examples"]}) == 6
    second = installed.get("/integration/me/kinds?page=2&per_page=1").json()["data"]
    assert list(second) == ["other"]
    for wrong in ("page=0", "per_page=301", "per_page=x"):
        assert installed.get(f"/integration/me/kinds?{wrong}").status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("PATCH", "/config", {"config": None}),
        ("PATCH", "/resync-state", STATE),
        ("GET", "/resync-request", None),
        ("GET", "/kinds", None),
        ("POST", KIND, {"examples": [{}]}),
    ],
)
def test_an_integration_that_is_not_there_is_404_on_every_route(
    method: str, path: str, body: Any, port: httpx.Client
) -> None:
    answer = port.request(method, f"/integration/nobody{path}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_a_deleted_integration_leaves_no_examples(installed: httpx.Client) -> None:
    installed.post(f"/integration/me{KIND}", json={"examples": [{"id": 1}]})
    installed.delete("/integration/me")
    installed.post("/integration", json=BODY)
    assert installed.get("/integration/me/kinds").json()["data"] == {}


def test_what_ocean_asks_of_the_organisation_is_answered(port: httpx.Client) -> None:
    assert port.get("/integration/provision-enabled").json() == {"ok": True, "integrations": []}
    assert port.get("/organization").json()["organization"]["featureFlags"] == []
