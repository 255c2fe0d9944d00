"""Those whom requests go to, by origin: what is known of each, and what all requests to it share."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from portsync.transport.quotas import quotas, rate_fields
from portsync.transport.redirects import origin_of_url
from portsync.transport.retry import RetryPolicy, Tally, asked_wait, is_for_all, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from portsync.transport.limiter import AnyGate


class Peer:
    """One origin: its gate, its idle connections, and whether it was there a moment ago."""

    def __init__(self, policy: RetryPolicy, gate: AnyGate, *, has_one_quota: bool) -> None:
        self._policy = policy
        self._has_one_quota = has_one_quota
        self.gate = gate
        self.idle: list[httpx.AsyncBaseTransport] = []
        self.is_down = False
        """Whether the last that is known of it is that nobody was there."""
        self.met = 0
        """How often somebody was there."""

    def is_met(self) -> None:
        """Somebody was there just now."""
        self.is_down = False
        self.met += 1

    def is_missed(self, met_before: int) -> None:
        """All attempts of a request found nobody, the first of them after `met` had this value. Where others came
        through meanwhile, that says nothing."""
        self.is_down = self.met == met_before

    def heed(self, status: int, headers: httpx.Headers, spent: Tally) -> None:
        """Do what the answer to a request says of when the next one may come; the request is still in the gate."""
        now = self._policy.clock()
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            spent.rate_limited += 1
        if not self._has_one_quota:
            return
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = asked_wait(headers, now)
            self.gate.close(self._policy.back_off(spent.attempt) if asked is None else asked)
        elif (asked := retry_after(headers, now)) is not None and is_for_all(status, asked):
            self.gate.close(asked)
        elif fields := rate_fields(headers.raw):
            self.gate.heed(quotas(fields, now))


class Peers:
    """All of them. Each has a gate of its own, with the same limits."""

    def __init__(self, policy: RetryPolicy, gate_of: Callable[[str], AnyGate], *, has_one_quota: bool) -> None:
        """`gate_of` makes the gate of an origin."""
        self._policy = policy
        self._has_one_quota = has_one_quota
        self._gate_of = gate_of
        self._by_origin: dict[str, Peer] = {}

    def of(self, url: httpx.URL) -> Peer:
        """The peer that a request to `url` goes to."""
        origin = origin_of_url(url)
        peer = self._by_origin.get(origin)
        if peer is None:
            gate = self._gate_of(origin)
            peer = self._by_origin[origin] = Peer(self._policy, gate, has_one_quota=self._has_one_quota)
        return peer
