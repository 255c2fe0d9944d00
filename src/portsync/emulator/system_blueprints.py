"""The blueprints every organisation has from the start: users and teams."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portsync.emulator.entity import Author, bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portsync.emulator.workspace import Session

# Port's guide on users and teams as blueprints; only the properties a sync may read are there.
_USER: Mapping[str, Any] = MappingProxyType(
    {
        "identifier": "_user",
        "title": "User",
        "icon": "User",
        "schema": {
            "properties": {
                "status": {
                    "title": "Status",
                    "type": "string",
                    "enum": ["Active", "Disabled", "Invited", "Staged"],
                },
                "port_role": {"title": "Port Role", "type": "string"},
                "port_type": {"title": "Port Type", "type": "string"},
            }
        },
    }
)
_TEAM: Mapping[str, Any] = MappingProxyType(
    {
        "identifier": "_team",
        "title": "Team",
        "icon": "Team",
        "schema": {"properties": {"description": {"title": "Description", "type": "string"}}},
    }
)


def establish(session: Session, users: Iterable[str], at: str) -> None:
    """Create what is missing of the system blueprints and of the users, each named by its e-mail address."""
    author = Author("port", "port", at)
    for body in (_USER, _TEAM):
        if session.blueprints.find(body["identifier"]) is None:
            session.catalog.create(body, author)
    wanted = list(dict.fromkeys(users))
    known = session.entities.present("_user", wanted)
    properties = {"status": "Active", "port_role": "Member", "port_type": "Standard"}
    session.entities.save(
        (
            replace(bare("_user", user, author), title=user, properties=properties)
            for user in wanted
            if user not in known
        ),
        {},
    )
