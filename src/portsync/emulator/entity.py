"""An entity as the local Port holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and when. Port takes the User-Agent of the request as the datasource."""

    name: str
    datasource: str
    at: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A stored entity. Properties and relations hold no nulls: a cleared value is an absent one."""

    blueprint: str
    identifier: str
    title: str | None
    icon: str | None
    team: tuple[str, ...]
    properties: Mapping[str, Any]
    relations: Mapping[str, str | list[str]]
    datasource: str
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str

    @property
    def key(self) -> tuple[str, str]:
        return self.blueprint, self.identifier


def bare(blueprint: str, identifier: str, author: Author) -> Entity:
    """An entity with nothing but its identifier, as made for a missing relation target."""
    return Entity(
        blueprint=blueprint,
        identifier=identifier,
        title=None,
        icon=None,
        team=(),
        properties={},
        relations={},
        datasource=author.datasource,
        created_at=author.at,
        created_by=author.name,
        updated_at=author.at,
        updated_by=author.name,
    )
