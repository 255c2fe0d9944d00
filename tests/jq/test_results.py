"""The type of a result is proven by what JQ gives."""

from __future__ import annotations

import json

import jq
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.jq.compile import find_fault, normalised
from portsync.jq.results import result_type, type_of

_LEAVES = st.sampled_from(
    [
        ".a",
        ".b",
        '"x"',
        "'y'",
        "1",
        "null",
        "true",
        '"\\(.a)-x"',
        "[.a]",
        "{b: .a}",
        ".a?",
        "length",
        "tostring",
        "keys",
    ]
)
_EXPRESSIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from([" + ", " | ", " == ", ", ", " and ", " // ", " * ", " - ", " as $x | "]), inner
        ).map("".join),
        inner.map("({})".format),
        inner.map("map({})".format),
        inner.map('"<\\({})>"'.format),
        inner.map("try {} catch 1".format),
        inner.map("{} | not".format),
        inner.map("{} | length".format),
        inner.map("{} | tojson".format),
        st.tuples(inner, inner, inner).map(lambda p: f"if {p[0]} then {p[1]} else {p[2]} end"),
    ),
    max_leaves=6,
)
_RECORDS = st.sampled_from(["null", '{"a": "t", "b": 2}', '{"a": [1, 2], "b": {"c": null}}', '["q"]', '"text"', "5"])


@settings(deadline=None, max_examples=400)
@given(_EXPRESSIONS, _RECORDS)
def test_an_expression_whose_type_is_told_gives_that_type_or_fails(text: str, record: str) -> None:
    kind = result_type(text)
    if kind is None or find_fault(text) is not None:
        return
    try:
        outputs = jq.compile(normalised(text)).input_text(record).all()
    except ValueError:
        return  # it failed, which gives nothing

    assert {type_of(output) for output in outputs} <= {kind}, json.dumps(outputs)
