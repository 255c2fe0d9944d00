"""Offset paging loses nothing, whatever the server makes of the limit that it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.flow import PageFacts, RequestSpec
from portsync.pagination import OffsetPagination, PaginationError
from tests.pagination.walking import REQUEST, Served, facts_of, paginator, unhurried, walk

if TYPE_CHECKING:
    from collections.abc import Callable


def source(held: int, cap: int = 1000) -> Callable[[RequestSpec], Served]:
    """A source of so many records that gives at most `cap` at once, and says all that it can."""

    def serve(request: RequestSpec) -> Served:
        asked = dict(request.params)
        offset = int(asked["offset"])
        end = min(held, offset + min(int(asked.get("limit", cap)), cap))
        return Served(list(range(offset, end)), {"total": held, "more": end < held})

    return serve


CLAIMS = [{}, {"total_path": ".total"}, {"has_more_path": ".more"}, {"total_path": ".total", "has_more_path": ".more"}]


@unhurried
@given(st.integers(0, 300), st.integers(1, 50), st.integers(1, 50), st.sampled_from(CLAIMS))
def test_every_record_is_read_exactly_once(held: int, page_size: int, cap: int, claims: dict[str, str]) -> None:
    walked = walk(paginator(type="offset", page_size=page_size, **claims), source(held, cap))

    assert walked.reason is None
    assert walked.records == list(range(held))


@unhurried
@given(st.integers(0, 300), st.integers(1, 50))
def test_short_pages_end_a_run_only_at_its_end_where_the_source_caps_nothing(held: int, page_size: int) -> None:
    walked = walk(paginator(type="offset", page_size=page_size, until="short"), source(held))

    assert walked.records == list(range(held))
    assert len(walked.requests) == held // page_size + 1


def test_the_requests_are_those_of_c07() -> None:
    walked = walk(paginator(type="offset", page_size=5, total_path=".total"), source(25))

    assert walked.sent("offset") == ["0", "5", "10", "15", "20"]
    assert walked.sent("limit") == ["5"] * 5
    assert walked.sent("status") == ["open"] * 5
    assert len(walked.records) == 25


def test_a_total_saves_the_last_empty_page() -> None:
    counted = walk(paginator(type="offset", page_size=10, total_path=".total"), source(20))
    plain = walk(paginator(type="offset", page_size=10), source(20))

    assert [len(page) for page in counted.pages] == [10, 10]
    assert [len(page) for page in plain.pages] == [10, 10, 0]


def test_a_short_page_ends_the_run_only_where_that_is_said_and_nothing_else_speaks() -> None:
    def pages(**keys: str) -> int:
        return len(walk(paginator(type="offset", page_size=10, **keys), source(15, cap=4)).pages)

    assert pages() == 5
    assert pages(until="short") == 1
    assert pages(until="short", total_path=".total") == 4
    assert pages(until="short", has_more_path=".more") == 4


@pytest.mark.parametrize("claims", [{"total_path": ".total"}, {"has_more_path": ".more"}])
def test_a_hole_is_truncated_and_the_same_offset_is_not_asked_for_again(claims: dict[str, str]) -> None:
    """C09."""

    def serve(request: RequestSpec) -> Served:
        served = source(100)(request)
        return Served([], served.said) if dict(request.params)["offset"] == "60" else served

    walked = walk(paginator(type="offset", page_size=20, **claims), serve)

    assert walked.sent("offset") == ["0", "20", "40", "60"]
    assert (len(walked.records), walked.reason) == (60, "truncated")
    assert "60" in walked.message


def test_a_total_that_changes_while_it_is_read_is_taken_from_the_last_page() -> None:
    def serve(request: RequestSpec) -> Served:
        offset = int(dict(request.params)["offset"])
        held = 25 if offset < 20 else 22
        return Served(list(range(offset, min(held, offset + 10))), {"total": held})

    walked = walk(paginator(type="offset", page_size=10, total_path=".total"), serve)

    assert (len(walked.records), walked.reason) == (22, None)


def test_more_records_than_the_total_leave_the_end_to_an_empty_page() -> None:
    """A total that counts something else, such as the groups that the records stand in, must not end the run early."""

    def serve(request: RequestSpec) -> Served:
        served = source(30)(request)
        return Served(served.records, {"total": 4})

    walked = walk(paginator(type="offset", page_size=10, total_path=".total"), serve)

    assert (len(walked.records), walked.reason) == (30, None)


def test_has_more_is_heard_before_the_total() -> None:
    def serve(request: RequestSpec) -> Served:
        served = source(20)(request)
        return Served(served.records, {"total": 10, "more": served.said["more"]})

    walked = walk(paginator(type="offset", page_size=10, total_path=".total", has_more_path=".more"), serve)

    assert (len(walked.records), walked.reason) == (20, None)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"has_more": None}, "gave null, which is neither true nor false"),
        ({"has_more": "more"}, "neither true nor false"),
        ({"total": "many"}, '`total_path` gave "many", which is not a number of records'),
        ({"total": None}, "not a number of records"),
    ],
)
def test_a_claim_that_makes_no_sense_is_an_error(values: dict[str, Any], says: str) -> None:
    paging = paginator(type="offset", total_path=".t", has_more_path=".m")

    with pytest.raises(PaginationError, match=says) as error:
        paging.following(paging.first(REQUEST), PageFacts(5, values, received=5))

    assert error.value.reason == "pagination"


def test_no_content_on_the_first_page_is_an_honest_nothing() -> None:
    paging = paginator(type="offset", total_path=".t", has_more_path=".m")

    assert paging.following(paging.first(REQUEST), PageFacts(0)) is None


def test_the_parameters_go_where_they_are_sent_and_the_rest_stays() -> None:
    in_query = OffsetPagination(type="offset", offset_param="skip", limit_param="take").first(REQUEST)
    without_limit = OffsetPagination(type="offset", limit_param=None).first(REQUEST)
    in_header = OffsetPagination(type="offset", into="header", offset_param="x-skip")
    body = RequestSpec("POST", "http://x", body={"page": {"sort": "id"}, "q": 1})
    into_body = OffsetPagination(type="offset", into="body", offset_param="page.from", limit_param="page.size")
    first = into_body.first(body)
    second = into_body.next(first, PageFacts(7))
    second_header = in_header.next(in_header.first(REQUEST), PageFacts(7))

    assert in_query.params == (("status", "open"), ("skip", "0"), ("take", "100"))
    assert without_limit.params == (("status", "open"), ("offset", "0"))
    assert in_header.first(REQUEST).headers == (("x-skip", "0"), ("limit", "100"))
    assert second_header is not None
    assert dict(second_header.headers) == {"x-skip": "7", "limit": "100"}
    assert first.body == {"page": {"sort": "id", "from": 0, "size": 100}, "q": 1}
    assert second is not None
    assert second.body["page"]["from"] == 7
    assert body.body == {"page": {"sort": "id"}, "q": 1}, "the resource's own request is not changed"


def test_a_body_without_a_place_for_the_parameter_is_an_error() -> None:
    paging = paginator(type="offset", into="body", offset_param="page.from")

    for body in ("text", [1], {"page": 5}):
        with pytest.raises(PaginationError, match="needs a body that is an object"):
            paging.first(RequestSpec("POST", "http://x", body=body))


@pytest.mark.parametrize("records", [0, 10, 20])
def test_offsets_are_known_ahead_only_where_the_source_gave_what_was_asked_for(records: int) -> None:
    paging = paginator(type="offset", page_size=20, total_path=".total")
    facts = facts_of(paging, {"total": 65}, records=records, received=records)

    ahead = [dict(request.params)["offset"] for request in paging.ahead(paging.first(REQUEST), facts)]

    assert ahead == (["20", "40", "60"] if records == 20 else [])
