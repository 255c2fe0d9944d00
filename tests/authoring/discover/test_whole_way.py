"""A source that nobody described, to a catalog that holds what the source holds, with nothing touched in between."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from portsync.demo.records import View, record_counts
from portsync.demo.source import create_source
from portsync.loopback import serving
from tests.authoring.discover import apis

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.authoring.discover.conftest import Proposed
    from tests.conftest import Source

STYLES = {
    "github": ("/orgs/acme/repos", apis.github, apis.repositories, "repo", {"type": "header_link"}),
    "stripe": (
        "/v1/charges",
        apis.stripe,
        apis.charges,
        "charge",
        {
            "type": "cursor",
            "cursor_path": ".data[-1].id",
            "cursor_param": "starting_after",
            "has_more_path": ".has_more",
            "limit_param": "limit",
            "page_size": 100,
        },
    ),
    "jira": (
        "/rest/api/3/search",
        apis.jira,
        apis.issues,
        "issue",
        {
            "type": "offset",
            "offset_param": "startAt",
            "total_path": ".total",
            "limit_param": "maxResults",
            "page_size": 100,
        },
    ),
    "hubspot": (
        "/crm/v3/objects/contacts",
        apis.hubspot,
        apis.contacts,
        "contact",
        {
            "type": "cursor",
            "cursor_path": ".paging.next.after",
            "cursor_param": "after",
            "limit_param": "limit",
            "page_size": 100,
        },
    ),
}


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record, its envelopes opened."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        found |= value if name in ("properties", "fields") else {name: value}
    return found


def as_port_holds_it(record: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """The properties that a record should have become: days are instants there."""
    days = {name for name, one in properties.items() if "T00:00:00Z" in one["expression"]}
    values = flat(record)
    return {name: f"{values[name]}T00:00:00Z" if name in days else values[name] for name in properties}


@pytest.mark.parametrize("style", STYLES)
def test_the_catalog_holds_what_a_source_of_this_style_holds(
    style: str,
    source: Source,
    discover: Callable[..., Proposed],
    in_port: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    path, api, records, blueprint, paging = STYLES[style]
    held = records()
    source.answer = apis.at_paths({path: api(source.url, held)})

    proposed = discover(source.url + path)
    assert proposed.run.exit_code == 0, proposed.run.err
    assert proposed.resource["pagination"]["value"] == paging
    assert proposed.resource["pagination"]["confidence"] == "sure"
    assert {asked.method for asked in source.asked} == {"GET"}
    assert proposed.found["requests"] == len(source.asked) <= 8

    entities = in_port(proposed, blueprint)
    properties = proposed.resource["properties"]
    # A null property is as good as none.
    wanted = {
        str(record["id"]): {
            name: value for name, value in as_port_holds_it(record, properties).items() if value is not None
        }
        for record in held
    }
    got = {
        name: {key: value for key, value in entity["properties"].items() if value is not None}
        for name, entity in entities.items()
    }
    assert got == wanted


def test_a_record_more_than_discover_read_fits_as_well(
    source: Source, discover: Callable[..., Proposed], in_port: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    held = apis.repositories(400)
    source.answer = apis.at_paths({"/repos": apis.github(source.url, held)})

    proposed = discover(f"{source.url}/repos")

    assert proposed.resource["records"] == 90 < len(held)
    assert len(in_port(proposed, "repo")) == 400


def test_the_bare_url_of_the_demo_source_is_enough(
    discover: Callable[..., Proposed], in_port: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    today = date(2026, 11, 22)
    counts = record_counts(today=today)
    with serving(create_source(token="sk-sample", today=today)) as url:
        proposed = discover(url, "--auth-env", "SAMPLE_KEY", env={"SAMPLE_KEY": "sk-sample"})
        assert proposed.run.exit_code == 0, proposed.run.err
        entities = in_port(proposed, "message", {"SAMPLE_KEY": "sk-sample"})

    assert len(entities) == counts[View.MESSAGES] > 0
    kinds = {resource["kind"]: resource["records"] for resource in proposed.found["resources"]}
    assert kinds == {
        "/v1/organizations/usage_report/messages": counts[View.MESSAGES],
        "/v1/organizations/cost_report": counts[View.COST],
        "/v1/organizations/usage_report/claude_code": counts[View.CLAUDE_CODE],
    }
    text = proposed.mapping.read_text(encoding="utf-8")
    assert "${SAMPLE_KEY}" in text
    assert "sk-sample" not in text + proposed.run.out + proposed.run.err


def test_the_demo_source_without_a_key_says_what_to_set(discover: Callable[..., Proposed]) -> None:
    with serving(create_source(token="sk-sample", today=date(2026, 11, 22))) as url:
        proposed = discover(url)

    assert proposed.run.exit_code == 3
    assert proposed.found["resources"] == []
    assert {left["hint"] for left in proposed.found["left_out"]} == {
        "the document asks for a bearer token: put it into a variable, and name that with --auth-env NAME"
    }
    assert not proposed.folder.exists()
