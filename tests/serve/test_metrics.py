"""The numbers at `/metrics`: there before the first run, equal to the report after it, and never without bound."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import Response

from portsync.logs import Redactor
from portsync.report import Report, ResourceReport
from portsync.serve.metrics import Metrics
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, Source


def _numbers(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """The value of each sample, by its name, its mapping, and the values of its other labels in their order."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (
            sample.name.removeprefix("portsync_"),
            *(sample.labels[name] for name in ("mapping",) if name in sample.labels),
            *(value for name, value in sorted(sample.labels.items()) if name != "mapping"),
        ): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("portsync_")
    }


def test_what_alerts_look_at_is_there_before_the_first_run(serving_of: Any, mapping: Callable[..., str]) -> None:
    env = {"PORTSYNC_RUN_AT_START": "false", "PORTSYNC_INTERVAL": "1h"}

    async def scenario() -> None:
        async with serving_of(mapping(), env=env) as served:
            await served.asleep()
            await served.until(lambda: ("next_run_timestamp_seconds", "m") in _numbers(served.metrics))
            numbers = _numbers(served.metrics)
            assert numbers[("last_success_timestamp_seconds", "m")] == 0
            assert numbers[("mapping_valid", "m")] == 1
            assert numbers[("next_run_timestamp_seconds", "m")] == NOW + 3600
            for status in ("ok", "partial", "failed", "interrupted"):
                assert numbers[("runs_total", "m", status)] == 0
            for outcome in ("created", "updated", "unchanged", "rejected"):
                assert numbers[("entities_total", "m", outcome)] == 0
            for name in ("source_requests", "source_retries", "source_waited_seconds", "records", "failures"):
                assert numbers[(f"{name}_total", "m")] == 0
            for name in ("run_in_progress", "asks_waiting", "jq_workers_lost_total"):
                assert numbers[(name, "m")] == 0
            assert ("last_run_success", "m") not in numbers
            assert numbers[("leader",)] == 1

    asyncio.run(scenario())


def test_the_numbers_are_those_of_the_reports_after_runs_with_every_outcome(
    serving_of: Any, mapping: Callable[..., str], source: Source
) -> None:
    things = [{"id": f"t{n}", "size": n} for n in range(2, 6)]
    odd = [{"id": "t1", "size": "no number"}, {"id": None}, {"id": "t2", "size": 9}, {"id": "left-out"}]
    text = mapping(selector="""query: '.id != "left-out"'\n""", properties="name: .size.none")

    def first(_: Asked) -> Any:
        is_early = len(source.asked) == 1
        return Response("later", 503, {"retry-after": "3"}) if is_early else {"data": [*things, *odd]}

    async def scenario() -> tuple[dict[tuple[str, ...], float], list[dict[str, Any]]]:
        source.answer = first
        async with serving_of(text) as served:
            await served.until(lambda: any(at - served.clock.now == 3 for at, _ in served.clock.sleepers))
            assert _numbers(served.metrics)[("run_in_progress", "m")] == 1
            assert (await served.ask("POST", "/resync")).status_code == 202
            await served.until(lambda: _numbers(served.metrics)[("asks_waiting", "m")] == 1)
            served.clock.pass_by(3)
            reports = []
            for _ in range(2):
                run = await served.next_run()
                reports.append((await served.ask("GET", f"/runs/{run['run_id']}")).json())
                things[0]["size"] = 77
            return _numbers(served.metrics), reports

    numbers, reports = asyncio.run(scenario())
    resources = [resource for report in reports for resource in report["resources"]]
    sums = {name: sum(resource[name] for resource in resources) for name in _COUNTED}
    assert min(sums[name] for name in _COUNTED if name != "updated") > 0, "or the test proves nothing"
    for outcome in ("created", "updated", "unchanged", "rejected"):
        assert numbers[("entities_total", "m", outcome)] == sums[outcome], outcome
    for name in ("records", "failures", "field_errors", "conflicts"):
        assert numbers[(f"{name}_total", "m")] == sums[name], name
    for name in ("requests", "retries"):
        assert numbers[(f"source_{name}_total", "m")] == sums[name], name
    assert numbers[("source_waited_seconds_total", "m")] == sums["waited_s"] == 3
    for status in ("ok", "partial", "failed"):
        assert numbers[("runs_total", "m", status)] == sum(report["status"] == status for report in reports)
    assert numbers[("resources_total", "m", "/things", "", "complete")] == 2
    assert numbers[("run_duration_seconds_count", "m")] == 2
    assert numbers[("asks_waiting", "m")] == numbers[("run_in_progress", "m")] == 0


_COUNTED = (
    *("requests", "retries", "waited_s", "records", "failures", "field_errors", "conflicts"),
    *("created", "updated", "unchanged", "rejected"),
)


def test_deletions_are_counted_and_a_success_has_its_moment(
    serving_of: Any, mapping: Callable[..., str], source: Source
) -> None:
    async def scenario() -> None:
        source.answer = lambda _: {"data": [{"id": "ada"}, {"id": "bob"}]}
        async with serving_of("entityDeletionThreshold: 1\n" + mapping()) as served:
            await served.next_run()
            assert _numbers(served.metrics)[("last_success_timestamp_seconds", "m")] == NOW
            source.answer = lambda _: {"data": []}
            await served.ask("POST", "/resync")
            await served.next_run()
            assert _numbers(served.metrics)[("deletions_refused_total", "m", "thing", "empty")] == 1
            assert _numbers(served.metrics)[("last_run_success", "m")] == 0
            source.answer = lambda _: {"data": [{"id": "ada"}]}
            served.clock.pass_by(7)
            await served.ask("POST", "/resync")
            await served.next_run()
            numbers = _numbers(served.metrics)
            assert numbers[("entities_deleted_total", "m", "thing")] == 1
            assert numbers[("last_success_timestamp_seconds", "m")] >= NOW + 7
            assert numbers[("last_run_success", "m")] == 1

    asyncio.run(scenario())


def test_a_worker_that_was_late_is_counted(serving_of: Any, mapping: Callable[..., str], source: Source) -> None:
    async def scenario() -> None:
        source.answer = lambda _: {"data": [{"id": "ada"}]}
        text = mapping(properties="name: '[limit(1e9; repeat(1))] | length'")
        async with serving_of(text, env={"PORTSYNC_JQ_TIMEOUT": "0.3"}) as served:
            await served.next_run()
            assert _numbers(served.metrics)[("jq_workers_lost_total", "m")] >= 1

    asyncio.run(scenario())


def _report(*kinds: str) -> Report:
    resources = tuple(ResourceReport(index, kind) for index, kind in enumerate(kinds))
    for resource in resources:
        resource.close()
    return Report("id", "m.yaml", NOW, NOW - 60, 0, resources)


def test_labels_are_bounded_and_hold_neither_secrets_nor_half_characters() -> None:
    metrics = Metrics(Redactor(["a-secret-key"]).clean)
    metrics.add("m", lambda: 0)
    metrics.ended("m", _report(*(f"/things/{number}" for number in range(5000))))
    metrics.ended("m", _report("/things?key=a-secret-key", "/\ud800", "/" + "x" * 5000))
    numbers = _numbers(metrics)
    kinds = {key[2] for key in numbers if key[0] == "resources_total"}
    assert len(kinds) == 201
    assert numbers[("resources_total", "m", "other", "", "complete")] == 4803
    assert "a-secret-key" not in metrics.text().decode()
    other = Metrics(Redactor(["a-secret-key"]).clean)
    other.ended("m", _report("/things?key=a-secret-key", "/\ud800", "/" + "x" * 5000))
    assert {"/things?key=***", "/?", "/" + "x" * 199} == {
        key[2] for key in _numbers(other) if key[0] == "resources_total"
    }


def test_a_clock_that_is_set_back_takes_nothing_off_the_counters() -> None:
    metrics = Metrics()
    metrics.ended("m", _report("/things"))
    assert _numbers(metrics)[("run_duration_seconds_sum", "m")] == 0


def test_a_replica_that_leads_no_longer_says_nothing_of_runs_it_does_not_know() -> None:
    metrics = Metrics()
    metrics.add("m", lambda: 0)
    metrics.next_run("m", NOW)
    metrics.leads(is_leader=False)
    names = {key[0] for key in _numbers(metrics)}
    assert names.isdisjoint({"last_success_timestamp_seconds", "last_run_success", "next_run_timestamp_seconds"})
    assert _numbers(metrics)[("leader",)] == 0
    metrics.next_run("m", None)
