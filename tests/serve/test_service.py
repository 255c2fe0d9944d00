"""The service as a whole: when it runs, what it answers, and what it survives."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Source

PEOPLE = {"data": [{"id": "ada", "size": 1}, {"id": "bob", "size": 2}]}


def test_it_runs_at_its_start_and_then_on_its_schedule(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    async def scenario() -> None:
        source.answer = lambda _: PEOPLE
        async with serving_of(mapping(), env={"PORTSYNC_INTERVAL": "10m"}) as served:
            first = await served.next_run()
            assert (first["status"], first["reasons"], first["totals"]["created"]) == ("ok", ["start"], 2)

            await served.asleep()
            served.clock.pass_by(599)
            source.answer = lambda _: {"data": [{"id": "ada", "size": 5}]}
            served.clock.pass_by(1)
            second = await served.next_run()
            assert (second["reasons"], second["totals"]["updated"]) == (["schedule"], 1)

    asyncio.run(scenario())
    assert local_port.entities("thing")["ada"]["properties"] == {"size": 5}


def test_port_is_told_how_each_resource_of_its_runs_went(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: PEOPLE

    async def scenario() -> str:
        async with serving_of(mapping()) as served:
            run_id: str = (await served.next_run())["run_id"]
            return run_id

    run_id = asyncio.run(scenario())
    found = local_port.api("GET", f"/integration/portsync-m/syncMetrics?resyncId={run_id}")["data"]
    assert {one["kindIdentifier"]: one["syncState"] for one in found} == {
        "/things-0": "completed",
        "__reconciliation__": "completed",
        "__runtime__": "completed",
    }


def test_a_run_that_is_cut_leaves_nothing_behind_that_goes_on(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: PEOPLE
    local_port.script({"path": "/v1/blueprints/.*/entities/bulk", "hang": True, "times": None})
    run_of = ("Upserter.", "upserting.", "Showing.", "SyncMetrics.", "MappingRun.")

    def left() -> set[str]:
        names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
        return {name for name in names if name.startswith(run_of)}

    async def scenario() -> None:
        async with serving_of(mapping()) as served:
            await served.until(lambda: "Upserter._send" in left())
            served.stop.request(15)
            served.stop.request(15)
            assert (await served.next_run())["exit_code"] == 143
            assert left() == set()

    asyncio.run(scenario())
    assert local_port.entities("thing") == {}


def test_who_asks_during_a_run_gets_one_more_run_after_it(
    serving_of: Any, mapping: Callable[..., str], source: Source
) -> None:
    async def scenario() -> None:
        gate = threading.Event()
        begun = threading.Event()

        def answer(_: Asked) -> Any:
            begun.set()
            gate.wait(10)
            return PEOPLE

        source.answer = answer
        async with serving_of(mapping()) as served:
            await served.until(begun.is_set)
            # The source stands still, and the service answers all the same.
            assert (await served.ask("GET", "/healthz", token=None)).json() == {"status": "ok"}
            for _ in range(3):
                assert (await served.ask("POST", "/resync")).status_code == 202
            gate.set()
            assert (await served.next_run())["reasons"] == ["start"]
            assert (await served.next_run())["reasons"] == ["http"]
            assert len(served.runs()) == 2

    asyncio.run(scenario())


def test_a_bad_new_mapping_leaves_the_old_one_in_use_and_a_good_one_is_run(
    serving_of: Any, mapping: Callable[..., str], source: Source, tmp_path: Path
) -> None:
    async def scenario() -> None:
        source.answer = lambda _: PEOPLE
        async with serving_of(mapping()) as served:
            await served.next_run()
            (tmp_path / "m.yaml").write_text(mapping(identifier="'.id +'"), encoding="utf-8")
            await served.until_seen(lambda: _is_valid(served) is False)

            assert (await served.ask("GET", "/readyz", token=None)).status_code == 200
            assert (await served.ask("POST", "/resync")).status_code == 202
            assert (await served.next_run())["status"] == "ok"

            (tmp_path / "m.yaml").write_text(mapping(identifier="'\"x-\" + .id'"), encoding="utf-8")
            await served.until_seen(lambda: len(served.runs()) > served.seen)
            third = await served.next_run()
            assert (third["reasons"], third["totals"]["created"]) == (["mapping"], 2)
            assert _is_valid(served)

    asyncio.run(scenario())


def _is_valid(served: Any) -> bool:
    text = served.metrics.text().decode()
    return 'portsync_mapping_valid{mapping="m"} 1.0' in text


def test_after_runs_that_came_to_nothing_it_waits_longer_each_time(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    async def scenario() -> None:
        source.answer = lambda _: PEOPLE
        local_port.script({"path": "/v1/auth", "status": 401, "times": None})
        async with serving_of(mapping(), env={"PORTSYNC_INTERVAL": "24h"}) as served:
            assert (await served.next_run())["exit_code"] == 4
            for wait in (60, 120, 240):
                await served.asleep()
                served.clock.pass_by(wait - 1)
                assert len(served.runs()) == served.seen
                served.clock.pass_by(1)
                assert (await served.next_run())["reasons"] == ["retry"]

    asyncio.run(scenario())


def test_a_stop_brings_the_run_that_is_under_way_to_its_end(
    serving_of: Any, mapping: Callable[..., str], source: Source
) -> None:
    async def scenario() -> list[dict[str, Any]]:
        begun, gate = threading.Event(), threading.Event()

        def answer(_: Asked) -> Any:
            begun.set()
            gate.wait(10)
            return PEOPLE

        source.answer = answer
        async with serving_of(mapping()) as served:
            await served.until(begun.is_set)
            served.stop.request(15)
            gate.set()
            await asyncio.wait_for(asyncio.shield(served.down), 10)
            runs: list[dict[str, Any]] = served.runs()
            return runs

    (run,) = asyncio.run(scenario())
    assert (run["status"], run["exit_code"]) == ("interrupted", 143)


@pytest.mark.parametrize(("method", "path"), [("POST", "/resync"), ("GET", "/runs"), ("GET", "/runs/x")])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 401)])
def test_what_changes_or_tells_something_wants_the_token(
    serving_of: Any, mapping: Callable[..., str], method: str, path: str, token: str | None, status: int
) -> None:
    async def scenario() -> None:
        async with serving_of(mapping()) as served:
            assert (await served.ask(method, path, token=token)).status_code == status
            await served.next_run()

    asyncio.run(scenario())


def test_the_runs_and_the_report_of_one(serving_of: Any, mapping: Callable[..., str], source: Source) -> None:
    async def scenario() -> None:
        source.answer = lambda _: PEOPLE
        async with serving_of(mapping()) as served:
            await served.next_run()
            (run,) = (await served.ask("GET", "/runs")).json()["runs"]
            report = (await served.ask("GET", f"/runs/{run['run_id']}")).json()
            assert report["resources"][0]["verdict"] == "complete"
            assert (await served.ask("GET", "/runs/none")).status_code == 404
            text = (await served.ask("GET", "/metrics", token=None)).text
            assert 'portsync_entities_total{mapping="m",outcome="created"} 2.0' in text

    asyncio.run(scenario())
