"""What every part of the naive reader needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.naive.faults import Fault
    from tests.conformance.naive.fetch import Wire
    from tests.conformance.naive.jq_text import Expressions


@dataclass(frozen=True)
class Kit:
    """One run's mapping, ways and faults."""

    mapping: Mapping[str, Any]
    wire: Wire
    expressions: Expressions
    faults: frozenset[Fault]

    def errs(self, fault: Fault) -> bool:
        """Whether to make this mistake."""
        return fault in self.faults
