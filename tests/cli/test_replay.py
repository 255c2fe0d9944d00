"""`portsync replay`: what Port takes leaves the file, all else stays, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from portsync.dead_letters import DeadLetters, Header, LetterFile, Replacement
from portsync.errors import Problem
from portsync.logs import Redactor
from portsync.replay import replay as replay_letters
from portsync.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

    from portsync.flow import Batch, BatchResult
    from tests.conftest import LocalPort, Run, Stage

REFUSED = Problem("port-rejected", "the old reason", "page 2, record 17", "the old hint", "/things", "a")
FAILURE = Problem("identifier", "the identifier is null", "page 1, record 1", kind="/things")


def header(*, merge: bool = True) -> Header:
    return Header(
        run_id="r1",
        mapping="m.yaml",
        identifier="portsync-things",
        type="records",
        merge=merge,
        create_missing_related_entities=False,
        written_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )


def thing(identifier: str, size: Any = 1) -> bytes:
    return json.dumps({"identifier": identifier, "properties": {"size": size}}).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "letters.jsonl"


def fill(file: Path, *bodies: bytes | None, blueprint: str = "thing", head: Header | None = None) -> Path:
    with DeadLetters(file, head or header(), Redactor()) as letters:
        for body in bodies:
            letters.add(FAILURE if body is None else REFUSED, 0, None if body is None else blueprint, body)
    return file


def remaining(file: Path) -> list[tuple[str, str]]:
    with LetterFile(file) as letters:
        assert letters.warning is None
        return [(line.letter.code, line.letter.message) for line in letters.lines()]


def bodies_in(file: Path) -> list[bytes | None]:
    with LetterFile(file) as letters:
        return [line.letter.body_to_send for line in letters.lines()]


@pytest.fixture
def replay(portsync: Callable[..., Run], port_env: dict[str, str], file: Path) -> Callable[..., Run]:
    def run(*options: str) -> Run:
        return portsync("replay", None, str(file), *options, env=port_env)

    return run


def test_what_port_takes_now_leaves_the_file_and_an_empty_file_is_removed(
    file: Path, replay: Callable[..., Run], local_port: LocalPort
) -> None:
    fill(file, *(thing(f"t{i}", i) for i in range(50)))

    run = replay()

    assert run.exit_code == 0, run.err
    assert run.out == f"ok: 50 letters, 50 created, 0 updated in 0.0 s; nothing stays of {file}\n"
    assert run.err == ""
    assert local_port.entities("thing")["t49"]["properties"]["size"] == 49
    assert list(file.parent.iterdir()) == []


def test_what_port_refuses_again_stays_with_the_new_reason_and_all_else_stays_as_it_is(
    file: Path, replay: Callable[..., Run], local_port: LocalPort
) -> None:
    fill(file, thing("a"), None, thing("b", "wrong"), thing("c"))
    file.chmod(0o644)

    run = replay("--format", "json")

    assert run.exit_code == 1
    result = json.loads(run.out)
    assert {**result, "problems": [], "duration_s": 0} == {
        "version": 1,
        "run_id": "r1",
        "mapping": "m.yaml",
        "duration_s": 0,
        "status": "partial",
        "exit_code": 1,
        "letters": 4,
        "created": 2,
        "updated": 0,
        "rejected": 1,
        "untried": 0,
        "superseded": 0,
        "redacted": 0,
        "without_entity": 1,
        "dead_letters": str(file),
        "problems": [],
    }
    assert [problem["code"] for problem in result["problems"]] == ["port-rejected"]
    assert set(local_port.entities("thing")) == {"a", "c"}
    found = remaining(file)
    assert found[0] == (FAILURE.code, FAILURE.message)
    assert found[1][0] == "port-rejected"
    assert "blueprint_schema_mismatch" in found[1][1]
    assert bodies_in(file) == [None, thing("b", "wrong")]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    with LetterFile(file) as letters:
        refused = list(letters.lines())[1].letter
        assert letters.header == header()
    assert (refused.place, refused.kind, refused.resource) == ("page 2, record 17", "/things", 0)


def test_a_file_that_was_replayed_can_be_replayed(file: Path, replay: Callable[..., Run]) -> None:
    fill(file, thing("a"), thing("b", "wrong"))
    replay()
    file.write_bytes(file.read_bytes().replace(b'"wrong"', b"7"))

    run = replay()

    assert run.exit_code == 0, run.err
    assert not file.exists()


def test_failures_alone_stay_and_need_no_port(file: Path, portsync: Callable[..., Run]) -> None:
    before = fill(file, None, None).read_bytes()
    env = {"PORT_CLIENT_ID": "cid", "PORT_CLIENT_SECRET": "none", "PORT_BASE_URL": "http://127.0.0.1:9"}

    run = portsync("replay", None, str(file), env=env)

    assert run.exit_code == 1
    assert "2 without entity in 0.0 s; 2 stay in" in run.out
    assert file.read_bytes() == before


def test_an_entity_without_its_secrets_is_not_sent_and_said(
    file: Path, replay: Callable[..., Run], local_port: LocalPort
) -> None:
    with DeadLetters(file, header(), Redactor(["hush-hush"])) as letters:
        letters.add(REFUSED, 0, "thing", thing("hush-hush"))
        letters.add(REFUSED, 0, "thing", thing("b"))

    run = replay()

    assert run.exit_code == 1
    assert "error[redacted]" in run.err
    assert "1 redacted" in run.out
    assert set(local_port.entities("thing")) == {"b"}
    assert remaining(file) == [("port-rejected", "the old reason")]


def test_the_last_letter_of_an_entity_is_the_one_that_is_sent(
    file: Path, replay: Callable[..., Run], local_port: LocalPort
) -> None:
    fill(file, thing("a", 1), *(thing(f"t{i}") for i in range(30)), thing("a", 2))

    run = replay()

    assert run.exit_code == 0
    assert "1 superseded" in run.out
    assert local_port.entities("thing")["a"]["properties"]["size"] == 2


def test_entities_are_sent_with_the_switches_and_the_name_of_the_run(
    file: Path, replay: Callable[..., Run], local_port: LocalPort
) -> None:
    local_port.api("POST", "/blueprints/thing/entities", {"identifier": "a", "properties": {"name": "n"}})
    fill(file, thing("a"), head=header(merge=False))

    assert "1 updated" in replay().out

    rule = {"property": "$datasource", "operator": "endsWith", "value": "/portsync-things/exporter"}
    starts = {"property": "$datasource", "operator": "beginsWith", "value": "portsync/records/"}
    (found,) = local_port.api("POST", "/entities/search", {"combinator": "and", "rules": [rule, starts]})["entities"]
    assert found["properties"].get("name") is None


def test_numbers_keep_all_their_digits(
    file: Path, portsync: Callable[..., Run], port_stage: tuple[Stage, str], port_env: dict[str, str]
) -> None:
    bodies = scripted_port(port_stage, lambda _: 200)
    body = b'{"identifier":"a","properties":{"size":12345678901234567890123,"ratio":1.50}}'
    fill(file, body)

    run = portsync("replay", None, str(file), env=port_env)

    assert run.exit_code == 0
    assert bodies == [b'{"entities":[' + body + b"]}"]


def scripted_port(
    port_stage: tuple[Stage, str], status_of: Callable[[dict[str, Any]], int], gate: Callable[[], None] = lambda: None
) -> list[bytes]:
    """A Port that answers each batch as its first entity says; the bodies that it gets."""
    stage, _ = port_stage
    bodies: list[bytes] = []

    def sign_in(_: Request) -> JSONResponse:
        return JSONResponse({"ok": True, "accessToken": "t0ken-5a5a", "expiresIn": 10800, "tokenType": "Bearer"})

    async def bulk(request: Request) -> JSONResponse:
        body = await request.body()
        bodies.append(body)
        gate()
        entities = json.loads(body)["entities"]
        status = status_of(entities[0])
        if status >= 400:
            return JSONResponse({"ok": False, "error": "x", "message": "about t0ken-5a5a"}, status)
        items = [{"identifier": e["identifier"], "index": i, "created": True} for i, e in enumerate(entities)]
        return JSONResponse({"ok": True, "entities": items, "errors": []})

    routes = [
        Route("/v1/auth/access_token", sign_in, methods=["POST"]),
        Route("/v1/blueprints/{bp}/entities/bulk", bulk, methods=["POST"]),
    ]
    stage.app = Starlette(routes=routes)
    return bodies


def test_a_token_that_port_repeats_gets_into_no_output_and_no_file(
    file: Path, portsync: Callable[..., Run], port_stage: tuple[Stage, str], port_env: dict[str, str]
) -> None:
    scripted_port(port_stage, lambda _: 403)
    fill(file, thing("a"))

    run = portsync("replay", None, str(file), env=port_env)

    assert run.exit_code == 1
    assert "about ***" in run.err
    assert "5a5a" not in run.out + run.err + file.read_text()


def test_where_port_goes_away_what_was_not_tried_keeps_its_reason(
    file: Path, portsync: Callable[..., Run], port_stage: tuple[Stage, str], port_env: dict[str, str]
) -> None:
    """The first batch is taken; then three in a row are not, and nothing more is sent."""
    scripted_port(port_stage, lambda entity: 200 if entity["identifier"] == "t0" else 503)
    fill(file, *(thing(f"t{i}") for i in range(1000)))

    run = portsync("replay", None, str(file), "--format", "json", env=port_env)

    result = json.loads(run.out)
    assert (run.exit_code, result["status"]) == (1, "partial")
    assert result["created"] == 20
    assert result["rejected"] + result["untried"] == 980
    assert 40 <= result["rejected"] <= 80  # two batches, and two more where the first answer comes late
    found = remaining(file)
    assert len(found) == 980
    assert found.count(("port-rejected", "the old reason")) == result["untried"] > 500
    assert result["problems"][0]["code"] == "port-trouble"


def test_a_port_that_takes_nothing_at_all_is_exit_code_4_and_the_file_stays(
    file: Path, portsync: Callable[..., Run], port_stage: tuple[Stage, str], port_env: dict[str, str]
) -> None:
    scripted_port(port_stage, lambda _: 503)
    fill(file, *(thing(f"t{i}") for i in range(1000)))
    bodies = sorted(bodies_in(file), key=str)

    run = portsync("replay", None, str(file), env=port_env)

    assert run.exit_code == 4
    assert "failed: 1,000 letters, 0 created" in run.out
    assert sorted(bodies_in(file), key=str) == bodies


@pytest.mark.parametrize("env", [{"PORT_CLIENT_SECRET": "wrong-secret"}, {"PORT_BASE_URL": "http://127.0.0.1:9"}])
def test_a_port_that_cannot_be_used_is_exit_code_4_and_the_file_stays(
    env: dict[str, str], file: Path, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    before = fill(file, thing("a")).read_bytes()

    run = portsync("replay", None, str(file), env={**port_env, **env})

    assert run.exit_code == 4
    assert "wrong-secret" not in run.err
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_credentials_are_asked_for(file: Path, portsync: Callable[..., Run]) -> None:
    fill(file, thing("a"))

    run = portsync("replay", None, str(file))

    assert run.exit_code == 2
    assert "PORT_CLIENT_ID" in run.err


def test_a_file_that_is_none_is_exit_code_2_with_the_line_and_nothing_is_sent(
    file: Path, replay: Callable[..., Run], local_port: LocalPort
) -> None:
    fill(file, *(thing(f"t{i}") for i in range(100)))
    file.write_bytes(file.read_bytes() + b"{}\n")

    run = replay()

    assert run.exit_code == 2
    assert "error[not-dead-letters]" in run.err
    assert f"{file}:102" in run.err
    assert local_port.entities("thing") == {}


def test_a_cut_off_last_line_is_a_warning(file: Path, replay: Callable[..., Run], local_port: LocalPort) -> None:
    fill(file, thing("a"), thing("b"))
    file.write_bytes(file.read_bytes()[:-30])

    run = replay()

    assert run.exit_code == 0
    assert "warning[letter-cut-off]: the last line is cut off" in run.err
    assert f"{file}:3" in run.err
    assert set(local_port.entities("thing")) == {"a"}


def test_an_entity_that_grew_too_large_by_hand_stays(file: Path, replay: Callable[..., Run]) -> None:
    fill(file, json.dumps({"identifier": "a", "title": "x" * (1 << 20)}).encode())

    run = replay()

    assert run.exit_code == 1
    assert "error[entity-too-large]" in run.err
    assert len(remaining(file)) == 1


def test_a_dry_run_lists_what_would_be_sent_and_needs_no_credentials(file: Path, portsync: Callable[..., Run]) -> None:
    before = fill(file, thing("a", 1), None, thing("b"), thing("a", 2)).read_bytes()

    text = portsync("replay", None, str(file), "--dry-run")
    as_json = portsync("replay", None, str(file), "--dry-run", "--format", "json")

    assert (text.exit_code, as_json.exit_code) == (0, 0)
    assert text.out.splitlines() == [
        "thing  a  (port-rejected: the old reason)",
        "thing  a  (port-rejected: the old reason)",
        "2 of 4 letters would be sent, 2 not",
    ]
    reason = {"code": "port-rejected", "message": "the old reason"}
    assert json.loads(as_json.out) == {
        "version": 1,
        "file": str(file),
        "letters": 4,
        "would_send": [
            {"line": 4, "blueprint": "thing", "identifier": "a", **reason},
            {"line": 5, "blueprint": "thing", "identifier": "a", **reason},
        ],
    }
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_found_out_before_anything_is_sent(
    file: Path, replay: Callable[..., Run], local_port: LocalPort
) -> None:
    """A folder in the place of the new file stands for rights that are missing, which root has."""
    fill(file, thing("a"))
    (file.parent / f".{file.name}.{os.getpid()}.new").mkdir()

    run = replay()

    assert run.exit_code == 2
    assert "error[dead-letters]" in run.err
    assert local_port.entities("thing") == {}


def test_a_file_that_another_run_writes_meanwhile_is_left_as_that_run_made_it(
    file: Path, portsync: Callable[..., Run], port_stage: tuple[Stage, str], port_env: dict[str, str]
) -> None:
    fill(file, thing("a"))

    def other_run() -> None:
        fill(file, thing("new"))

    scripted_port(port_stage, lambda _: 200, other_run)

    run = portsync("replay", None, str(file), env=port_env)

    assert run.exit_code == 1
    assert "written anew" in run.err
    assert bodies_in(file) == [thing("new")]


FULL_DISK = """
import resource, signal, sys
sys.dont_write_bytecode = True  # half a file would be read by the next one
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
from portsync.cli.main import main
main(sys.argv[1:])
"""


def test_a_full_disk_at_the_end_leaves_the_file_whole(
    file: Path, port_env: dict[str, str], local_port: LocalPort
) -> None:
    before = fill(file, thing("a"), *(thing(f"b{i}", "wrong") for i in range(30))).read_bytes()

    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, "replay", str(file)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **port_env},
    )

    assert run.returncode == 1
    assert "what remains cannot be written, so the file still holds all: File too large" in run.stderr
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]
    assert set(local_port.entities("thing")) == {"a"}


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_after_a_signal_what_was_not_tried_stays(
    number: signal.Signals, exit_code: int, file: Path, port_stage: tuple[Stage, str], port_env: dict[str, str]
) -> None:
    second_batch, go_on = threading.Event(), threading.Event()
    asked: list[int] = []

    def gate() -> None:
        asked.append(1)
        if len(asked) > 1:
            second_batch.set()
            go_on.wait(30)

    scripted_port(port_stage, lambda _: 200, gate)
    with DeadLetters(file, header(), Redactor()) as letters:
        # The one of another blueprint waits for its batch to fill, which never happens.
        letters.add(REFUSED, 0, "other", thing("o"))
        for i in range(5000):
            letters.add(REFUSED, 0, "thing", thing(f"t{i}"))
        letters.add(FAILURE, 0, None, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "portsync", "replay", str(file), "--format", "json"],
        env={**os.environ, **port_env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert second_batch.wait(30)
        process.send_signal(number)
        go_on.set()
        out, err = process.communicate(timeout=60)
    finally:
        go_on.set()
        process.kill()

    result = json.loads(out)
    assert process.returncode == exit_code, err
    assert (result["status"], result["exit_code"]) == ("interrupted", exit_code)
    assert 20 <= result["created"] < 5000
    assert result["created"] + result["untried"] == 5001
    assert thing("o") in bodies_in(file)
    assert remaining(file).count(("port-rejected", "the old reason")) == result["untried"]
    assert (FAILURE.code, FAILURE.message) in remaining(file)
    assert len(set(bodies_in(file))) == result["untried"] + 1
    assert "Traceback" not in err


class NoSink:
    """A sink to which nothing may go."""

    writes = True

    def at_once(self, _blueprint: str) -> int:
        return 20

    async def upsert(self, batch: Batch) -> BatchResult:
        raise AssertionError(batch)


def test_a_file_of_failures_alone_does_not_hold_up_what_else_goes_on(file: Path) -> None:
    """Such as the signal that asks to stop."""
    fill(file, *[None] * 5000)

    async def run() -> int:
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(take_turns())
        with LetterFile(file) as letters, closing(Replacement(file)) as remains:
            replayed = await replay_letters(letters, remains, NoSink(), Stop(), Redactor())
        task.cancel()
        assert (replayed.left, replayed.exit_code) == (5000, 1)
        return turns

    assert asyncio.run(run()) >= 10


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """The highest resident size of a process that replays a file twenty times as long is about the same."""
    code = """
import resource, sys
from portsync.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""

    def highest_kib(count: int) -> int:
        file = fill(tmp_path / f"{count}.jsonl", *(thing(f"t{i}" + "x" * 500) for i in range(count)))
        command = [sys.executable, "-c", code, "replay", str(file), "--dry-run"]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        assert f"{count:,} of {count:,} letters" in run.stdout
        return int(run.stderr.split()[-1])

    assert highest_kib(40_000) - highest_kib(2_000) < 8 * 1024
