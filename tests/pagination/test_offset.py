"""Offset paging loses nothing, whatever the server makes of the limit that it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.flow import PageFacts, RequestSpec
from portsync.pagination import OffsetPagination, PaginationError

REQUEST = RequestSpec("GET", "http://x/things", (("status", "open"),))


def walk(paginator: OffsetPagination, held: int, cap: int, **claims: Any) -> list[tuple[int, int]]:
    """The (offset, records) of each page that a server with `held` records gives, at most `cap` at once."""
    pages = []
    request: RequestSpec | None = paginator.first(REQUEST)
    while request is not None:
        offset = int(dict(request.params)["offset"])
        limit = int(dict(request.params)["limit"])
        given = max(0, min(limit, cap, held - offset))
        pages.append((offset, given))
        values = {name: claim(offset + given, held) for name, claim in claims.items()}
        request = paginator.next(request, PageFacts(given, values))
        assert len(pages) < 1000
    return pages


@given(st.integers(0, 300), st.integers(1, 50), st.integers(1, 50))
def test_every_record_is_read_exactly_once(total: int, page_size: int, cap: int) -> None:
    plain = OffsetPagination(type="offset", page_size=page_size)
    counted = OffsetPagination(type="offset", page_size=page_size, total_path=".total")
    flagged = OffsetPagination(type="offset", page_size=page_size, has_more_path=".more")

    for pages in (
        walk(plain, total, cap),
        walk(counted, total, cap, total=lambda _, t: t),
        walk(flagged, total, cap, has_more=lambda read, t: read < t),
    ):
        assert sum(records for _, records in pages) == total
        assert [offset for offset, _ in pages] == [sum(n for _, n in pages[:i]) for i in range(len(pages))]


def test_a_total_saves_the_last_empty_page() -> None:
    paginator = OffsetPagination(type="offset", page_size=10, total_path=".total")

    assert walk(paginator, 20, 10, total=lambda _, t: t) == [(0, 10), (10, 10)]
    assert walk(OffsetPagination(type="offset", page_size=10), 20, 10) == [(0, 10), (10, 10), (20, 0)]


def test_a_short_page_ends_the_run_only_where_that_is_said() -> None:
    assert len(walk(OffsetPagination(type="offset", page_size=10), 15, 10)) == 3
    assert len(walk(OffsetPagination(type="offset", page_size=10, until="short"), 15, 10)) == 2


@pytest.mark.parametrize(
    ("values", "records", "says"),
    [
        ({"has_more": True}, 0, "there are more"),
        ({"total": 50}, 0, "50 records in all"),
        ({"has_more": "false"}, 5, "neither true nor false"),
        ({"total": "many"}, 5, "not a number of records"),
        ({"total": True}, 5, "not a number of records"),
    ],
)
def test_a_claim_that_cannot_be_true_is_an_error(values: dict[str, Any], records: int, says: str) -> None:
    paginator = OffsetPagination(type="offset", total_path=".t", has_more_path=".m")

    with pytest.raises(PaginationError, match=says):
        paginator.next(paginator.first(REQUEST), PageFacts(records, values))


def test_the_parameters_go_where_they_are_sent_and_the_rest_stays() -> None:
    in_query = OffsetPagination(type="offset", offset_param="skip", limit_param="take").first(REQUEST)
    in_header = OffsetPagination(type="offset", into="header", offset_param="x-skip").first(REQUEST)
    body = RequestSpec("POST", "http://x", body={"page": {"sort": "id"}, "q": 1})
    into_body = OffsetPagination(type="offset", into="body", offset_param="page.from", limit_param="page.size")
    first = into_body.first(body)
    second = into_body.next(first, PageFacts(7))

    assert in_query.params == (("status", "open"), ("skip", "0"), ("take", "100"))
    assert in_header.headers == (("x-skip", "0"), ("limit", "100"))
    assert first.body == {"page": {"sort": "id", "from": 0, "size": 100}, "q": 1}
    assert second is not None
    assert second.body["page"]["from"] == 7
    assert body.body == {"page": {"sort": "id"}, "q": 1}, "the resource's own request is not changed"
