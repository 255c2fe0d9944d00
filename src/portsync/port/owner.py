"""Who writes: what Port keeps of the user agent as an entity's `$datasource`, and finds it by."""

from __future__ import annotations

from dataclasses import dataclass

from portsync import __version__

PORTSYNC = "portsync"
OCEAN = "port-ocean"
"""The product of an Ocean integration, whose entities stay found when portsync takes its place."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One integration. Its entities are those whose `$datasource` begins with `prefix` and ends with `suffix`; the
    version between the two is left out, so that an upgrade loses none (the same four parts as Ocean's)."""

    product: str
    type: str
    identifier: str

    @property
    def user_agent(self) -> str:
        return f"{self.prefix}{__version__}{self.suffix}"

    @property
    def prefix(self) -> str:
        return f"{self.product}/{self.type}/"

    @property
    def suffix(self) -> str:
        return f"/{self.identifier}/exporter"
