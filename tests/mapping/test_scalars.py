"""Where a character of a YAML scalar stands in the file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.mapping.places import Document
from portsync.mapping.scalars import index_of
from portsync.mapping.yaml_text import compose


def node_in(text: str) -> yaml.ScalarNode:
    document = compose("m.yaml", text)
    assert isinstance(document, Document)
    node = document.nearest(("a", "b"))
    assert isinstance(node, yaml.ScalarNode)
    return node


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("one X two", "one X two"),
        ("'one X'", "one X"),
        ("'it''s X'", "it's X"),
        ('"one X"', "one X"),
        (r'"\"a\" + X"', '"a" + X'),
        (r'"\u00e9\x41\n\t X"', "\u00e9A\n\t X"),
        ("one\n    two\n    X", "one two X"),
        ("'one\n\n    X'", "one\nX"),
        ('"one \\\n    X"', "one X"),
        ("|\n    one\n    X two\n", "one\nX two\n"),
        ("|-\n    one\n\n      X\n", "one\n\n  X"),
        ("|2-\n    one\n    X\n", None),
        (">\n    one\n    X two\n", "one X two\n"),
        (">-\n    one\n\n      two\n      X\n    three\n", "one\n\n  two\n  X\nthree"),
        ("|+ # why\n    one\n    X\n\n", "one\nX\n\n"),
        ("|\r\n    one\r\n    X\r\n", "one\nX\n"),
        ("&anchor one X", "one X"),
        ("!!str one X", "one X"),
    ],
)
def test_the_place_of_a_character_is_found_in_every_way_of_writing(written: str, value: str | None) -> None:
    text = f"a:\n  b: {written}"
    node = node_in(text)
    assert value is None or node.value == value

    index = index_of(text, node, node.value.index("X"))

    assert index == text.index("X")


def test_a_value_that_was_replaced_has_no_places() -> None:
    text = "a:\n  b: one ${NAME}"
    node = node_in(text)
    node.value = "one two"

    assert index_of(text, node, 4) is None


_TEXTS = st.text(st.sampled_from("ab \n'\"\\#:-{}\u00e9\t"), max_size=20)


@settings(deadline=None)
@given(_TEXTS, st.sampled_from([None, "'", '"', "|", ">"]), st.integers(20, 80))
def test_what_yaml_writes_is_found_again(value: str, style: str | None, width: int) -> None:
    text = yaml.safe_dump({"a": {"b": value}}, default_style=style, width=width, allow_unicode=True)
    document = compose("m.yaml", text)
    assert isinstance(document, Document)
    node = document.nearest(("a", "b"))
    assert isinstance(node, yaml.ScalarNode)

    for offset, character in enumerate(value):
        index = index_of(text, node, offset)
        assert index is not None
        # A line break that was folded, or written as an escape, stands somewhere between its neighbours.
        if character.isalpha():
            assert text[index] in (character, "\\")
