"""The file with the variables of an Ocean container."""

from __future__ import annotations

import pytest

from portsync.importing.notes import Notes
from portsync.importing.ocean.environment import read_environment


def read(text: str) -> tuple[dict[str, str], list[str]]:
    """The variables of a text, and the lines that set none."""
    notes = Notes()
    found = read_environment(text, "env", notes)
    return {name: setting.value for name, setting in found.items()}, [str(note.place) for note in notes.in_order()]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("  A = b  ", "b"),
        ("export A=b", "b"),
        ("A='b c' # why", "b c"),
        ('A="b \\"c\\""', 'b "c"'),
        ("A=b # why", "b"),
        ("A=b#c", "b#c"),
        ('A={"type": "ONCE"}', '{"type": "ONCE"}'),
        ('A=\'{"a": "${B}"}\'', '{"a": "${B}"}'),
        ("A=x=y==", "x=y=="),
        ("  -e A=b \\", "b"),
        ('-e "A=b c" \\', "b c"),
        ("-e A='b c' -e Z=1", "b c"),
        ("--env A=b", "b"),
        ("--env=A=b \\", "b"),
        ("docker run --rm -e A=b image:latest", "b"),
        ("- A=b", "b"),
        ('- "A=b c"', "b c"),
        ("A=1\nA=b", "b"),
    ],
)
def test_a_line_sets_a_variable(line: str, value: str) -> None:
    found, wrong = read(line)

    assert found["A"] == value
    assert wrong == []


@pytest.mark.parametrize(
    "line", ["", "  ", "# A=b", "docker run -i --rm \\", "  --rm \\", "ghcr.io/port-labs/x:latest", "A="]
)
def test_other_lines_of_such_files_set_nothing_and_are_no_mistake(line: str) -> None:
    assert read(line) == ({}, [])


@pytest.mark.parametrize("line", ["A b", "A: b", "-e A='b", "what is this"])
def test_a_line_that_sets_no_variable_is_listed(line: str) -> None:
    assert read(f"B=1\n{line}") == ({"B": "1"}, ["env:2:1"])
