"""The blueprints every organisation has from the start: users and teams."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portsync.emulator.entity import Author, Entity, bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portsync.emulator.workspace import Session

STATUSES = ("Active", "Disabled", "Invited", "Staged")
"""What Port says of a user's account."""

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
                    "enum": list(STATUSES),
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


@dataclass(frozen=True, slots=True)
class User:
    """A user of the organisation, named by the e-mail address, and the identifiers of its teams."""

    email: str
    title: str | None = None
    """The e-mail address where it is None."""
    status: str = "Active"
    """One of STATUSES."""
    teams: tuple[str, ...] = ()


def establish(session: Session, users: Iterable[User], at: str) -> None:
    """Create what is missing of the system blueprints, of the users and of their teams."""
    author = Author("port", "port", at)
    for body in (_USER, _TEAM):
        if session.blueprints.find(body["identifier"]) is None:
            session.catalog.create(body, author)
    wanted = {user.email: user for user in users}
    teams = {team: replace(bare("_team", team, author), title=team) for user in wanted.values() for team in user.teams}
    _save_missing(session, "_team", teams)
    _save_missing(session, "_user", {user.email: _entity(user, author) for user in wanted.values()})


def _save_missing(session: Session, blueprint: str, entities: Mapping[str, Entity]) -> None:
    known = session.entities.present(blueprint, list(entities))
    session.entities.save((entity for name, entity in entities.items() if name not in known), {})


def _entity(user: User, author: Author) -> Entity:
    properties = {"status": user.status, "port_role": "Member", "port_type": "Standard"}
    title = user.title or user.email
    return replace(bare("_user", user.email, author), title=title, team=user.teams, properties=properties)
