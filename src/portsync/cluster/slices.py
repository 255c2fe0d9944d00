"""The pieces that a run is cut into, and what comes back of each. They are small: records never travel with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from portsync.errors import PortSyncError
    from portsync.flow import Fate
    from portsync.jq.variables import Variables
    from portsync.report.resource import ReportPart


@dataclass(frozen=True, slots=True)
class Slice:
    """Some request chains of one resource, for one worker."""

    run: str
    number: int
    """Counts the slices of a run."""
    resource: int
    """The index of the resource."""
    places: tuple[Variables, ...]
    """Of its chains."""
    unread: frozenset[int]
    """The resources of which more may come in this run."""
    awaited: frozenset[str]
    """The blueprints of which entities wait at the coordinator."""
    known: Mapping[str, tuple[bool, bool]]
    """Of each blueprint what `Recheck.known` says."""
    shows: bool = False
    """Whether raw records of it are to be shown in Port."""

    def __repr__(self) -> str:
        # The parameters of paths are the user's data: a scheduler's logs are no place for them.
        return f"Slice({self.run} {self.number})"


@dataclass(frozen=True, slots=True)
class SliceResult:
    """What became of a slice."""

    part: ReportPart
    """What it adds to the report of its resource."""
    fates: Mapping[str, Counter[Fate]] = field(default_factory=dict)
    """What became of the entities of each blueprint."""
    down: PortSyncError | None = None
    """Why nothing more could be written."""
    is_whole: bool = True
    """Whether all chains came to their end, well or not."""
    took_s: float = 0.0
    attempt: int = 1


class SliceLostError(Exception):
    """This means that nobody could be found who does a slice; its text says why."""
