"""A run of cursors goes on as long as there is one, and no end is guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.flow import PageFacts, RequestSpec
from portsync.pagination import PaginationError
from portsync.pagination.base import MOST_EMPTY_PAGES
from tests.pagination.walking import REQUEST, Served, Walk, facts_of, paginator, unhurried, walk

ABSENT = object()


def read(pages: list[tuple[list[Any], Any]], **keys: Any) -> Walk:
    """Walk over a source that gives these pages, each with the cursor of the next, and refuses cursors out of turn."""
    expected = [None, *(cursor for _, cursor in pages)]
    turn = iter(range(len(pages)))

    def serve(request: RequestSpec) -> Served:
        index = next(turn)
        sent = dict(request.params).get("cursor")
        assert sent == (None if index == 0 else str(expected[index]))
        records, cursor = pages[index]
        return Served(records, {} if cursor is ABSENT else {"next_cursor": cursor})

    return walk(paginator(type="cursor", cursor_path=".next_cursor", **keys), serve)


@pytest.mark.parametrize("end", [None, ABSENT, "", False])
def test_the_cursor_may_be_a_number_and_ends_in_four_ways(end: Any) -> None:
    """C11."""
    pages = [list(range(start, start + 5)) for start in range(0, 25, 5)]
    walked = read(list(zip(pages, [5, 10, 15, 20, end], strict=True)))

    assert walked.sent("cursor") == [None, "5", "10", "15", "20"]
    assert walked.sent("status") == ["open"] * 5
    assert (walked.records, walked.reason) == (list(range(25)), None)


@pytest.mark.parametrize("cursor", ["c", "0", " ", "false", "null", 0, -1, 1.5, 2**60 + 1])
def test_texts_and_numbers_are_followed_as_they_are(cursor: Any) -> None:
    walked = read([([1], cursor), ([2], None)])

    assert (walked.records, walked.reason) == ([1, 2], None)


@pytest.mark.parametrize(
    ("cursor", "shown"), [(True, "true"), ({"after": "c"}, "an object"), (["c"], "an array"), ([], "an array")]
)
def test_what_is_no_cursor_is_an_error_that_says_what_it_was(cursor: Any, shown: str) -> None:
    walked = read([([1], cursor)])

    assert walked.reason == "pagination"
    assert walked.message == f"`cursor_path` gave {shown}, which is neither a text nor a number"


@pytest.mark.parametrize("more", [False, "false"])
def test_has_more_false_ends_the_run_even_with_a_cursor(more: Any) -> None:
    """C12."""
    paging = paginator(type="cursor", cursor_path=".c", has_more_path=".more")

    assert paging.following(REQUEST, facts_of(paging, {"c": "x", "more": more}, records=1)) is None


@pytest.mark.parametrize("body", [{"c": "x"}, {"c": None}, {"c": "x", "more": None}, {"c": "x", "more": "maybe"}])
def test_a_has_more_that_is_missing_is_an_error(body: Any) -> None:
    """C12."""
    paging = paginator(type="cursor", cursor_path=".c", has_more_path=".more")

    with pytest.raises(PaginationError, match=r"`has_more_path` gave .*, which is neither true nor false"):
        paging.following(REQUEST, facts_of(paging, body, records=1))


@pytest.mark.parametrize("end", [{}, {"c": None}, {"c": ""}, {"c": False}])
def test_more_without_a_way_to_it_is_truncated(end: Any) -> None:
    paging = paginator(type="cursor", cursor_path=".c", has_more_path=".more")

    with pytest.raises(PaginationError, match="says that there are more") as error:
        paging.following(REQUEST, facts_of(paging, {**end, "more": True}, records=1, received=1))

    assert error.value.reason == "truncated"


def test_a_cursor_in_the_body_joins_what_is_there_and_keeps_its_type() -> None:
    """C13."""
    first = RequestSpec("POST", "http://h", body={"existing": "data"})
    paging = paginator(type="cursor", cursor_path=".next", cursor_param="cursor.next", into="body")
    said: list[Any] = ["cursor-2", 3, None]

    def twice() -> list[Any]:
        turn = iter(said)
        return [r.body for r in walk(paging, lambda _: Served([1], {"next": next(turn)}), first).requests]

    bodies = [
        {"existing": "data"},
        {"existing": "data", "cursor": {"next": "cursor-2"}},
        {"existing": "data", "cursor": {"next": 3}},
    ]
    assert twice() == bodies
    assert twice() == bodies, "nothing is kept from one run to the next"
    assert first.body == {"existing": "data"}


def test_a_cursor_in_a_header_replaces_the_one_before() -> None:
    first = RequestSpec("GET", "http://h", headers=(("x-cursor", "*"), ("a", "b")))
    paging = paginator(type="cursor", cursor_path=".c", cursor_param="X-Cursor", into="header")

    second = paging.following(first, facts_of(paging, {"c": 7}, records=1))

    assert second is not None
    assert second.headers == (("a", "b"), ("X-Cursor", "7"))


def test_a_cursor_of_the_mapping_is_the_first_one() -> None:
    first = RequestSpec("GET", "http://h", (("cursor", "*"), ("q", "1")))
    turn = iter(["abc", None])
    walked = walk(paginator(type="cursor", cursor_path=".c"), lambda _: Served([1], {"c": next(turn)}), first)

    assert [request.params for request in walked.requests] == [
        (("cursor", "*"), ("q", "1")),
        (("q", "1"), ("cursor", "abc")),
    ]


def test_the_page_size_is_sent_only_where_it_has_a_name() -> None:
    assert paginator(type="cursor", cursor_path=".c", page_size=7).first(REQUEST) == REQUEST
    named = paginator(type="cursor", cursor_path=".c", page_size=7, limit_param="limit")
    assert named.first(REQUEST).params == (("status", "open"), ("limit", "7"))


@pytest.mark.parametrize("cycle", [["a"], ["a", "b"], ["a", "b", "c", "d", "e"]])
def test_cursors_that_come_again_end_as_a_loop(cycle: list[str]) -> None:
    """C14."""
    paging = paginator(type="cursor", cursor_path=".c")
    turn = iter(cycle * 3)

    walked = walk(paging, lambda _: Served([1], {"c": next(turn)}))

    assert (len(walked.requests), walked.reason) == (len(cycle) + 1, "loop")


def test_a_page_without_records_ends_nothing() -> None:
    """C17."""
    walked = read([([1, 2], "a"), ([], "b"), ([3], None)])

    assert (walked.records, walked.reason) == ([1, 2, 3], None)


def test_an_expression_may_end_the_run_at_an_empty_page() -> None:
    """C17, the other rule; it is what sources need that give a cursor for ever."""
    paging = paginator(type="cursor", cursor_path="if .data == [] then null else .c end")
    turn = iter([([1, 2], "a"), ([], "b"), ([3], None)])

    def serve(_: RequestSpec) -> Served:
        records, cursor = next(turn)
        return Served(records, {"c": cursor})

    walked = walk(paging, serve)

    assert (len(walked.requests), walked.records, walked.reason) == (2, [1, 2], None)


def test_ever_new_cursors_without_records_end_as_a_loop() -> None:
    numbers = iter(range(10**6))
    walked = walk(paginator(type="cursor", cursor_path=".c"), lambda _: Served([], {"c": next(numbers)}))

    assert (len(walked.requests), walked.reason) == (MOST_EMPTY_PAGES, "loop")


def test_an_answer_without_a_body_has_no_cursor() -> None:
    paging = paginator(type="cursor", cursor_path=".c", has_more_path=".more")

    assert paging.following(REQUEST, PageFacts(0)) is None


@pytest.mark.parametrize("digits", [2**63, -(2**63), 10**25])
def test_a_cursor_that_no_json_writer_takes_is_an_error_in_a_body_alone(digits: int) -> None:
    facts = PageFacts(1, {"cursor": {"__digits": str(digits)}})
    in_query = paginator(type="cursor", cursor_path=".c").following(REQUEST, facts)

    assert in_query is not None
    assert dict(in_query.params)["cursor"] == str(digits)
    with pytest.raises(PaginationError, match="too large for a JSON body"):
        paginator(type="cursor", cursor_path=".c", into="body").following(REQUEST, facts)


@unhurried
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=20),
    st.lists(st.one_of(st.integers(), st.text(min_size=1)), min_size=20, max_size=20, unique_by=str),
    st.sampled_from([None, "", False, ABSENT]),
    st.booleans(),
)
def test_every_record_is_read_once_whatever_the_pages_hold(
    sizes: list[int], cursors: list[Any], end: Any, flagged: bool
) -> None:
    pages = {None if i == 0 else str(cursors[i]): i for i in range(len(sizes))}

    def serve(request: RequestSpec) -> Served:
        index = pages[dict(request.params).get("cursor")]
        is_last = index == len(sizes) - 1
        said: dict[str, Any] = {"more": not is_last}
        if not is_last or end is not ABSENT:
            said["c"] = end if is_last else cursors[index + 1]
        return Served([f"{index}.{j}" for j in range(sizes[index])], said)

    more = {"has_more_path": ".more"} if flagged else {}
    walked = walk(paginator(type="cursor", cursor_path=".c", **more), serve)

    assert walked.reason is None
    assert walked.records == [f"{i}.{j}" for i, size in enumerate(sizes) for j in range(size)]
