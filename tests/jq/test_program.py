"""The program of a resource says what its expressions say one by one, the fast form as the guarded one."""

from __future__ import annotations

import json
from functools import cache
from hashlib import blake2b
from typing import Any

import jq
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.jq.compile import normalised
from portsync.jq.fence import VARIABLES
from portsync.jq.program import EntityExpressions, PageProgram, Template
from portsync.jq.records import encoded_variables
from portsync.jq.worker import lines_of

NO_VARIABLES = encoded_variables().decode()

EXPRESSIONS = [
    ".a",
    ".b.c",
    ".b[0]",
    '.a + "x"',
    ".a - 1",
    "empty",
    ".a, .b",
    ".b[]",
    "select(.a)",
    'error("no")',
    "error(null)",
    "if .a then 1 else 2 end",
    "[.a, .b]",
    "{x: .a}",
    ".a // .b",
    "'quoted'",
    ". # comment",
    "reduce (.b[]?) as $x (0; . + 1)",
    "first(.b[]?)",
    ".a | tostring",
    "$context.x",
    "def f: .a; f",
]
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["", "x", "tru\u00e9"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=5,
)
RECORDS = st.lists(st.one_of(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), VALUES), max_size=4)


def lines(program: str, body: str) -> list[bytes]:
    return list(lines_of(jq.compile(program, args={"context": {}}).input_text(f"{NO_VARIABLES}\n{body}", slurp=True)))


def outputs(program: str, body: str) -> list[Any]:
    """The values of the lines; a failure as the list that it is."""
    values = [json.loads(line) for line in lines(program, body)]
    return [value["failure"] if isinstance(value, dict) and "failure" in value else value for value in values]


def alone(expression: str, record: Any) -> tuple[bool, Any]:
    """One JQ run for one expression: (True, first output or null) or (False, None)."""
    try:
        return True, next(iter(program_alone(expression).input_value(record)), None)
    except ValueError:
        return False, None


@cache
def program_alone(expression: str) -> jq._Program:
    bindings = "".join(f"{{}} as ${name} | " for name in VARIABLES)
    return jq.compile(f"{bindings}{normalised(expression)}")


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_a_line_names_its_entity_whatever_is_in_the_name(identifier: str, blueprint: str, content: str) -> None:
    head, body = lines_of([[7, identifier, blueprint, False, json.dumps(content)]])

    digest = blake2b(body, digest_size=16).hexdigest()
    assert orjson.loads(head) == [7, identifier, blueprint, digest]
    assert b"\n" not in head
    assert json.loads(body) == content


@settings(max_examples=200, deadline=None)
@given(
    RECORDS, st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=4), st.sampled_from(["true", ".a", "false"])
)
def test_the_guarded_program_agrees_with_one_run_for_each_expression(
    records: list[Any], expressions: list[str], query: str
) -> None:
    mapping = EntityExpressions('"id"', '"bp"', properties={f"p{i}": text for i, text in enumerate(expressions)})
    program = PageProgram(".data", query, (mapping,))

    head, *rest = outputs(program.guarded(0.0), json.dumps({"data": records}))

    assert head["records"] == len(records)
    lines = iter(rest)
    for index, record in enumerate(records):
        worked, keep = alone(query, record)
        if worked and keep is False:
            continue
        line = next(lines)
        assert line[0] == index
        if not worked or keep is not True:
            assert line[1] is None
            continue
        entity = next(lines)
        expected = {f"p{i}": alone(text, record) for i, text in enumerate(expressions)}
        assert entity["properties"] == {name: value for name, (fine, value) in expected.items() if fine}
        assert {name for name, _ in line[4]} == {f"properties.{n}" for n, (fine, _) in expected.items() if not fine}
    assert list(lines) == []


@settings(max_examples=200, deadline=None)
@given(RECORDS, st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=4))
def test_where_the_fast_program_does_not_fail_it_says_the_same_word_for_word(
    records: list[Any], expressions: list[str]
) -> None:
    mapping = EntityExpressions(
        '"id"', '"bp"', title=".a", icon=".b", properties={f"p{i}": text for i, text in enumerate(expressions)}
    )
    program = PageProgram(".data", "true", (mapping,), {"more": ".more"})
    body = json.dumps({"data": records, "more": True})
    for exact in (False, True):
        try:
            fast = lines(program.fast(0.0, exact=exact), body)
        except ValueError:
            return

        guarded = lines(program.guarded(0.0, exact=exact), body)

        assert fast[0] == guarded[0]
        assert fast[2::2] == guarded[2::2], "equal content has equal text, or it would be sent again"


@pytest.mark.parametrize(
    ("data_path", "body", "records", "missing", "fails"),
    [
        (".data", '{"data": [1, 2]}', 2, False, False),
        (".data[]", '{"data": [1, 2]}', 2, False, False),
        (".data[].results[]", '{"data": [{"results": [1]}, {"results": []}, {"results": [2, 3]}]}', 3, False, False),
        (".data[].results", '{"data": [{"results": [1]}, {"results": [2, 3]}]}', 3, False, False),
        (".data[].results[]", '{"data": []}', 0, False, False),
        (".", "[1, 2, 3]", 3, False, False),
        (".", '{"id": 1}', 1, False, False),
        (".data", '{"data": []}', 0, False, False),
        (".data", '{"data": null}', 0, True, False),
        (".data", '{"data": [null]}', 1, False, False),
        (".dta", '{"data": [1]}', 0, True, False),
        (".data[]", '{"data": null}', 0, False, True),
        (".data[]", '{"dta": []}', 0, False, True),
        (".data", "[1]", 0, False, True),
    ],
)
def test_data_path_gives_the_records_of_an_array_or_of_several_outputs(
    data_path: str, body: str, records: int, missing: bool, fails: bool
) -> None:
    program = PageProgram(data_path, "true", (EntityExpressions("tostring", '"bp"'),))

    head = outputs(program.guarded(0.0), body)[0]

    assert (head["records"], head["missing"], head["error"] is not None) == (records, missing, fails)


@pytest.mark.parametrize(
    ("identifier", "record", "fails"),
    [
        ('.a + "@" + .b', {}, True),
        ('.a + "@" + .b', {"a": None, "c": 1}, True),
        ('.a + "@" + .b', {"a": "x"}, False),
        (".id | tostring", {}, True),
        ('"constant"', {}, False),
        ('.a // "unknown"', {}, False),
        ('if .a then .a else "none" end', {}, False),
        (".n > 4 | tostring", {"n": 3}, False),
        (".tags | length | tostring", {"tags": []}, False),
        ('[.a, .b] | join("-")', {}, True),
        ('"\\(.a)-x"', {}, True),
    ],
)
def test_an_identifier_that_an_empty_record_would_have_is_a_failure(
    identifier: str, record: dict[str, Any], fails: bool
) -> None:
    program = PageProgram(".", "true", (EntityExpressions(identifier, '"bp"'),))

    _, line, *_ = outputs(program.guarded(0.0), json.dumps([record]))

    assert (line[1] is None and line[2] == "identifier") is fails
    if fails:
        with pytest.raises(ValueError, match="identifier"):
            lines(program.fast(0.0), json.dumps([record]))


def test_ocean_search_form_is_evaluated_leaf_by_leaf() -> None:
    search: Template = {
        "combinator": '"and"',
        "rules": [{"property": '"$title"', "operator": '"="', "value": ".owner"}],
    }
    program = PageProgram(".", "true", (EntityExpressions(".id", '"bp"', relations={"owner": search}),))

    entity = outputs(program.fast(0.0), '[{"id": "a", "owner": "ada"}]')[2]

    rules = [{"property": "$title", "operator": "=", "value": "ada"}]
    assert entity["relations"] == {"owner": {"combinator": "and", "rules": rules}}


def test_several_mappings_make_one_entity_each_of_every_record() -> None:
    mappings = (EntityExpressions(".id", '"a"'), EntityExpressions('.id + "-b"', '"b"'))
    program = PageProgram(".", "true", mappings)

    for text in (program.fast(0.0), program.guarded(0.0)):
        heads = outputs(text, '[{"id": "x"}]')[1::2]

        assert [head[:3] for head in heads] == [[0, "x", "a"], [0, "x-b", "b"]]
