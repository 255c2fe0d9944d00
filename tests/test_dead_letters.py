"""The file of dead letters: whole where it can be, readable in any case, without secrets, and no run's end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.dead_letters import DeadLetters, Header, LetterFile, letter_line
from portsync.errors import ConfigError, Problem
from portsync.logs import Redactor

SECRET = "s3cret-41c2"
HEADER = Header(
    run_id="r1",
    mapping="mappings/claude.yaml",
    identifier="portsync-claude",
    type="custom",
    merge=True,
    create_missing_related_entities=False,
    written_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
)
REFUSED = Problem("port-rejected", "Port refused it", "page 2, record 17", "map it", "/things", "a")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(Path(__file__).parents[1])])}
"""For a process that imports this file."""
BODY = b'{"identifier":"a","properties":{"size":12345678901234567890123,"ratio":1.50}}'


def lines_of(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def letter(body: bytes | None, *secrets: str, problem: Problem = REFUSED, blueprint: str = "thing") -> dict[str, Any]:
    line = letter_line(problem, 0, blueprint, body, Redactor(secrets))
    assert line.count(b"\n") == 1
    value = json.loads(line)
    assert isinstance(value, dict)
    return value


def test_the_file_begins_with_a_header_and_holds_each_letter_on_a_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "letters.jsonl"
    with DeadLetters(path, HEADER, Redactor()) as letters:
        letters.add(REFUSED, 0, "thing", BODY)
        letters.add(Problem("identifier", "is null", "page 1, record 1"), None, None, None)

    assert letters.path_or_none == path
    assert letters.problem is None
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert lines_of(path) == [
        {
            "version": 1,
            "run_id": "r1",
            "mapping": "mappings/claude.yaml",
            "product": "portsync",
            "identifier": "portsync-claude",
            "type": "custom",
            "merge": True,
            "create_missing_related_entities": False,
            "written_at": "2026-11-22T12:00:00Z",
        },
        {
            "code": "port-rejected",
            "message": "Port refused it",
            "hint": "map it",
            "place": "page 2, record 17",
            "kind": "/things",
            "resource": 0,
            "identifier": "a",
            "blueprint": "thing",
            "entity": json.loads(BODY),
        },
        {
            "code": "identifier",
            "message": "is null",
            "hint": None,
            "place": "page 1, record 1",
            "kind": None,
            "resource": None,
            "identifier": None,
            "blueprint": None,
            "entity": None,
        },
    ]


def test_an_entity_is_kept_byte_for_byte() -> None:
    assert b'"entity":' + BODY in letter_line(REFUSED, 0, "thing", BODY, Redactor([SECRET]))


def test_a_run_that_has_ended_writes_no_letters_any_more(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    with DeadLetters(path, HEADER, Redactor()) as letters:
        pass
    letters.add(Problem("port-rejected", "too late"), 0, None, None)
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_for_the_eyes_of_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "letters.jsonl"
    path.parent.mkdir()
    path.write_text("an old one")
    path.chmod(0o644)
    with DeadLetters(path, HEADER, Redactor()) as letters:
        letters.add(REFUSED, 0, "thing", BODY)
        assert path.stat().st_mode & 0o777 == 0o600


def test_there_is_no_file_where_nothing_went_wrong(tmp_path: Path) -> None:
    with DeadLetters(tmp_path / "folder" / "letters.jsonl", HEADER, Redactor()) as letters:
        pass
    letters.settle(0)

    assert letters.path_or_none is None
    assert letters.problem is None
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_an_earlier_run_stays_until_there_is_a_letter(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    path.write_text("an old one")
    with DeadLetters(path, HEADER, Redactor()) as letters:
        assert path.read_text() == "an old one"
        letters.add(REFUSED, 0, "thing", BODY)
        assert len(lines_of(path)) == 2
    letters.settle(0)

    assert [file.name for file in tmp_path.iterdir()] == ["letters.jsonl"]


@pytest.mark.parametrize(("exit_code", "stays"), [(0, False), (1, True), (3, True), (4, True), (130, True)])
def test_the_file_of_an_earlier_run_is_removed_only_when_everything_arrived(
    exit_code: int, stays: bool, tmp_path: Path
) -> None:
    path = tmp_path / "letters.jsonl"
    path.write_text("an old one")
    with DeadLetters(path, HEADER, Redactor()) as letters:
        pass
    letters.settle(exit_code)

    assert path.exists() is stays
    assert letters.path_or_none is None


def test_the_file_behind_a_symbolic_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.jsonl"
    link.symlink_to(tmp_path / "real" / "letters.jsonl")
    with DeadLetters(link, HEADER, Redactor()) as letters:
        letters.add(REFUSED, 0, "thing", BODY)

    assert link.is_symlink()
    assert len(lines_of(tmp_path / "real" / "letters.jsonl")) == 2


def test_a_process_that_is_killed_leaves_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    code = f"""
import os, signal
from pathlib import Path
from tests.test_dead_letters import HEADER, REFUSED, BODY
from portsync.dead_letters import DeadLetters
from portsync.logs import Redactor
with DeadLetters(Path({str(path)!r}), HEADER, Redactor()) as letters:
    for _ in range(3):
        letters.add(REFUSED, 0, "thing", BODY)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    run = subprocess.run([sys.executable, "-c", code], check=False, env=ENVIRONMENT)

    assert run.returncode == -signal.SIGKILL
    with LetterFile(path) as found:
        assert found.letters == 3
        assert found.warning is None


# What cannot be written


def test_a_folder_that_cannot_be_made_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with DeadLetters(tmp_path / "file" / "letters.jsonl", HEADER, Redactor()) as letters:
        for _ in range(3):
            letters.add(REFUSED, 0, "thing", BODY)

    assert letters.path_or_none is None
    assert letters.problem is not None
    assert letters.problem.code == "dead-letters"
    assert letters.problem.message.startswith("3 of 3 dead letters could not be written: ")
    assert letters.problem.place == str(tmp_path / "file" / "letters.jsonl")


def test_after_the_first_trouble_nothing_more_is_tried(tmp_path: Path) -> None:
    """So that no later letter is written behind half of an earlier one."""
    (tmp_path / "folder").write_text("")
    with DeadLetters(tmp_path / "folder" / "letters.jsonl", HEADER, Redactor()) as letters:
        letters.add(REFUSED, 0, "thing", BODY)
        (tmp_path / "folder").unlink()
        letters.add(REFUSED, 0, "thing", BODY)

    assert list(tmp_path.iterdir()) == []
    assert letters.problem is not None
    assert letters.problem.message.startswith("2 of 2 dead letters")


def test_a_folder_in_the_place_of_the_file_is_a_problem_and_stays(tmp_path: Path) -> None:
    with DeadLetters(tmp_path, HEADER, Redactor()) as letters:
        letters.add(REFUSED, 0, "thing", BODY)
    letters.settle(0)

    assert letters.problem is not None
    assert tmp_path.is_dir()


def test_links_that_lead_in_a_circle_are_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(path)
    with DeadLetters(path, HEADER, Redactor()) as letters:
        letters.add(REFUSED, 0, "thing", BODY)

    assert letters.path_or_none is not None or letters.problem is not None


def test_a_full_disk_leaves_whole_lines_and_says_how_many_are_missing(tmp_path: Path) -> None:
    """The limit on the size of a file stands for the full disk: it fails in the middle of a line too."""
    path = tmp_path / "letters.jsonl"
    code = f"""
import resource, signal, sys
sys.dont_write_bytecode = True  # half a file would be read by the next one
from pathlib import Path
from tests.test_dead_letters import HEADER, REFUSED, BODY
from portsync.dead_letters import DeadLetters
from portsync.logs import Redactor
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with DeadLetters(Path({str(path)!r}), HEADER, Redactor()) as letters:
    for _ in range(10):
        letters.add(REFUSED, 0, "thing", BODY)
print(letters.problem.message, letters.path_or_none)
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )

    with LetterFile(path) as found:
        assert found.letters > 0
        assert found.warning is None
        assert run.stdout.strip() == (
            f"{10 - found.letters} of 10 dead letters could not be written: File too large {path}"
        )


def test_a_full_disk_at_the_first_letter_keeps_the_file_of_the_earlier_run(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    path.write_text("an old one")
    code = f"""
import resource, signal, sys
sys.dont_write_bytecode = True  # half a file would be read by the next one
from pathlib import Path
from tests.test_dead_letters import HEADER, REFUSED, BODY
from portsync.dead_letters import DeadLetters
from portsync.logs import Redactor
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
with DeadLetters(Path({str(path)!r}), HEADER, Redactor()) as letters:
    letters.add(REFUSED, 0, "thing", BODY)
print(letters.problem.message, letters.path_or_none)
"""
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=ENVIRONMENT)

    assert run.stdout.strip() == "1 of 1 dead letters could not be written: File too large None"
    assert path.read_text() == "an old one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """A terminal of the test's own, in a folder that takes no files: without the guard, and with the rights of root,
    a test on /dev/null would replace that of the machine."""
    ours, theirs = os.openpty()
    try:
        link = tmp_path / "device"
        link.symlink_to(os.ttyname(theirs))
        with DeadLetters(link, HEADER, Redactor()) as letters:
            letters.add(REFUSED, 0, "thing", None)
        letters.settle(0)

        assert letters.problem is None
        assert letters.path_or_none == link
        assert b'"run_id":"r1"' in os.read(ours, 10_000)
        assert link.is_char_device()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_pipe_that_nobody_reads_does_not_hold_up_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with DeadLetters(tmp_path / "pipe", HEADER, Redactor()) as letters:
        letters.add(REFUSED, 0, "thing", BODY)
    assert letters.problem is not None

    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with DeadLetters(tmp_path / "pipe", HEADER, Redactor()) as letters:
            for _ in range(1000):
                letters.add(REFUSED, 0, "thing", BODY)
    finally:
        os.close(reader)
    assert letters.problem is not None


def test_memory_does_not_grow_with_the_letters(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        with DeadLetters(tmp_path / "letters.jsonl", HEADER, Redactor()) as letters:
            letters.add(REFUSED, 0, "thing", BODY)
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(5000):
                letters.add(REFUSED, 0, "thing", BODY)
            assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()


# Secrets


@pytest.mark.parametrize(
    "body",
    [
        f'{{"identifier":"a","title":"x {SECRET} y"}}',
        f'{{"identifier":"a","properties":{{"o":{{"hint":["{SECRET}"]}}}}}}',
        f'{{"identifier":"a","properties":{{"o":{{"{SECRET}":1}}}}}}',
        f'{{"identifier":"{SECRET}"}}',
        '{"identifier":"a","title":"s3cret\\u002d41c2"}',
    ],
)
def test_an_entity_that_holds_a_secret_is_kept_without_it_and_marked(body: str) -> None:
    found = letter(body.encode(), SECRET)

    assert found["redacted"] is True
    assert "***" in json.dumps(found["entity"])
    assert "41c2" not in json.dumps(found)


def test_a_secret_is_found_behind_the_escapes_of_json() -> None:
    secret = 'q"uo\\te-ü'
    found = letter(json.dumps({"identifier": "a", "title": f"<{secret}>"}, ensure_ascii=False).encode(), secret)

    assert found["entity"]["title"] == "<***>"
    assert found["redacted"] is True


@pytest.mark.parametrize(
    ("body", "entity"),
    [
        ('{"identifier":"a","properties":{"n":12345678}}', {"identifier": "a", "properties": {"n": "***"}}),
        ('{"identifier":"a","properties":{"n":1.2345678}}', {"identifier": "a", "properties": {"n": "1.***"}}),
    ],
)
def test_a_number_that_holds_a_secret_becomes_a_text(body: str, entity: dict[str, Any]) -> None:
    found = letter(body.encode(), "12345678", "2345678")

    assert (found["entity"], found["redacted"]) == (entity, True)


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ('{"identifier":"a","properties":{"b":true}}', "true"),
        ('{"identifier":"a","title":"true","properties":{"b":true}}', "true"),
        ('{"identifier":"a","properties":{"n":12.50}}', "12.50"),
    ],
)
def test_an_entity_from_which_a_secret_cannot_be_taken_is_not_kept(body: str, secret: str) -> None:
    found = letter(body.encode(), secret)

    assert (found["entity"], found["redacted"]) == (None, True)


def test_an_entity_with_escapes_and_without_secrets_is_kept_byte_for_byte() -> None:
    body = b'{"identifier":"a","title":"\\"\\u00e9\\n","n":12345678901234567890123}'

    assert body in letter_line(REFUSED, 0, "thing", body, Redactor([SECRET]))


def test_secrets_are_taken_out_of_all_texts_of_a_letter_and_of_the_header(tmp_path: Path) -> None:
    header = Header(
        run_id=SECRET,
        mapping=f"{SECRET}.yaml",
        identifier=SECRET,
        type=SECRET,
        merge=True,
        create_missing_related_entities=True,
        written_at=HEADER.written_at,
    )
    problem = Problem("jq", f"<{SECRET}>", f"/x?key={SECRET}", "our own words", f"/{SECRET}", SECRET)
    path = tmp_path / "letters.jsonl"
    with DeadLetters(path, header, Redactor([SECRET])) as letters:
        letters.add(problem, 0, SECRET, b'{"identifier":"a"}')

    assert SECRET not in path.read_text()
    assert lines_of(path)[1]["redacted"] is True


def test_a_secret_that_is_learned_during_the_run_counts(tmp_path: Path) -> None:
    redactor = Redactor()
    with DeadLetters(tmp_path / "letters.jsonl", HEADER, redactor) as letters:
        redactor.add(SECRET)
        letters.add(Problem("jq", SECRET), 0, "thing", None)

    assert lines_of(tmp_path / "letters.jsonl")[1]["message"] == "***"


def test_texts_without_an_end_are_cut_and_halves_of_characters_are_escaped() -> None:
    found = letter(None, problem=Problem("identifier", "x" * 10_000_000, "m\udcff.yaml"))

    assert len(found["message"]) < 5000
    assert found["place"] == "m\\udcff.yaml"


def test_an_entity_that_could_not_be_read_again_is_left_out() -> None:
    body = b'{"identifier":"a","properties":{"x":' + b"[" * 5000 + b"]" * 5000 + b"}}"

    assert letter(body)["entity"] is None


def test_an_entity_on_several_lines_becomes_one() -> None:
    assert letter(b'{"identifier":\r\n"a"}')["entity"] == {"identifier": "a"}


# Reading


def written(path: Path, *bodies: bytes | None) -> Path:
    with DeadLetters(path, HEADER, Redactor()) as letters:
        for body in bodies:
            letters.add(REFUSED, 0, "thing", body)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    with LetterFile(written(tmp_path / "x", BODY, None)) as found:
        assert found.header == HEADER
        assert (found.letters, found.entities) == (2, 1)
        assert [(line.number, line.letter.body_to_send) for line in found.lines()] == [(2, BODY), (3, None)]
        assert [line.number for line in found.lines()] == [2, 3]


@settings(deadline=None, max_examples=30)
@given(cut=st.integers(1, 400))
def test_a_last_line_that_is_cut_off_anywhere_is_a_warning(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = written(tmp_path_factory.mktemp("cut") / "x", BODY, BODY)
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    path.write_bytes(whole[: len(whole) - min(cut, last - 1)])

    with LetterFile(path) as found:
        is_whole = cut == 1  # only the line break is missing
        assert found.letters == (2 if is_whole else 1)
        assert (found.warning is None) is is_whole
        assert found.warning is None or found.warning.place == f"{path}:3"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (b"", 1, "no header"),
        (b"\n", 1, "no header"),
        (b"hello\n", 1, "no header"),
        (b"[1]\n", 1, "no header"),
        (b'{"version":1}\n', 1, "no header"),
        (b'{"version":2,"anything":1}\n', 1, "the form of the file is 2, and this portsync reads 1"),
        (b"\xff\xfe\n", 1, "no header"),
    ],
)
def test_a_file_that_does_not_begin_with_a_header_is_refused(text: bytes, line: int, why: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(text)

    with pytest.raises(ConfigError) as raised:
        LetterFile(tmp_path / "x")

    (problem,) = raised.value.problems
    assert problem.code == "not-dead-letters"
    assert why in problem.message
    assert problem.place == f"{tmp_path / 'x'}:{line}"


FIELDS = b'"code":"x","message":"m","hint":null,"place":null,"kind":null,"resource":0,"identifier":"a"'


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello", "no letter"),
        (b"{}", "no letter"),
        (b"{" + FIELDS + b',"blueprint":"b","entity":[1]}', "no letter"),
        (b"{" + FIELDS + b',"blueprint":"b","entity":"a"}', "no letter"),
        (b"{" + FIELDS + b',"blueprint":"b","entity":{"title":"x"}}', "no letter"),
        (b"{" + FIELDS + b',"blueprint":"b","entity":{"identifier":"\xff"}}', "no letter"),
        (b"{" + FIELDS + b',"blueprint":null,"entity":{"identifier":"x"}}', "an entity without a blueprint"),
        (b"{" + FIELDS + b',"blueprint":"a b","entity":{"identifier":"x"}}', "the blueprint holds ' '"),
        (b"{" + FIELDS + b',"blueprint":"b","entity":' + b"[" * 5000 + b"]" * 5000 + b"}", "no letter"),
        (b" " * (5 << 20), "a line of 4 MiB and more"),
    ],
)
def test_a_line_that_is_no_letter_is_named_before_anything_else_happens(line: bytes, why: str, tmp_path: Path) -> None:
    path = written(tmp_path / "x", BODY)
    path.write_bytes(path.read_bytes() + b"\n" + line + b"\n" + path.read_bytes().splitlines(keepends=True)[1])

    with pytest.raises(ConfigError) as raised:
        LetterFile(path)

    (problem,) = raised.value.problems
    assert (problem.code, problem.place) == ("not-dead-letters", f"{path}:4")
    assert why in problem.message


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        LetterFile(tmp_path / name)

    assert raised.value.problems[0].code == "not-dead-letters"


def test_of_several_letters_of_an_entity_the_last_one_counts(tmp_path: Path) -> None:
    a, other, b = b'{"identifier":"a","title":"1"}', b'{"identifier":"b"}', b'{"identifier":"a","title":"2"}'
    path = written(tmp_path / "x", a, other, None, b)
    with DeadLetters(tmp_path / "y", HEADER, Redactor(["redact-me"])) as letters:
        letters.add(REFUSED, 0, "thing", b'{"identifier":"redact-me"}')
        letters.add(REFUSED, 0, "thing", b'{"identifier":"redact-me"}')
        letters.add(REFUSED, 0, "other", a)
        letters.add(REFUSED, 0, "thing", a)

    with LetterFile(path) as first, LetterFile(tmp_path / "y") as second:
        assert [first.is_superseded(line) for line in first.lines()] == [True, False, False, False]
        assert [second.is_superseded(line) for line in second.lines()] == [False] * 4
        assert second.entities == 2


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "x", BODY)
    with LetterFile(path) as found:
        assert found.is_as_it_was()
        with path.open("ab") as file:
            file.write(b"{}\n")
        assert not found.is_as_it_was()
        assert len(list(found.lines())) == 1
    with LetterFile(written(tmp_path / "x", BODY)) as found:
        written(tmp_path / "x", BODY)
        assert not found.is_as_it_was()
        (tmp_path / "x").unlink()
        assert not found.is_as_it_was()
