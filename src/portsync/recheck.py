"""When what the state says is enough, and when Port itself is asked what it holds.

The state knows what was given to Port, not what others did to it since. So all is compared with Port once in a while,
and a blueprint is as soon as some of its entities are found to be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.errors import PortError, PortRefusedError

if TYPE_CHECKING:
    from portsync.port.holdings import Holdings
    from portsync.state.catalog import Catalog


class Recheck:
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
        self._is_new: dict[str, bool] = {}
        """Whether Port has nothing of a blueprint that was seen, so that there is nothing to compare."""
        self._is_doubtful: dict[str, bool] = {}
        """Whether Port lacks something that the state says it has."""

    async def begin(self, blueprint: str) -> None:
        """Look at Port for the first time for this blueprint: whether it has anything at all, or whether it still has
        what the state says, by some samples. Raises PortRefusedError."""
        if self._holdings is None or blueprint in self._is_new:
            return
        self._is_new[blueprint] = False
        try:
            if self.of_all:
                self._is_new[blueprint] = await self._holdings.is_empty(blueprint)
            else:
                samples = self._catalog.samples(blueprint)
                found = await self._holdings.find(blueprint, samples) if samples else {}
                self._is_doubtful[blueprint] = len(found) < len(samples)
        except PortRefusedError:
            raise
        except PortError:
            return  # a Port that takes entities but cannot be searched gets what is new all the same

    def known(self, blueprint: str) -> tuple[bool, bool]:
        """What `begin` found: whether the blueprint is new, and whether it is doubtful."""
        return self._is_new.get(blueprint, False), self._is_doubtful.get(blueprint, False)

    def begun(self, blueprint: str, known: tuple[bool, bool]) -> None:
        """Take over what somebody else's `begin` found."""
        self._is_new[blueprint], self._is_doubtful[blueprint] = known

    def is_whole(self) -> None:
        """Take to the records that every resource was read to its end."""
        if self.of_all:
            self._catalog.compared(self._now)

    def looks_at(self, blueprint: str) -> bool:
        """Whether the state is not enough for this blueprint."""
        return self.of_all or self._is_doubtful.get(blueprint, False)

    def is_due(self, blueprint: str) -> bool:
        """Whether its entities are compared with Port, and sent where they differ."""
        is_compared = self._holdings is not None and not self._is_full and not self._is_new.get(blueprint, False)
        return is_compared and self.looks_at(blueprint)

    def is_listed(self, blueprint: str) -> bool:
        """Whether Port may hold entities of ours that the state does not know."""
        return self.looks_at(blueprint) and not self._is_new.get(blueprint, False)
