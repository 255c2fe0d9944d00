"""What keeps the code as it is meant to be, where no linter says it."""

from __future__ import annotations

import ast
from pathlib import Path

import portsync

SRC = Path(portsync.__file__).parent
FILES = sorted(SRC.rglob("*.py"))


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}


def test_no_file_is_longer_than_300_lines() -> None:
    too_long = [path.name for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > 300]

    assert too_long == []


def test_no_file_is_a_grab_bag() -> None:
    grab_bags = {"utils", "util", "helpers", "common", "misc", "core", "manager"}

    assert [path.name for path in FILES if path.stem in grab_bags] == []


def test_the_environment_is_read_in_one_place() -> None:
    assert [path.name for path in FILES if "os.environ" in names_in(path)] == ["settings.py"]


def test_everything_is_caught_in_two_places_only() -> None:
    catching = [
        f"{path.parent.name}/{path.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception")
    ]

    assert sorted(catching) == ["cli/main.py", "portsync/sync.py"]


def test_only_the_command_line_prints() -> None:
    printing = [path for path in FILES if {"print", "click.echo"} & names_in(path)]

    assert {path.parent.name for path in printing} == {"cli"}
