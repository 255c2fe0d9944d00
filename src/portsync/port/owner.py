"""By which name Port knows what is ours (Port's API reference, `$datasource`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync import __version__

if TYPE_CHECKING:
    from portsync.settings import Settings

_PORTSYNC = "portsync"
_OCEAN = "port-ocean"
"""The product of an Ocean integration, whose entities stay found when portsync takes its place."""


@dataclass(frozen=True, slots=True)
class Owner:
    """An integration, as the user agent of its writes names it; Port keeps that as the entity's `$datasource`."""

    product: str
    type: str
    identifier: str

    @property
    def user_agent(self) -> str:
        """The same four parts as Ocean's."""
        return f"{self.prefix}{__version__}{self.suffix}"

    @property
    def prefix(self) -> str:
        """What the data source of each of its entities begins with, whatever version wrote it."""
        return f"{self.product}/{self.type}/"

    @property
    def suffix(self) -> str:
        """What it ends with."""
        return f"/{self.identifier}/exporter"


def owner_of(settings: Settings, name: str) -> Owner:
    """Who we are for a mapping of this name. Without portsync's own variable, Ocean's names an integration of Ocean's,
    which is taken over: what it wrote stays ours."""
    if settings.own_identifier is not None:
        return Owner(_PORTSYNC, settings.type, settings.own_identifier)
    if settings.ocean_identifier is not None:
        return Owner(_OCEAN, settings.type, settings.ocean_identifier)
    return Owner(_PORTSYNC, settings.type, default_identifier(name))


def default_identifier(name: str) -> str:
    """The integration's identifier for a mapping file of this name, in characters that a user agent may have."""
    return f"portsync-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}"
