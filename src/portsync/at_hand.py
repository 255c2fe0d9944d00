"""The blueprints that lie beside a mapping, and come into Port with its first run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.blueprints import beside, read_blueprints
from portsync.provision import Change, apply_steps, plan_blueprints

if TYPE_CHECKING:
    from portsync.blueprints import Blueprint
    from portsync.mapping.loader import LoadedMapping
    from portsync.port.client import PortClient


async def create_missing_blueprints(port: PortClient, mapping: LoadedMapping) -> None:
    """Create the blueprints at hand that Port does not have. Existing ones are never changed by a sync."""
    if blueprints := blueprints_at_hand(mapping):
        steps = await plan_blueprints(port, blueprints)
        await apply_steps(port, [step for step in steps if step.change is Change.CREATE])


def blueprints_at_hand(mapping: LoadedMapping) -> list[Blueprint]:
    """The blueprints in the folder that belongs to the mapping."""
    folder = beside(mapping.path)
    return [] if folder is None else read_blueprints(folder)
