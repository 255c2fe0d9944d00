"""Every call of pyport, a client of Port's API by others, that has a route of Port's API reference behind it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import program
from tests.conftest import PORT_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import LocalPort

    Call = tuple[str, list[Any]] | tuple[str, list[Any], dict[str, Any]]

pytestmark = pytest.mark.acceptance

# It runs in pyport's environment: calls in, what each gives, or the status that it raises, out.
DRIVER = """
import json, logging, sys
import pyport.client.client as client
from pyport.exceptions import PortApiError

url, secret, calls = json.load(sys.stdin)
client.PORT_API_URL = url + "/v1"
port = client.PortClient("cid", secret, auto_refresh=False, log_level=logging.CRITICAL, max_retries=0)
results = []
for name, arguments, *options in calls:
    service, method = name.split(".")
    try:
        results.append(getattr(getattr(port, service), method)(*arguments, **(options[0] if options else {})))
    except PortApiError as error:
        results.append({"status": error.status_code})
print(json.dumps(results))
"""
BLUEPRINT = {
    "identifier": "service",
    "title": "Service",
    "schema": {"properties": {"language": {"type": "string"}, "size": {"type": "number"}}, "required": []},
    "relations": {"thing": {"target": "thing"}},
}
ALL = {"combinator": "and", "rules": []}


@pytest.fixture
def calls(local_port: LocalPort, tmp_path: Path) -> Callable[..., list[Any]]:
    """Let pyport make these calls on one client, and give what came of each."""
    python = program(".venv-pyport", "python")

    def run(*made: Call) -> list[Any]:
        ended = subprocess.run(
            [python, "-c", DRIVER],
            input=json.dumps([local_port.url, PORT_SECRET, made]),
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        results = json.loads(ended.stdout)
        assert isinstance(results, list)
        return results

    return run


def test_wrong_credentials_end_the_client_at_once(calls: Callable[..., list[Any]], local_port: LocalPort) -> None:
    local_port.script({"path": "/v1/auth", "status": 401, "times": None})
    with pytest.raises(AssertionError, match="status code 401"):
        calls()


def test_the_life_of_a_blueprint(calls: Callable[..., list[Any]]) -> None:
    missing, created, found, listed, twice, changed, deleted, gone = calls(
        ("blueprints.get_blueprint", ["service"]),
        ("blueprints.create_blueprint", [BLUEPRINT]),
        ("blueprints.get_blueprint", ["service"]),
        ("blueprints.get_blueprints", []),
        ("blueprints.create_blueprint", [BLUEPRINT]),
        ("blueprints.update_blueprint", ["service", {**BLUEPRINT, "title": "Services"}]),
        ("blueprints.delete_blueprint", ["service"]),
        ("blueprints.get_blueprint", ["service"]),
    )
    assert missing == gone == {"status": 404}
    assert created == found
    assert (found["identifier"], found["relations"]["thing"]["many"]) == ("service", False)
    assert {each["identifier"] for each in listed} == {"_user", "_team", "thing", "service"}
    assert twice == {"status": 409}
    assert changed["title"] == "Services"
    assert deleted in (True, False)  # pyport calls a deletion done only at 204, and Port answers 200


def test_the_life_of_an_entity(calls: Callable[..., list[Any]]) -> None:
    one = {"identifier": "a", "title": "A", "properties": {"language": "Python", "size": 1}}
    results = calls(
        ("blueprints.create_blueprint", [BLUEPRINT]),
        ("entities.create_entity", ["service", one]),
        ("entities.create_entity", ["service", one]),
        ("entities.create_entity", ["service", {**one, "properties": {"size": 2}}], {"upsert": True, "merge": True}),
        ("entities.get_entity", ["service", "a"]),
        ("entities.update_entity", ["service", "a", {"identifier": "a", "properties": {"size": 3}}]),
        ("entities.get_entities_count", ["service"]),
        ("entities.create_entity", ["service", {"identifier": "b", "properties": {"size": "x"}}]),
        ("entities.create_entity", ["service", {"identifier": "b", "relations": {"thing": "none"}}]),
        (
            "entities.create_entity",
            ["service", {"identifier": "b", "relations": {"thing": "new"}}],
            {"create_missing_related_entities": True},
        ),
        ("entities.create_entity", ["service", {"identifier": "c"}], {"validation_only": True}),
        ("entities.get_entities", ["service"]),
        ("blueprints.get_blueprint_entities", ["service"], {"include": ["identifier", "properties.size"]}),
        ("blueprints.get_blueprint_entities_count", ["service"]),
        ("entities.delete_entity", ["service", "a"]),
        ("entities.get_entity", ["service", "a"]),
    )[1:]
    created, twice, merged, found, replaced, count, mistyped, dangling, related, checked = results[:10]
    assert created["ok"]
    assert created["entity"]["properties"] == one["properties"]
    assert twice == {"status": 409}
    assert merged["entity"]["properties"] == {"language": "Python", "size": 2}
    assert found == merged["entity"]
    assert replaced["entity"]["properties"] == {"size": 3}
    assert count == 1
    assert mistyped == {"status": 422}
    assert dangling == {"status": 404}
    assert related["entity"]["relations"] == {"thing": "new"}
    assert checked["ok"]
    listed, projected, counted, _, gone = results[10:]
    assert [each["identifier"] for each in listed] == ["a", "b"]
    assert projected["entities"][0] == {"identifier": "a", "properties": {"size": 3}}
    assert counted["count"] == 2
    assert gone == {"status": 404}


def test_a_bulk_has_a_result_for_each_entity(calls: Callable[..., list[Any]]) -> None:
    good = [{"identifier": f"s{number}", "properties": {"size": number}} for number in range(3)]
    bad = {"identifier": "bad", "properties": {"size": "x"}}
    _, whole, partial, too_many = calls(
        ("blueprints.create_blueprint", [BLUEPRINT]),
        ("entities.create_entities_bulk", ["service", good]),
        ("entities.create_entities_bulk", ["service", [{"identifier": "s3"}, bad]]),
        ("entities.create_entities_bulk", ["service", [{"identifier": f"x{number}"} for number in range(21)]]),
    )
    assert [(each["identifier"], each["created"]) for each in whole["entities"]] == [
        ("s0", True),
        ("s1", True),
        ("s2", True),
    ]
    assert [each["index"] for each in partial["entities"]] == [0]
    assert [(each["index"], each["statusCode"]) for each in partial["errors"]] == [(1, 422)]
    assert too_many == {"status": 422}


def test_searches_in_one_blueprint_and_in_all(calls: Callable[..., list[Any]]) -> None:
    entities = [{"identifier": f"s{number}", "properties": {"size": number}} for number in range(3)]
    large = {"combinator": "and", "rules": [{"property": "size", "operator": ">", "value": 0}]}
    of_services = {"combinator": "and", "rules": [{"property": "$blueprint", "operator": "=", "value": "service"}]}
    _, _, everywhere, page, refused = calls(
        ("blueprints.create_blueprint", [BLUEPRINT]),
        ("entities.create_entities_bulk", ["service", entities]),
        ("entities.search_entities", [of_services]),
        ("entities.search_blueprint_entities", ["service", {"query": large, "limit": 1}]),
        ("entities.search_blueprint_entities", ["service", {"query": {"rules": []}}]),
    )
    assert [each["identifier"] for each in everywhere] == ["s0", "s1", "s2"]
    assert [each["identifier"] for each in page["entities"]] == ["s1"]
    (last,) = calls(("entities.search_blueprint_entities", ["service", {"query": large, "from": page["next"]}]))
    assert [each["identifier"] for each in last["entities"]] == ["s2"]
    assert "next" not in last
    assert refused == {"status": 422}


def test_integrations_and_the_organisation(calls: Callable[..., list[Any]], local_port: LocalPort) -> None:
    local_port.api("POST", "/integration", {"installationId": "me", "config": {}})
    listed, one, logs, changed, none, organization = calls(
        ("integrations.get_integrations", []),
        ("integrations.get_integration", ["me"]),
        ("integrations.get_integration_logs", ["me"]),
        ("integrations.update_integration_config", ["me", {"config": {"resources": []}}]),
        ("integrations.get_integration", ["nobody"]),
        ("organizations.get_organization_details", []),
    )
    assert [each["identifier"] for each in listed["integrations"]] == ["me"]
    assert one["integration"]["logAttributes"]["ingestUrl"].startswith(local_port.url)
    assert logs["data"] == []
    assert changed["integration"]["config"] == {"resources": []}
    assert none == {"status": 404}
    assert organization["organization"]["id"]


def test_the_widgets_of_a_page(calls: Callable[..., list[Any]], local_port: LocalPort) -> None:
    local_port.api("POST", "/pages", {"identifier": "p", "type": "dashboard", "widgets": []})
    widget = {"id": "note", "type": "markdown", "markdown": "# Hi"}
    added, nowhere, _ = calls(
        ("pages.create_page_widget", ["p", {"widget": widget}]),
        ("pages.create_page_widget", ["none", {"widget": widget}]),
        ("pages.delete_page_widget", ["p", "note"]),
    )
    assert added["identifier"] == "p"
    assert nowhere == {"status": 404}
    assert local_port.api("GET", "/pages/p")["page"]["widgets"] == []
