"""The lists of people, keys and workspaces, and the organisation itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.demo.admin.paging import list_page
from portsync.demo.books import has_left
from portsync.demo.organization import DEFAULT_WORKSPACE_ID, ORGANIZATION_ID, ORGANIZATION_NAME, WORKSPACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.demo.admin.parameters import Parameters
    from portsync.demo.books import Books
    from portsync.demo.organization import SampleKey, SampleWorkspace
    from portsync.demo.users import SampleUser

_PAGING = {"limit", "after_id", "before_id"}
USERS_KNOWN = {*_PAGING, "email", "roles[]"}
KEYS_KNOWN = {*_PAGING, "status", "workspace_id", "created_by_user_id"}
WORKSPACES_KNOWN = {*_PAGING, "include_archived"}
_ADDED = "2026-01-05T09:00:00.000000Z"


def organization() -> dict[str, Any]:
    """`GET /v1/organizations/me`."""
    return {"id": ORGANIZATION_ID, "type": "organization", "name": ORGANIZATION_NAME}


def users(books: Books, parameters: Parameters) -> dict[str, Any]:
    """`GET /v1/organizations/users`: those who are still there. Raises InvalidRequestError."""
    email, roles = parameters.text("email"), parameters.several("roles[]")
    items = [_user(user, "admin" if number == 0 else "developer") for number, user in enumerate(books.users)]
    gone = {user.user_id for user in books.users if has_left(user)}
    found = [
        item
        for item in items
        if item["id"] not in gone and email in (None, item["email"]) and (not roles or item["role"] in roles)
    ]
    return list_page(found, parameters)


def api_keys(books: Books, parameters: Parameters) -> dict[str, Any]:
    """`GET /v1/organizations/api_keys`. Raises InvalidRequestError."""
    status, workspace = parameters.text("status"), parameters.text("workspace_id")
    creator = parameters.text("created_by_user_id")
    found = [
        item
        for item in (_key(key, books.users) for key in books.keys)
        if status in (None, item["status"])
        and workspace in (None, item["scope"]["workspace_id"])
        and creator in (None, item["created_by"] and item["created_by"]["id"])
    ]
    return list_page(found, parameters)


def workspaces(parameters: Parameters) -> dict[str, Any]:
    """`GET /v1/organizations/workspaces`: all but the default one; none is archived. Raises InvalidRequestError."""
    return list_page([_workspace(workspace) for workspace in WORKSPACES], parameters)


def _user(user: SampleUser, role: str) -> dict[str, Any]:
    name = user.email.partition("@")[0].replace(".", " ").title()
    return {
        "id": user.user_id,
        "type": "user",
        "email": user.email,
        "name": name,
        "role": role,
        "added_at": _ADDED,
    }


def _key(key: SampleKey, people: Sequence[SampleUser]) -> dict[str, Any]:
    home = key.workspace.workspace_id if key.workspace else None
    return {
        "id": key.key_id,
        "type": "api_key",
        "name": key.name,
        "status": "active",
        "created_at": _ADDED,
        "created_by": {"id": people[0].user_id, "type": "user"} if people else None,
        "expires_at": None,
        "partial_key_hint": f"sk-ant-api03-{key.key_id[9:12]}...{key.key_id[-2:]}",
        "principal": None,
        "scope": {"type": "workspace", "workspace_id": home or DEFAULT_WORKSPACE_ID},
        "workspace_id": home,
    }


def _workspace(workspace: SampleWorkspace) -> dict[str, Any]:
    return {
        "id": workspace.workspace_id,
        "type": "workspace",
        "name": workspace.name,
        "created_at": _ADDED,
        "archived_at": None,
        "display_color": "#3F7D58",
    }
