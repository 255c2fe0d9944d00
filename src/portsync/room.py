"""How much may be under way at once: as much as goes well."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoomSize:
    """Places in a Room. Where all three are equal, it keeps its size."""

    first: int = 8
    """How many there are at the beginning."""
    least: int = 1
    most: int = 32

    def __post_init__(self) -> None:
        assert 1 <= self.least <= self.first <= self.most


class Room:
    """Places that are taken and given back. There is one more after as many good ends as there are places, and half
    as many after a bad one; until the first bad one, twice as many (as TCP finds out what a wire can carry: slow start,
    additive increase, multiplicative decrease).

    What was under way when it was halved had begun in the larger room, so its end says nothing of the smaller one.
    """

    def __init__(self, size: RoomSize) -> None:
        self._size = size
        self.places = size.first
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._good_ends = 0
        self._peak = 0
        """The most that were under way since the good ends are counted."""
        self._knows_trouble = False
        self._from_before = 0
        """How many more ends say nothing."""

    async def enter(self) -> None:
        """Take a place as soon as there is one, in the order of coming. Each call that returns has to be followed by a
        `leave`."""
        if self._under_way < self.places:  # so nobody is waiting either
            self._take()
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave(went_well=None)  # it was his turn already
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def leave(self, *, went_well: bool | None) -> None:
        """Give a place back; None where what was done in it says nothing of how much goes well."""
        self._under_way -= 1
        if self._from_before > 0:
            self._from_before -= 1
        elif went_well is False:
            self.places = max(self._size.least, self.places // 2)
            self._from_before = self._under_way
            self._knows_trouble = True
            self._count_anew()
        elif went_well:
            self._good_ends += 1
            if self._good_ends >= self.places:
                # A room that was never full has not shown that more would go well.
                if self._peak >= self.places:
                    self.places = min(self._size.most, self.places + (1 if self._knows_trouble else self.places))
                self._count_anew()
        while self._waiting and self._under_way < self.places:
            turn = self._waiting.popleft()
            if not turn.done():
                self._take()
                turn.set_result(None)

    def _take(self) -> None:
        self._under_way += 1
        self._peak = max(self._peak, self._under_way)

    def _count_anew(self) -> None:
        self._good_ends, self._peak = 0, self._under_way
