"""What a command runs in: its settings, what it takes from its process, and with whom it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portsync.auth.fetched import Elsewhere
    from portsync.logs import Redactor
    from portsync.runtime import Runtime
    from portsync.settings import Settings
    from portsync.transport.exchange import Exchange, KeptAnswers
    from portsync.transport.limiter import AnyGate, Budget


@dataclass(frozen=True, slots=True)
class SourceWire:
    """What stands between a run and its source."""

    kept: KeptAnswers | None = None
    """Answers in place of the network's."""
    taken: Callable[[Exchange], None] | None = None
    """Is told of every exchange with the source."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What those who do a run together have in common."""

    gate_of: Callable[[str, float, int | None, Budget | None], AnyGate]
    """The gate of a server: its name, and for how many seconds anybody waits there because the server asks for it."""
    port_token: Callable[[str], Awaitable[tuple[str, float]]] | None = None
    """Signs in to Port for all; None for whoever does it."""
    source_token: Elsewhere | None = None
    """Makes the token calls of the source for all; None for whoever does it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command runs in."""

    settings: Settings
    runtime: Runtime
    redactor: Redactor
    wire: SourceWire = SourceWire()
    sharing: Sharing | None = None
    """With whom a run is done."""
