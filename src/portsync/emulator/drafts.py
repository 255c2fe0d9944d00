"""An entity as a request sends it, before it meets its blueprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import not_supported
from portsync.emulator.identifiers import generated_identifier, is_entity_identifier
from portsync.emulator.request_schemas import ENTITY, PATCH_ENTITY, RequestSchema

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Draft:
    """What was sent. `sent` names the keys that were there, for a merge leaves the others alone."""

    identifier: str
    """Empty where a search is to find the entity."""
    sent: frozenset[str]
    title: str | None
    icon: str | None
    team: tuple[str, ...]
    properties: Mapping[str, Any]
    relations: Mapping[str, Any]
    search: Mapping[str, Any] | None = None


class DraftReader:
    """Reads drafts out of request bodies."""

    def __init__(self) -> None:
        self._entity = RequestSchema(ENTITY)
        self._patch = RequestSchema(PATCH_ENTITY)

    def read(self, item: Mapping[str, Any], *, root: str = "body") -> Draft:
        """The draft of a creation or upsert; ApiError 422 for what its request schema forbids."""
        if not _is_plain(item):
            self._entity.check(item, root=root)
        return _draft(item, _identifier(item))

    def read_patch(self, body: object, identifier: str) -> Draft:
        """The draft of a PATCH of a known entity; the same error for what that closed schema forbids."""
        item = self._patch.check(body)
        if item.get("identifier", identifier) != identifier:
            raise not_supported("Changing an entity's identifier")
        return _draft(item, identifier)


def _is_plain(item: Mapping[str, Any]) -> bool:
    """Whether the item certainly keeps the schema: the usual case, decided without the library."""
    identifier = item.get("identifier")
    return (
        type(identifier) is str
        and is_entity_identifier(identifier)
        and type(item.get("title", "")) is str
        and type(item.get("icon", "")) is str
        and type(item.get("team", "")) is str
        and type(item.get("properties", {})) is dict
        and type(item.get("relations", {})) is dict
    )


def _identifier(item: Mapping[str, Any]) -> str:
    identifier = item.get("identifier")
    if isinstance(identifier, dict):
        return ""
    return identifier if isinstance(identifier, str) else generated_identifier()


def _draft(item: Mapping[str, Any], identifier: str) -> Draft:
    team = item.get("team")
    if isinstance(team, dict):
        raise not_supported("A search query as team")
    return Draft(
        identifier=identifier,
        sent=frozenset(item),
        title=item.get("title"),
        icon=item.get("icon"),
        team=(team,) if isinstance(team, str) else tuple(team or ()),
        properties=item.get("properties", {}),
        relations=item.get("relations", {}),
        search=item["identifier"] if isinstance(item.get("identifier"), dict) else None,
    )
