"""Port's blueprints: read, create, change (Port's API reference, blueprints)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.port.client import accepted, segment

if TYPE_CHECKING:
    from portsync.port.client import PortClient

_SUBJECT = "blueprints"


async def fetch_blueprint(port: PortClient, identifier: str) -> dict[str, Any] | None:
    """The blueprint as Port has it, or None. Raises PortError and SendError."""
    answer = await port.send("GET", f"/blueprints/{segment(identifier)}")
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    value = accepted(answer, f"GET blueprint {identifier}", _SUBJECT)
    blueprint = value.get("blueprint")
    return blueprint if isinstance(blueprint, dict) else None


async def fetch_blueprints(port: PortClient) -> list[dict[str, Any]]:
    """All blueprints that Port has. Raises PortError and SendError."""
    value = accepted(await port.send("GET", "/blueprints"), "GET blueprints", _SUBJECT)
    found = value.get("blueprints")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


async def create_blueprint(port: PortClient, blueprint: dict[str, Any]) -> None:
    """Create a blueprint, without a catalog page of its own. Raises PortError and SendError."""
    answer = await port.send("POST", "/blueprints", params=(("create_catalog_page", "false"),), body=blueprint)
    accepted(answer, f"POST blueprint {blueprint['identifier']}", _SUBJECT)


async def change_blueprint(port: PortClient, identifier: str, sections: dict[str, Any]) -> None:
    """Replace top-level sections of a blueprint. Raises PortError and SendError."""
    answer = await port.send("PATCH", f"/blueprints/{segment(identifier)}", body=sections)
    accepted(answer, f"PATCH blueprint {identifier}", _SUBJECT)
