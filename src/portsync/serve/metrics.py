"""What monitoring reads at `/metrics`: counters and gauges in Prometheus' form, one label for each mapping."""

from __future__ import annotations

from contextlib import suppress
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
_STATUSES = ("ok", "partial", "failed", "interrupted")
_FATES = ("created", "updated", "unchanged", "rejected")
_MOST_VALUES = 200
"""No label has more values than this, whatever a source makes up; the others count as `other`."""
_LONGEST_VALUE = 200


class Metrics:
    """The numbers of one service, in a registry of their own."""

    def __init__(self, clean: Callable[[str], str] = str) -> None:
        """`clean` takes secrets out of a text."""
        self._clean = clean
        self._values: dict[str, set[str]] = {}
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
        self._next = self._gauge(
            "next_run_timestamp_seconds", "When the next run is due; not there where somebody has to ask.", "mapping"
        )
        self._waiting = self._gauge("asks_waiting", "Reasons for a run that no run has answered yet.", "mapping")
        self._valid = self._gauge("mapping_valid", "Whether the newest mapping can be used.", "mapping")
        self._verdicts = self._counter("resources", "Resources that were read.", "mapping", "kind", "verdict", "reason")
        self._requests = self._counter("source_requests", "Requests to the source.", "mapping")
        self._retries = self._counter("source_retries", "Requests to the source that were tried again.", "mapping")
        self._waited = self._counter("source_waited_seconds", "Time that limits of the source cost.", "mapping")
        self._records = self._counter("records", "Records that the source gave.", "mapping")
        self._entities = self._counter("entities", "What became of entities.", "mapping", "outcome")
        self._failures = self._counter("failures", "Records that became no entity.", "mapping")
        self._field_errors = self._counter("field_errors", "Properties and relations that were left out.", "mapping")
        self._conflicts = self._counter("conflicts", "Records whose identifier another one had.", "mapping")
        self._deleted = self._counter("entities_deleted", "Entities that were deleted.", "mapping", "blueprint")
        self._refused = self._counter(
            "deletions_refused", "Deletions that the rule did not allow.", "mapping", "blueprint", "reason"
        )
        self._lost = self._counter("jq_workers_lost", "JQ workers that were late or died.", "mapping")
        self._leader = self._gauge("leader", "1 where this replica is the one that runs.")
        self._leader.set(1)

    @property
    def registry(self) -> CollectorRegistry:
        """Where more numbers of the service go."""
        return self._registry

    def add(self, mapping: str, waiting: Callable[[], int]) -> None:
        """Know of a mapping before it has run, so that one that never runs is seen, too. `waiting` counts the reasons
        for its next run."""
        self._waiting.labels(mapping).set_function(waiting)
        for gauge in (self._running, self._success):
            gauge.labels(mapping)
        plain = (self._requests, self._retries, self._waited, self._records)
        for counter in (*plain, self._failures, self._field_errors, self._conflicts, self._lost):
            counter.labels(mapping)
        self._duration.labels(mapping)
        for counter, values in ((self._runs, _STATUSES), (self._entities, _FATES)):
            for value in values:
                counter.labels(mapping, value)

    def mapping(self, mapping: str, *, is_valid: bool) -> None:
        self._valid.labels(mapping).set(is_valid)

    def leads(self, *, is_leader: bool) -> None:
        self._leader.set(is_leader)
        if not is_leader:
            # What another replica does, this one does not know.
            for gauge in (self._success, self._is_success, self._next, self._valid):
                gauge.clear()

    def next_run(self, mapping: str, at: float | None) -> None:
        """Note when it is due, in epoch seconds; None where only somebody who asks brings it about."""
        if at is not None:
            self._next.labels(mapping).set(at)
        else:
            with suppress(KeyError):
                self._next.remove(mapping)

    def began(self, mapping: str) -> None:
        self._running.labels(mapping).set(1)

    def ended(self, mapping: str, report: Report, *, workers_lost: int = 0) -> None:
        """Count what the report says."""
        self._running.labels(mapping).set(0)
        self._runs.labels(mapping, report.status).inc()
        # The clock may have been set back meanwhile.
        self._duration.labels(mapping).observe(max(0.0, report.finished_at - report.started_at))
        self._is_success.labels(mapping).set(report.exit_code == 0)
        if report.exit_code == 0:
            self._success.labels(mapping).set(report.finished_at)
        self._lost.labels(mapping).inc(workers_lost)
        self._spent(mapping, report.lookups.requests, report.lookups.retries, report.lookups.waited_s)
        for resource in report.resources:
            value = resource.as_json()
            # Without a key in its query, which would also make a new series whenever it is replaced.
            kind = self._bounded("kind", without_literals(resource.kind))
            self._verdicts.labels(mapping, kind, value["verdict"], value["reason"] or "").inc()
            self._spent(mapping, value["requests"], value["retries"], resource.waited_s)
            self._records.labels(mapping).inc(value["records"])
            for fate in _FATES:
                self._entities.labels(mapping, fate).inc(value[fate])
            self._failures.labels(mapping).inc(value["failures"])
            self._field_errors.labels(mapping).inc(value["field_errors"])
            self._conflicts.labels(mapping).inc(value["conflicts"])
        for deletion in report.deletions:
            blueprint = self._bounded("blueprint", deletion.blueprint)
            self._deleted.labels(mapping, blueprint).inc(deletion.deleted)
            if deletion.refused is not None:
                self._refused.labels(mapping, blueprint, str(deletion.refused)).inc()

    def text(self) -> bytes:
        """All of them, in the text form that Prometheus reads."""
        return generate_latest(self._registry)

    def _spent(self, mapping: str, requests: int, retries: int, waited_s: float) -> None:
        self._requests.labels(mapping).inc(requests)
        self._retries.labels(mapping).inc(retries)
        self._waited.labels(mapping).inc(max(0.0, waited_s))

    def _bounded(self, label: str, value: str) -> str:
        """The value for a label; everybody may read it, and half a character cannot be written."""
        text = self._clean(value.encode(errors="replace").decode())[:_LONGEST_VALUE]
        known = self._values.setdefault(label, set())
        if text not in known and len(known) >= _MOST_VALUES:
            return "other"
        known.add(text)
        return text

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"portsync_{name}", what, labels, registry=self._registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"portsync_{name}", what, labels, registry=self._registry)
