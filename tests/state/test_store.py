"""The database of the state: held by one process at a time, and moved aside, not trusted, where it is damaged."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from portsync.errors import StateError
from portsync.settings import read_settings
from portsync.state.place import StatePlace, state_place
from portsync.state.store import opened_state
from tests.postgres import driver

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOLDER = """
import sys
from pathlib import Path
from portsync.state.place import StatePlace
from portsync.state.store import opened_state
path, url = sys.argv[1:]
with opened_state(StatePlace(Path(path) if path else None, url or None)):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(place: StatePlace) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the state while the block lasts, unless it is killed."""
    arguments = [str(place.path or ""), place.url or ""]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", _HOLDER, *arguments], **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def refusal(place: StatePlace) -> tuple[str, str]:
    """The code and message with which the state cannot be opened."""
    with pytest.raises(StateError) as caught, opened_state(place):
        pass
    problem = caught.value.problems[0]
    assert problem.hint
    return problem.code, problem.message


def opens(place: StatePlace) -> bool:
    with opened_state(place) as connection:
        return bool(connection.execute(text("SELECT version FROM portsync_version")).scalar_one() == 1)


def test_one_process_at_a_time_holds_the_state(place: StatePlace) -> None:
    with another_process(place) as process:
        code, message = refusal(place)
        assert code == "state-in-use"
        assert f"process {process.pid}" in message or place.url is not None
    assert opens(place)


def test_the_hold_ends_with_a_process_that_is_killed(place: StatePlace) -> None:
    with another_process(place) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for _ in range(100):  # the server notices a moment later
            try:
                assert opens(place)
                break
            except StateError:
                subprocess.run(["sleep", "0.05"], check=True)
        assert opens(place)


def test_a_state_may_be_opened_again_and_keeps_what_it_had(place: StatePlace) -> None:
    assert opens(place)
    assert opens(place)


def test_a_state_of_a_newer_portsync_is_left_alone(place: StatePlace) -> None:
    with opened_state(place) as connection:
        connection.execute(text("UPDATE portsync_version SET version = 2"))
        connection.commit()

    code, message = refusal(place)

    assert code == "state-version"
    assert "newer" in message
    with opened_state_raw(place) as version:
        assert version == 2


@contextmanager
def opened_state_raw(place: StatePlace) -> Iterator[int]:
    """The version in the state, read without us."""
    if place.path is not None:
        connection = sqlite3.connect(place.path)
        yield connection.execute("SELECT version FROM portsync_version").fetchone()[0]
        connection.close()
    else:
        with driver().connect((place.url or "").replace("+psycopg", "")) as connection:
            row = connection.execute("SELECT version FROM portsync_version").fetchone()
            assert row is not None
            yield row[0]


def test_no_state_lasts_no_longer_than_it_is_open() -> None:
    with opened_state(StatePlace()) as one, opened_state(StatePlace()) as other:
        one.execute(text("UPDATE portsync_version SET version = 7"))
        assert other.execute(text("SELECT version FROM portsync_version")).scalar_one() == 1


DAMAGES = {
    "no database at all": b"not a database " * 100,
    "the beginning of one": b"SQLite format 3\0" + b"\xff" * 5000,
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize(("name", "is_ours"), [("me.db", False), ("me.state", False), ("anything", True)])
def test_a_damaged_state_is_moved_aside_and_a_new_one_begun(
    tmp_path: Path, content: bytes, name: str, *, is_ours: bool
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    path.with_name(f"{name}-wal").write_bytes(b"old")

    assert opens(StatePlace(path, is_ours=is_ours))

    assert (tmp_path / f"{name}.damaged").read_bytes() == content
    assert not path.with_name(f"{name}-wal").exists()
    assert opens(StatePlace(path, is_ours=is_ours))


def test_a_state_with_a_torn_page_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "me.db"
    with opened_state(StatePlace(path)) as connection:
        rows = [{"i": f"identifier {number}"} for number in range(2000)]
        connection.execute(text("INSERT INTO portsync_entities VALUES (1, :i, NULL, 1)"), rows)
        connection.commit()
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 8 * 4096] = b"\xa5" * 5 * 4096
    path.write_bytes(content)

    assert opens(StatePlace(path))
    assert (tmp_path / "me.db.damaged").exists()


@pytest.mark.parametrize("content", [b"my notes\n", b"\0" * 100])
def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)

    code, message = refusal(StatePlace(path))

    assert code == "bad-state"
    assert "is no state" in message
    assert path.read_bytes() == content
    assert sorted(one.name for one in tmp_path.iterdir()) == ["notes.txt", "notes.txt.lock"]


def test_an_empty_file_becomes_a_state(tmp_path: Path) -> None:
    (tmp_path / "given").touch()
    assert opens(StatePlace(tmp_path / "given"))


def test_folders_are_made(tmp_path: Path) -> None:
    assert opens(StatePlace(tmp_path / "a" / "b" / "me.db"))


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.db").mkdir()

    for path in (tmp_path / "file" / "me.db", tmp_path / "folder.db"):
        code, message = refusal(StatePlace(path))
        assert code == "bad-state"
        assert str(path) in message


def test_a_server_that_is_not_there_is_said_without_its_password() -> None:
    driver()
    place = StatePlace(url="postgresql+psycopg://me:hunter2@127.0.0.1:1/db?connect_timeout=1")

    code, message = refusal(place)

    assert code == "bad-state"
    assert "127.0.0.1" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, StatePlace(Path("/home/ada/.local/state/portsync/state/me.db"), is_ours=True)),
        ("none", StatePlace()),
        ("state.db", StatePlace(Path("state.db"))),
        ("/var/lib/portsync.db", StatePlace(Path("/var/lib/portsync.db"))),
        ("sqlite:///state.db", StatePlace(Path("state.db"))),
        ("sqlite:////var/lib/portsync.db", StatePlace(Path("/var/lib/portsync.db"))),
        ("postgresql://u:p@h:5/d", StatePlace(url="postgresql+psycopg://u:p@h:5/d", integration="me")),
        ("postgres://h/d", StatePlace(url="postgresql+psycopg://h/d", integration="me")),
        (
            "postgresql+psycopg://h/d?sslmode=require",
            StatePlace(url="postgresql+psycopg://h/d?sslmode=require", integration="me"),
        ),
    ],
    ids=str,
)
def test_portsync_state_says_where_the_state_lies(given: str | None, expected: StatePlace) -> None:
    environment = {"HOME": "/home/ada"} if given is None else {"HOME": "/home/ada", "PORTSYNC_STATE": given}
    assert state_place(read_settings(environment), "me") == expected


@pytest.mark.parametrize("given", ["sqlite://", "sqlite:///", "sqlite://host/path", "mysql://h/d", "https://x"])
def test_other_urls_are_refused(given: str) -> None:
    with pytest.raises(StateError) as caught:
        state_place(read_settings({"PORTSYNC_STATE": given}), "me")
    assert caught.value.problems[0].code == "bad-state"
    assert "PORTSYNC_STATE is" in (caught.value.problems[0].hint or "")


def test_without_a_home_there_is_no_state() -> None:
    assert state_place(read_settings({}), "me") == StatePlace()
    assert state_place(read_settings({"XDG_STATE_HOME": "/x"}), "me").path == Path("/x/portsync/state/me.db")


def test_a_place_is_named_without_a_password() -> None:
    assert str(StatePlace(url="postgresql+psycopg://u:p@h:5/d?password=p")) == "h:5/d"
    assert (str(StatePlace(Path("a.db"))), str(StatePlace())) == ("a.db", "none")
