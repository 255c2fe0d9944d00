"""What a run needs from outside, and what is asked of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.flow import End, Fetched, MappedPage, Spent
from portsync.integration import status_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from portsync.dead_letters import DeadLetters
    from portsync.errors import Problem
    from portsync.integration import Integration
    from portsync.jq.pool import JqPool
    from portsync.port.holdings import Holdings
    from portsync.recheck import Recheck
    from portsync.reconcile import Deletes, DeletionRule
    from portsync.report import Report, ResourceReport
    from portsync.sinks.base import Sink
    from portsync.state.catalog import Catalog
    from portsync.stop import Stop
    from portsync.sync_metrics import SyncMetrics
    from portsync.transport.client import Client


@dataclass(frozen=True)
class PortSide:
    """What a run may ask of Port, and have it delete."""

    holdings: Holdings
    deletes: Deletes
    give_up: Callable[[Problem], None] = lambda _: None
    """Lets nobody wait for Port any more: whoever does is told this problem."""
    renewed: Callable[[str], Awaitable[tuple[str, float]]] | None = None
    """A token in place of one that is of no use any more, and the seconds that it is good for."""
    left_alone: Callable[[str, Sequence[str]], set[str]] = lambda _blueprint, _identifiers: set()
    """Which of a blueprint's entities live events touched since the run began."""
    integration: Integration | None = None
    """Is told what a run does, for Port's page of data sources."""
    metrics: SyncMetrics | None = None
    """Is told how each resource goes, for the same page."""
    hand_in: Callable[[Report], Awaitable[None]] | None = None
    """Gives the report of the run to the local Port, where that is the one."""

    async def begin(self) -> None:
        """Tell Port that a run begins, where it is told anything."""
        if self.integration is not None:
            await self.integration.begin()
            if self.metrics is not None:
                await self.metrics.begin(self.integration.held)

    async def end(self, report: Report) -> None:
        """Tell Port how the run went."""
        telling = [] if self.integration is None else [self.integration.end(status_of(report.exit_code))]
        telling += [] if self.metrics is None else [self.metrics.end(report)]
        await asyncio.gather(*telling)
        if self.hand_in is not None:
            await self.hand_in(report)


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
    log: Any
    """Says which run and mapping it is."""
    letters: DeadLetters | None = None
    """Takes what did not make it."""
    grace_s: float = 10.0
    """What is under way when a stop is requested gets so many seconds to end."""

    def give_up(self, problem: Problem) -> None:
        """Let nobody wait for Port any more, where that is where entities go."""
        if self.into.port is not None:
            self.into.port.give_up(problem)

    def log_item(self, kind: str, item: Fetched[MappedPage] | End | Spent) -> None:
        """Log what reading a resource gave, and what it cost where that is more than usual."""
        page = item.page if isinstance(item, Fetched) else None
        spent = item if isinstance(item, Spent) else item.spent
        log = self.log.bind(kind=kind) if page is None else self.log.bind(kind=kind, page=page.number)
        if spent.retries:
            log.warning("request.retried", retries=spent.retries, waited_s=round(spent.waited_s, 3))
        if page is not None:
            log.debug("page.read", records=page.facts.records, entities=len(page.entities), failures=len(page.failures))


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
