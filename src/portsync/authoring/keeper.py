"""Answers that are kept, and which of them a request gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.authoring.asked import Seen, seen
from portsync.transport.exchange import KeptAnswers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.authoring.asked import Asked


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and the requests that it is for."""

    asked: Asked | None
    """None: for whichever request comes next."""
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass
class Keeper:
    """Gives each request the first answer that is for it and was not given yet. When none is left,
    one whose request is described is given again: of those that are for the same requests as the first, the last."""

    answers: Sequence[Kept]
    base_url: str
    requests: list[Seen] = field(default_factory=list)
    """Those that were answered, in their order."""
    missed: list[Seen] = field(default_factory=list)
    """Those that nothing was kept for."""
    _given: set[int] = field(default_factory=set)

    def answer_to(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, Sequence[tuple[str, str]], bytes] | None:
        request = seen(method, url, headers, content, self.base_url)
        fitting = [i for i, kept in enumerate(self.answers) if kept.asked is None or not kept.asked.faults(request)]
        fresh = [index for index in fitting if index not in self._given]
        first = None if not fitting else self.answers[fitting[0]].asked
        again = [] if first is None else [index for index in fitting if self.answers[index].asked == first]
        if not (chosen := fresh[:1] or again[-1:]):
            self.missed.append(request)
            return None
        self._given.add(chosen[0])
        self.requests.append(request)
        kept = self.answers[chosen[0]]
        return kept.status, kept.headers, kept.body

    def wire(self) -> KeptAnswers:
        """What stands in place of the network."""
        return KeptAnswers(self.answer_to)

    @property
    def unused(self) -> list[int]:
        """The indexes of the answers that no request got."""
        return [index for index in range(len(self.answers)) if index not in self._given]
