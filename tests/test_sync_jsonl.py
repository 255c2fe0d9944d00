"""`sync --sink jsonl`: the entities as lines, without any Port."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from portsync.errors import OutputError
from portsync.flow import Batch, Entity, Fate
from portsync.sinks.jsonl import JsonlSink
from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run, Source

NO_PORT = {"SRC_TOKEN": TOKEN, "PORT_BASE_URL": "http://127.0.0.1:9"}


@pytest.fixture
def to_lines(portsync: Callable[..., Run], mapping: Callable[..., str]) -> Callable[..., Run]:
    def run(*options: str, **parts: str) -> Run:
        return portsync("sync", mapping(**parts), "--sink", "jsonl", *options, env=NO_PORT)

    return run


def things(count: int) -> Callable[[Any], Any]:
    """A source with so many things, by offset."""

    def answer(asked: Any) -> Any:
        offset = int(dict(asked.query).get("offset", 0))
        return {"data": [{"id": f"t{i}", "size": i} for i in range(offset, min(offset + 100, count))]}

    return answer


def test_each_entity_is_a_line_of_standard_output_and_the_report_goes_beside_it(
    source: Source, to_lines: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": [{"id": "a", "size": 12345678901234567890123}, {"id": None}, {"id": "é"}]}

    run = to_lines()

    assert run.exit_code == 1
    assert [json.loads(line) for line in run.out.splitlines()] == [
        {"blueprint": "thing", "identifier": "a", "properties": {"size": 12345678901234567890123}, "relations": {}},
        {"blueprint": "thing", "identifier": "é", "properties": {"size": None}, "relations": {}},
    ]
    assert run.out.startswith('{"blueprint":"thing",')
    assert run.err.splitlines()[-1].startswith("partial: 3 records, 2 created, 0 updated, 1 failures")
    assert (run.resource["verdict"], run.resource["created"]) == ("complete", 2)


def test_the_lines_are_in_the_order_of_the_source(source: Source, to_lines: Callable[..., Run]) -> None:
    source.answer = things(2_000)

    run = to_lines(pagination="{type: offset}")

    assert run.exit_code == 0
    assert [json.loads(line)["identifier"] for line in run.out.splitlines()] == [f"t{i}" for i in range(2_000)]


def test_with_a_file_the_report_stays_where_it_is(source: Source, to_lines: Callable[..., Run], tmp_path: Path) -> None:
    source.answer = things(3)
    (tmp_path / "out.jsonl").write_text("what was there before\n" * 100)

    text = to_lines("--output", "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    as_json = to_lines("--output", "out.jsonl", "--format", "json")

    assert (text.exit_code, text.err) == (0, "")
    assert text.out.splitlines()[-1].startswith("ok: 3 records, 3 created")
    assert json.loads(as_json.out)["totals"]["created"] == 3
    assert [json.loads(line)["identifier"] for line in lines] == ["t0", "t1", "t2"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sink", "jsonl", "--format", "json"], "name a file for the entities with --output"),
        (["--output", "x.jsonl"], "--output goes with --sink jsonl"),
        (["--sink", "jsonl", "--output", "no/folder/x.jsonl"], "No such file or directory"),
        (["--sink", "csv"], "'csv' is not one of 'port', 'jsonl'"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_any_request(
    options: list[str],
    said: str,
    source: Source,
    portsync: Callable[..., Run],
    mapping: Callable[..., str],
    port_env: dict[str, str],
) -> None:
    run = portsync("sync", mapping(), *options, env=port_env)

    assert run.exit_code == 2
    assert said in " ".join(run.err.split())
    assert source.asked == []


def test_credentials_of_port_are_asked_for_without_it(
    portsync: Callable[..., Run], mapping: Callable[..., str]
) -> None:
    assert "PORT_CLIENT_ID" in portsync("sync", mapping(), env=NO_PORT).err


FULL_DISK = """
import resource, sys
sys.dont_write_bytecode = True  # half a file would be read by the next one
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from portsync.cli.main import main
main(sys.argv[1:])
"""


def test_a_full_disk_ends_the_run_with_a_problem(source: Source, mapping: Callable[..., str], tmp_path: Path) -> None:
    """The limit on the size of a file stands for the full disk."""
    source.answer = things(100_000)
    (tmp_path / "m.yaml").write_text(mapping(pagination="{type: offset}"), encoding="utf-8")
    arguments = ["sync", "m.yaml", "--sink", "jsonl", "--output", "out.jsonl", "--format", "json"]

    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, *arguments],
        check=False,
        cwd=tmp_path,
        env={**os.environ, **NO_PORT},
        capture_output=True,
        text=True,
    )

    report = json.loads(run.stdout)
    written = (tmp_path / "out.jsonl").read_text().count("\n")
    assert run.returncode == report["exit_code"] == 1
    assert report["problems"][0]["code"] == "output"
    assert report["problems"][0]["message"] == "the entities cannot be written to out.jsonl: File too large"
    assert 0 < report["totals"]["created"] <= written
    assert len(source.asked) < 1000


def test_a_reader_that_goes_away_ends_the_run_with_a_problem(
    source: Source, mapping: Callable[..., str], tmp_path: Path
) -> None:
    source.answer = things(100_000)
    (tmp_path / "m.yaml").write_text(mapping(pagination="{type: offset}"), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "portsync", "sync", str(tmp_path / "m.yaml"), "--sink", "jsonl"],
        env={**os.environ, **NO_PORT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert b"t0" in process.stdout.readline()
        process.stdout.close()  # as `| head -1` does
        err = process.stderr.read().decode()
        assert process.wait(30) == 1
    finally:
        process.kill()
        process.stderr.close()

    assert "error[output]: the entities cannot be written to standard output: Broken pipe" in err
    assert "Exception" not in err
    assert len(source.asked) < 1000


# The sink alone


def batch(first: int, count: int, size: int = 10) -> Batch:
    entities = (
        Entity("thing", f"t{i}", json.dumps({"identifier": f"t{i}", "title": "x" * size}).encode(), b"", 1, i)
        for i in range(first, first + count)
    )
    return Batch("thing", tuple(entities))


def test_a_slow_reader_gets_every_line_whole_and_nothing_else_waits_for_it() -> None:
    """More goes into the pipe than it holds, from several batches at once, while something else goes on."""

    async def run() -> tuple[bytes, list[Fate], int]:
        read, write = os.pipe()
        os.set_blocking(read, False)
        sink, received, turns = JsonlSink(write, "the pipe"), b"", 0
        writing = asyncio.gather(*(sink.upsert(batch(first, 20, 5000)) for first in range(0, 200, 20)))
        while not writing.done():
            turns += 1
            await asyncio.sleep(0)
            if turns % 50 == 0:
                received += os.read(read, 1 << 16)
        assert not asyncio.get_running_loop().remove_writer(write)  # nothing watches it any more
        os.close(write)
        while rest := os.read(read, 1 << 16):
            received += rest
        os.close(read)
        return received, [o.fate for result in await writing for o in result.outcomes], turns

    received, fates, turns = asyncio.run(run())

    assert [json.loads(line)["identifier"] for line in received.splitlines()] == [f"t{i}" for i in range(200)]
    assert fates == [Fate.CREATED] * 200
    assert turns > 500


def test_a_device_that_cannot_be_watched_is_written_to_all_the_same() -> None:
    async def run() -> list[Fate]:
        device = os.open(os.devnull, os.O_WRONLY)
        try:
            return [outcome.fate for outcome in (await JsonlSink(device, "nowhere").upsert(batch(0, 2))).outcomes]
        finally:
            os.close(device)

    assert asyncio.run(run()) == [Fate.CREATED] * 2


def test_a_reader_that_reads_nothing_does_not_keep_a_run_from_being_stopped() -> None:
    async def run() -> None:
        read, write = os.pipe()
        try:
            task = asyncio.create_task(JsonlSink(write, "the pipe").upsert(batch(0, 20, 50_000)))
            for _ in range(1000):
                await asyncio.sleep(0)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        finally:
            os.close(read)
            os.close(write)

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_pipe_without_a_reader_is_an_error_that_ends_the_run() -> None:
    async def run() -> None:
        read, write = os.pipe()
        os.close(read)
        try:
            await JsonlSink(write, "the pipe").upsert(batch(0, 1))
        finally:
            os.close(write)

    with pytest.raises(OutputError, match="to the pipe: Broken pipe") as raised:
        asyncio.run(run())
    assert raised.value.exit_code == 1
