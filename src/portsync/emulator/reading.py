"""Entities that were read, and how they are printed with their computed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from portsync.emulator.attached_titles import AttachedTitles
    from portsync.emulator.calculations.evaluation import Calculations
    from portsync.emulator.entity import Entity
    from portsync.emulator.printing import Printer


@dataclass(frozen=True, slots=True)
class Reading:
    """Some entities of one blueprint with what their transaction could tell. Calculations are evaluated behind it:
    nobody else waits for a program that may never end."""

    printer: Printer
    entities: Sequence[Entity]
    related: Sequence[Mapping[str, Any]]
    """The mirror and aggregation properties of each."""
    calculations: Calculations | None
    """None: computed values are not wanted."""
    names: Collection[str] | None = None
    """The calculations that are wanted; None: all."""
    titles: AttachedTitles | None = None
    """None: relations hold identifiers alone."""

    def printed(self) -> list[dict[str, Any]]:
        """The JSON of each entity."""
        printed = self._computed()
        return printed if self.titles is None else [self.titles.on(each) for each in printed]

    async def shown(self) -> list[dict[str, Any]]:
        """The same where other requests are served meanwhile."""
        if self.calculations is not None and self.calculations.may_wait:
            return await run_in_threadpool(self.printed)
        return self.printed()

    def _computed(self) -> list[dict[str, Any]]:
        if self.calculations is None:
            return [self.printer.print(entity) for entity in self.entities]
        printed = [
            self.printer.print(entity, values) for entity, values in zip(self.entities, self.related, strict=True)
        ]
        for each, values in zip(printed, self.calculations.values(printed, self.names), strict=True):
            each["properties"].update(values)
        return printed
