"""Runs of mappings, one after the other or over a cluster: what `sync`, `plan` and `demo` have in common."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.auth import TokenStore
from portsync.cli.progress import SyncProgress
from portsync.cluster.executor import Clustered
from portsync.cluster.sharing import of_coordinator
from portsync.cluster.slots import Slots
from portsync.port.owner import owner_of
from portsync.running import MappingRun
from portsync.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from portsync.cluster.cluster import Cluster
    from portsync.mapping.source import RateLimit
    from portsync.port.owner import Owner
    from portsync.report import Report, ResourceReport
    from portsync.running import Loaded, Order
    from portsync.surroundings import Surroundings

_RUNS_AT_ONCE = 16
"""More mappings than these do not run at once on a cluster: each has a connection to the database, and to Port."""


async def run(
    loaded: Sequence[Loaded],
    around: Surroundings,
    order: Order,
    opened: AbstractAsyncContextManager[Cluster] | None = None,
) -> list[Report]:
    """Run each mapping: in turn, or several at once where `opened` gives a cluster. One that Port cannot be reached for
    has a report that says so. Raises ConfigError where there is no such cluster, and StoppedError where it was not
    there yet."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request, number)
    if opened is None:
        return await _in_turn(_runs(loaded, around, order, stop), stop)
    async with AsyncExitStack() as stack:
        cluster = await stop.race(stack.enter_async_context(opened))
        sharing = await stack.enter_async_context(of_coordinator(cluster.line))
        shared = replace(around, sharing=sharing)
        clustered = Clustered(cluster, Slots(lambda: cluster.width))
        return await _at_once(_runs(loaded, shared, order, stop, clustered), stop)


def _runs(
    loaded: Sequence[Loaded], around: Surroundings, order: Order, stop: Stop, clustered: Clustered | None = None
) -> list[MappingRun]:
    # One for all mappings: what a server gave in place of a token counts for all that name the token.
    store = TokenStore(around.settings.token_folder)
    shown = _shown if clustered is None or len(loaded) == 1 else lambda _: nullcontext(lambda _: None)
    return [
        MappingRun(
            mapping,
            source,
            around,
            order,
            stop,
            store,
            tuple(other for other, _ in loaded if other is not mapping),
            shown,
            clustered=clustered,
        )
        for mapping, source in loaded
    ]


async def _in_turn(runs: Sequence[MappingRun], stop: Stop) -> list[Report]:
    reports: list[Report] = []
    for one in runs:
        if stop.is_requested and reports:
            break
        reports.append(await one.run())
    return reports


async def _at_once(runs: Sequence[MappingRun], stop: Stop) -> list[Report]:
    room = asyncio.Semaphore(_RUNS_AT_ONCE)
    # Those who write as the same integration share its state, which one run at a time may have.
    turns: defaultdict[Owner, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def one(run: MappingRun) -> Report | None:
        async with turns[owner_of(run.around.settings, run.mapping.name)], room:
            return None if stop.is_requested and run is not runs[0] else await run.run()

    found = await asyncio.gather(*map(one, runs))
    return [report for report in found if report is not None]


@contextmanager
def _shown(rate_limit: RateLimit | None) -> Iterator[Callable[[ResourceReport], None]]:
    with SyncProgress(rate_limit) as progress:
        yield progress.show
