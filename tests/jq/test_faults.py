"""What is said of an expression that is none, and where."""

from __future__ import annotations

import jq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.jq.compile import find_fault, find_faults
from portsync.jq.fence import REFUSED
from portsync.jq.reads import assignment, members, reads_environment


@pytest.mark.parametrize(
    ("text", "at", "said", "hint"),
    [
        (".a + (.b", "(.b", "`(` is never closed", "`)` is missing"),
        ("  .a && .b", "&&", "`&&` is no operator", "`and`"),
        ("[.a, .b}", "}", "`}` stands where `]` is wanted", "`[.a, .b}` is still open"),
        ('"\u00e9\u00e9" + foo', "foo", "no function `foo`", '"foo"'),
        ('.a\n  | "\u00e9" + upper', "upper", "no function `upper`", '"upper"'),
        (".a | upper", "upper", "no function `upper`", "ascii_upcase"),
        ("None", "None", "no function `None`", "null"),
        (".a | lenght", "lenght", "no function `lenght`", "did you mean `length`?"),
        (".status.cost-center", "center", "`-` subtracts", '.["cost-center"]'),
        (".a | split", "split", "`split` takes 1 or 2 arguments, and has none here", "split(...; ...)"),
        ("$contxt.a", "$contxt", "`$contxt` is not defined", "`$context`"),
        (".a as $mine | $min", "$min", "`$min` is not defined", "`$mine`"),
        ("{{ .a }}", "{{", "without {{ }}", "write  .a"),
        ("claude usage", "usage", "an operator is missing after `claude`", "'\"claude usage\"'"),
        ("2026-01-31", "2026", "a subtraction", "'\"2026-01-31\"'"),
        (".a | @base46", "@base46", "no format `@base46`", "`@base64`"),
        ("not .a", "not", "always fails", "(.a | not)"),
        ("'a' + 'b", "'b", "never closed", "quote"),
    ],
)
def test_a_mistake_is_named_at_its_place_with_what_to_write(text: str, at: str, said: str, hint: str) -> None:
    fault = find_fault(text)

    assert fault is not None
    assert said in fault.message
    assert hint in (fault.hint or "")
    assert fault.offset == text.rindex(at)


def test_no_message_of_libjq_in_its_own_words_is_left_in_what_people_write() -> None:
    words = ("IDENT", "QQSTRING", "INVALID_CHARACTER", "LITERAL", "BINDING", "FORMAT", "unexpected", "top-level")
    for text in (
        ".a b",
        '.a "b',
        "\u201ca\u201d",
        ".a 1",
        ". as b",
        ".a.",
        ".a..b",
        "if",
        "{a b}",
        "foo(",
        ".[1:",
        "@",
    ):
        fault = find_fault(text)
        assert fault is not None
        assert not [word for word in words if word in fault.message], fault


_PIECES = st.sampled_from(
    [
        *(
            ".a",
            ".b",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            '"',
            "'",
            "\\(",
            "|",
            "+",
            "==",
            "=",
            "!",
            "&&",
            "?",
            ":",
            ";",
            ",",
        ),
        *("foo", "length", "not", "if", "then", "else", "end", "as", "$x", "$context", "@", "1", "\u00e9", "\\d"),
        *(",", " ", "\n", "# c\n", "def", *sorted(REFUSED)[:2]),
    ]
)
_TEXTS = st.lists(_PIECES, max_size=9).map("".join)


@settings(deadline=None, max_examples=500)
@given(_TEXTS)
def test_every_text_gets_an_answer_within_itself(text: str) -> None:
    fault = find_fault(text)

    assert fault is None or fault.offset is None or 0 <= fault.offset <= len(text)
    if fault is not None and fault.code == "jq-syntax" and text.strip():
        assert fault.hint


@settings(deadline=None, max_examples=60)
@given(st.lists(_TEXTS, max_size=12))
def test_many_together_have_the_faults_that_each_has_alone(texts: list[str]) -> None:
    alone = {text: fault for text in texts if (fault := find_fault(text)) is not None}

    assert find_faults(texts) == alone


def test_what_one_text_opens_no_other_closes() -> None:
    texts = [".a) | (.b", "(.a", ".b)", '"a', 'b"', ".c # d", "def f: 1", "module {}; .", ".d"]

    assert set(find_faults(texts)) == set(texts) - {".c # d", ".d"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$context.users", [("context", "users", 9)]),
        ("$context . users[.id]", [("context", "users", 11)]),
        ('$context["users"].a', [("context", "users", 10)]),
        ('$context."users"', [("context", "users", 10)]),
        ("$context['users']", []),
        ("$context[.name]", []),
        ("$context | .users", []),
        ('"$context.users"', []),
        ('"\\($context.users)"', [("context", "users", 12)]),
        ("$params.a + $window.end", [("params", "a", 8), ("window", "end", 20)]),
    ],
)
def test_the_members_of_variables_are_found(text: str, found: list[tuple[str, str, int]]) -> None:
    assert [(member.variable, member.name, member.offset) for member in members(text)] == found


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("env.HOME", 0),
        (".a + $ENV.HOME", 5),
        ("env | keys", 0),
        ("{a: env}", 4),
        (".env", None),
        ("{env: 1}", None),
        ("{env}", None),
        ('"env"', None),
        ("$env", None),
        (".a # env", None),
    ],
)
def test_reading_the_environment_is_found(text: str, at: int | None) -> None:
    assert reads_environment(text) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('.status = "on"', 8),
        ('.a.b = "x" and .c', 5),
        (".a=1", 2),
        ('.status == "on"', None),
        (".a != 1", None),
        (".a <= 1 and .b >= 2", None),
        (".a |= 1", None),
        (".a += 1", None),
        (".a //= 1", None),
        (".a = 1 | .b", None),
        (". = true", None),
        (".b // (.a = 1)", None),
        (".b // .a = 1", None),
        ("if .a = 1 then true else false end", None),
        ('.a == "b = c"', None),
    ],
)
def test_an_assignment_is_found_where_it_is_all(text: str, at: int | None) -> None:
    assert assignment(text) == at
    if at is not None:
        record = {"status": "on", "a": {"b": "x"} if ".a.b" in text else 1, "c": True}
        assert jq.compile(text).input_value(record).first() not in (True, False)
