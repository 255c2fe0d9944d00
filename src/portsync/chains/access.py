"""What reading the source needs, whatever is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.decode import decoded
from portsync.extract import Reading
from portsync.glance import glancing
from portsync.jq.variables import Context
from portsync.pieces import USUAL, PieceSizes, pieces
from portsync.transport.client import LARGEST_ANSWER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portsync.flow import Answer, RequestSpec
    from portsync.jq.pool import JqPool
    from portsync.mapping.requests import Request
    from portsync.plan import SourcePlan


@dataclass(frozen=True, slots=True)
class Access:
    """The source, and the means to read it."""

    source: SourcePlan
    send: Callable[[RequestSpec], Awaitable[Answer]]
    pool: JqPool
    clock: Callable[[], float]
    """Epoch seconds."""
    now: float
    """The run's instant, which expressions see."""
    context: Context = field(default_factory=Context)
    """What the lookups gave so far."""
    sizes: PieceSizes = USUAL
    """From which size on an answer is read in pieces."""

    def reading(self, request: Request, *, width: int = 1) -> Reading:
        """How the pages of `request` are fetched."""
        claims = (request.pagination or self.source.paginator).claims()
        return Reading(
            self.send,
            lambda answer: decoded(
                answer.body, answer.headers, request.decode, delimiter=request.csv_delimiter, largest=LARGEST_ANSWER
            ),
            lambda body: pieces(
                body, request.data_path, claims, piece_bytes=self.sizes.piece, smallest=self.sizes.smallest
            ),
            glancing(request.data_path, claims),
            self.clock,
            request.on_status,
            width,
        )
