"""What a page claims is taken at its word where it makes sense, and is an error where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from portsync.flow import PageFacts
from portsync.pagination import PaginationError, claims


@pytest.mark.parametrize(
    ("value", "means"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("false", False),
        ("True", True),
        ("FALSE", False),
        ("unknown", None),
    ],
)
def test_true_and_false_may_be_texts(value: Any, means: Any) -> None:
    assert claims.has_more(PageFacts(1, {"has_more": value})) is means
    assert claims.has_more(PageFacts(1, {"last_page": value})) is (None if means is None else not means)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (1, "1"),
        (0, "0"),
        ("", '""'),
        ("no", '"no"'),
        ([], "an array"),
        ({}, "an object"),
        ({"__type": "array"}, "an array"),
        ("x" * 500, '"' + "x" * 59 + "..."),
    ],
)
def test_whether_there_is_more_has_to_be_true_or_false(value: Any, shown: str) -> None:
    for name in ("has_more", "last_page"):
        with pytest.raises(PaginationError) as error:
            claims.has_more(PageFacts(1, {name: value}))

        assert error.value.message == f"`{name}_path` gave {shown}, which is neither true nor false"


def test_has_more_goes_before_last_page_which_is_its_contrary() -> None:
    assert claims.has_more(PageFacts(1, {"has_more": True, "last_page": True})) is True
    assert claims.has_more(PageFacts(1, {"has_more": "unknown", "last_page": True})) is False
    assert claims.has_more(PageFacts(1, {"last_page": False})) is True


@pytest.mark.parametrize(("value", "means"), [(0, 0), (25, 25), ("25", 25), ("007", 7), (" 3 ", 3), ("unknown", None)])
def test_a_count_may_be_a_text_of_digits(value: Any, means: Any) -> None:
    assert claims.total(PageFacts(0, {"total": value})) == means
    assert claims.total_pages(PageFacts(0, {"total_pages": value})) == means


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        ("abc", '"abc"'),
        ("", '""'),
        ("-1", '"-1"'),
        ("1e3", '"1e3"'),
        ("٣", '"٣"'),
        ("9" * 5000, '"' + "9" * 59 + "..."),
        (-1, "-1"),
        (2.5, "2.5"),
        (True, "true"),
        ([3], "an array"),
        ({"value": 3}, "an object"),
    ],
)
def test_a_count_that_is_none_is_an_error_that_names_the_key_and_the_value(value: Any, shown: str) -> None:
    for name, read, meaning in (("total", claims.total, "records"), ("total_pages", claims.total_pages, "pages")):
        with pytest.raises(PaginationError) as error:
            read(PageFacts(1, {name: value}))

        assert error.value.message == f"`{name}_path` gave {shown}, which is not a number of {meaning}"


def test_an_answer_without_a_body_claims_nothing() -> None:
    assert claims.has_more(PageFacts(0)) is None
    assert claims.total(PageFacts(0)) is None
    assert claims.total_pages(PageFacts(0)) is None


def test_a_total_that_was_passed_proves_nothing_any_more() -> None:
    assert claims.total(PageFacts(3, {"total": 9}, received=9)) == 9
    assert claims.total(PageFacts(3, {"total": 9}, received=10)) is None


def test_no_pages_at_all_on_a_page_with_records_cannot_be() -> None:
    assert claims.total_pages(PageFacts(0, {"total_pages": 0})) == 0
    with pytest.raises(PaginationError, match="`total_pages_path` gave 0, but the page has records"):
        claims.total_pages(PageFacts(1, {"total_pages": 0}))


@pytest.mark.parametrize("digits", ["x", "", "1" * 1001, "1" * 5000, "1.5"])
def test_a_number_of_too_many_digits_is_an_error_and_no_crash(digits: str) -> None:
    with pytest.raises(PaginationError, match="too many digits"):
        claims.value_of(PageFacts(0, {"cursor": {"__digits": digits}}), "cursor")


@pytest.mark.parametrize(
    ("values", "received", "says"),
    [
        ({"has_more": True}, 7, "after 7 records, while the source says that there are more"),
        ({"last_page": False}, 7, "after 7 records, while the source says that there are more"),
        ({"total": 100}, 60, "after 60 of the 100 records"),
        ({"total": 100, "has_more": False}, 60, "after 60 of the 100 records"),
    ],
)
def test_an_end_before_what_the_source_claims_is_truncated(values: Any, received: int, says: str) -> None:
    with pytest.raises(PaginationError, match=says) as error:
        claims.check_end(PageFacts(0, values, received=received))

    assert error.value.reason == "truncated"


@pytest.mark.parametrize("values", [{}, {"total": 7}, {"total": 5}, {"has_more": False}, {"has_more": "unknown"}])
def test_an_end_where_the_source_claims_no_more_is_one(values: Any) -> None:
    claims.check_end(PageFacts(0, values, received=7))
