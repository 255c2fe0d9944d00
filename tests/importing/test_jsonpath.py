"""JSONPath as JQ."""

from __future__ import annotations

from typing import Any

import jq
import pytest

from portsync.importing.jsonpath import jq_of, records_of

PAGE = {"a": {"b": [{"c": 1}, {"c": 2}], "@x": 3, "odd key": 4}, "@odata.nextLink": "n", "if": 5}
PATHS: list[tuple[str, list[Any]]] = [
    ("$", [PAGE]),
    ("", [PAGE]),
    ("a.b", [PAGE["a"]["b"]]),  # type: ignore[index] # it is an object
    ("$.a.b[*].c", [1, 2]),
    ("a.b[1].c", [2]),
    ("a.b[-1]", [{"c": 2}]),
    ("a.b[0:1]", [{"c": 1}]),
    ("$['a']['odd key']", [4]),
    ("['@odata.nextLink']", ["n"]),
    ('a."odd key"', [4]),
    ("a.@x", [3]),
    ("if", [5]),
]


@pytest.mark.parametrize(("path", "found"), PATHS)
def test_a_path_finds_in_jq_what_it_finds_as_jsonpath(path: str, found: list[Any]) -> None:
    code = jq_of(path)

    assert code is not None
    assert jq.compile(code).input_value(PAGE).all() == found


@pytest.mark.parametrize("path", ["$..a", "a[?(@.b)]", "a b", "a.", ".a", "a[", "a|b", "a.`parent`", "$a..b"])
def test_other_paths_are_no_guess(path: str) -> None:
    assert jq_of(path) is None


@pytest.mark.parametrize(
    ("path", "code"), [("a[*]", ".a"), ("[*]", "."), ("$[*]", "."), ("a[*].b", ".a[].b"), ("a", ".a")]
)
def test_a_list_of_records_is_taken_as_such_so_that_a_missing_one_is_seen(path: str, code: str) -> None:
    assert records_of(path) == code
