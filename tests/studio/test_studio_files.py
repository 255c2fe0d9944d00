"""What is written to disk, and when; what is taken along; and the command itself."""

from __future__ import annotations

import json
import re
import shlex
import stat
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from portsync.cli.main import portsync as commands_of
from tests.cli.test_local_catalog import running
from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run, Source
    from tests.studio.conftest import Studio

RECORDS = [{"id": f"t{number}", "name": "N", "size": number, "secret": "of-a-record"} for number in range(3)]


@pytest.fixture
def file(studio: Studio, things: Callable[..., str]) -> Path:
    """The file that the studio edits."""
    path = studio.folder / "m.yaml"
    path.write_text(things())
    studio.session.file.path = path
    studio.ask("/api/open")
    return path


def test_nothing_is_written_until_somebody_saves(studio: Studio, file: Path, things: Callable[..., str]) -> None:
    before = file.read_text()
    studio.look(things(properties="other: .size"))
    studio.post("/api/proposals", text=before)

    assert file.read_text() == before
    assert [path.name for path in studio.folder.iterdir()] == ["m.yaml"]


def test_save_writes_the_text_and_keeps_rights_and_line_breaks(studio: Studio, file: Path) -> None:
    file.write_bytes(b"resources: []\r\n")
    file.chmod(0o640)
    text = studio.ask("/api/open")["text"]

    studio.ask("/api/save", text=text.replace("\r\n", "\n") + "# more\n")

    assert file.read_bytes() == b"resources: []\r\n# more\r\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    studio.ask("/api/save", text="resources: []\n")


def test_a_file_that_somebody_else_changed_is_not_written_over_unless_said_so(studio: Studio, file: Path) -> None:
    file.write_text("# of somebody else\n")

    refused = studio.post("/api/save", text="mine: 1\n")
    kept = file.read_text()
    studio.ask("/api/save", text="mine: 1\n", over=True)

    assert refused.status_code == 409
    assert refused.json()["problems"][0]["code"] == "file-changed"
    assert kept == "# of somebody else\n"
    assert file.read_text() == "mine: 1\n"
    assert studio.post("/api/save", text="mine: 2\n").status_code == 200


@pytest.mark.usefixtures("file")
def test_a_new_name_never_hits_a_file_that_is_there(studio: Studio) -> None:
    (studio.folder / "taken.yaml").write_text("theirs\n")

    refused = studio.post("/api/save", text="a: 1\n", path="taken.yaml")
    studio.ask("/api/save", text="a: 1\n", path="sub/new.yaml")

    assert refused.json()["problems"][0]["code"] == "file-exists"
    assert (studio.folder / "taken.yaml").read_text() == "theirs\n"
    assert (studio.folder / "sub" / "new.yaml").read_text() == "a: 1\n"
    assert studio.session.file.path == studio.folder / "sub" / "new.yaml"


@pytest.mark.parametrize("path", [None, "mapping.txt", "mapping", "m.yaml/below.yaml"])
def test_what_cannot_be_a_mapping_file_is_refused_in_words(studio: Studio, path: str | None) -> None:
    (studio.folder / "m.yaml").write_text("x")

    answer = studio.post("/api/save", text="a: 1\n", path=path)

    assert answer.status_code == 422
    assert answer.json()["problems"][0]["code"] == "unwritable-file"


@pytest.fixture
def taken(studio: Studio, source: Source, things: Callable[..., str]) -> dict[str, Any]:
    """What a mapping with answers and a blueprint gives to take along."""
    source.answer = lambda _: {"data": RECORDS}
    studio.ask_source(things())
    drafts = studio.ask("/api/drafts", text=things())["blueprints"]
    found: dict[str, Any] = studio.ask("/api/taken", text=things(), blueprints=drafts)
    return found


def test_the_files_hold_no_secret_and_the_test_passes(
    studio: Studio, source: Source, things: Callable[..., str], portsync: Callable[..., Run]
) -> None:
    source.answer = lambda _: {"data": RECORDS, "echo": TOKEN}
    studio.ask_source(things())
    drafts = studio.ask("/api/drafts", text=things())["blueprints"]

    studio.ask("/api/write", of={"text": things(), "blueprints": drafts})
    ended = portsync("test", None, "mapping.test.yaml")

    assert json.loads((studio.folder / "blueprints/mapping/thing.json").read_text())["schema"]["properties"] == {
        "size": {"title": "Size", "type": "number"}
    }
    assert ended.exit_code == 0, ended.out
    (case,) = yaml.safe_load((studio.folder / "mapping.test.yaml").read_text())["cases"]
    assert case["expect"]["verdict"] == "complete"
    assert [entity["identifier"] for entity in case["expect"]["entities"]] == ["t0", "t1", "t2"]
    for path in studio.folder.rglob("*.*"):
        assert TOKEN not in path.read_text()
        assert "of-a-record" not in path.read_text()


def test_files_with_another_content_are_named_before_any_is_written(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    source.answer = lambda _: {"data": RECORDS}
    studio.ask_source(things())
    (studio.folder / "mapping.test.yaml").write_text("theirs")

    refused = studio.post("/api/write", of={"text": things()})

    assert refused.status_code == 409
    assert [problem["place"].rsplit("/", 1)[1] for problem in refused.json()["problems"]] == ["mapping.test.yaml"]
    assert [path.name for path in studio.folder.iterdir()] == ["mapping.test.yaml"]
    studio.ask("/api/write", of={"text": things()}, over=True)
    assert (studio.folder / "mapping.yaml").read_text() == things()


def test_the_commands_are_ones_that_there_are(taken: dict[str, Any]) -> None:
    texts = {command["title"]: command["text"] for command in taken["commands"]}

    assert list(texts) == ["In a shell", "Docker", "Helm", "cron", "GitHub Actions"]
    found = [match for text in texts.values() for match in re.finditer(r"\bportsync ([a-z]+) (.*)", text)]
    lines = [
        (match[1], match[2]) for match in found if match[1] in commands_of.list_commands(click.Context(commands_of))
    ]
    assert {name for name, _ in lines} == {"check", "test", "provision", "plan", "sync"}
    for name, rest in lines:
        command = commands_of.get_command(click.Context(commands_of), name)
        assert command is not None
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"(?<=\s)--[a-z-]+", rest)) <= options
    files = {file["name"] for file in taken["files"]}
    assert {"mapping.yaml", "mapping.test.yaml", "blueprints/mapping/thing.json"} <= files
    assert all("SRC_TOKEN" in text for text in texts.values())
    assert all(TOKEN not in text for text in texts.values())


def test_the_commands_can_be_read_by_who_runs_them(taken: dict[str, Any], pytestconfig: pytest.Config) -> None:
    texts = {command["title"]: command["text"] for command in taken["commands"]}

    docker = shlex.split(texts["Docker"].replace("\\\n", " "))
    assert docker[:3] == ["docker", "run", "--rm"]
    assert docker[-1] == "portsync"
    values = yaml.safe_load((pytestconfig.rootpath / "deploy/helm/portsync/values.yaml").read_text())
    for setting in re.findall(r"--set(?:-file)? ([\w.]+)=|--set ([\w.]+)=", texts["Helm"]):
        at: Any = values
        for part in (setting[0] or setting[1]).split("."):
            assert part in at, setting
            at = at[part]
    jobs = yaml.safe_load(texts["GitHub Actions"])["jobs"]
    assert "portsync sync mapping.yaml" in jobs["sync"]["steps"][-1]["run"]
    assert len(texts["cron"].splitlines()[0].split(maxsplit=5)) == 6


def test_the_command_prints_an_address_that_opens_it_and_ends_well_with_ctrl_c() -> None:
    with running("studio", "--no-browser") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        address = next(line for line in lines if line.startswith("http"))
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]{40,}\n", address)
    assert process.returncode == 0


def test_a_port_that_is_taken_is_said_in_words(studio: Studio, portsync: Callable[..., Run]) -> None:
    ended = portsync("studio", None, "--no-browser", "--port", studio.url.rsplit(":", 1)[1])

    assert ended.exit_code == 2
    assert "port-taken" in ended.err
