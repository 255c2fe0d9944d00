"""The catalogue of mistakes: `bad/NAME.yaml` and, in `bad/NAME.txt`, word for word what is said about it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portsync.cli.main import main
from portsync.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

BAD = Path(__file__).parent / "bad"


@pytest.mark.parametrize("name", sorted(path.stem for path in BAD.glob("*.yaml")))
def test_each_mistake_gets_the_answer_of_the_catalogue(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with contextlib.chdir(BAD), pytest.raises(SystemExit) as end:
        main(["check", f"{name}.yaml"], Runtime({}))

    assert end.value.code == 2
    assert capfd.readouterr().err == (BAD / f"{name}.txt").read_text(encoding="utf-8")


def test_the_same_mistakes_keep_sync_from_sending_anything(
    portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    for path in BAD.glob("*.yaml"):
        run = portsync("sync", path.read_text(encoding="utf-8"), env=port_env)

        assert run.exit_code == 2, path.name
        assert "error[" in run.err
        assert run.report == {}


def test_all_problems_come_as_json_too(portsync: Callable[..., Run]) -> None:
    run = portsync("check", (BAD / "jq.yaml").read_text(encoding="utf-8"), "--format", "json")

    assert run.out.count('"code": "jq-') == 10
