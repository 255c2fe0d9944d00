"""Numbers and texts that JSON, JQ and Python see differently: decided here, so that nothing is changed in silence."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from portsync.errors import ExpressionError
from portsync.flow import MappedPage, Page, RequestSpec
from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.jq.program import EntityExpressions, PageProgram
from portsync.jq.variables import NO_VARIABLES
from portsync.transform import Mapper, Programs, map_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def mapped() -> Iterator[Callable[..., MappedPage]]:
    """Map a body: `mapped(body, expression, identifier)`. One worker does it for all tests, since each starts with
    nothing but its program and its page."""
    with asyncio.Runner() as runner:
        pool = JqPool(Limits())
        runner.run(pool.__aenter__())

        def of(body: str | bytes, expression: str = ".v", identifier: str = '"id"') -> MappedPage:
            program = PageProgram(".", "true", (EntityExpressions(identifier, '"bp"', properties={"p": expression}),))
            mapper = Mapper(program, 0.0, pool)
            page = Page(RequestSpec("GET", "http://x"), 1, body.encode() if isinstance(body, str) else body)
            return runner.run(map_page(page, mapper, mapper.programs(), NO_VARIABLES))

        yield of
        runner.run(pool.__aexit__(None, None, None))


@pytest.fixture
def value_of(mapped: Callable[..., MappedPage]) -> Callable[..., str]:
    """The property as it stands in the bulk request: `value_of(body, expression)`."""

    def of(body: str | bytes, expression: str = ".v") -> str:
        (entity,) = mapped(body, expression).entities
        text = entity.body.decode()
        return text[text.index('"p":') + 4 : text.index('},"relations"')]

    return of


@pytest.mark.parametrize(
    "number",
    [
        "9007199254740993",
        "1234567890123456789",
        "-1234567890123456789",
        "123456789012345678901234567890",
        "0.12345678901234567891",
    ],
)
def test_a_number_that_is_passed_through_keeps_all_its_digits(value_of: Callable[..., str], number: str) -> None:
    assert value_of(f'{{"v": {number}}}') == number


@pytest.mark.parametrize(
    ("number", "sent"),
    [
        ("1", "1"),
        ("-7", "-7"),
        ("1.5", "1.5"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("0.1", "0.1"),
        ("123456789012345", "123456789012345"),
    ],
)
def test_usual_numbers_are_what_they_were(value_of: Callable[..., str], number: str, sent: str) -> None:
    assert json.loads(value_of(f'{{"v": {number}}}')) == json.loads(sent)


@pytest.mark.parametrize(
    ("expression", "sent"),
    [("nan", "null"), ("infinite", "1.7976931348623157e308"), ("-infinite", "-1.7976931348623157e308")],
)
def test_what_json_cannot_say_becomes_null_or_the_largest_number_as_in_jq(
    value_of: Callable[..., str], expression: str, sent: str
) -> None:
    assert json.loads(value_of('{"v": 1}', expression)) == json.loads(sent)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ('"\\u0000x"', "\x00x"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\ud800"', "\ufffd"),
        ('"\\udc00 \\ud800x"', "\ufffd \ufffdx"),
        ('"é\\u2028"', "é\u2028"),
        ('"\\u007f\\u001b"', "\x7f\x1b"),
    ],
)
def test_texts_go_through_and_half_a_surrogate_pair_becomes_the_replacement_character(
    value_of: Callable[..., str], text: str, sent: str
) -> None:
    assert json.loads(value_of(f'{{"v": {text}}}')) == sent


def test_of_a_key_that_stands_twice_the_last_counts_as_everywhere(value_of: Callable[..., str]) -> None:
    assert value_of('{"v": 1, "v": 2}') == "2"


@pytest.mark.parametrize("depth", [300, 5000])
def test_what_nests_deeply_goes_through(value_of: Callable[..., str], depth: int) -> None:
    nested = "[" * depth + "]" * depth

    assert value_of(f'{{"v": {nested}}}') == nested


def test_what_nests_deeper_than_jq_reads_is_no_json_for_us(mapped: Callable[..., MappedPage]) -> None:
    with pytest.raises(ExpressionError, match="depth"):
        mapped('{"v": ' + "[" * 20_000 + "]" * 20_000 + "}")


@pytest.mark.parametrize("body", ["{} {}", "{}x", "", "[1,]", "{'a': 1}", b"\xff", '{"a": 01x}'])
def test_what_is_not_one_json_value_is_refused(mapped: Callable[..., MappedPage], body: str | bytes) -> None:
    with pytest.raises(ExpressionError) as error:
        mapped(body)

    assert error.value.problems[0].code == "not-json"


@pytest.mark.parametrize(
    ("body", "exact"),
    [
        (b'{"a": 1234567890123456}', True),
        (b"[1234567890123456]", True),
        (b'{"a":-0.123456789012345}', True),
        (b'{"a": "1234567890123456789"}', False),
        (b'{"a": 123456789012345}', False),
        (b'{"a": "2026-10-01T00:00:00Z", "b": 1.25}', False),
    ],
)
def test_only_pages_with_long_numbers_pay_for_them(body: bytes, exact: bool) -> None:
    assert Programs(("usual",), ("exact",)).of(body) == (("exact",) if exact else ("usual",))


MANUAL: list[tuple[str, Any, Any]] = [
    (".foo", {"foo": 42}, 42),
    (".foo?", [1], None),
    ('.["foo"]', {"foo": 1}, 1),
    (".[0]", ["a", "b"], "a"),
    (".[2:4]", ["a", "b", "c", "d", "e"], ["c", "d"]),
    (".[-1]", [1, 2, 3], 3),
    ("[.[] | . + 1]", [1, 2], [2, 3]),
    (".a + .b", {"a": 7, "b": 1}, 8),
    (".a + null", {"a": 1}, 1),
    ("{a: 1} + {b: .x}", {"x": 2}, {"a": 1, "b": 2}),
    (". - [2]", [1, 2, 3], [1, 3]),
    ("10 / . * 3", 5, 6),
    ('. / ", "', "a, b,c", ["a", "b,c"]),
    ("length", "\u03bc-x", 3),
    ("utf8bytelength", "\u03bc", 2),
    ("not", True, False),
    ("keys", {"b": 1, "a": 2}, ["a", "b"]),
    ('has("foo")', {"foo": 1}, True),
    ("map(. + 1)", [1, 2], [2, 3]),
    ("map_values(. + 1)", {"a": 1}, {"a": 2}),
    ("to_entries", {"a": 1}, [{"key": "a", "value": 1}]),
    ('with_entries(.key |= "K_" + .)', {"a": 1}, {"K_a": 1}),
    ("[.[] | select(. >= 2)]", [1, 5, 3], [5, 3]),
    ("add", ["a", "b"], "ab"),
    ("any", [True, False], True),
    ("all", [True, False], False),
    ("flatten", [1, [2, [3]]], [1, 2, 3]),
    ("[range(2; 4)]", None, [2, 3]),
    ("floor", 3.7, 3),
    ("tostring", [1], "[1]"),
    ("tonumber", "12", 12),
    ("type", [], "array"),
    ("sort", [8, 3, None, 6], [None, 3, 6, 8]),
    ("sort_by(.a)", [{"a": 2}, {"a": 1}], [{"a": 1}, {"a": 2}]),
    ("group_by(.a) | length", [{"a": 1}, {"a": 1}, {"a": 2}], 2),
    ("min, max", [5, 4, 2], 2),
    ("unique", [1, 2, 1], [1, 2]),
    ("reverse", [1, 2], [2, 1]),
    ('contains("bar")', "foobar", True),
    ('startswith("fo")', "foo", True),
    ('ltrimstr("fo")', "foo", "o"),
    ('split(", ")', "a, b", ["a", "b"]),
    ('join("-")', ["a", 1, None, True], "a-1--true"),
    ("ascii_downcase", "ABC", "abc"),
    ('test("a.c"; "i")', "xABCd", True),
    ('sub("(?<x>[a-z])"; "\\(.x)1")', "ab", "a1b"),
    ('gsub("[aeiou]"; "")', "hello", "hll"),
    ('[match("a"; "g").offset]', "banana", [1, 3, 5]),
    ('capture("(?<n>[a-z]+)-(?<v>[0-9]+)")', "xyz-14", {"n": "xyz", "v": "14"}),
    ("fromjson", "[1]", [1]),
    ("todate", 1425599621, "2015-03-05T23:53:41Z"),
    ("fromdate", "2015-03-05T23:51:47Z", 1425599507),
    ('strftime("%Y-%m-%d")', 1425599621, "2015-03-05"),
    ('strptime("%Y-%m-%d") | mktime', "2015-03-05", 1425513600),
    ('if . == 0 then "zero" else "more" end', 2, "more"),
    (".a // 42", {"a": False}, 42),
    ("first(range(10; 0; -1))", None, 10),
    ("[limit(2; .[])]", [1, 2, 3], [1, 2]),
    ("reduce .[] as $x (0; . + $x)", [1, 2, 3], 6),
    ("[foreach .[] as $x (0; . + $x)]", [1, 2], [1, 3]),
    ("def f: . * 2; f", 4, 8),
    (". as [$a, {b: $c}] | $a + $c", [2, {"b": 3}], 5),
    ('try error("x") catch .', None, "x"),
    ('@base64 "x\\(.)"', "hi", "xaGk="),
    ("@base64d", "aGk=", "hi"),
    ("@uri", "a b&", "a%20b%26"),
    ("@csv", [1, 'a"b'], '1,"a""b"'),
    ('"n: \\(. + 1)"', 1, "n: 2"),
    ("paths | tostring", {"a": 1}, '["a"]'),
    ('getpath(["a", "b"])', {"a": {"b": 1}}, 1),
    ("del(.a)", {"a": 1, "b": 2}, {"b": 2}),
    (".a |= . + 1", {"a": 1}, {"a": 2}),
    ("tojson", {"a": 1.5}, '{"a":1.5}'),
    ('splits(", ")', "a, b", "a"),
    ("ascii", 65, "A"),
    ("implode", [65, 66], "AB"),
    ('[splits("-")]', "a-b", ["a", "b"]),
    ('indices(", ")', "a, b, c", [1, 4]),
    ('inside("foobar")', "bar", True),
    ("env", None, {}),
]
"""Expression, input, first output: after the examples of the jq manual, for what mappings use."""


@pytest.mark.parametrize(("expression", "record", "output"), [m for m in MANUAL if m[0] != "ascii"])
def test_expressions_mean_what_the_jq_manual_says(
    value_of: Callable[..., str], expression: str, record: Any, output: Any
) -> None:
    assert json.loads(value_of(json.dumps({"v": record}), f".v | ({expression})")) == output
