"""When what the state says is enough, and when Port itself is asked what it holds.

The state knows what was given to Port, not what others did to it since. So all is compared with Port once in a while,
and a blueprint is as soon as some of its entities are found to be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portsync.port.holdings import Holdings
    from portsync.state.catalog import Catalog

NEVER = float("inf")


class Comparison:
    """Whose entities are compared with Port in this run."""

    def __init__(
        self, catalog: Catalog, holdings: Holdings | None, *, now: float, every_s: float, is_full: bool = False
    ) -> None:
        """`every_s`: seconds after which all are compared again. Where `is_full`, all is sent instead."""
        self._catalog = catalog
        self._holdings = holdings
        self._is_full = is_full
        at = catalog.compared_at
        self._now = now
        self.of_all = is_full or at is None or now - at >= every_s
        """Whether this run looks at all of what Port holds."""
        self._begun: dict[str, bool] = {}

    async def begin(self, blueprint: str) -> None:
        """Find out whether Port still has what the state says, by some samples. Raises PortError."""
        if blueprint in self._begun or self.of_all or self._holdings is None:
            return
        samples = self._catalog.samples(blueprint)
        found = await self._holdings.find(blueprint, samples) if samples else {}
        self._begun[blueprint] = len(found) < len(samples)

    def is_whole(self) -> None:
        """Take to the records that every resource was read to its end."""
        if self.of_all:
            self._catalog.compared(self._now)

    def looks_at(self, blueprint: str) -> bool:
        """Whether the state is not enough for this blueprint."""
        return self.of_all or self._begun.get(blueprint, False)

    def is_due(self, blueprint: str) -> bool:
        """Whether its entities are compared with Port, and sent where they differ."""
        return self._holdings is not None and not self._is_full and self.looks_at(blueprint)
