"""Port's integration object: what its page of data sources shows (Port's API reference, integrations).

Each request is tried once, whatever the status: nothing in a run depends on it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from portsync.port.client import accepted, segment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.port.client import PortClient

ResyncStatus = Literal["completed", "failed", "aborted"]
"""How a run ended, in Port's words."""

_SUBJECT = "integrations"
_NEVER: frozenset[int] = frozenset()
_NO_RESYNC = (("x-skip-resync", "true"),)
"""Without it, Port asks for a run whenever somebody writes a config: also for the run that wrote it."""


async def fetch_integration(port: PortClient, identifier: str) -> dict[str, Any] | None:
    """The integration as Port has it, or None. Raises PortError and SendError."""
    by = (("byField", "installationId"),)
    answer = await port.send("GET", f"/integration/{segment(identifier)}", params=by, retried=_NEVER)
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    integration = accepted(answer, f"GET integration {identifier}", _SUBJECT).get("integration")
    return integration if isinstance(integration, dict) else {}


async def create_integration(port: PortClient, integration: Mapping[str, Any]) -> dict[str, Any]:
    """Create an integration, and give it as Port has it. Raises PortError and SendError."""
    answer = await port.send("POST", "/integration", body=dict(integration), retried=_NEVER)
    created = accepted(answer, f"POST integration {integration['installationId']}", _SUBJECT).get("integration")
    return created if isinstance(created, dict) else {}


async def change_integration(port: PortClient, identifier: str, changes: Mapping[str, Any]) -> None:
    """Replace some of an integration's keys. Raises PortError and SendError."""
    path = f"/integration/{segment(identifier)}"
    answer = await port.send("PATCH", path, body=dict(changes), retried=_NEVER, headers=_NO_RESYNC)
    accepted(answer, f"PATCH integration {identifier}", _SUBJECT)


async def report_resync(port: PortClient, identifier: str, state: Mapping[str, Any]) -> None:
    """Say how a resync goes. Raises PortError and SendError."""
    path = f"/integration/{segment(identifier)}/resync-state"
    answer = await port.send("PATCH", path, body=dict(state), retried=_NEVER)
    accepted(answer, f"PATCH resync-state of integration {identifier}", _SUBJECT)


async def send_examples(port: PortClient, identifier: str, kind: str, examples: Sequence[Mapping[str, Any]]) -> None:
    """Give Port raw records of a kind, one to five. Raises PortError and SendError."""
    path = f"/integration/{segment(identifier)}/kinds/{segment(kind)}/examples"
    answer = await port.send("POST", path, body={"examples": list(examples)}, retried=_NEVER)
    accepted(answer, f"POST examples of {kind} of integration {identifier}", _SUBJECT)


async def fetch_resync_request(port: PortClient, identifier: str) -> str | None:
    """When somebody last asked on Port's page for a resync, as Port writes it; None for never. Raises PortError and
    SendError."""
    path = f"/integration/{segment(identifier)}/resync-request"
    answer = await port.send("GET", path, retried=_NEVER)
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    request = accepted(answer, f"GET resync-request of integration {identifier}", _SUBJECT).get("request")
    found = request.get("updatedAt") if isinstance(request, dict) else None
    return found if isinstance(found, str) else None
