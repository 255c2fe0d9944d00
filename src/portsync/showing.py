"""What Port's page of data sources shows of each resource, told beside the run: how it goes, and a few raw records of
its kind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from portsync.examples import first_records
from portsync.lanes import end

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType

    from portsync.chains.access import Access
    from portsync.chains.stream import Chain
    from portsync.flow import Json, Page
    from portsync.mapping.models import Resource
    from portsync.report import ResourceReport
    from portsync.sync_metrics import SyncMetrics

M = TypeVar("M")


class Examples(Protocol):
    """Takes raw records."""

    async def example(self, kind: str, records: Sequence[Json]) -> None:
        """Take the first of `records`, which are as the source gave them, as examples of `kind`."""
        ...


class Showing:
    """Looks at the first page of each kind as it goes by, and at the beginning and end of each resource, as far as
    somebody wants to know."""

    def __init__(self, examples: Examples | None, metrics: SyncMetrics | None, access: Access) -> None:
        self._examples = examples
        self._metrics = metrics
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
        if self._examples is None:
            return map_page

        async def mapped(page: Page) -> M:
            if resource.kind not in self._shown:
                self._shown.add(resource.kind)
                self._under_way.append(asyncio.create_task(self._show(resource, chain, page)))
            return await map_page(page)

        return mapped

    @property
    def wants_examples(self) -> bool:
        """Whether anybody takes raw records."""
        return self._examples is not None

    def take(self, kind: str, records: Sequence[Json]) -> None:
        """Show raw records that somebody else read."""
        if self._examples is not None and kind not in self._shown:
            self._shown.add(kind)
            self._under_way.append(asyncio.create_task(_given(self._examples, kind, records)))

    async def _show(self, resource: Resource, chain: Chain, page: Page) -> None:
        assert self._examples is not None
        path, access = resource.selector.data_path, self._access
        context = access.context.of([path])
        records = await first_records(
            page, path, access.pool, now=access.now, variables=chain.variables, context=context
        )
        await self._examples.example(resource.kind, records)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            await end(self._under_way)  # nobody waits for them any more
        else:
            await asyncio.gather(*self._under_way)


async def _given(examples: Examples, kind: str, records: Sequence[Json]) -> None:
    await examples.example(kind, records)
