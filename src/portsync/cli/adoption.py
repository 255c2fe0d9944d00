"""`--adopt`: taking the place of an integration of Port's Ocean framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

F = TypeVar("F", bound="Callable[..., object]")


def adopt_option(command: F) -> F:
    """The option, for commands that run mappings."""
    option = click.option(
        "--adopt",
        metavar="IDENTIFIER",
        help="Continue the Ocean integration of this identifier: its entities are ours.",
    )
    return option(command)


def adopted(environment: Mapping[str, str], identifier: str | None) -> Mapping[str, str]:
    """The environment in which that integration is continued; the same where none is named."""
    if identifier is None:
        return environment
    others = {name: value for name, value in environment.items() if name != "PORTSYNC_IDENTIFIER"}
    return others | {"OCEAN__INTEGRATION__IDENTIFIER": identifier}
