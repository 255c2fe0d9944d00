"""The workers: isolated, limited, replaced; and what becomes of a record on which an expression runs away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portsync.errors import ExpressionError
from portsync.flow import MappedPage, Page, RequestSpec
from portsync.jq.cores import cpu_quota, usable_cores
from portsync.jq.items import Items
from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.jq.program import EntityExpressions, PageProgram
from portsync.jq.records import encoded_variables
from portsync.jq.variables import NO_VARIABLES
from portsync.transform import Mapper, map_page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SHORT = Limits(timeout_s=0.3, memory_mib=96)
ENDLESS = "if .bad then (def f: f; f) else .x end"
NOTHING = encoded_variables()


def with_pool(act: Callable[[JqPool], Awaitable[Any]], limits: Limits = SHORT, workers: int = 1) -> Any:
    async def run() -> Any:
        async with JqPool(limits, workers) as pool:
            return await act(pool)

    return asyncio.run(run())


def mapped(
    records: Any, *, items: Items | None = None, limits: Limits = SHORT, query: str = "true", **properties: str
) -> MappedPage:
    program = PageProgram(".data", query, (EntityExpressions(".id", '"bp"', properties=properties),), items=items)

    async def act(pool: JqPool) -> MappedPage:
        mapper = Mapper(program, 0.0, pool)
        page = Page(RequestSpec("GET", "http://x"), 1, json.dumps({"data": records}).encode())
        return await map_page(page, mapper, mapper.programs(), NO_VARIABLES)

    result = with_pool(act, limits)
    assert isinstance(result, MappedPage)
    return result


def records(count: int, *bad: int) -> list[dict[str, Any]]:
    return [{"id": f"r{i}", "x": i, "bad": i in bad} for i in range(count)]


def children() -> set[int]:
    """The processes that this one has started. Other tests may have left some, such as the worker of a local Port."""
    pid = os.getpid()
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))


@pytest.mark.parametrize("bad", [(0,), (11,), (3, 8), (5, 6)])
def test_a_record_on_which_an_expression_runs_away_is_a_failure_and_the_others_go_on(bad: tuple[int, ...]) -> None:
    page = mapped(records(12, *bad), x=ENDLESS)

    assert [failure.record - 1 for failure in page.failures] == list(bad)
    assert {failure.code for failure in page.failures} == {"jq-timeout"}
    assert "`properties.x`" in page.failures[0].message
    assert [entity.identifier for entity in page.entities] == [f"r{i}" for i in range(12) if i not in bad]
    assert [entity.record for entity in page.entities] == [i + 1 for i in range(12) if i not in bad]
    assert page.facts.records == 12
    assert page.filtered == 0


def test_many_records_are_not_the_expressions_fault_as_long_as_others_lie_between() -> None:
    page = mapped(records(10, 1, 4, 7, 9), x=ENDLESS)

    assert [failure.record - 1 for failure in page.failures] == [1, 4, 7, 9]
    assert len(page.entities) == 6


@pytest.mark.parametrize("bad", [tuple(range(12)), (7, 8, 9)])
def test_three_in_a_row_are_the_expressions_fault_which_is_named(bad: tuple[int, ...]) -> None:
    with pytest.raises(ExpressionError, match=r"`properties\.x` runs away on one record after another") as error:
        mapped(records(12, *bad), x=ENDLESS)

    assert error.value.problems[0].code == "jq-timeout"
    assert "GET http://x, page 1" in (error.value.problems[0].place or "")


@pytest.mark.parametrize(
    "expression",
    [
        "def f: f; f",
        "last(repeat(.))",
        "[range(1e9)] | length",
        '"x" * 30000000 | until(false; . + .) | length',
        "[limit(1e12; repeat(1))]",
    ],
)
def test_no_expression_hangs_or_eats_the_machine(expression: str) -> None:
    with pytest.raises(ExpressionError) as error:
        with_pool(lambda pool: pool.run([expression], NOTHING, b"{}"))

    assert error.value.problems[0].code in ("jq-timeout", "jq-memory")


def test_memory_is_limited_and_said_so() -> None:
    with pytest.raises(ExpressionError, match=r"more than 96 MiB") as error:
        mapped(records(1), limits=Limits(timeout_s=30, memory_mib=96), x="[range(1e9)] | length")

    assert error.value.problems[0].code == "jq-memory"


@pytest.mark.parametrize("query", ["def f: f; f", "true"])
def test_the_selector_and_the_data_path_are_watched_too(query: str) -> None:
    if query == "true":
        program = PageProgram("def f: f; f", "true", (EntityExpressions(".id", '"bp"'),))
        with pytest.raises(ExpressionError, match="did not end"):
            with_pool(lambda pool: pool.run([program.fast(0.0), program.guarded(0.0)], NOTHING, b"{}"))
    else:
        with pytest.raises(ExpressionError, match=r"`selector\.query` runs away"):
            mapped(records(9), query=query)


def test_a_worker_that_somebody_kills_is_replaced_and_nothing_is_lost() -> None:
    async def act(pool: JqPool) -> tuple[bytes, ...]:
        others = children()
        await pool.run(['"x"'], NOTHING, b"{}")
        (worker,) = children() - others
        os.kill(worker, signal.SIGKILL)
        outputs = await pool.run(['if length == 2 then "fine" else error("x") end'], NOTHING, b"{}")
        return outputs.lines

    assert with_pool(act) == (b"fine",)


def test_a_worker_has_no_environment_and_no_descriptors_but_its_pipes() -> None:
    async def act(pool: JqPool) -> tuple[bytes, set[str]]:
        others = children()
        await pool.run(['"x"'], NOTHING, b"{}")
        (worker,) = children() - others
        return seen_of(worker)

    os.environ["PORTSYNC_TEST_SECRET"] = "must-not-get-out"
    try:
        environment, descriptors = with_pool(act)
    finally:
        del os.environ["PORTSYNC_TEST_SECRET"]

    assert b"must-not-get-out" not in environment
    assert {name.split(":")[0] for name in descriptors} <= {"pipe", "socket", "/dev/null"}
    assert len(descriptors) <= 3


def seen_of(worker: int) -> tuple[bytes, set[str]]:
    descriptors = {str(path.readlink()) for path in Path(f"/proc/{worker}/fd").iterdir()}
    return Path(f"/proc/{worker}/environ").read_bytes(), descriptors


def test_workers_start_when_needed_and_are_used_again() -> None:
    async def act(pool: JqPool) -> tuple[int, int]:
        others = children()
        for _ in range(5):
            await pool.run(['"x"'], NOTHING, b"{}")
        one = len(children() - others)
        await asyncio.gather(*(pool.run(['"x"'], NOTHING, b"{}") for _ in range(20)))
        return one, len(children() - others)

    one, most = with_pool(act, workers=3)

    assert one == 1
    assert most <= 3


def test_the_start_of_a_worker_is_not_part_of_the_time_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A module that every worker reads, and that takes its time.
    (tmp_path / "struct.py").write_text("import time; time.sleep(0.5); from _struct import *", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    outputs = with_pool(lambda pool: pool.run(['"x"'], NOTHING, b"{}"), Limits(timeout_s=0.4))

    assert outputs.lines == (b"x",)


def test_a_worker_reads_nothing_at_its_start_that_can_wait() -> None:
    code = "import sys; sys.path[:] = sys.argv[1:]; import portsync.jq.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code, *filter(None, sys.path)], capture_output=True, check=True)

    assert {b"orjson", b"typing", b"dataclasses", b"_hashlib"} & set(done.stdout.split()) == set()


def test_what_turns_values_into_json_is_read_without_half_a_compiler() -> None:
    code = (
        "import sys; sys.path[:] = sys.argv[1:]; from portsync.jq.worker import lines_of; "
        "print(*lines_of([[0, 'a', 'b', False, {'x': 1.5}]]), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, *filter(None, sys.path)], capture_output=True, check=True)

    assert b'{"x":1.5}' in done.stdout
    assert {b"orjson", b"ast", b"dis", b"tokenize"} & set(done.stdout.split()) == {b"orjson"}


def test_a_worker_that_does_not_start_is_not_waited_for() -> None:
    with pytest.raises(ExpressionError, match=r"did not start within 0 s") as error:
        with_pool(lambda pool: pool.run(['"x"'], NOTHING, b"{}"), Limits(start_s=0))

    assert error.value.problems[0].code == "jq-start"


def test_a_cancelled_run_does_not_mix_up_answers() -> None:
    async def act(pool: JqPool) -> tuple[bytes, ...]:
        task = asyncio.ensure_future(pool.run(["[range(3e6)] | length | tostring"], NOTHING, b"{}"))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait({task})
        return (await pool.run(['"mine"'], NOTHING, b"{}")).lines

    assert with_pool(act, Limits()) == (b"mine",)


@pytest.mark.parametrize(
    ("v2", "quota", "period", "cores"),
    [
        ("200000 100000", None, None, 2.0),
        ("50000 100000", None, None, 0.5),
        ("max 100000", None, None, None),
        (None, "150000", "100000", 1.5),
        (None, "-1", "100000", None),
        (None, None, None, None),
        ("nonsense", None, None, None),
    ],
)
def test_the_quota_of_a_container_is_read(
    v2: str | None, quota: str | None, period: str | None, cores: float | None, tmp_path: Path
) -> None:
    paths = [tmp_path / name for name in ("cpu.max", "quota", "period")]
    for path, text in zip(paths, (v2, quota, period), strict=True):
        if text is not None:
            path.write_text(text, encoding="ascii")

    assert cpu_quota(*paths) == cores
    assert usable_cores() >= 1


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (Items(".tags"), [{"id": "r", "n": 1, "item": "a"}, {"id": "r", "n": 1, "item": "b"}]),
        (Items(".tags // []"), [{"id": "r", "n": 1, "item": "a"}, {"id": "r", "n": 1, "item": "b"}]),
        (Items(".deep.list", "part"), [{"id": "r", "n": 1, "tags": ["a", "b"], "deep": {"k": 1}, "part": 7}]),
        (Items("[.tags[]]"), [{"id": "r", "n": 1, "item": "a"}, {"id": "r", "n": 1, "item": "b"}]),
        (Items(".tags", without_array=False), [{"tags": ["a", "b"], "item": "a"}, {"tags": ["a", "b"], "item": "b"}]),
        (Items(".none // []"), []),
    ],
)
def test_items_to_parse_makes_one_entity_of_each_item(items: Items, expected: list[dict[str, Any]]) -> None:
    record = {"id": "r", "n": 1, "tags": ["a", "b"], "deep": {"k": 1, "list": [7]}}

    page = mapped([record], items=items, all=".")

    seen = [json.loads(entity.body)["properties"]["all"] for entity in page.entities]
    assert len(seen) == len(expected)
    for got, wanted in zip(seen, expected, strict=True):
        assert wanted.items() <= got.items()
    if items == Items(".tags"):
        assert all("tags" not in got for got in seen)


@pytest.mark.parametrize(
    ("expression", "says"), [(".n", "gave number"), (".missing", "gave null"), ('error("x")', "x")]
)
def test_items_to_parse_that_gives_no_array_is_a_failure_of_its_record(expression: str, says: str) -> None:
    page = mapped([{"id": "r", "n": 1}, {"id": "s", "n": [1], "missing": [2]}], items=Items(expression), x=".item")

    assert page.failures[0].record == 1
    assert "itemsToParse" in page.failures[0].message
    assert says in page.failures[0].message
