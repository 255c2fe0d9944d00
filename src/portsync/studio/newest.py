"""Of several pieces of work that follow each other, such as one for each keystroke, only the newest counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class SupersededError(Exception):
    """This means that newer work has begun, or that nobody wants the work any more."""


class Newest:
    """Gives up what it does when something newer comes."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives. Raises SupersededError when something newer was begun, or `give_up` was called."""
        self.give_up()
        task: asyncio.Task[T] = asyncio.create_task(work)
        self._task = task
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.cancelled():
            raise SupersededError
        return task.result()

    def give_up(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()

    @property
    def is_busy(self) -> bool:
        return self._task is not None and not self._task.done()
