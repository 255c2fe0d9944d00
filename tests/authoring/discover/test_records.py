"""Where the records of an answer are."""

from __future__ import annotations

import json
from typing import Any

import jq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.authoring.discover.places import at, jq_path
from portsync.authoring.discover.records import find_records, single_record

ONE, TWO = {"id": 1, "a": "x"}, {"id": 2, "a": "y"}


@pytest.mark.parametrize(
    ("body", "hint", "data_path", "confidence"),
    [
        ([ONE, TWO], "", ".", "sure"),
        ({"data": [ONE]}, "", ".data", "sure"),
        ({"data": {"items": [ONE]}}, "", ".data.items", "sure"),
        ({"_embedded": {"orders": [ONE]}, "page": {}}, "orders", "._embedded.orders", "sure"),
        ({"things": [ONE]}, "", ".things", "likely"),
        ({"things": [ONE, TWO], "others": [TWO]}, "", ".things", "guess"),
        ({"users": [ONE], "data": [TWO]}, "users", ".users", "likely"),
        ({"errors": [ONE], "data": [TWO]}, "", ".data", "likely"),
        ({"tags": ["a"], "rows": [ONE]}, "", ".rows", "sure"),
        ({'it\'s "odd".1': [ONE]}, "", '.["it\'s \\"odd\\".1"]', "likely"),
        ({"a.b": {"😀": [ONE]}}, "", '.["a.b"]["\\ud83d\\ude00"]', "likely"),
        ({"viewer": {"edges": [{"node": ONE, "cursor": "c"}]}}, "", ".viewer.edges | map(.node)", "sure"),
        (["a", "b"], "", "map({value: .})", "guess"),
        ({"x": {"a": ONE, "b": TWO}}, "", ".x | to_entries | map(.value + {__key: .key})", "likely"),
        ({"a": ONE, "b": TWO}, "", "to_entries | map(.value + {__key: .key})", "likely"),
        ([ONE, "odd"], "", "map(objects)", "guess"),
        ({"data": []}, "", ".data", "likely"),
    ],
)
def test_the_records_are_found_with_a_reason(body: Any, hint: str, data_path: str, confidence: str) -> None:
    found = find_records(body, hint)

    assert found is not None
    assert (found.data_path.value, found.data_path.confidence) == (data_path, confidence)
    assert found.data_path.reason
    # What JQ gives is what was found.
    assert jq.compile(found.data_path.value).input_value(body).first() == list(found.records)


def test_the_choice_among_several_arrays_names_the_others() -> None:
    found = find_records({"things": [ONE, TWO], "others": [TWO]})

    assert found is not None
    assert "`.others`" in found.data_path.reason


@pytest.mark.parametrize(
    "body", [None, 1, "text", {}, {"a": 1}, {"message": "Not allowed"}, [[1], [2]], {"data": [[1]]}]
)
def test_nothing_is_found_where_nothing_is(body: Any) -> None:
    assert find_records(body) is None


def test_an_error_is_no_record() -> None:
    assert single_record({"error": {"code": 5}}) is None
    assert single_record({}) is None
    assert (found := single_record({"id": 1})) is not None
    assert found.data_path.confidence == "guess"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=4))
def test_a_path_leads_to_its_place_whatever_its_names_hold(names: list[str]) -> None:
    body: Any = 5
    for name in reversed(names):
        body = {name: body}

    assert at(body, names) == 5
    assert jq.compile(jq_path(names)).input_text(json.dumps(body)).first() == 5
