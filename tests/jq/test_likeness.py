"""What is JQ by intent, and what only compiles by chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.jq.compile import find_fault
from portsync.jq.likeness import looks_like_jq


@pytest.mark.parametrize(
    "text",
    [
        '((now | floor) - (86400 * 30)) | strftime("%Y-%m-%dT00:00:00Z")',
        'now | strftime("%Y-%m-%d")',
        "now|todate",
        "now - 86400 * 7 | todate",
        "(now - 604800)",
        "86400 + now",
        "now-7",
        '"2024-01-01T00:00:00Z" | fromdate',
        "(86400 * 30) | tostring",
        '["a", "b"] | join(",")',
        '"Bearer " + ("a" | ascii_upcase)',
        '"user:password" | @base64',
        '"\\(now | floor)"',
        "'a' | ascii_upcase",
        "$window.start",
        '"since:" + $window.start',
        "$params.id",
        '$context["org"].id',
        "$context | tojson",
        " now\n| todate\n",
    ],
)
def test_a_text_that_calculates_looks_like_jq(text: str) -> None:
    assert looks_like_jq(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        ".json",
        "now",
        "now()",
        "now,floor",
        "now/floor",
        "now-1d",
        "now-1d/d",
        "1d",
        "30",
        "2024-01-01",
        "1 + 1",
        "100%",
        "-floor",
        "-now",
        "+floor",
        "workspace_id",
        "a|b|c",
        "a,b",
        "id,name",
        "first|last",
        "first | last",
        "min,max",
        "key|type",
        "type,length",
        "name (x)",
        "name(x)",
        'type = "Bug"',
        "length > 5",
        'type == "a" and length > 1',
        'status = "Done"',
        "select",
        "text/html; q=0.5",
        "application/json",
        "application/vnd.github+json",
        "gzip, deflate",
        "*/*",
        'W/"abc"',
        '"etag"',
        "max-age=0",
        "Bearer abc",
        "#channel | todate",
        "$filter",
        "$window",
        "$window start",
        "$windows.start",
        "$top.floor",
        ".floor + 1",
        ".now | .floor",
        "{now: 1} + {floor: 2}",
        '"now | todate"',
        '"now" + "floor"',
        "'now | todate'",
        "now | todate | no_such_function",
        "now | input",
        "now | (todate",
        "/v1/users/{id}",
        "/v1/now|todate",
        "{id}",
        "@base64",
        "10|@me",
        "from:ada@acme.example to:now",
    ],
)
def test_a_text_that_is_sent_as_it_stands_does_not(text: str) -> None:
    assert not looks_like_jq(text)


WORDS = "add all any empty error first in keys last length limit map max min not path paths range select sort test type"


@given(
    st.lists(st.sampled_from([*WORDS.split(), "id", "name"]), min_size=1, max_size=5),
    st.sampled_from([",", "|", " | ", "-", "+", " ", ", ", ".", "/", ";", ":", "*"]),
)
def test_words_are_words_though_jq_has_functions_of_the_same_names(words: list[str], between: str) -> None:
    assert not looks_like_jq(between.join(words))


@given(st.lists(st.sampled_from([*"$|.+-()[]{}\"'@ a1", "now", "floor", "$window"]), max_size=12).map("".join))
def test_what_does_not_compile_is_never_taken_for_jq(text: str) -> None:
    assert not looks_like_jq(text) or find_fault(text) is None
