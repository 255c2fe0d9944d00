"""What monitoring reads at `/metrics`: counters and gauges in Prometheus' form, one label for each mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from portsync import __version__
from portsync.mapping.literals import without_literals

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.report import Report

_DURATIONS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_FATES = ("created", "updated", "unchanged", "rejected")


class Metrics:
    """The numbers of one service, in a registry of their own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives epoch seconds."""
        self._clock = clock
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        build = self._gauge("build_info", "Which portsync this is.", "version")
        build.labels(__version__).set(1)
        self._runs = self._counter("runs", "Runs that ended.", "mapping", "status")
        self._running = self._gauge("run_in_progress", "1 while a run is under way.", "mapping")
        self._duration = Histogram(
            "portsync_run_duration_seconds",
            "How long runs took.",
            ["mapping"],
            registry=self._registry,
            buckets=_DURATIONS,
        )
        self._success = self._gauge(
            "last_success_timestamp_seconds", "When a run last brought everything in; 0 for never.", "mapping"
        )
        self._is_success = self._gauge("last_run_success", "Whether the last run brought everything in.", "mapping")
        self._next = self._gauge("next_run_timestamp_seconds", "When the next run is due.", "mapping")
        self._valid = self._gauge("mapping_valid", "Whether the newest mapping can be used.", "mapping")
        self._verdicts = self._counter("resources", "Resources that were read.", "mapping", "kind", "verdict", "reason")
        self._requests = self._counter("source_requests", "Requests to the source.", "mapping")
        self._retries = self._counter("source_retries", "Requests to the source that were tried again.", "mapping")
        self._waited = self._counter("source_waited_seconds", "Time that limits of the source cost.", "mapping")
        self._records = self._counter("records", "Records that the source gave.", "mapping")
        self._entities = self._counter("entities", "What became of entities.", "mapping", "outcome")
        self._failures = self._counter("failures", "Records that became no entity.", "mapping")
        self._deleted = self._counter("entities_deleted", "Entities that were deleted.", "mapping", "blueprint")
        self._refused = self._counter(
            "deletions_refused", "Deletions that the rule did not allow.", "mapping", "blueprint", "reason"
        )
        self._leader = self._gauge("leader", "1 where this replica is the one that runs.")
        self._leader.set(1)

    def mapping(self, mapping: str, *, is_valid: bool) -> None:
        self._valid.labels(mapping).set(is_valid)
        # So that a service which never succeeded is seen, too.
        self._success.labels(mapping)

    def leads(self, *, is_leader: bool) -> None:
        self._leader.set(is_leader)

    def next_run(self, mapping: str, at: float) -> None:
        self._next.labels(mapping).set(at)

    def began(self, mapping: str) -> None:
        self._running.labels(mapping).set(1)

    def ended(self, mapping: str, report: Report) -> None:
        """Count what the report says."""
        self._running.labels(mapping).set(0)
        self._runs.labels(mapping, report.status).inc()
        self._duration.labels(mapping).observe(report.finished_at - report.started_at)
        self._is_success.labels(mapping).set(report.exit_code == 0)
        if report.exit_code == 0:
            self._success.labels(mapping).set(report.finished_at)
        for resource in report.resources:
            value = resource.as_json()
            # Without a key in its query, which would also make a new series whenever it is replaced.
            kind = without_literals(resource.kind)
            self._verdicts.labels(mapping, kind, value["verdict"], value["reason"] or "").inc()
            self._requests.labels(mapping).inc(value["requests"])
            self._retries.labels(mapping).inc(value["retries"])
            self._waited.labels(mapping).inc(value["waited_s"])
            self._records.labels(mapping).inc(value["records"])
            self._failures.labels(mapping).inc(value["failures"])
            for fate in _FATES:
                self._entities.labels(mapping, fate).inc(value[fate])
        for deletion in report.deletions:
            self._deleted.labels(mapping, deletion.blueprint).inc(deletion.deleted)
            if deletion.refused is not None:
                self._refused.labels(mapping, deletion.blueprint, str(deletion.refused)).inc()

    def text(self) -> bytes:
        """All of them, in the text form that Prometheus reads."""
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"portsync_{name}", what, labels, registry=self._registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"portsync_{name}", what, labels, registry=self._registry)
