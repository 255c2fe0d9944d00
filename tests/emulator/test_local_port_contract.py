"""What Port's public material says of every route: the rows of port_api.md sections 2, 7 and 9, one case for each."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    import httpx

DAY = {"day": "2025-01-01T00:00:00Z"}
ENTITIES = "/blueprints/record/entities"
LIMITS = ("x-ratelimit-limit", "x-ratelimit-period", "x-ratelimit-remaining", "x-ratelimit-reset")
TARGET = {"identifier": "strict", "title": "S", "schema": {"properties": {}}}
STRICT = {
    **TARGET,
    "identifier": "needy",
    "relations": {"of": {"target": "strict", "required": True}},
}
STATE = {"status": "running", "nextResync": None, "intervalInMinuets": None}


@pytest.fixture
def stocked(records: httpx.Client) -> httpx.Client:
    """A local Port with blueprints, a record that relates to a workspace, a page and an integration."""
    for body in (TARGET, STRICT):
        records.post("/blueprints", json=body).raise_for_status()
    records.post("/blueprints/workspace/entities", json={"identifier": "w"}).raise_for_status()
    one = {"identifier": "r", "properties": DAY, "relations": {"workspace": "w"}}
    records.post(ENTITIES, json=one).raise_for_status()
    records.post("/pages", json={"identifier": "p", "title": "P"}).raise_for_status()
    records.post("/integration", json={"installationId": "me"}).raise_for_status()
    return records


@dataclass(frozen=True)
class Row:
    """One request, and what the note says of its answer."""

    section: str
    method: str
    path: str
    body: Any
    status: int
    error: str | None = None

    def __str__(self) -> str:
        return f"{self.section} {self.method} {self.path} {self.status} {self.error or ''}".strip()


def record(**parts: Any) -> dict[str, Any]:
    return {"identifier": "n", "properties": DAY, **parts}


ROWS = [
    # 2.3: 201 where something was made, 200 for everything else.
    Row("2.3", "POST", "/blueprints", {"identifier": "b", "title": "B", "schema": {"properties": {}}}, 201),
    Row("2.3", "POST", ENTITIES, record(), 201),
    Row("2.3", "POST", f"{ENTITIES}?upsert=true", record(identifier="r"), 200),
    Row("2.3", "POST", "/pages", {"identifier": "q"}, 201),
    Row("2.3", "POST", f"{ENTITIES}/bulk?upsert=true", {"entities": [record()]}, 200),
    Row("2.3", "POST", f"{ENTITIES}/search", {}, 200),
    Row("2.3", "PATCH", f"{ENTITIES}/r", {"title": "R"}, 200),
    Row("2.3", "DELETE", f"{ENTITIES}/r", None, 200),
    Row("2.3", "POST", f"{ENTITIES}/bulk", {"entities": [record(), record(identifier="r")]}, 207),
    # 2.3: the codes of refusals.
    Row("2.3", "DELETE", "/blueprints/workspace/entities/w", None, 403, "has_dependents"),
    Row("2.3", "DELETE", "/blueprints/workspace", None, 403, "has_dependents"),
    Row("2.3", "DELETE", "/blueprints/_user", None, 403, "protected_resource"),
    Row("2.3", "GET", "/blueprints/none", None, 404, "not_found"),
    Row("2.3", "POST", "/blueprints/none/entities", record(), 404, "not_found"),
    Row("2.3", "POST", "/blueprints/none/entities/bulk", {"entities": [record()]}, 404, "not_found"),
    Row("2.3", "POST", "/blueprints/none/entities/search", {}, 404, "not_found"),
    Row("2.3", "GET", f"{ENTITIES}/none", None, 404, "not_found"),
    Row("2.3", "DELETE", f"{ENTITIES}/none", None, 404, "not_found"),
    Row("2.3", "POST", ENTITIES, record(relations={"workspace": "none"}), 404, "not_found"),
    Row("2.3", "POST", ENTITIES, record(relations={"nothing": "w"}), 404, "not_found"),
    Row("2.3", "GET", "/pages/none", None, 404, "not_found"),
    Row("2.3", "GET", "/integration/none", None, 404, "not_found"),
    Row("2.3", "GET", "/nothing/at/all", None, 404, "not_found"),
    Row("2.3", "POST", ENTITIES, record(identifier="r"), 409, "identifier_taken"),
    Row("2.3", "POST", "/blueprints", TARGET, 409, "identifier_taken"),
    Row("2.3", "POST", "/pages", {"identifier": "p"}, 409, "conflict"),
    Row("2.3", "POST", ENTITIES, record(title=3), 422, "invalid_request"),
    Row("2.3", "POST", ENTITIES, record(identifier="a b"), 422, "invalid_request"),
    Row("2.3", "POST", f"{ENTITIES}/bulk", {"entities": [record()] * 21}, 422, "invalid_request"),
    Row("2.3", "POST", f"{ENTITIES}/bulk", {"entities": []}, 422, "invalid_request"),
    Row("2.3", "POST", f"{ENTITIES}/bulk", {"entities": [record()], "more": 1}, 422, "invalid_request"),
    Row("2.3", "POST", ENTITIES, record(properties={**DAY, "cost": "1"}), 422, "blueprint_schema_mismatch"),
    Row("2.3", "POST", ENTITIES, record(properties={}), 422, "blueprint_schema_mismatch"),
    Row("2.3", "POST", ENTITIES, record(relations={"workspace": ["w"]}), 422, "relation_many_violation"),
    Row("2.3", "POST", "/blueprints/needy/entities", {"identifier": "n"}, 422, "required_relation"),
    # 7: what each route takes and gives.
    Row("7", "POST", "/integration", {"installationId": "x", "changelogDestination": {}}, 201),
    Row("7", "POST", "/integration?integration_modes=create_resources", {"installationId": "x"}, 201),
    Row("7", "POST", "/integration?upsert=true", {"installationId": "me"}, 200),
    Row("7", "POST", "/integration", {"installationId": "x", "createPortResourcesOrigin": "Ocean"}, 201),
    Row("7", "POST", "/integration", {"installationId": "x", "createPortResourcesOrigin": "?"}, 422, "invalid_request"),
    Row("7", "GET", "/integration/me?byField=installationId", None, 200),
    Row("7", "GET", "/integration", None, 200),
    Row("7", "GET", "/integration/metadata", None, 200),
    Row("7", "PATCH", "/integration/me", {}, 200),
    Row("7", "PATCH", "/integration/me", {"title": None, "config": None, "spec": {}}, 200),
    Row("7", "PATCH", "/integration/me", {"processingMode": "dsp", "arePortResourcesInitialized": True}, 200),
    Row("7", "PATCH", "/integration/me", {"actionsProcessingEnabled": True, "incrementalSyncEnabled": True}, 200),
    Row("7", "PATCH", "/integration/me/config", {"config": {"resources": []}}, 200),
    Row("7", "PATCH", "/integration/me/resync-state", STATE, 200),
    Row("7", "GET", "/integration/me/resync-request", None, 200),
    Row("7", "POST", "/integration/me/kinds/%2Fv1%2Fa/examples", {"examples": [{}]}, 200),
    Row("7", "GET", "/integration/me/kinds?page=1&per_page=300", None, 200),
    Row("7", "DELETE", "/integration/me/kinds/none", None, 404, "not_found"),
    Row("7", "DELETE", "/integration/me/kinds/none/examples/x", None, 404, "not_found"),
    Row("7", "GET", "/integration/me/logs?limit=300", None, 200),
    Row("7", "GET", "/integration/me/logs?limit=301", None, 422, "invalid_request"),
    Row("7", "GET", "/integration/integration_me/syncMetrics", None, 200),
    Row("7", "GET", "/integration/integration_me/syncsMetadata", None, 200),
    Row("7", "GET", "/integration/me/cursor?kind=k&index=0", None, 200),
    Row("7", "PUT", "/integration/me/cursor?kind=k&index=0", {"primary": None}, 404, "not_found"),
    Row("7", "POST", "/integration/me/cursor?kind=k&index=0", {"primary": None}, 201),
    Row("7", "GET", "/integration/provision-enabled", None, 200),
    Row("7", "GET", "/organization", None, 200),
    Row("7", "DELETE", "/integration/me", None, 200),
    # 9: pages.
    Row("9", "POST", "/pages", {"identifier": "a@b.c:d\\e/f=g-1", "anything": 1}, 201),
    Row("9", "POST", "/pages", {"title": "Q"}, 422, "invalid_request"),
    Row("9", "POST", "/pages", {"identifier": "q", "sidebar": "catalog", "requiredQueryParams": ["x"]}, 201),
    Row("9", "POST", "/pages", {"identifier": "q", "visibility": "private", "pageFilters": []}, 201),
    Row("9", "POST", "/pages", {"identifier": "q", "parent": "none"}, 404, "not_found"),
    Row("9", "POST", "/pages", {"identifier": "q", "after": "none"}, 404, "not_found"),
    Row("9", "PATCH", "/pages/p", {"title": "Q", "locked": True, "section": "organization"}, 200),
    Row("9", "PATCH", "/pages/p", {"type": "dashboard"}, 422, "invalid_request"),
    Row("9", "PATCH", "/pages/p", {"sidebar": "catalog"}, 422, "invalid_request"),
    Row("9", "PATCH", "/pages/p", {"requiredQueryParams": []}, 422, "invalid_request"),
    Row("9", "PATCH", "/pages/none", {}, 404, "not_found"),
    Row("9", "PUT", "/pages/p", {"identifier": "p", "title": "Q"}, 200),
    Row("9", "PUT", "/pages/none", {"identifier": "none"}, 404, "not_found"),
    Row("9", "GET", "/pages/p", None, 200),
    Row("9", "GET", "/pages?compact=false", None, 200),
    Row("9", "DELETE", "/pages/p", None, 200),
    Row("9", "POST", "/pages/p/widgets", {"widget": {"id": "n", "type": "markdown", "markdown": "x"}}, 201),
    Row("9", "PATCH", "/pages/p/widgets/none", {"widget": {}}, 404, "not_found"),
    Row("9", "DELETE", "/pages/p/widgets/none", None, 404, "not_found"),
]
EVERY_TYPE = [
    "run", "user", "team", "entity", "users-and-teams", "runs-history", "audit-log", "blueprint-entities", "dashboard",
    "home",
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_request_is_answered_as_the_note_says(row: Row, stocked: httpx.Client) -> None:
    answer = stocked.request(row.method, row.path, json=row.body)
    body = answer.json()
    assert (answer.status_code, body["ok"], body.get("error")) == (row.status, row.error is None, row.error)
    # 2.2: a refusal has a text for people and details; 2.2 and 2.4: every answer has its headers.
    assert row.error is None or (bool(body["message"]) and isinstance(body["details"], dict))
    assert answer.headers["x-trace-id"]
    assert all(answer.headers[name].isdecimal() for name in LIMITS)


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_section_9_names_the_types_of_a_page(kind: str, port: httpx.Client) -> None:
    assert port.post("/pages", json={"identifier": "p", "type": kind}).json() == {"ok": True, "identifier": "p"}


@pytest.mark.parametrize("status", ["running", "completed", "failed", "aborted"])
def test_section_7_names_the_states_of_a_resync(status: str, stocked: httpx.Client) -> None:
    answer = stocked.patch("/integration/me/resync-state", json={**STATE, "status": status}).json()
    state = answer["integration"]["resyncState"]
    assert (state["status"], state["updatedAt"]) == (status, "2025-01-01T12:00:00.000Z")


@pytest.mark.parametrize(
    "key",
    [
        "_id", "_orgId", "identifier", "installationId", "integrationType", "installationType", "resyncState",
        "logAttributes", "metricAttributes", "ingestAttributes", "createdAt", "createdBy", "updatedAt", "updatedBy",
    ],
)  # fmt: skip
def test_section_7_names_the_keys_of_an_integration(key: str, stocked: httpx.Client) -> None:
    assert key in stocked.get("/integration/me").json()["integration"]


def test_section_7_keeps_the_organisation_on_oceans_classic_path(port: httpx.Client) -> None:
    flags = set(port.get("/organization").json()["organization"]["featureFlags"])
    assert not flags & {"LAKEHOUSE_ELIGIBLE", "DATA_SOURCE_PROCESSOR_ENABLED"}


def test_section_7_lets_an_empty_change_bump_the_time(stocked: httpx.Client, clock: SimpleNamespace) -> None:
    clock.now += 1
    changed = stocked.patch("/integration/me", json={}).json()["integration"]
    assert changed["updatedAt"] == "2025-01-01T12:00:01.000Z"


def test_section_2_1_makes_a_token_that_can_be_decoded_unverified(port: httpx.Client) -> None:
    body = port.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"}).json()
    head, claims, _ = body["accessToken"].split(".")
    parts = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, claims)]
    assert parts[0]["typ"] == "JWT"
    assert parts[1]["isMachine"] is True
    assert type(body["expiresIn"]) is int


@pytest.mark.parametrize("path", ["/blueprints", "/organization", "/integration", "/pages", "/nothing"])
def test_section_2_1_guards_every_route_of_the_api(path: str, port: httpx.Client) -> None:
    answer = port.get(path, headers={"authorization": "Bearer a.b.c"})
    # An unknown route is told as such: there is nothing behind it to guard.
    assert answer.status_code == (404 if path == "/nothing" else 401)
    assert all(name in answer.headers for name in (*LIMITS, "x-trace-id"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/access_token"),
        ("POST", "/blueprints"),
        ("PUT", "/blueprints/record"),
        ("PATCH", "/blueprints/record"),
        ("POST", ENTITIES),
        ("PUT", f"{ENTITIES}/r"),
        ("PATCH", f"{ENTITIES}/r"),
        ("POST", f"{ENTITIES}/bulk"),
        ("POST", "/blueprints/record/bulk/entities/delete"),
        ("POST", "/pages"),
        ("PUT", "/pages/p"),
        ("PATCH", "/pages/p"),
        ("POST", "/pages/p/widgets"),
        ("POST", "/integration"),
        ("PATCH", "/integration/me/config"),
        ("POST", "/integration/me/kinds/k/examples"),
    ],
)
def test_section_2_5_limits_the_body_of_every_route_that_writes(method: str, path: str, stocked: httpx.Client) -> None:
    answer = stocked.request(method, path, content=b'{"a":"' + b"x" * 1024 * 1024 + b'"}')
    assert (answer.status_code, answer.json()["error"]) == (413, "payload_too_large")
    assert answer.json()["message"] == "Request body is too large (limit is 1MiB)"
    malformed = stocked.request(method, path, content=b"{")
    assert (malformed.status_code, malformed.json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "agent",
    [
        "port-ocean/demo/0.1.0/me/exporter",
        "portsync/custom/1.0/portsync-claude/exporter",
        "port-k8s-exporter/0.1 (statekey/KEY)",
        "terraform-provider-port-labs/2.0",
    ],
)
@pytest.mark.parametrize("route", ["single", "bulk"])
def test_section_2_6_takes_the_agent_of_a_write_as_the_data_source(
    agent: str, route: str, stocked: httpx.Client
) -> None:
    one = record(identifier="mine")
    path, body = (ENTITIES, one) if route == "single" else (f"{ENTITIES}/bulk", {"entities": [one]})
    stocked.post(path, json=body, headers={"user-agent": agent}).raise_for_status()
    rules = [
        {"property": "$datasource", "operator": "contains", "value": agent[:8]},
        {"property": "$datasource", "operator": "contains", "value": agent[-8:]},
        {"property": "$datasource", "operator": "=", "value": agent},
    ]
    query = {"query": {"combinator": "and", "rules": rules}}
    found = stocked.post(f"{ENTITIES}/search", json=query).json()["entities"]
    assert [each["identifier"] for each in found] == ["mine"]


@pytest.mark.parametrize("is_epoch", [False, True])
def test_section_2_4_gives_headers_with_a_refusal_for_the_budget_too(
    is_epoch: bool, local_port: Callable[..., httpx.Client], clock: SimpleNamespace
) -> None:
    port = local_port(guesses=Guesses(rate_limit=1, rate_period=60, reset_as_epoch=is_epoch))
    answer = port.get("/blueprints")
    assert answer.status_code == 429
    assert {name: answer.headers[name] for name in LIMITS} == {
        "x-ratelimit-limit": "1",
        "x-ratelimit-period": "60",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(clock.now) + 60 if is_epoch else 60),
    }
