"""Runs of mappings, one after the other: what `sync`, `plan` and `demo` have in common."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from portsync.auth import TokenStore
from portsync.cli.progress import SyncProgress
from portsync.running import MappingRun
from portsync.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from portsync.mapping.source import RateLimit
    from portsync.report import Report, ResourceReport
    from portsync.running import Loaded, Order
    from portsync.wiring import Surroundings


async def run(loaded: Sequence[Loaded], around: Surroundings, order: Order) -> list[Report]:
    """Run each mapping in turn; one that Port cannot be reached for has a report that says so."""
    stop = Stop()
    # One for all mappings: what a server gave in place of a token counts for all that name the token.
    store = TokenStore(around.settings.token_folder)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request, number)
    reports: list[Report] = []
    for mapping, source in loaded:
        if stop.is_requested and reports:
            break
        others = tuple(other for other, _ in loaded if other is not mapping)
        one = MappingRun(mapping, source, around, order, stop, store, others, _shown)
        reports.append(await one.run())
    return reports


@contextmanager
def _shown(rate_limit: RateLimit | None) -> Iterator[Callable[[ResourceReport], None]]:
    with SyncProgress(rate_limit) as progress:
        yield progress.show
