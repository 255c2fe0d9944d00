"""Runs over a cluster in which something is not as it should be: what is said, and what others have to do with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import NullPool, create_engine, text

from portsync.cluster import slicing
from portsync.cluster.line import LineLostError
from portsync.stop import Stop
from tests.cluster.here import HereCluster
from tests.postgres import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.cluster.line import Line
    from portsync.cluster.slices import Slice, SliceResult
    from portsync.flow import Json
    from portsync.runtime import Runtime
    from tests.conftest import Asked, LocalPort, Run, Source

__all__ = ["fresh_postgres", "postgres"]

MAPPING = """
source:
  base_url: {url}
  pagination: {{type: none}}
resources:
  - kind: /orgs/{{org}}/things
    selector:
      data_path: .data
      path_parameters: {{org: {{values: [{orgs}]}}}}
    port: {{entity: {{mappings: {{identifier: .id, blueprint: '"thing"', properties: {{size: .size}}}}}}}}
  - kind: /people
    selector: {{data_path: .data}}
    port: {{entity: {{mappings: {{identifier: .id, blueprint: '"person"', properties: {{size: .size}}}}}}}}
"""
PERSON = {
    "identifier": "person",
    "title": "Person",
    "schema": {"properties": {"size": {"type": "number"}}, "required": []},
    "relations": {},
}


@pytest.fixture
def over(
    portsync: Callable[..., Run],
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    fresh_postgres: str,
) -> Callable[..., Run]:
    """A run of two resources over a cluster of this kind, in which the first one gives its own slices."""

    def answer(asked: Asked) -> Any:
        return {"data": [{"id": f"{asked.path.strip('/').replace('/', '-')}-{n}", "size": n} for n in range(5)]}

    def run(cluster: type[HereCluster], orgs: str = "a, b, c") -> Run:
        source.answer = answer
        env = {**port_env, "PORTSYNC_STATE": fresh_postgres}
        return portsync("sync", MAPPING.format(url=source.url, orgs=orgs), env=env, over_cluster=cluster)

    assert local_port.api("POST", "/blueprints", PERSON)["ok"]
    return run


def of_kind(run: Run, kind: str) -> Any:
    return next(one for one in run.report["resources"] if one["kind"] == kind)


def test_a_bug_in_one_resource_leaves_the_slices_of_another_alone(
    over: Callable[..., Run], local_port: LocalPort, fresh_postgres: str
) -> None:
    failed = asyncio.Event()

    class Cluster(HereCluster):
        async def do(self, slice_: Slice) -> SliceResult:
            if slice_.resource == 0:
                failed.set()
                raise ZeroDivisionError("a bug of the cluster")
            await failed.wait()  # so that the other resource is under way when the bug shows
            await asyncio.sleep(0.05)
            return await super().do(slice_)

    run = over(Cluster)

    assert run.exit_code == 70
    assert of_kind(run, "/orgs/{org}/things")["reason"] == "bug"
    assert of_kind(run, "/people")["verdict"] == "complete"
    assert len(local_port.entities("person")) == 5
    with create_engine(fresh_postgres, poolclass=NullPool).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM portsync_slices")).scalar_one() == 0


def test_who_is_at_work_on_a_slice_that_nobody_waits_for_is_told_so(
    over: Callable[..., Run], local_port: LocalPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would go on writing after the report is made."""
    monkeypatch.setattr(slicing, "_GRACE_S", 0.2)
    late: list[asyncio.Task[SliceResult]] = []
    results: list[SliceResult] = []

    class Cluster(HereCluster):
        def __init__(self, runtime: Runtime, workers: int) -> None:
            super().__init__(runtime, workers)
            self.goes_on = asyncio.Event()

        async def do(self, slice_: Slice) -> SliceResult:
            if slice_.resource == 1:
                await asyncio.sleep(1.0)  # what the first resource left behind goes on beside this one
                self.goes_on.set()
                results.extend(await asyncio.gather(*late))
                return await super().do(slice_)
            if not late:
                late.append(asyncio.create_task(self._held_up(slice_)))
                return await asyncio.shield(late[0])
            raise ZeroDivisionError("a bug of the cluster")

        async def _held_up(self, slice_: Slice) -> SliceResult:
            await self.goes_on.wait()
            return await HereCluster.do(self, slice_)

    run = over(Cluster, orgs="a, b, c, d, e, f")

    assert of_kind(run, "/people")["verdict"] == "complete"
    (result,) = results
    assert result.down is not None
    assert result.down.problems[0].code == "superseded"
    assert not local_port.entities("thing")


def test_a_scheduler_that_is_lost_at_the_beginning_is_named(over: Callable[..., Run]) -> None:
    class CutLine:
        def __init__(self, line: Line) -> None:
            self._line = line

        async def ask(self, what: str, **more: Json) -> Json:
            if what == "begin":
                raise LineLostError
            return await self._line.ask(what, **more)

    class Cluster(HereCluster):
        def __init__(self, runtime: Runtime, workers: int) -> None:
            super().__init__(runtime, workers)
            self.line = CutLine(self.line)

    run = over(Cluster)

    assert (run.exit_code, [one["reason"] for one in run.report["resources"]]) == (1, ["cluster", "cluster"])
    assert "cluster-lost" in run.err
    assert "bug" not in run.err


def test_a_slice_is_as_large_as_is_known_to_be_right_when_there_is_room_for_it(over: Callable[..., Run]) -> None:
    """The source allows ten requests at once, which are to be had from the beginning; then there is room again as soon
    as the first slice is done, and it went fast."""
    sizes: list[int] = []

    class Cluster(HereCluster):
        async def do(self, slice_: Slice) -> SliceResult:
            if slice_.resource == 0:
                sizes.append(len(slice_.places))
            result = await super().do(slice_)
            return replace(result, took_s=0.01)

    run = over(Cluster, orgs=", ".join(f"o{number}" for number in range(60)))

    assert run.exit_code == 0
    assert of_kind(run, "/orgs/{org}/things")["created"] == 300
    assert sizes[:3] == [3, 3, 3]
    assert 12 in sizes[3:5]
    assert sum(sizes) == 60


def test_chains_that_are_found_slowly_do_not_wait_until_they_are_many(
    over: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slicing, "LONGEST_S", -1.0)
    sizes: list[int] = []

    class Cluster(HereCluster):
        async def do(self, slice_: Slice) -> SliceResult:
            if slice_.resource == 0:
                sizes.append(len(slice_.places))
            return await super().do(slice_)

    run = over(Cluster, orgs=", ".join(f"o{number}" for number in range(20)))

    assert run.exit_code == 0
    assert sizes == [1] * 20


def test_the_last_slice_may_end_at_the_moment_in_which_it_is_waited_for() -> None:
    async def go() -> None:
        waiting: Any = slicing.Slicing.__new__(slicing.Slicing)
        task = asyncio.create_task(asyncio.sleep(0))
        waiting._under_way = under_way = {task}
        waiting._bugs = []
        waiting._part = SimpleNamespace(is_over=False, tools=SimpleNamespace(stop=Stop()))
        task.add_done_callback(under_way.discard)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert task.done()
        assert under_way, "nobody has heard of its end yet"
        await waiting._wait_for_all()
        assert not under_way

    asyncio.run(go())
