"""Page numbers are counted up until the source says that it is enough, or has nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.flow import PageFacts, RequestSpec
from portsync.pagination import PaginationError
from portsync.pagination.base import MOST_EMPTY_PAGES
from tests.pagination.walking import REQUEST, Served, facts_of, paginator, unhurried, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def source(held: Sequence[Sequence[Any]], start: int = 1, /, **said: Any) -> Callable[[RequestSpec], Served]:
    """A source of these pages, that says all that it can; beyond them it gives empty ones."""

    def serve(request: RequestSpec) -> Served:
        index = int(dict(request.params)["page"]) - start
        says = {
            "total": sum(len(page) for page in held),
            "pages": len(held),
            "more": index < len(held) - 1,
            "last": index >= len(held) - 1,
            **said,
        }
        return Served(list(held[index]) if index < len(held) else [], says)

    return serve


def cut(records: int, size: int) -> list[list[int]]:
    return [list(range(records))[i : i + size] for i in range(0, records, size)]


P25 = cut(25, 5)
"""The base data set of the conformance cases."""

SPOKEN = [{"total_pages_path": ".pages"}, {"has_more_path": ".more"}, {"last_page_path": ".last"}]


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("claim", SPOKEN)
def test_the_last_request_is_that_of_the_last_page(start: int, claim: dict[str, str]) -> None:
    """C01 and C02."""
    paging = paginator(type="page", start_page=start, page_size=5, **claim)
    walked = walk(paging, source(P25, start))

    assert walked.sent("page") == [str(number) for number in range(start, start + 5)]
    assert walked.sent("size") == ["5"] * 5
    assert walked.sent("status") == ["open"] * 5
    assert (walked.records, walked.reason) == (list(range(25)), None)


def test_without_any_claim_an_empty_page_is_the_end() -> None:
    """C03."""
    walked = walk(paginator(type="page", page_size=5), source(P25))

    assert walked.sent("page") == ["1", "2", "3", "4", "5", "6"]
    assert (walked.records, walked.reason) == (list(range(25)), None)


def test_a_total_number_of_pages_may_be_a_text() -> None:
    """C03."""
    walked = walk(paginator(type="page", page_size=5, total_pages_path="total"), source(P25[:3], total="3"))

    assert len(walked.requests) == 3


@pytest.mark.parametrize("total", ["invalid", None, {}, -1, 2.5, True])
def test_a_total_number_of_pages_that_is_none_is_an_error_at_that_page(total: Any) -> None:
    """C03."""
    walked = walk(paginator(type="page", page_size=5, total_pages_path="total"), source(P25, total=total))

    assert (len(walked.requests), walked.reason) == (1, "pagination")
    assert "`total_pages_path` gave" in walked.message


def test_records_count_as_they_came_whatever_the_mapping_keeps_of_them() -> None:
    """C05: facts are of the page, and know no filter."""
    walked = walk(paginator(type="page", page_size=2), source([[1, 2], [3, 4], [5]]))

    assert walked.sent("page") == ["1", "2", "3", "4"]
    assert walked.records == [1, 2, 3, 4, 5]


def test_a_short_page_in_the_middle_ends_the_run_only_where_that_is_said() -> None:
    """C06."""
    sizes = [10, 9, 10, 4]
    pages = [[f"{i}.{j}" for j in range(size)] for i, size in enumerate(sizes)]

    empty = walk(paginator(type="page", page_size=10), source(pages))
    short = walk(paginator(type="page", page_size=10, until="short"), source(pages))
    counted = walk(paginator(type="page", page_size=10, until="short", total_path=".total"), source(pages))

    assert (len(empty.requests), len(empty.records), empty.reason) == (5, 33, None)
    assert (len(short.requests), len(short.records), short.reason) == (2, 19, None)
    assert (len(counted.requests), len(counted.records), counted.reason) == (4, 33, None)


HOLED = [[1, 2], [], [3, 4], [], [], [5]]


@pytest.mark.parametrize("claim", SPOKEN)
def test_an_empty_page_in_the_middle_ends_nothing_where_the_source_says_that_more_come(claim: dict[str, str]) -> None:
    walked = walk(paginator(type="page", page_size=2, **claim), source(HOLED))

    assert (walked.records, walked.reason) == ([1, 2, 3, 4, 5], None)
    assert len(walked.requests) == 6


def test_an_empty_page_is_gone_over_as_far_as_the_total_needs_pages() -> None:
    walked = walk(paginator(type="page", page_size=2, total_path=".total"), source([[1, 2], [], [3, 4], [5]], total=7))

    assert walked.sent("page") == ["1", "2", "3", "4", "5"]
    assert (walked.records, walked.reason) == ([1, 2, 3, 4, 5], "truncated")
    assert "5 of the 7 records" in walked.message


def test_more_records_than_the_total_leave_the_end_to_an_empty_page() -> None:
    walked = walk(paginator(type="page", page_size=5, total_path=".total"), source(P25, total=7))

    assert (walked.records, walked.reason) == (list(range(25)), None)


def test_a_total_is_held_against_what_came_where_something_else_ends_the_run() -> None:
    paging = paginator(type="page", page_size=5, total_path=".total", total_pages_path=".pages")
    walked = walk(paging, source(P25, pages=4))

    assert (len(walked.records), walked.reason) == (20, "truncated")


def test_last_page_is_heard_only_where_has_more_is_silent() -> None:
    paging = paginator(type="page", page_size=5, has_more_path=".more", last_page_path=".last")

    assert len(walk(paging, source(P25, last=True)).requests) == 5
    assert len(walk(paging, source(P25, more="unknown")).requests) == 5


def test_a_source_that_always_says_more_ends_as_a_loop_once_it_gives_nothing() -> None:
    walked = walk(paginator(type="page", page_size=5, has_more_path=".more"), source(P25, more=True))

    assert (walked.records, walked.reason) == (list(range(25)), "loop")
    assert len(walked.requests) == 5 + MOST_EMPTY_PAGES


@unhurried
@given(st.integers(0, 120), st.integers(1, 20), st.integers(1, 20), st.sampled_from([{}, {"total_path": ".total"}]))
def test_a_source_that_caps_the_page_size_loses_nothing(held: int, size: int, cap: int, claim: dict[str, str]) -> None:
    walked = walk(paginator(type="page", page_size=size, **claim), source(cut(held, min(size, cap))))

    assert (walked.records, walked.reason) == (list(range(held)), None)


@unhurried
@given(
    st.lists(st.integers(0, 6), max_size=30),
    st.integers(1, 6),
    st.sampled_from([{}, {"total_path": ".total"}, *SPOKEN, {"total_path": ".total", "total_pages_path": ".pages"}]),
    st.sampled_from(["empty", "short"]),
    st.integers(0, 3),
)
def test_a_run_that_is_called_whole_by_a_source_that_speaks_has_read_every_record_once(
    sizes: list[int], page_size: int, claim: dict[str, str], until: str, start: int
) -> None:
    """Whatever sizes the pages have, empty ones in the middle included; and it ends."""
    pages = [[f"{i}.{j}" for j in range(size)] for i, size in enumerate(sizes)]
    walked = walk(
        paginator(type="page", page_size=page_size, start_page=start, until=until, **claim), source(pages, start)
    )
    read = [record for page in pages[: len(walked.pages)] for record in page]

    assert walked.records == read, "from the first, each once"
    if claim and walked.reason is None:
        assert len(read) == sum(sizes)
    if claim in SPOKEN:
        assert walked.reason is None


@unhurried
@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 1), st.sampled_from(["total", "pages"]))
def test_what_is_known_ahead_is_what_is_asked_for(held: int, size: int, start: int, claim: str) -> None:
    paths = {"total": {"total_path": ".total"}, "pages": {"total_pages_path": ".pages"}}
    paging = paginator(type="page", page_size=size, start_page=start, **paths[claim])
    serve = source(cut(held, size), start)
    walked = walk(paging, serve)
    first = paging.first(REQUEST)
    served = serve(first)
    facts = facts_of(paging, served.said, records=len(served.records), received=len(served.records))

    expected = walked.requests[1:] if claim == "pages" or held >= size else []
    assert list(paging.ahead(first, facts)) == expected
    assert paging.to_come(first, facts) == len(walked.requests) - 1


def test_a_page_of_another_size_than_asked_for_foretells_no_requests_but_their_number() -> None:
    """The source cuts the pages as it likes, so how many there are by the total is only a forecast."""
    paging = paginator(type="page", page_size=10, total_path=".total")
    first = paging.first(REQUEST)

    for records, to_come in ((4, 9), (0, None), (12, 3)):
        facts = facts_of(paging, {"total": 40}, records=records, received=records)

        assert list(paging.ahead(first, facts)) == []
        assert paging.to_come(first, facts) == to_come


def test_a_million_pages_ahead_take_no_memory() -> None:
    paging = paginator(type="page", total_pages_path=".pages")
    facts = facts_of(paging, {"pages": 10**15}, records=1, received=1)

    ahead = iter(paging.ahead(paging.first(REQUEST), facts))

    assert [dict(next(ahead).params)["page"] for _ in range(3)] == ["2", "3", "4"]


def test_the_number_is_counted_up_in_bodies_and_headers_too() -> None:
    body = RequestSpec("POST", "http://x", body={"q": 1})
    into_body = paginator(type="page", into="body", page_param="page.number", size_param="page.size", page_size=7)
    into_header = paginator(type="page", into="header", page_param="X-Page", size_param=None)
    first = into_body.first(body)
    second = into_body.following(first, PageFacts(7))
    second_header = into_header.following(into_header.first(REQUEST), PageFacts(7))

    assert first.body == {"q": 1, "page": {"number": 1, "size": 7}}
    assert second is not None
    assert second.body == {"q": 1, "page": {"number": 2, "size": 7}}
    assert second_header is not None
    assert second_header.headers == (("X-Page", "2"),)


def test_no_content_on_the_first_page_is_an_honest_nothing() -> None:
    for claim in (*SPOKEN, {"total_path": ".total"}):
        paging = paginator(type="page", **claim)

        assert paging.following(paging.first(REQUEST), PageFacts(0)) is None


def test_no_pages_are_no_error_on_an_empty_page() -> None:
    walked = walk(paginator(type="page", total_pages_path=".pages"), source([]))

    assert (len(walked.requests), walked.reason) == (1, None)


def test_an_index_of_the_last_page_is_not_taken_for_a_number_of_pages_where_that_can_be_seen() -> None:
    paging = paginator(type="page", start_page=0, total_pages_path=".pages")

    with pytest.raises(PaginationError, match="gave 0, but the page has records"):
        paging.following(paging.first(REQUEST), facts_of(paging, {"pages": 0}, records=3, received=3))
