"""The numbers of live events at `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

_LATENCIES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800)


class HookMetrics:
    """What came in, what waits, and what became of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "portsync_hook_events", "Webhooks that came, by what became of them.", ["hook", "result"], registry=registry
        )
        self._depth = Gauge("portsync_hook_queue", "Live events that wait.", ["mapping"], registry=registry)
        self._age = Gauge(
            "portsync_hook_oldest_seconds",
            "How long the oldest of the live events that wait has waited; 0 where none does.",
            ["mapping"],
            registry=registry,
        )
        self._applied = Counter(
            "portsync_hook_applied", "Live events that were applied.", ["mapping"], registry=registry
        )
        self._failed = Counter(
            "portsync_hook_failed",
            "Live events that became dead letters, at least in part.",
            ["mapping"],
            registry=registry,
        )
        self._latency = Histogram(
            "portsync_hook_latency_seconds",
            "How long after its arrival a live event was in Port.",
            ["mapping"],
            registry=registry,
            buckets=_LATENCIES,
        )

    def came(self, hook: str, result: str) -> None:
        """Count a webhook. `hook` is empty where nobody knows it: names that anybody can make up are no labels."""
        self._events.labels(hook, result).inc()

    def watch(self, mapping: str, depth: Callable[[], float], age: Callable[[], float]) -> None:
        """Ask these, whenever somebody looks, how many events wait and how many seconds the oldest has waited."""
        self._depth.labels(mapping).set_function(depth)
        self._age.labels(mapping).set_function(age)

    def ended(self, mapping: str, latency_s: float, *, is_applied: bool) -> None:
        """Count an event that waits no longer."""
        (self._applied if is_applied else self._failed).labels(mapping).inc()
        if is_applied:
            self._latency.labels(mapping).observe(latency_s)
