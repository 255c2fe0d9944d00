"""Who writes: what stands in Port as `$datasource`, and that it is found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portsync import __version__
from portsync.port.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LocalPort, Run, Source


def datasource_rules(prefix: str, suffix: str) -> list[dict[str, str]]:
    return [
        {"property": "$datasource", "operator": "beginsWith", "value": prefix},
        {"property": "$datasource", "operator": "endsWith", "value": suffix},
    ]


def found_by(port: LocalPort, owner: Owner) -> set[str]:
    """The things that the local Port finds by the parts of the owner's name that an upgrade leaves as they are."""
    query = {"combinator": "and", "rules": datasource_rules(owner.prefix, owner.suffix)}
    answer = port.api("POST", "/blueprints/thing/entities/search", {"query": query})
    return {entity["identifier"] for entity in answer["entities"]}


def test_an_owner_has_four_parts_and_is_found_by_all_but_the_version() -> None:
    owner = Owner("portsync", "custom", "main")

    assert owner.user_agent == f"portsync/custom/{__version__}/main/exporter"
    assert owner.user_agent == f"{owner.prefix}{__version__}{owner.suffix}"
    assert (owner.prefix, owner.suffix) == ("portsync/custom/", "/main/exporter")


@pytest.mark.parametrize(
    ("environment", "owner"),
    [
        ({}, Owner("portsync", "custom", "portsync-m")),
        ({"PORTSYNC_IDENTIFIER": "mine"}, Owner("portsync", "custom", "mine")),
        ({"PORTSYNC_IDENTIFIER": "mine", "PORTSYNC_TYPE": "claude"}, Owner("portsync", "claude", "mine")),
        ({"OCEAN__INTEGRATION__IDENTIFIER": "theirs"}, Owner("port-ocean", "custom", "theirs")),
        (
            {"OCEAN__INTEGRATION__IDENTIFIER": "theirs", "OCEAN__INTEGRATION__TYPE": "github"},
            Owner("port-ocean", "github", "theirs"),
        ),
        (
            {"OCEAN__INTEGRATION__IDENTIFIER": "theirs", "PORTSYNC_IDENTIFIER": "mine"},
            Owner("portsync", "custom", "mine"),
        ),
    ],
    ids=str,
)
def test_what_a_sync_wrote_is_found_as_its_owners(
    environment: dict[str, str],
    owner: Owner,
    local_port: LocalPort,
    portsync: Callable[..., Run],
    mapping: Callable[..., str],
    port_env: dict[str, str],
    source: Source,
) -> None:
    """Ocean's variable names an integration of Ocean's that is taken over, unless portsync's own is set."""
    source.answer = lambda _: {"data": [{"id": "a", "size": 1}]}

    run = portsync("sync", mapping(), env={**port_env, **environment})

    assert run.exit_code == 0, run.err
    assert found_by(local_port, owner) == {"a"}
    assert found_by(local_port, Owner(owner.product, owner.type, "other")) == set()


@pytest.mark.parametrize("variable", ["PORTSYNC_IDENTIFIER", "OCEAN__INTEGRATION__IDENTIFIER"])
def test_an_identifier_that_a_user_agent_cannot_hold_is_refused_under_the_name_of_its_variable(
    variable: str, portsync: Callable[..., Run], mapping: Callable[..., str], port_env: dict[str, str]
) -> None:
    run = portsync("sync", mapping(), env={**port_env, variable: "a/b"})

    assert run.exit_code == 2
    assert f"the environment variable {variable}: only letters" in run.err
