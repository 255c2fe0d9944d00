"""Reading JQ far enough to tell code from text."""

from __future__ import annotations

import jq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.jq.compile import find_fault
from portsync.jq.fence import REFUSED, prelude
from portsync.jq.outputs import has_one_output
from portsync.jq.scan import calls, scan, with_double_quotes


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("'hello'", '"hello"'),
        (".a + '/' + .b", '.a + "/" + .b'),
        ("'#1' + .a", '"#1" + .a'),
        ('"it\'s"', '"it\'s"'),
        ("\"say 'hi'\"", "\"say 'hi'\""),
        ("'a' + \"b's\" + 'c'", '"a" + "b\'s" + "c"'),
        ("'\\(.a)'", '"\\(.a)"'),
        (". # it's 'quoted'", ". # it's 'quoted'"),
        (".a", ".a"),
    ],
)
def test_single_quotes_at_a_word_boundary_are_double_quotes(written: str, read: str) -> None:
    assert with_double_quotes(written) == read


@pytest.mark.parametrize(
    "text",
    ["input", "[inputs]", "debug | .a", "halt_error", ". | stderr", '"a \\(input)"', "if . then input else . end"],
)
def test_a_refused_name_is_a_fault_with_its_place(text: str) -> None:
    fault = find_fault(text)

    assert fault is not None
    assert fault.code == "jq-forbidden"
    assert fault.offset is not None
    name = text[fault.offset :]
    assert name.startswith(tuple(REFUSED))


@pytest.mark.parametrize(
    "text", [".input", "{input: 1}", '"input"', "$ENV", "env", ". # input", "@base64", '.["debug"]']
)
def test_a_field_a_key_or_a_text_of_that_name_is_none(text: str) -> None:
    assert list(calls(text, REFUSED)) == []
    assert find_fault(text) is None


@pytest.mark.parametrize("name", sorted(REFUSED - {"import", "include", "modulemeta"}))
def test_a_refused_name_that_gets_through_does_nothing(name: str) -> None:
    """The second fence: the prelude gives each name a harmless meaning."""
    program = jq.compile(prelude(0.0) + f"try {name} catch .")

    outputs = program.input_text('{"a": 1} {"secret": 2}').all()

    assert len(outputs) == 2, "no input was swallowed, and nothing stopped"
    assert all(output in (None, 0, [], {"a": 1}, {"secret": 2}) or "not available" in output for output in outputs)


def test_now_is_one_instant_and_the_environment_is_empty() -> None:
    program = jq.compile(prelude(1_795_348_800.0) + '[now, env, $ENV, (now | strftime("%Y-%m-%d"))]')

    assert program.input_value(None).first() == [1_795_348_800, {}, {}, "2026-11-22"]


@given(st.text(alphabet="\"'\\()#.ab +|\n", max_size=30))
def test_scanning_keeps_every_character(text: str) -> None:
    assert "".join(token.text for token in scan(text)) == text


@pytest.mark.parametrize(
    ("text", "one"),
    [
        (".a.b", True),
        ('.a + "x"', True),
        ("if .a > 0 then true else false end", True),
        ("(.a - .b)", True),
        (".a | tostring", True),
        ('"\\(.a)-\\(.b)"', True),
        ("now | floor", True),
        (".a, .b", False),
        (".[]", False),
        (".a[0]", False),
        ("..", False),
        ("empty", False),
        ("select(.a)", False),
        (".a?", False),
        ('"\\(.a, .b)"', False),
        ("range(3)", False),
        ("def f: empty; f", False),
        (".a as $x | $x", False),
    ],
)
def test_one_output_is_claimed_only_where_the_text_proves_it(text: str, one: bool) -> None:
    assert has_one_output(text) is one


_NAMES = st.sampled_from([".a", ".b", '"x"', "1", "null", ".a.c", ".[]", "empty", ".a?", "..", "true", "(.a, .b)"])
_JOINED = st.recursive(
    _NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " | ", " == ", ", ", " and "]), inner).map("".join),
        inner.map("({})".format),
        inner.map('"\\({})"'.format),
        inner.map("[{}]".format),
        st.tuples(inner, inner, inner).map(lambda p: f"if {p[0]} then {p[1]} else {p[2]} end"),
        inner.map("{} | tostring".format),
    ),
    max_leaves=5,
)


@given(_JOINED, st.sampled_from(["null", '{"a": 1, "b": "y"}', '{"a": {"c": [1, 2]}, "b": null}', "[1, 2]", "[]"]))
def test_an_expression_that_claims_one_output_has_one(text: str, record: str) -> None:
    if find_fault(text) is None and has_one_output(text):
        try:
            outputs = jq.compile(text).input_text(record).all()
        except ValueError:
            return  # it failed, which is no output but an error

        assert len(outputs) == 1
