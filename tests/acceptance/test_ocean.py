"""Port's own framework against the local Port: port_api.md sections 4, 7 and 12."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import program
from tests.acceptance.integration import sample_records, write_integration, write_records
from tests.conftest import PORT_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.integration import Records
    from tests.conftest import LocalPort

    Resync = Callable[[Records], str]

pytestmark = pytest.mark.acceptance
NAME = "my-things"


@pytest.fixture
def resync(local_port: LocalPort, tmp_path: Path) -> Resync:
    """Run Ocean once on these records, from a clean request log; gives what it prints, without colours."""
    ocean = program(".venv-ocean", "ocean")
    write_integration(tmp_path)
    environment = {
        "PATH": str(ocean.parent),
        "HOME": str(tmp_path),
        "NO_PROXY": "*",
        "OCEAN__PORT__BASE_URL": local_port.url,
        "OCEAN__PORT__CLIENT_ID": "cid",
        "OCEAN__PORT__CLIENT_SECRET": PORT_SECRET,
        "OCEAN__EVENT_LISTENER": json.dumps({"type": "ONCE"}),
        "OCEAN__INTEGRATION__TYPE": "things",
        "OCEAN__INTEGRATION__IDENTIFIER": NAME,
        "OCEAN__INITIALIZE_PORT_RESOURCES": "true",
    }

    def run(records: Records) -> str:
        write_records(tmp_path, records)
        local_port.script()
        ended = subprocess.run(
            [ocean, "sail", "-O", "."],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout
        assert "| ERROR" not in ended.stdout, ended.stdout
        return ended.stdout

    return run


def refused(port: LocalPort) -> set[tuple[str, str, int | None]]:
    """The requests that did not go well, but for questions after what is not there yet."""
    return {
        (each["method"], each["path"], each["status"])
        for each in port.requests()
        if each["status"] not in (200, 201) and (each["method"], each["status"]) != ("GET", 404)
    }


def test_a_first_resync_brings_blueprints_a_page_entities_and_telemetry(local_port: LocalPort, resync: Resync) -> None:
    resync(sample_records())

    assert refused(local_port) == set()
    things = local_port.entities("oceanThing")
    assert len(things) == 25
    assert things["t7"]["title"] == "Thing 7"
    assert things["t7"]["properties"] == {"size": 7, "made": "2026-01-02T03:04:05Z", "double": 14}
    assert things["t7"]["relations"] == {"group": "g1"}
    assert len(local_port.entities("oceanGroup")) == 12
    blueprint = local_port.api("GET", "/blueprints/oceanThing")["blueprint"]
    assert blueprint["relations"]["group"]["target"] == "oceanGroup"
    page = local_port.api("GET", "/pages/things_dashboard")["page"]
    assert page["widgets"][0]["widgets"][0]["title"] == "Things"

    integration = local_port.api("GET", f"/integration/{NAME}")["integration"]
    assert integration["resyncState"]["status"] == "completed"
    assert integration["arePortResourcesInitialized"] is True
    assert [each["kind"] for each in integration["config"]["resources"]] == ["group", "thing"]
    kinds = local_port.api("GET", f"/integration/{NAME}/kinds")["data"]
    assert {name: len(kind["examples"]) for name, kind in kinds.items()} == {"group": 5, "thing": 5}


def test_what_ocean_tells_of_itself_can_be_read(local_port: LocalPort, resync: Resync) -> None:
    resync(sample_records())

    lines = local_port.api("GET", f"/integration/{NAME}/logs?limit=300")["data"]
    assert any("resync" in each["message"].lower() for each in lines)
    metrics = {each["kind"]: each for each in local_port.api("GET", f"/integration/{NAME}/syncMetrics")["data"]}
    assert metrics["thing"]["syncState"] == "completed"
    assert metrics["thing"]["metrics"]["phase"]["load"]["object_count_type"]["loaded"]["object_count"] == 25
    resyncs = local_port.api("GET", f"/integration/{NAME}/syncsMetadata")
    assert resyncs["count"] == 1


def test_a_second_resync_sends_nothing_and_a_change_sends_only_what_changed(
    local_port: LocalPort, resync: Resync
) -> None:
    resync(sample_records())
    assert sum(count for _, count in local_port.writes()) == 37
    resync(sample_records())
    assert local_port.writes() == []
    assert refused(local_port) == set()

    records = sample_records()
    records["thing"][3]["size"] = 333
    resync(records)
    assert local_port.writes() == [(200, 1)]
    assert local_port.entities("oceanThing")["t3"]["properties"]["size"] == 333


def test_what_is_gone_from_the_source_is_deleted_and_nothing_else(local_port: LocalPort, resync: Resync) -> None:
    body: dict[str, Any] = {"entities": [{"identifier": "by-hand", "properties": {"size": 1}}]}
    resync(sample_records())
    assert local_port.api("POST", "/blueprints/oceanThing/entities/bulk", body)["errors"] == []

    records = sample_records()
    records["thing"] = records["thing"][:20]
    resync(records)
    assert sorted(local_port.entities("oceanThing")) == sorted(["by-hand", *(f"t{number}" for number in range(20))])
    assert len(local_port.entities("oceanGroup")) == 12
    deletions = [each for each in local_port.requests() if "delete" in each["path"] or each["method"] == "DELETE"]
    assert deletions
    assert refused(local_port) == set()
