"""What a run would change in Port, taken down one by one, on disk."""

from __future__ import annotations

import tempfile
from collections import Counter
from typing import TYPE_CHECKING, Self

import orjson

from portsync.flow import Fate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from portsync.flow import Json
    from portsync.sinks.planned import Planned

CREATE, UPDATE, DELETE = "create", "update", "delete"
_ACTIONS = {Fate.CREATED: CREATE, Fate.UPDATED: UPDATE}


class PlannedChanges:
    """The changes of a plan: counted, and kept as lines of JSON."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the plan
        self.counts: dict[str, Counter[str]] = {}
        """By blueprint and action."""

    def write(self, planned: Planned) -> None:
        """Take down what would become of an entity that is sent."""
        entity = planned.entity
        differences = [{"name": d.name, "old": d.old, "new": d.new} for d in planned.differences]
        self._add(_ACTIONS[planned.fate], entity.blueprint, entity.identifier, differences)

    def delete(self, blueprint: str, identifier: str) -> None:
        """Take down what would be deleted."""
        self._add(DELETE, blueprint, identifier, [])

    def _add(self, action: str, blueprint: str, identifier: str, differences: list[Json]) -> None:
        self.counts.setdefault(blueprint, Counter())[action] += 1
        line = {"action": action, "blueprint": blueprint, "identifier": identifier, "differences": differences}
        self._file.write(orjson.dumps(line, default=str) + b"\n")

    def read(self) -> Iterator[dict[str, Json]]:
        """All of them, in the order in which they came."""
        self._file.seek(0)
        for line in self._file:
            yield orjson.loads(line)

    @property
    def total(self) -> int:
        return sum(counts.total() for counts in self.counts.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
