"""Port's pages: read, create, change (Port's API reference, pages; its routes that write are in beta)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.port.client import accepted, segment

if TYPE_CHECKING:
    from portsync.flow import Answer
    from portsync.port.client import PortClient

CHANGEABLE = frozenset(
    {
        "identifier", "blueprint", "title", "description", "icon", "parent", "after", "locked", "widgets",
        "showInSidebar", "section",
    }
)  # fmt: skip
"""What a change of a page may hold; Port answers 422 to any other key."""
SUBJECT = "pages"


async def fetch_page(port: PortClient, identifier: str) -> dict[str, Any] | None:
    """The page as Port has it, or None. Raises PortError and SendError."""
    answer = await port.send("GET", f"/pages/{segment(identifier)}")
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    page = accepted(answer, f"GET page {identifier}", SUBJECT).get("page")
    return page if isinstance(page, dict) else None


async def create_page(port: PortClient, page: dict[str, Any]) -> Answer:
    """What Port answers to a new page. Raises PortError and SendError."""
    return await port.send("POST", "/pages", body=page)


async def change_page(port: PortClient, identifier: str, sections: dict[str, Any]) -> Answer:
    """What Port answers to new values of some of a page's keys. Raises PortError and SendError."""
    return await port.send("PATCH", f"/pages/{segment(identifier)}", body=sections)
