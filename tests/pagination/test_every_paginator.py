"""What holds for every way of paging."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from portsync.flow import PageFacts, RequestSpec
from portsync.pagination import PaginationError, Paginator
from tests.pagination.walking import REQUEST, Served, Walk, facts_of, paginator, unhurried, walk

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS: dict[str, dict[str, Any]] = {
    "none": {},
    "offset": {"page_size": 2, "total_path": ".total", "has_more_path": ".more"},
    "page": {
        "page_size": 2,
        "total_path": ".total",
        "total_pages_path": ".pages",
        "has_more_path": ".more",
        "last_page_path": ".last",
    },
    "cursor": {"cursor_path": ".next", "has_more_path": ".more"},
    "next_link": {"next_link_path": ".next"},
    "header_link": {},
}
MINIMAL = {"none": {}, "offset": {}, "page": {}, "cursor": {"cursor_path": ".next"}, "next_link": KEYS["next_link"]}
PAGED = [kind for kind in KEYS if kind != "none"]
each_kind = pytest.mark.parametrize("kind", KEYS)
each_paged = pytest.mark.parametrize("kind", PAGED)


def source(kind: str, pages: int, size: int = 2) -> Callable[[RequestSpec], Served]:
    """A source of so many pages of `size` records, which can be asked for them in any way."""

    def index_of(request: RequestSpec) -> int:
        asked = dict(request.params)
        match kind:
            case "offset":
                return int(asked["offset"]) // size
            case "page":
                return int(asked["page"]) - 1
            case "cursor":
                return int(asked.get("cursor") or 0)
            case _:
                return int(request.url.partition("at=")[2] or 0)

    def serve(request: RequestSpec) -> Served:
        index = index_of(request)
        is_last = index >= pages - 1
        said = {"total": pages * size, "pages": pages, "more": not is_last, "last": is_last}
        if is_last:
            return Served(list(range(index * size, pages * size)), said)
        following = str(index + 1) if kind == "cursor" else f"?at={index + 1}"
        records = list(range(index * size, (index + 1) * size))
        return Served(records, {**said, "next": following}, {"link": f"<{following}>; rel=next"})

    return serve


def read(kind: str, pages: int, **keys: Any) -> Walk:
    return walk(paginator(type=kind, **KEYS[kind], **keys), source(kind, pages))


@each_paged
def test_the_model_source_is_read_to_its_end(kind: str) -> None:
    walked = read(kind, 5)

    assert (walked.records, walked.reason) == (list(range(10)), None)


@each_paged
def test_max_pages_is_said_and_truncates_only_what_goes_on(kind: str) -> None:
    stopped = read(kind, 5, max_pages=3)
    whole = read(kind, 3, max_pages=3)

    assert (stopped.records, stopped.reason) == (list(range(6)), "truncated")
    assert "the 3 that `max_pages` allows" in stopped.message
    assert (whole.records, whole.reason) == (list(range(6)), None)


def test_a_single_page_is_never_too_many() -> None:
    assert read("none", 1, max_pages=1).reason is None


@each_kind
@pytest.mark.parametrize("pages", [0, -1, "many"])
def test_max_pages_counts_from_one(kind: str, pages: Any) -> None:
    with pytest.raises(ValidationError):
        paginator(type=kind, **KEYS[kind], max_pages=pages)


@pytest.mark.parametrize("kind", ["offset", "page"])
def test_nothing_is_known_ahead_beyond_max_pages(kind: str) -> None:
    paging = paginator(type=kind, **KEYS[kind], max_pages=4)
    said = {"total": 40, "pages": 20, "more": True, "last": False}

    def ahead(number: int) -> int:
        facts = facts_of(paging, said, records=2, received=2 * number, number=number)
        requests = list(paging.ahead(paging.first(REQUEST), facts))
        assert paging.to_come(paging.first(REQUEST), facts) == len(requests)
        return len(requests)

    assert [ahead(number) for number in (1, 2, 4, 5)] == [3, 2, 0, 0]


@each_kind
def test_nothing_is_ahead_or_to_come_where_the_source_says_that_this_was_all(kind: str) -> None:
    paging = paginator(type=kind, **KEYS[kind])
    facts = facts_of(paging, {"total": 40, "pages": 20, "more": False, "last": True, "next": None}, records=2)

    assert list(paging.ahead(paging.first(REQUEST), facts)) == []
    assert paging.to_come(paging.first(REQUEST), facts) in (0, None)


@pytest.mark.parametrize("kind", list(MINIMAL))
def test_what_the_source_does_not_say_is_not_known(kind: str) -> None:
    paging = paginator(type=kind, **MINIMAL[kind])
    facts = facts_of(paging, {"next": "x"}, records=2, received=2)

    assert list(paging.ahead(paging.first(REQUEST), facts)) == []
    assert paging.to_come(paging.first(REQUEST), facts) == (0 if kind == "none" else None)


@unhurried
@given(st.integers(1, 200), st.integers(1, 20))
def test_offsets_known_ahead_are_what_is_asked_for(held: int, size: int) -> None:
    paging = paginator(type="offset", page_size=size, total_path=".total")

    def serve(request: RequestSpec) -> Served:
        offset = int(dict(request.params)["offset"])
        return Served(list(range(offset, min(held, offset + size))), {"total": held})

    walked = walk(paging, serve)
    first = paging.first(REQUEST)
    records = len(serve(first).records)
    facts = facts_of(paging, {"total": held}, records=records, received=records)

    assert list(paging.ahead(first, facts)) == (walked.requests[1:] if held >= size else [])
    assert paging.to_come(first, facts) == len(walked.requests) - 1


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(["true", "false", "3", "unknown", "http://h/x", "?page=2"]),
    st.just([]),
    st.just({}),
    st.dictionaries(st.sampled_from(["__failed", "__type", "__digits"]), st.one_of(st.text(), st.integers())),
)


@unhurried
@given(
    st.sampled_from(list(KEYS)),
    st.dictionaries(st.sampled_from(["total", "pages", "more", "last", "next"]), _SCALARS),
    st.text(),
    st.integers(0, 3),
)
def test_whatever_a_page_says_there_is_a_next_request_an_end_or_an_error(
    kind: str, body: dict[str, Any], link: str, records: int
) -> None:
    paging: Paginator = paginator(type=kind, **KEYS[kind])
    first = paging.first(REQUEST)
    facts = facts_of(paging, body, records=records, received=records, headers={"link": link})

    for ask in (paging.following, paging.to_come, paging.ahead):
        with contextlib.suppress(PaginationError):
            ask(first, facts)


@each_kind
def test_a_paginator_does_not_change(kind: str) -> None:
    paging = paginator(type=kind, **KEYS[kind])

    with pytest.raises(ValidationError):
        paging.max_pages = 3  # type: ignore[misc]


def test_only_what_a_paginator_knows_is_a_key_of_it() -> None:
    for kind, keys in KEYS.items():
        with pytest.raises(ValidationError):
            paginator(type=kind, **keys, pages=3)


@pytest.mark.parametrize("empty", [999, 1000])
def test_a_thousand_empty_pages_in_a_row_are_too_many(empty: int) -> None:
    paging = paginator(type="cursor", cursor_path=".next")
    facts = facts_of(paging, {"next": "x"}, empty_pages=empty, number=empty)

    if empty < 1000:
        assert paging.following(REQUEST, facts) is not None
    else:
        with pytest.raises(PaginationError, match="1000 pages in a row") as error:
            paging.following(REQUEST, facts)
        assert error.value.reason == "loop"


def test_the_end_is_an_end_after_however_many_empty_pages() -> None:
    paging = paginator(type="cursor", cursor_path=".next")

    assert paging.following(REQUEST, PageFacts(0, {"cursor": None}, empty_pages=5000)) is None
