"""What Port's page of data sources shows of each resource, told beside the run: how it goes, and a few raw records of
its kind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self, TypeVar

from portsync.examples import first_records
from portsync.lanes import end

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from portsync.chains.access import Access
    from portsync.chains.stream import Chain
    from portsync.flow import Page
    from portsync.mapping.models import Resource
    from portsync.report import ResourceReport
    from portsync.tools import PortSide

M = TypeVar("M")


class Showing:
    """Looks at the first page of each kind as it goes by, and at the beginning and end of each resource. Without an
    integration it looks at nothing."""

    def __init__(self, port: PortSide | None, access: Access) -> None:
        self._integration = None if port is None else port.integration
        self._metrics = None if port is None else port.metrics
        self._access = access
        self._shown: set[str] = set()
        self._under_way: list[asyncio.Task[None]] = []

    def told(self, report: ResourceReport, *, has_ended: bool) -> None:
        """Say that a resource has begun, or ended, as its report has it."""
        if self._metrics is not None:
            self._metrics.note(report, has_ended=has_ended)

    def watched(
        self, resource: Resource, chain: Chain, map_page: Callable[[Page], Awaitable[M]]
    ) -> Callable[[Page], Awaitable[M]]:
        """`map_page`, with a look at the kind's first page."""
        if self._integration is None:
            return map_page

        async def mapped(page: Page) -> M:
            if resource.kind not in self._shown:
                self._shown.add(resource.kind)
                self._under_way.append(asyncio.create_task(self._show(resource, chain, page)))
            return await map_page(page)

        return mapped

    async def _show(self, resource: Resource, chain: Chain, page: Page) -> None:
        assert self._integration is not None
        path, access = resource.selector.data_path, self._access
        context = access.context.of([path])
        records = await first_records(
            page, path, access.pool, now=access.now, variables=chain.variables, context=context
        )
        await self._integration.example(resource.kind, records)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            await end(self._under_way)  # nobody waits for them any more
        else:
            await asyncio.gather(*self._under_way)
