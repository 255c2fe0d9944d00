"""Four integrations of Ocean, from its files to entities in Port."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.importing import apis
from tests.importing.conftest import blueprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source

FOLDER = Path(__file__).parent / "ocean"
_CONFIG = "OCEAN__INTEGRATION__CONFIG__"


@dataclass(frozen=True)
class Example:
    """One integration: its API, the secrets of its environment, its blueprints, and what is in Port at the end."""

    name: str
    api: Callable[[Asked], Any]
    secrets: dict[str, str]
    blueprints: list[dict[str, Any]]
    entities: dict[str, set[str]]
    values: dict[tuple[str, str], dict[str, Any]]
    """Some of the properties and relations of some entities."""


EXAMPLES = [
    Example(
        "hubspot",
        apis.hubspot,
        {f"{_CONFIG}API_TOKEN": "pat-na1-0000"},
        [blueprint("company", domain="string"), blueprint("deal", {"companies": "company[]"}, amount="number")],
        {"company": {"0", "1", "2", "3", "4"}, "deal": {"d1", "d2"}},
        {
            ("deal", "d1"): {"amount": 1200.5, "companies": ["1"]},
            ("deal", "d2"): {"amount": 3, "companies": []},
            ("company", "4"): {"domain": "c4.example"},
        },
    ),
    Example(
        "slack",
        apis.slack,
        {f"{_CONFIG}API_TOKEN": "xoxb-0000"},
        [blueprint("channel", members="number", topic="string"), blueprint("member", email="string")],
        {"channel": {"C1", "C2"}, "member": {"U1"}},
        {("channel", "C2"): {"members": 2, "topic": "t"}, ("member", "U1"): {"email": "ada@acme.example"}},
    ),
    Example(
        "zendesk",
        apis.zendesk,
        {f"{_CONFIG}PASSWORD": "zd-0000"},
        [
            blueprint("ticket", status="string", opening="string"),
            blueprint("comment", {"ticket": "ticket"}, body="string"),
        ],
        {"ticket": {"35", "36"}, "comment": {"35-1", "35-2"}},
        {
            ("ticket", "35"): {"opening": "First line", "status": "open"},
            ("comment", "35-2"): {"body": "again", "ticket": "35"},
        },
    ),
    Example(
        "canny",
        apis.canny,
        {"SOURCE_API_KEY": "canny-0000"},
        [blueprint("idea", votes="number", board="string")],
        {"idea": {"p0", "p1", "p2"}},
        {("idea", "p2"): {"votes": 2, "board": "b"}},
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_an_integration_of_ocean_becomes_a_mapping_that_brings_its_entities_into_port(
    example: Example,
    source: Source,
    local_port: LocalPort,
    portsync: Callable[..., Run],
    bring: Callable[..., Run],
    tmp_path: Path,
) -> None:
    source.answer = example.api
    environment = (
        (FOLDER / f"{example.name}.env").read_text(encoding="utf-8").replace("https://source.test", source.url)
    )
    (tmp_path / "port-app-config.yml").write_text((FOLDER / f"{example.name}.yml").read_text(encoding="utf-8"))
    (tmp_path / "ocean.env").write_text(environment)

    given = portsync(
        "import", None, "port-app-config.yml", "--from", "ocean", "--env", "ocean.env", "--out", "mapping.yaml"
    )
    text = (tmp_path / "mapping.yaml").read_text(encoding="utf-8")
    checked = portsync("check", None, "mapping.yaml", env=example.secrets)
    run = bring(text, example.blueprints, example.secrets)

    assert given.exit_code == 0, given.err
    assert given.out == ""
    assert not any(secret in text + given.err for secret in example.secrets.values())
    assert checked.exit_code == 0, checked.err
    assert checked.out.endswith("mapping.yaml: no problems\n")
    assert run.exit_code == 0, run.err + run.out
    assert {r["verdict"] for r in run.report["resources"]} == {"complete"}
    found = {name: local_port.entities(name) for name in example.entities}
    assert {name: set(entities) for name, entities in found.items()} == example.entities
    for (name, identifier), values in example.values.items():
        entity = found[name][identifier]
        assert {**entity["properties"], **entity["relations"]} | values == {
            **entity["properties"],
            **entity["relations"],
        }
