"""Port's blueprints: read, create, change (Port's API reference, blueprints)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.errors import PortError, Problem
from portsync.port.client import json_of, message_of, segment

if TYPE_CHECKING:
    from portsync.flow import Answer
    from portsync.port.client import PortClient


async def fetch_blueprint(port: PortClient, identifier: str) -> dict[str, Any] | None:
    """The blueprint as Port has it, or None. Raises PortError and SendError."""
    answer = await port.send("GET", f"/blueprints/{segment(identifier)}")
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    value = _accepted(answer, f"GET blueprint {identifier}")
    blueprint = value.get("blueprint")
    return blueprint if isinstance(blueprint, dict) else None


async def fetch_blueprints(port: PortClient) -> list[dict[str, Any]]:
    """All blueprints that Port has. Raises PortError and SendError."""
    value = _accepted(await port.send("GET", "/blueprints"), "GET blueprints")
    found = value.get("blueprints")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


async def create_blueprint(port: PortClient, blueprint: dict[str, Any]) -> None:
    """Create a blueprint, without a catalog page of its own. Raises PortError and SendError."""
    answer = await port.send("POST", "/blueprints", params=(("create_catalog_page", "false"),), body=blueprint)
    _accepted(answer, f"POST blueprint {blueprint['identifier']}")


async def change_blueprint(port: PortClient, identifier: str, sections: dict[str, Any]) -> None:
    """Replace top-level sections of a blueprint. Raises PortError and SendError."""
    answer = await port.send("PATCH", f"/blueprints/{segment(identifier)}", body=sections)
    _accepted(answer, f"PATCH blueprint {identifier}")


def _accepted(answer: Answer, place: str) -> dict[str, Any]:
    value = json_of(answer)
    if answer.is_success and isinstance(value, dict):
        return value
    message = f"Port answered {answer.status}: {message_of(answer)}"
    hint = (
        "compare it with Port's documentation on blueprints"
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
        else None
    )
    raise PortError(Problem("port-rejected", message, place, hint))
