"""What a run needs from outside, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from portsync.dead_letters import DeadLetters
    from portsync.errors import Problem
    from portsync.integration import Integration
    from portsync.jq.pool import JqPool
    from portsync.port.holdings import Holdings
    from portsync.recheck import Recheck
    from portsync.reconcile import Deletes, DeletionRule
    from portsync.report import ResourceReport
    from portsync.sinks.base import Sink
    from portsync.state.catalog import Catalog
    from portsync.stop import Stop
    from portsync.transport.client import Client


@dataclass(frozen=True)
class PortSide:
    """What a run may ask of Port, and have it delete."""

    holdings: Holdings
    deletes: Deletes
    integration: Integration | None = None
    """Is told what a run does, for Port's page of data sources."""
    give_up: Callable[[Problem], None] = lambda _: None
    """Lets nobody wait for Port any more: whoever does is told this problem."""
    left_alone: Callable[[str, Sequence[str]], set[str]] = lambda _blueprint, _identifiers: set()
    """Which of a blueprint's entities live events touched since the run began."""
    hand_in: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None
    """Gives the report of the run to the local Port, where that is the one."""


@dataclass(frozen=True)
class Destination:
    """Where entities go, and what is known of what is there."""

    sink: Sink
    port: PortSide | None
    """None where entities go elsewhere: then nothing is known of what is there, and nothing is deleted."""
    catalog: Catalog
    recheck: Recheck


@dataclass(frozen=True)
class Tools:
    """What a run needs from outside."""

    client: Client
    """Sends to the source."""
    pool: JqPool
    into: Destination
    stop: Stop
    clock: Callable[[], float]
    """Epoch seconds."""
    progress: Callable[[ResourceReport], None]
    """Is told of a resource's counts whenever they change."""
    patience_s: float
    """Longer than anything may take while a resource is read, in seconds: then the run hangs."""
    letters: DeadLetters | None = None
    """Takes what did not make it."""
    grace_s: float = 10.0
    """What is under way when a stop is requested gets so many seconds to end."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is asked of one run."""

    rule: DeletionRule
    kinds: frozenset[str] = frozenset()
    """Only resources of these kinds; all where it is empty."""
    is_strict: bool = False
    """Whether skipped resources and field errors make the run partial."""
    given_elsewhere: Callable[[str], bool] = lambda _: False
    """Whether another mapping gives entities of a blueprint under the same name."""
