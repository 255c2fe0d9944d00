"""The catalogue of mistakes: files in `bad/` and, in `bad/NAME.txt`, word for word what is said about each."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portsync.cli.main import main
from portsync.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

BAD = Path(__file__).parent / "bad"
FILES = sorted(path for path in BAD.iterdir() if path.suffix != ".txt")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_mistake_gets_the_answer_of_the_catalogue(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with contextlib.chdir(BAD), pytest.raises(SystemExit) as end:
        main(["check", path.name], Runtime({}))

    assert end.value.code == 2
    assert capfd.readouterr().err == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_no_answer_of_the_catalogue_is_left_without_its_mistake() -> None:
    assert {path.stem for path in BAD.glob("*.txt")} == {path.stem for path in FILES}
    assert len(FILES) >= 60


def test_every_answer_says_what_to_do() -> None:
    """Or names, as `expected 1 or more, and found 0` does, what would be right."""
    for path in BAD.glob("*.txt"):
        for answer in path.read_text(encoding="utf-8").split("error[")[1:]:
            assert "\n  hint: " in answer or ": expected " in answer, answer


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_excerpt_of_an_answer_is_the_line_of_its_place(path: Path) -> None:
    for answer in path.with_suffix(".txt").read_text(encoding="utf-8").split("error[")[1:]:
        place = re.search(r":(\d+):(\d+)[^\n]*\n +(\d+) \| .*\n( +)\| ( *)\^", answer)
        assert place is not None or " | " not in answer
        if place is not None:
            assert place[1] == place[3]
            assert len(place[5]) + 1 == int(place[2])


def test_the_same_mistakes_keep_sync_from_sending_anything(
    portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    for path in FILES:
        run = portsync("sync", None, str(path), env=port_env)

        assert run.exit_code == 2, path.name
        assert "error[" in run.err
        assert run.report == {}


def test_all_problems_come_as_json_too(portsync: Callable[..., Run]) -> None:
    run = portsync("check", (BAD / "jq.yaml").read_text(encoding="utf-8"), "--format", "json")

    assert run.out.count('"code": "jq-') == 10
