"""What an integration tells of itself, and how that is read: port_api.md section 7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator import telemetry_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import SimpleNamespace

    import httpx

NAME = "my things/1"
AT = "/integration/my%20things%2F1"


@pytest.fixture
def installed(port: httpx.Client) -> httpx.Client:
    """The local Port with one integration, whose name is not one part of a path."""
    port.post("/integration", json={"installationId": NAME}).raise_for_status()
    return port


def line(number: int, level: str = "INFO", **extra: Any) -> dict[str, Any]:
    return {
        "message": f"m{number}",
        "level": level,
        "timestamp": f"2025-01-01T12:00:{number:02d}.000001Z",
        "extra": extra,
    }


def addresses(port: httpx.Client) -> dict[str, str]:
    integration = port.get(AT).json()["integration"]
    return {key: integration[f"{key}Attributes"]["ingestUrl"] for key in ("log", "metric", "ingest")}


def messages(port: httpx.Client, query: str = "") -> list[str]:
    return [each["message"] for each in port.get(f"{AT}/logs{query}").raise_for_status().json()["data"]]


def test_every_answer_says_where_telemetry_goes_seen_from_whoever_asks(installed: httpx.Client) -> None:
    changed = installed.patch(AT, json={"title": "T"}).json()["integration"]
    (listed,) = installed.get("/integration").json()["integrations"]
    state = {"status": "running", "nextResync": None, "intervalInMinuets": None}
    reported = installed.patch(f"{AT}/resync-state", json=state).json()["integration"]
    for integration in (changed, listed, reported):
        assert integration["logAttributes"]["ingestUrl"].startswith("http://port.test/v1/")
        assert integration["metricAttributes"]["ingestUrl"].startswith("http://port.test/v1/")
        assert integration["ingestAttributes"]["ingestUrl"].startswith("http://port.test/v1/")
    elsewhere = installed.get(AT, headers={"host": "catalog.example:81"}).json()["integration"]
    assert elsewhere["logAttributes"]["ingestUrl"].startswith("http://catalog.example:81/v1/")


def test_telemetry_needs_a_token_too(installed: httpx.Client) -> None:
    answer = installed.post(addresses(installed)["log"], json={"logs": []}, headers={"authorization": ""})
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


def test_logs_are_read_newest_first_and_paged_in_both_directions(installed: httpx.Client) -> None:
    # Two lines of one moment are told apart by their ids.
    lines = [line(1), line(2), {**line(2), "message": "m2b"}, line(3)]
    assert installed.post(addresses(installed)["log"], json={"logs": lines}).json() == {"ok": True}
    assert messages(installed) == ["m3", "m2b", "m2", "m1"]
    first = installed.get(f"{AT}/logs?limit=2").json()
    assert (first["count"], [each["message"] for each in first["data"]]) == (2, ["m3", "m2b"])
    last = first["data"][-1]
    mark = f"timestamp={last['timestamp']}&log_id={last['_id']}"
    assert messages(installed, f"?{mark}&direction=down") == ["m2", "m1"]
    assert messages(installed, f"?{mark}&direction=up") == ["m3"]
    assert messages(installed, f"?timestamp={last['timestamp']}") == ["m1"]
    assert messages(installed, f"?timestamp={last['timestamp']}&direction=up") == ["m3"]


def test_logs_are_chosen_by_level_and_by_event(installed: httpx.Client) -> None:
    lines = [line(1, "DEBUG", event_id="e"), line(2, "ERROR", event_parent_id="e"), line(3, "ERROR")]
    installed.post(addresses(installed)["log"], json={"logs": lines})
    assert messages(installed, "?level=ERROR") == ["m3", "m2"]
    assert messages(installed, "?level[]=ERROR&level[]=DEBUG") == ["m3", "m2", "m1"]
    assert messages(installed, "?eventId=e") == ["m2", "m1"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=301", "limit=x", "direction=left", "level=LOUD", "timestamp=now", "timestamp=2025-01-01"],
)
def test_a_question_about_logs_that_breaks_the_schema_is_refused(query: str, installed: httpx.Client) -> None:
    answer = installed.get(f"{AT}/logs?{query}")
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")


def test_the_newest_lines_are_kept_of_each_integration(installed: httpx.Client) -> None:
    installed.post("/integration", json={"installationId": "other"})
    other = installed.get("/integration/other").json()["integration"]["logAttributes"]["ingestUrl"]
    installed.post(other, json={"logs": [line(0)]})
    body = {"logs": [{**line(0), "message": str(number)} for number in range(5_000)]}
    for _ in range(2):
        installed.post(addresses(installed)["log"], json=body)
    installed.post(addresses(installed)["log"], json={"logs": [line(1)]})
    assert telemetry_store.KEPT_LOGS == 10_000
    # 10,001 came: the very first is gone, the second is the oldest now.
    up = "?direction=up&timestamp=2024-01-01T00:00:00Z&limit=1"
    assert messages(installed, up) == ["1"]
    assert installed.get("/integration/other/logs").json()["count"] == 1


def test_metrics_are_kept_for_each_resync_and_kind_and_the_last_resync_is_shown(
    installed: httpx.Client, clock: SimpleNamespace
) -> None:
    url = addresses(installed)["metric"]
    for event in ("one", "two/2"):
        clock.now += 60
        rows = [{"eventId": event, "kindIdentifier": kind, "syncState": "pending"} for kind in ("a-0", "b-1")]
        assert installed.post(f"{url}/syncMetrics", json={"syncKindsMetrics": rows}).json() == {"ok": True}
    clock.now += 60
    done = {"eventId": "-", "kindIdentifier": "-", "syncState": "completed", "metrics": {"phase": {}}}
    put = installed.put(f"{url}/syncMetrics/resync/two%2F2/kind/b-1", json={"syncKindMetrics": done})
    assert put.json() == {"ok": True}
    assert installed.post(f"{url}/heartbeat", json={"eventId": "one"}).json() == {"ok": True}

    shown = installed.get(f"{AT}/syncMetrics").json()
    assert shown["count"] == 2
    assert {each["kindIdentifier"]: each["syncState"] for each in shown["data"]} == {
        "a-0": "pending",
        "b-1": "completed",
    }
    assert shown["data"][1]["metrics"] == {"phase": {}}
    older = installed.get(f"{AT}/syncMetrics?resyncId=one").json()["data"]
    assert {each["syncState"] for each in older} == {"pending"}
    assert installed.get(f"{AT}/syncMetrics?resyncId=none").status_code == 404

    two, one = installed.get(f"{AT}/syncsMetadata").json()["data"]
    assert two == {
        "eventId": "two/2",
        "startedAt": "2025-01-01T12:02:00.000Z",
        "updatedAt": "2025-01-01T12:03:00.000Z",
        "heartbeatAt": None,
        "kinds": {"a-0": "pending", "b-1": "completed"},
    }
    assert (one["eventId"], one["heartbeatAt"]) == ("one", "2025-01-01T12:03:00.000Z")


def test_fifty_resyncs_are_kept(installed: httpx.Client) -> None:
    url = addresses(installed)["metric"]
    for number in range(51):
        installed.post(f"{url}/heartbeat", json={"eventId": str(number)})
    shown = installed.get(f"{AT}/syncsMetadata").json()
    assert (shown["count"], shown["data"][0]["eventId"], shown["data"][-1]["eventId"]) == (50, "50", "1")


def test_what_is_kept_of_an_integration_is_found_by_its_id_too_and_gone_with_it(installed: httpx.Client) -> None:
    url, body = addresses(installed)["log"], {"logs": [line(1)]}
    installed.post(url, json=body)
    inner = installed.get(AT).json()["integration"]["_id"].replace("/", "%2F")
    assert installed.get(f"/integration/{inner}/logs").json()["count"] == 1
    installed.post(f"{AT}/cursor?kind=k", json={"primary": None})
    installed.delete(AT)
    assert installed.post(url, json=body).status_code == 404
    installed.post("/integration", json={"installationId": NAME})
    assert messages(installed) == []
    assert installed.get(f"{AT}/cursor?kind=k").json()["cursor"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("POST", "log", {}, "'logs'"),
        ("POST", "log", {"logs": [{"message": "m", "level": "INFO"}]}, "'timestamp'"),
        ("POST", "log", {"logs": [{**line(1), "timestamp": "noon"}]}, 'must match format "date-time"'),
        ("POST", "metric/syncMetrics", {"syncKindsMetrics": [{"eventId": "e"}]}, "'kindIdentifier'"),
        ("PUT", "metric/syncMetrics/resync/e/kind/k", {}, "'syncKindMetrics'"),
        ("POST", "metric/heartbeat", {}, "'eventId'"),
    ],
)
def test_telemetry_that_breaks_its_schema_is_refused(
    method: str, path: str, body: dict[str, Any], says: str, installed: httpx.Client
) -> None:
    name, _, rest = path.partition("/")
    answer = installed.request(method, "/".join([addresses(installed)[name], *([rest] if rest else [])]), json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert says in answer.json()["message"]


def test_a_cursor_is_created_once_and_then_replaced_for_each_kind_and_index(installed: httpx.Client) -> None:
    cursor = f"{AT}/cursor?kind=issue&index=1"
    assert installed.get(cursor).json() == {"ok": True, "cursor": None}
    body = {"primary": "2025-01-01T00:00:00+00:00"}
    # Ocean asks to replace, and creates on this 404.
    assert installed.put(cursor, json=body).status_code == 404
    assert installed.post(cursor, json=body).status_code == 201
    assert installed.post(cursor, json=body).status_code == 409
    later = {"primary": "2025-01-02T00:00:00+00:00"}
    assert installed.put(cursor, json=later).json() == {"ok": True, "cursor": later}
    assert installed.get(cursor).json()["cursor"] == later
    assert installed.get(f"{AT}/cursor?kind=issue&index=0").json()["cursor"] is None
    for wrong in (f"{AT}/cursor", f"{AT}/cursor?kind=k&index=x"):
        assert installed.get(wrong).status_code == 422
    assert installed.put(cursor, json={"primary": "yesterday"}).status_code == 422


def test_kinds_and_single_examples_can_be_deleted(installed: httpx.Client) -> None:
    for kind in ("a", "b"):
        installed.post(f"{AT}/kinds/{kind}/examples", json={"examples": [{"id": 1}, {"id": 2}]})
    first = installed.get(f"{AT}/kinds").json()["data"]["a"]["examples"][0]["_id"]
    assert installed.delete(f"{AT}/kinds/b/examples/{first}").status_code == 404
    assert installed.delete(f"{AT}/kinds/a/examples/{first}").json() == {"ok": True}
    assert installed.delete(f"{AT}/kinds/b").json() == {"ok": True}
    kinds = installed.get(f"{AT}/kinds").json()["data"]
    assert {name: [each["data"]["id"] for each in kind["examples"]] for name, kind in kinds.items()} == {"a": [2]}
    assert installed.delete(f"{AT}/kinds/b").status_code == 404


def test_the_metadata_of_the_integrations_leaves_their_configs_out(installed: httpx.Client) -> None:
    installed.patch(AT, json={"config": {"resources": []}})
    (found,) = installed.get("/integration/metadata").json()["integrations"]
    assert found["installationId"] == NAME
    assert "config" not in found


def test_an_older_file_gets_the_new_tables(local_port: Callable[..., httpx.Client], tmp_path: Path) -> None:
    for _ in range(2):
        port = local_port(database=f"sqlite:///{tmp_path / 'port.db'}")
        port.post("/integration?upsert=true", json={"installationId": NAME}).raise_for_status()
        port.post(addresses(port)["log"], json={"logs": [line(1)]}).raise_for_status()
    assert messages(port) == ["m1", "m1"]
