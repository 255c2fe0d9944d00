"""What becomes of a resource in the hands of the naive reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.conformance.case import COMPLETE, SKIPPED, incomplete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conformance.naive.ending import Gone

_MILD = (COMPLETE, SKIPPED)
_UNUSABLE = {incomplete(reason) for reason in ("connection", "timeout", "unreachable")}


@dataclass
class Resource:
    """One resource, while it is read."""

    verdict: str = COMPLETE
    read: int = 0
    pages: int = 0
    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    refused: bool = False
    records: list[Any] = field(default_factory=list)
    """As they came, for other resources."""

    @property
    def is_mild(self) -> bool:
        return self.verdict in _MILD

    @property
    def was_unusable(self) -> bool:
        """Whether the source could not be used for it at all."""
        return not self.pages and (self.refused or self.verdict in _UNUSABLE)

    def worsen(self, verdict: str) -> None:
        """Take a chain's verdict, if it is worse than those before."""
        if _badness(verdict) > _badness(self.verdict):
            self.verdict = verdict

    def end(self, gone: Gone, place: str = "") -> None:
        self.worsen(incomplete(gone.reason))
        self.refused = self.refused or gone.code in ("source-refused", "token-refused")
        self.problems.append((gone.code, f"{gone.text} {place}"))


def _badness(verdict: str) -> int:
    return _MILD.index(verdict) if verdict in _MILD else len(_MILD)


def exit_code(resources: Sequence[Resource]) -> int:
    if all(resource.was_unusable for resource in resources):
        return 3
    return 0 if all(resource.is_mild for resource in resources) else 1
