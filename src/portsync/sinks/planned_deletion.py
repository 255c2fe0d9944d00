"""The deletion of a plan: says which entities Port would delete, and which it would keep for their dependents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.errors import PortError
from portsync.port.deletion import Deleted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portsync.flow import Json
    from portsync.port.holdings import Holdings

Relations = dict[str, "Json"]


class PlannedDeletion:
    """Answers as Port would, as far as what it holds can tell."""

    def __init__(
        self,
        holdings: Holdings,
        moved: Callable[[str, str], Relations | None],
        take: Callable[[str, str], None],
        *,
        with_dependents: bool,
    ) -> None:
        """`moved` gives the relations that an entity would have after the run, where the plan changes them; `take`
        gets blueprint and identifier of what would be deleted."""
        self._holdings = holdings
        self._moved = moved
        self._take = take
        self._with_dependents = with_dependents
        self._gone: set[tuple[str, str]] = set()
        self._pointing: dict[str, dict[str, list[str]]] = {}

    async def delete(self, blueprint: str, identifiers: Sequence[str]) -> Deleted:
        """What would become of the entities. Raises PortError."""
        needed = set() if self._with_dependents else await self._needed(blueprint, identifiers)
        gone = tuple(one for one in identifiers if one not in needed)
        for identifier in gone:
            self._gone.add((blueprint, identifier))
            self._take(blueprint, identifier)
        return Deleted(gone, tuple(one for one in identifiers if one in needed))

    async def _needed(self, blueprint: str, identifiers: Sequence[str]) -> set[str]:
        """Those that an entity which stays points to."""
        if blueprint not in self._pointing:
            self._pointing[blueprint] = await self._holdings.dependents(blueprint)
        needed: set[str] = set()
        for other, relations in self._pointing[blueprint].items():
            for relation in relations:
                try:
                    async for entity in self._holdings.pointing(other, relation, identifiers):
                        needed.update(self._targets(other, entity, relation))
                except PortError:
                    continue  # a Port that cannot be asked this says it when it is asked to delete
        return needed & set(identifiers)

    def _targets(self, blueprint: str, entity: Json, relation: str) -> list[str]:
        identifier = str(entity.get("identifier"))
        if (blueprint, identifier) in self._gone:
            return []
        held = entity.get("relations") or {}
        value = (self._moved(blueprint, identifier) or {}).get(relation, held.get(relation))
        return value if isinstance(value, list) else [value] if isinstance(value, str) else []
