"""A file against what Port has: what the file names counts, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.declared import merged, says

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=1), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(JSON, JSON)
def test_what_a_file_is_merged_into_says_what_the_file_wants(existing: Any, wanted: Any) -> None:
    """So that a second run changes nothing."""
    assert says(merged(existing, wanted), wanted)


@pytest.mark.parametrize(
    ("existing", "wanted", "expected"),
    [
        ({"a": 1, "createdAt": "x"}, {"a": 1}, True),
        ([{"a": 1, "createdAt": "x"}], [{"a": 1}], True),
        ({"a": [{"b": [{"c": 1, "id": "x"}]}]}, {"a": [{"b": [{"c": 1}]}]}, True),
        ({}, {"a": None, "b": [], "c": {}, "d": {"e": []}}, True),
        (None, {}, True),
        ({"by": "hand"}, {}, True),
        ({"a": 1}, {"a": 2}, False),
        ([1, 2], [2, 1], False),
        ([1, 2], [1], False),
        ([1], [], False),
        ({}, {"a": False}, False),
        (5, {}, False),
        ("ab", ["a", "b"], False),
    ],
    ids=str,
)
def test_what_port_has_says_what_is_wanted_or_not(existing: Any, wanted: Any, *, expected: bool) -> None:
    assert says(existing, wanted) is expected
