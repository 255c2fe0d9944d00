"""What a run has on its way to Port just now, so that a live event of the same entity arrives after it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

T = TypeVar("T", bound="Hashable")


class UnderWay(Generic[T]):
    """Things on their way. Within one event loop, there is no moment between a look at it and an entry."""

    def __init__(self) -> None:
        self._counts: Counter[T] = Counter()
        self._changed = asyncio.Event()

    @contextmanager
    def with_these(self, things: Iterable[T]) -> Iterator[None]:
        """They are on their way for as long as the block lasts."""
        entered = tuple(things)
        self._counts.update(entered)
        try:
            yield
        finally:
            self._counts -= Counter(entered)
            self._changed.set()
            self._changed = asyncio.Event()

    async def without(self, things: Iterable[T]) -> None:
        """Return when none of them is on its way."""
        awaited = tuple(things)
        while any(thing in self._counts for thing in awaited):
            await self._changed.wait()
