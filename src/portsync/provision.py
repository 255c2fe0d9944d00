"""Blueprints -> Port, in an order that Port takes: bare ones first, then relations, then what is calculated from them.

A blueprint that is already as the file says is left alone; sections that the file does not name are, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from portsync.port.blueprints import change_blueprint, create_blueprint, fetch_blueprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.port.client import PortClient

_LATER = ("relations", "mirrorProperties", "calculationProperties", "aggregationProperties", "ownership")
"""Sections that may speak of other blueprints, which have to exist by then."""


class Change(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    NONE = "unchanged"


@dataclass(frozen=True, slots=True)
class Step:
    """What has to happen to one blueprint."""

    blueprint: dict[str, Any]
    change: Change
    sections: dict[str, Any] = field(default_factory=dict)
    """For an update: the top-level sections that differ, as they are to be. What Port has beyond the file is kept."""

    @property
    def identifier(self) -> str:
        return str(self.blueprint["identifier"])


async def plan_blueprints(port: PortClient, blueprints: Sequence[dict[str, Any]]) -> list[Step]:
    """Compare with Port. Raises PortError and SendError; writes nothing."""
    return [_step(blueprint, await fetch_blueprint(port, blueprint["identifier"])) for blueprint in blueprints]


async def apply_steps(port: PortClient, steps: Sequence[Step]) -> None:
    """Do what the steps say. Raises PortError and SendError at the first that Port does not take."""
    created = [step for step in steps if step.change is Change.CREATE]
    for step in created:
        await create_blueprint(port, {k: v for k, v in step.blueprint.items() if k not in _LATER})
    for later in (
        ("relations", "ownership"),
        ("mirrorProperties", "calculationProperties", "aggregationProperties"),
    ):
        for step in created:
            if sections := {key: step.blueprint[key] for key in later if step.blueprint.get(key)}:
                await change_blueprint(port, step.identifier, sections)
    for step in steps:
        if step.change is Change.UPDATE:
            await change_blueprint(port, step.identifier, step.sections)


def _step(wanted: dict[str, Any], existing: dict[str, Any] | None) -> Step:
    if existing is None:
        return Step(wanted, Change.CREATE)
    differing = {
        key: _merged(existing.get(key), value) for key, value in wanted.items() if not _says(existing.get(key), value)
    }
    return Step(wanted, Change.UPDATE if differing else Change.NONE, differing)


def _says(existing: Any, wanted: Any) -> bool:
    """Whether Port's value says what the file wants. Port adds members of its own to objects; empty is as good as
    absent."""
    if isinstance(wanted, dict):
        if not wanted:
            return not existing
        return isinstance(existing, dict) and all(_says(existing.get(key), value) for key, value in wanted.items())
    return bool(existing == wanted)


def _merged(existing: Any, wanted: Any) -> Any:
    """The file's value over Port's: somebody may have added a property in Port, which a plain write would drop."""
    if isinstance(existing, dict) and isinstance(wanted, dict):
        return existing | {key: _merged(existing.get(key), value) for key, value in wanted.items()}
    return wanted
