"""JQ processes in simulated time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.simulation.clockwork import Places

if TYPE_CHECKING:
    from bench.simulation.clockwork import Clockwork, Process, Program
    from bench.simulation.costs import Costs

_COMPILING = 0.5
"""The share of what a JQ process takes to start that goes into its first run."""


class Jq:
    """The JQ processes of one loop of Python."""

    def __init__(self, clock: Clockwork, programs: list[Program]) -> None:
        self.programs = programs
        self.started = 0
        self._room = Places(clock, len(programs))
        self._idle: list[int] = []

    def run(self, costs: Costs, seconds: float) -> Process:
        """Let one of them compute for so long, as soon as one is free."""
        yield self._room.enter
        if self._idle:
            number = self._idle.pop()
        else:
            number, self.started = self.started, self.started + 1
            # The first one is started before it is needed; but its first run compiles the programs all the same.
            yield self.programs[number].use(costs.jq_start_s * (1.0 if number else _COMPILING))
        yield self.programs[number].use(seconds)
        self._idle.append(number)
        self._room.leave()
