"""A mapping as text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.errors import Problem
from portsync.importing.tree import Remark
from portsync.importing.writing import written
from portsync.mapping.yaml_text import compose, values

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "true",
        "no",
        "~",
        "1e3",
        "0x1f",
        "2026-01-01",
        "a: b",
        "- a",
        "#x",
        "a #b",
        "'",
        '"',
        "|",
        "a\nb\n",
        "\na",
        "a\n\n b",
        "=",
        "<<",
        "\x85",
        "%",
    ]
)
VALUES = st.recursive(
    TEXTS
    | st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def read_back(text: str) -> Any:
    document = compose("m.yaml", text)
    assert not isinstance(document, Problem), (text, document)
    return values(document)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), TEXTS)
@settings(deadline=None, max_examples=300)
def test_what_is_written_reads_back_as_it_was(tree: dict[str, Any], remark: str) -> None:
    assert read_back(written({Remark(remark): None, **tree}, ["head", remark])) == tree


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (".name", "a: .name"),
        ("true", "a: 'true'"),
        ("it's", "a: 'it''s'"),
        ('"service"', "a: '\"service\"'"),
        ("${NAME}", "a: '${NAME}'"),
        ("a\nb", "a: |-\n  a\n  b"),
        ("\t", 'a: "\\t"'),
        ({}, "a: {}"),
        ([1, [2]], "a:\n  - 1\n  -\n    - 2"),
    ],
)
def test_values_are_written_as_a_person_would(value: Any, line: str) -> None:
    text = written({"a": value})

    assert read_back(text) == {"a": value}
    if value != [1, [2]]:
        assert text == f"{line}\n"


def test_a_remark_stands_at_its_place_and_a_blank_line_between_resources() -> None:
    tree = {"source": {"a": 1}, "resources": [{Remark("one\ntwo"): None, "kind": "/a"}, {"kind": "/b"}]}

    assert written(tree, ["top"]) == (
        "# top\n\nsource:\n  a: 1\n\nresources:\n    # one\n    # two\n  - kind: /a\n\n  - kind: /b\n"
    )
