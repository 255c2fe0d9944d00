"""Who may have how many slices under way: as many as keep the workers busy, shared out evenly between mappings."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLICES_FOR_EACH = 2
"""A slice that is done, and one that waits at the same worker."""


class Slots:
    """Room for slices under way."""

    def __init__(self, width: Callable[[], int]) -> None:
        """`width` says how many slices can be done at once."""
        self._width = width
        self._taken: Counter[str] = Counter()
        self._freed = asyncio.Event()
        self._active: Counter[str] = Counter()

    @contextmanager
    def wanted(self, run: str) -> Iterator[None]:
        """A run that has slices to do, for as long as the block lasts."""
        self._active[run] += 1
        try:
            yield
        finally:
            self._active[run] -= 1
            self._active += Counter()  # drops those of which nothing is left, as runs come and go
            self._freed.set()

    async def take(self, run: str) -> None:
        """Wait for room, and take it; each call has to be followed by a `give`."""
        while self._taken[run] >= self._share():
            self._freed.clear()
            await self._freed.wait()
        self._taken[run] += 1

    def give(self, run: str) -> None:
        """Give room back."""
        self._taken[run] -= 1
        self._taken += Counter()
        self._freed.set()

    def _share(self) -> int:
        return max(1, self._width() * SLICES_FOR_EACH // max(1, len(self._active)))
