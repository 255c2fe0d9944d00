"""Simulated time, and what is waited for in it.

A process is a generator. It yields seconds to wait for, or a wait that one of the classes here has made, and goes on
when that is over. Whatever happens at one moment happens in the order in which it was begun, so that a simulation gives
the same every time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from heapq import heappop, heappush
from itertools import count

Step = Callable[[], None]
Wait = Callable[[Step], None]
"""Takes what is to be called when it is over."""
Process = Generator[float | Wait, None, None]


class Clockwork:
    """Runs processes until nothing is left to happen."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events = 0
        self._due: list[tuple[float, int, Step]] = []
        self._count = count()

    def start(self, process: Process) -> None:
        """Begin a process now."""

        def step() -> None:
            for wanted in process:
                if isinstance(wanted, float):
                    self.after(wanted, step)
                else:
                    wanted(step)
                return

        step()

    def after(self, seconds: float, step: Step) -> None:
        """Call `step` in so many seconds."""
        heappush(self._due, (self.now + seconds, next(self._count), step))

    def run(self) -> None:
        """Let everything happen."""
        due = self._due
        while due:
            self.now, _, step = heappop(due)
            self.events += 1
            step()


class Signal:
    """Something that happens once."""

    def __init__(self) -> None:
        self.has_happened = False
        self._waiting: list[Step] = []

    def happen(self) -> None:
        self.has_happened = True
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            step()

    def wait(self, step: Step) -> None:
        """A wait, to be yielded."""
        if self.has_happened:
            step()
        else:
            self._waiting.append(step)


class Places:
    """So many at once, the others in the order in which they came."""

    def __init__(self, clock: Clockwork, places: float) -> None:
        self._clock = clock
        self.places = places
        self.taken = 0
        self.peak = 0
        self.busy_s = 0.0
        """Seconds of all places together that `use` took."""
        self._waiting: deque[Step] = deque()

    def enter(self, step: Step) -> None:
        """A wait, to be yielded; each is to be followed by a `leave`."""
        if self.taken < self.places:
            self._take()
            step()
        else:
            self._waiting.append(step)

    def leave(self) -> None:
        self.taken -= 1
        while self._waiting and self.taken < self.places:
            self._take()
            self._clock.after(0.0, self._waiting.popleft())

    def use(self, seconds: float) -> Wait:
        """A wait that takes a place for so long."""

        def end(step: Step) -> None:
            self.leave()
            step()

        def begin(step: Step) -> None:
            self.busy_s += seconds
            self._clock.after(seconds, partial(end, step))

        return lambda step: self.enter(partial(begin, step))

    def _take(self) -> None:
        self.taken += 1
        self.peak = max(self.peak, self.taken)


_TURN_S = 0.003
"""So long a program computes before another one gets the core, where there are more programs than cores (Linux:
`base_slice_ns`, 2.8 ms on a machine of two to three cores)."""


class Machine:
    """Cores that programs share in turns; one that has slept comes before those that compute."""

    def __init__(self, clock: Clockwork, cores: float, grain: int = 1) -> None:
        """Where a computation stands for `grain` of them, so does a turn."""
        self._clock = clock
        self._cores = cores
        self._free = cores
        self._slowness = 1.0
        """How much longer everything takes because of what is always there."""
        self._turn_s = _TURN_S * grain if cores < math.inf else math.inf
        self._ready: deque[tuple[float, Step]] = deque()

    def keep_busy(self, share: float) -> None:
        """Let something take this share of a core, for as long as others compute."""
        self._slowness *= 1 / (1 - share / self._cores)

    def compute(self, seconds: float, step: Step) -> None:
        """Call `step` when so much was computed."""
        self._ready.appendleft((seconds * self._slowness, step))
        self._give()

    def _give(self) -> None:
        while self._free and self._ready:
            self._free -= 1
            seconds, step = self._ready.popleft()
            self._clock.after(min(self._turn_s, seconds), partial(self._turn_over, seconds - self._turn_s, step))

    def _turn_over(self, left_s: float, step: Step) -> None:
        self._free += 1
        if left_s > 0:
            self._ready.append((left_s, step))
        else:
            step()
        self._give()


class Program:
    """A process of one thread on a machine: it does one thing after the other."""

    def __init__(self, clock: Clockwork, machine: Machine) -> None:
        self._machine = machine
        self._turn = Places(clock, 1)
        self.busy_s = 0.0

    def use(self, seconds: float) -> Wait:
        """A wait for so much computing."""
        self.busy_s += seconds

        def computed(step: Step) -> None:
            self._turn.leave()
            step()

        return lambda step: self._turn.enter(partial(self._machine.compute, seconds, partial(computed, step)))

    def stand_still(self, wait: Wait) -> Wait:
        """A wait during which the program does nothing else."""

        def over(step: Step) -> None:
            self._turn.leave()
            step()

        return lambda step: self._turn.enter(partial(wait, partial(over, step)))


_MOMENT_S = 1e-9
"""Sums of seconds are not exact."""


class Limit:
    """No more than `most` in any span of `per` seconds, or in each window of that length."""

    def __init__(
        self, clock: Clockwork, most: float, per: float, *, in_windows: bool = False, lag_s: float = 0
    ) -> None:
        """With `in_windows` all of a window may be used up at once; the next one begins with the first that comes
        after it, and it takes `lag_s` until that is known to have begun."""
        self._clock = clock
        self._most = most
        self._per = per + lag_s if in_windows else per
        self._in_windows = in_windows
        self._window_ends = -math.inf
        self._left = most
        self._begun: deque[tuple[float, int]] = deque()
        """When they count no more, and how many they are."""
        self._counted = 0
        self._waiting: deque[tuple[int, Step]] = deque()
        self._is_asleep = False

    def enter(self, weight: int = 1) -> Wait:
        """A wait until `weight` more may begin."""

        def begin(step: Step) -> None:
            self._waiting.append((weight, step))
            if len(self._waiting) == 1:
                self._admit()

        return begin

    def _admit(self) -> None:
        while self._waiting and not self._is_asleep:
            weight, step = self._waiting[0]
            wait_s = self._window_wait(weight) if self._in_windows else self._span_wait(weight)
            if wait_s > 0:
                self._is_asleep = True
                self._clock.after(wait_s, self._wake)
                return
            self._waiting.popleft()
            step()

    def _wake(self) -> None:
        self._is_asleep = False
        self._admit()

    def _window_wait(self, weight: int) -> float:
        now = self._clock.now
        while now >= self._window_ends - _MOMENT_S:
            # What was too much for the window before counts in this one.
            self._left = self._most + min(0, self._left) if self._window_ends > 0 else self._most
            self._window_ends = (now if self._left > 0 else self._window_ends) + self._per
        if self._left <= 0:
            return self._window_ends - now
        self._left -= weight
        return 0.0

    def _span_wait(self, weight: int) -> float:
        now = self._clock.now
        while self._begun and self._begun[0][0] <= now + _MOMENT_S:
            self._counted -= self._begun.popleft()[1]
        if self._counted and self._counted + weight > self._most:
            return self._begun[0][0] - now
        # Of a span that is no multiple of the weight, the rest would be lost: so it is shorter by as much.
        fitting = max(1, self._most // weight) * weight
        self._begun.append((now + self._per * fitting / self._most, weight))
        self._counted += weight
        return 0.0
