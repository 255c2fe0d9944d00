"""Moments in a run, by the requests that it makes, and a signal at one of them."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

Kind = Literal["start", "source", "read", "write", "delete"]


@dataclass(frozen=True, slots=True)
class Trip:
    """When a signal is sent: at the n-th moment of a kind, counted from 1, or so many seconds after it. Each request
    has two moments: it has come, and it has been carried out and answered."""

    kind: Kind
    number: int
    delay_s: float
    signal: signal.Signals


class Tripwire:
    """Counts the moments of one process, and sends the signal."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._trip: Trip | None = None
        self._process = -1
        self._under_way = 0
        self.moments: Counter[Kind] = Counter()

    def around(self, app: ASGIApp, kind_of: Callable[[Scope], Kind]) -> ASGIApp:
        """`app`, with its requests as moments."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            kind = kind_of(scope)
            with self._changed:
                self._under_way += 1
            try:
                self._pass(kind)
                # Who was killed while it sent has told half of what it wanted.
                with suppress(ClientDisconnect):
                    await app(scope, receive, send)
                self._pass(kind)
            finally:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()

        return watched

    def arm(self, process: int, trip: Trip | None) -> None:
        """From now on count the moments of this process, a descriptor of it: an id may be that of another one when
        the signal is sent."""
        with self._changed:
            self.moments.clear()
            self._process, self._trip = process, trip
        self._pass("start")

    def disarm(self) -> None:
        """Send nothing any more, and wait until what the process asked for last has been carried out."""
        with self._changed:
            self._trip = None
            assert self._changed.wait_for(lambda: self._under_way == 0, timeout=10)

    def _pass(self, kind: Kind) -> None:
        with self._changed:
            self.moments[kind] += 1
            trip = self._trip
            if trip is None or (trip.kind, trip.number) != (kind, self.moments[kind]):
                return
        if trip.delay_s == 0:
            self._send(trip)
        else:
            timer = threading.Timer(trip.delay_s, self._send, [trip])
            timer.daemon = True
            timer.start()

    def _send(self, trip: Trip) -> None:
        with self._changed:
            if self._trip is trip:
                self._trip = None
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._process, trip.signal)


def port_kind(scope: Scope) -> Kind:
    path = scope["path"]
    if path.endswith("/bulk/entities/delete"):
        return "delete"
    return "write" if path.endswith("/entities/bulk") else "read"


def source_kind(_scope: Scope) -> Kind:
    return "source"


def descriptor_of(pid: int) -> int:
    """A descriptor of a process that runs. Raises ProcessLookupError."""
    return os.pidfd_open(pid)
