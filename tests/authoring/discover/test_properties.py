"""Properties never contradict the records that were seen, in types, formats and enums; nor do identifiers, titles."""

from __future__ import annotations

import json
import string
from typing import Any

import jq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from portsync import identifiers
from portsync.authoring.discover.drafting import escaped
from portsync.authoring.discover.formats import format_of
from portsync.authoring.discover.identity import find_identity, find_title
from portsync.authoring.discover.properties import find_properties
from portsync.emulator.formats import STRING_FORMATS, format_checker
from portsync.emulator.identifiers import is_property_identifier
from portsync.jq.compile import find_fault, normalised

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        [
            "2024-01-01",
            "2024-01-01T10:00:00Z",
            "2024-13-01",
            "https://a.example/x",
            "a@b.example",
            "10.0.0.1",
            "",
            "open",
        ]
    ),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
NAMES = st.one_of(st.sampled_from(["id", "name", "attributes", "date", "user_id", "😀", "a.b", 'q"q', "${X}"]), TEXTS)
RECORDS = st.lists(st.dictionaries(NAMES, VALUES, max_size=6), min_size=1, max_size=6)


def mapped(expression: str, record: Any) -> Any:
    return jq.compile(f"({normalised(expression)}\n)").input_text(json.dumps(record)).first()


@settings(max_examples=40)  # each compiles some JQ
@given(RECORDS)
def test_every_record_has_the_type_format_and_choices_that_its_properties_say(records: list[dict[str, Any]]) -> None:
    properties, _ = find_properties(records, is_whole=True)
    names = [one.value.name for one in properties]
    assert len(set(names)) == len(names)

    for proposal in properties:
        assert is_property_identifier(proposal.value.name)
        assert len(proposal.value.name) <= 100
        assert find_fault(proposal.value.expression) is None
        assert proposal.reason
        validator = Draft202012Validator(dict(proposal.value.schema), format_checker=format_checker())
        for record in records:
            value = mapped(proposal.value.expression, record)
            assert value is None or not list(validator.iter_errors(value)), (proposal, value)


@settings(max_examples=40)  # each compiles some JQ
@given(RECORDS)
def test_an_identifier_is_one_for_each_record_and_port_takes_it(records: list[dict[str, Any]]) -> None:
    found = find_identity(records, "/things")
    if found is None:
        return
    given_by = [mapped(found.value.expression, record) for record in records]
    texts = [str(value) for value in given_by]
    assert len(set(texts)) == len(records)
    assert [identifiers.fault_of(text) for text in texts] == [None] * len(texts)


@settings(max_examples=40)  # each compiles some JQ
@given(RECORDS)
def test_a_title_is_a_text_or_null(records: list[dict[str, Any]]) -> None:
    for record in records:
        assert isinstance(mapped(find_title(records, '"x"').value, record), str | None)


@given(st.sets(TEXTS, min_size=1, max_size=4))
def test_a_format_is_one_that_port_takes_for_all_values(texts: set[str]) -> None:
    kind = format_of(texts)
    if kind == "date":
        assert all(STRING_FORMATS["date-time"](f"{text}T00:00:00Z") for text in texts)
    elif kind is not None:
        assert all(STRING_FORMATS[kind](text) for text in texts)


def things(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{name: value[i % len(value)] for name, value in fields.items()} for i in range(count)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (things(40, state=["open", "shut"]), {"type": "string", "title": "State", "enum": ["open", "shut"]}),
        (things(12, state=["open", "shut"]), {"type": "string", "title": "State"}),
        (things(40, state=[str(i) for i in range(40)]), {"type": "string", "title": "State"}),
        ([*things(40, state=["open", "shut"]), {"state": "rare"}], {"type": "string", "title": "State"}),
        (things(3, state=[1, "a"]), {"type": "string", "title": "State"}),
        (things(3, state=[1, 1.5, None]), {"type": "number", "title": "State"}),
        (things(3, state=[["a"], [], ["b"]]), {"type": "array", "title": "State", "items": {"type": "string"}}),
        (things(3, state=[["a"], [1]]), {"type": "array", "title": "State"}),
        (things(3, state=["https://a.example/", ""]), {"type": "string", "title": "State", "format": "url"}),
        (things(3, state=["2024-02-28"]), {"type": "string", "title": "State", "format": "date-time"}),
        (things(3, state=["2024-02-30"]), {"type": "string", "title": "State"}),
    ],
)  # fmt: skip
def test_types_formats_and_enums(records: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    (only,), _ = find_properties(records, is_whole=True)

    assert only.value.schema == expected


def test_choices_of_some_of_the_records_need_more_of_them() -> None:
    few, many = things(40, state=["a", "b"]), things(120, state=["a", "b"])

    assert "enum" not in find_properties(few, is_whole=False)[0][0].value.schema
    assert find_properties(many, is_whole=False)[0][0].value.schema["enum"] == ["a", "b"]


def test_a_document_never_outvotes_the_records() -> None:
    schema = {
        "properties": {
            "state": {"type": "string", "enum": ["a"]},
            "n": {"type": "integer"},
            "none": {"type": "boolean"},
        }
    }
    records = things(3, state=["a", "b", "c"], n=["one", "two", "three"], none=[None])
    found = {one.value.name: one for one in find_properties(records, schema)[0]}

    assert found["state"].value.schema == {"type": "string", "title": "State"}
    assert found["n"].value.schema == {"type": "string", "title": "N"}
    assert (found["none"].value.schema["type"], found["none"].confidence) == ("boolean", "likely")


def test_texts_under_the_name_of_a_secret_and_what_is_always_null_are_left_out() -> None:
    properties, left_out = find_properties(things(3, api_token=["abc"], input_tokens=[5], gone=[None], id=[1, 2, 3]))

    assert [one.value.name for one in properties] == ["input_tokens", "id"]
    assert {one.name: one.reason for one in left_out} == {
        "api_token": "its name is that of a secret, and properties are for all to see",
        "gone": "null in all 3 records, so its type is not known",
    }


@pytest.mark.parametrize(
    ("records", "expression", "confidence"),
    [
        (things(30, id=range(30), name=string.ascii_letters), ".id", "sure"),
        (things(3, id=range(3)), ".id", "likely"),
        (things(3, repoId=range(3), id=[1]), ".repoId", "likely"),
        (things(3, id=[1], slug=["a", "b", "c"]), ".slug", "likely"),
        (
            things(3, name=["A b", "C#d", "é"]),
            '.name | tostring | gsub("[^\\\\p{L}0-9@_.+:/=\\\\\\\\-]"; "_")', "guess",
        ),
        (
            things(4, org_id=["o"], date=["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
            '.org_id + "@" + .date', "guess",
        ),
        (
            things(4, user_id=[1, 2], project_id=[1, 1, 2, 2]),
            '(.user_id | tostring) + "@" + (.project_id | tostring)', "guess",
        ),
        (things(3, sys=[{"id": "a"}, {"id": "b"}, {"id": "c"}]), ".sys.id", "likely"),
    ],
)  # fmt: skip
def test_identifiers(records: list[dict[str, Any]], expression: str, confidence: str) -> None:
    found = find_identity(records, "/repos")

    assert found is not None
    assert (found.value.expression, found.confidence) == (expression, confidence)


@pytest.mark.parametrize(
    "records",
    [
        things(4, state=["a", "b"], amount=[1.5]),
        things(2, amount=[10, 20]),
        things(2, id=[True, False]),
        things(2, id=["a", None]),
        things(2, name=["a#", "a%"]),
        [{}, {}],
    ],
)
def test_records_that_nothing_tells_apart_have_no_identifier(records: list[dict[str, Any]]) -> None:
    assert find_identity(records, "/things") is None


def test_what_looks_like_a_variable_is_escaped_for_a_selector() -> None:
    assert escaped({"a": ['.["${X}"]'], "b": 5}) == {"a": ['.["$${X}"]'], "b": 5}
