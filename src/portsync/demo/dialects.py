"""The dialects of the sample source, each with the mapping that speaks it and the dashboard that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portsync.demo.admin.holdings import Generation, holdings
from portsync.demo.admin.source import create_admin_source
from portsync.demo.books import Books
from portsync.demo.records import record_counts
from portsync.demo.source import create_source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from starlette.applications import Starlette

    from portsync.demo.users import SampleUser


class Dialect(StrEnum):
    """How the sample source tells of its days."""

    DOCUMENT = "document"
    ADMIN = "admin"
    ANALYTICS = "analytics"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What belongs to a dialect."""

    dialect: Dialect
    mapping: str
    """The file in `mappings/`."""
    dashboard: str
    """The file in `dashboards/`."""
    variable: str
    """Which variable of the mapping the source's key goes into."""
    without_users: int
    per_user: int
    """What makes entities in 30 days, about: not everybody works every day."""

    def users_for(self, entities: int) -> int:
        """With how many users a source holds about so many entities."""
        return max(1, round((entities - self.without_users) / self.per_user))

    def source(self, *, key: str, today: date, users: Sequence[SampleUser]) -> Starlette:
        """The sample source in this dialect, for those who send `key`."""
        if self.dialect is Dialect.DOCUMENT:
            return create_source(token=key, today=today, users=users)
        return create_admin_source(key=key, books=Books(today=today, users=users))

    def entities(self, *, today: date, users: Sequence[SampleUser]) -> int:
        """How many entities the mapping has to make of that source, exactly."""
        if self.dialect is Dialect.DOCUMENT:
            return sum(record_counts(today=today, users=users).values())
        held = holdings(Books(today=today, users=users), Generation(self.dialect))
        return sum(map(len, held.values()))


SPOKEN = {
    spoken.dialect: spoken
    for spoken in (
        Spoken(Dialect.DOCUMENT, "claude.yaml", "claude.json", "ANTHROPIC_API_KEY", 173, 21),
        Spoken(Dialect.ADMIN, "claude-admin.yaml", "claude-admin.json", "ANTHROPIC_ADMIN_KEY", 173, 17),
        Spoken(Dialect.ANALYTICS, "claude-analytics.yaml", "claude-analytics.json", "ANTHROPIC_ADMIN_KEY", 350, 17),
    )
}
