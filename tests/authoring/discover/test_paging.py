"""Ways of paging, each tried on a source that pages so; and what is said where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.authoring.discover.conftest import Proposed
    from tests.conftest import Asked, Source

HELD = [{"id": i, "name": f"thing {i}"} for i in range(1, 26)]


def sliced(begin: int, size: int) -> list[dict[str, Any]]:
    return HELD[begin : begin + size]


def number(asked: Asked, name: str, default: int) -> int:
    return int(dict(asked.query).get(name, default))


def relative_link(asked: Asked) -> Any:
    begin = number(asked, "begin", 0)
    following = f"/widgets?begin={begin + 10}" if begin + 10 < len(HELD) else None
    return {"items": sliced(begin, 10), "links": {"next": following}}


def absolute_link(asked: Asked) -> Any:
    begin = number(asked, "$skip", 0)
    body: dict[str, Any] = {"value": sliced(begin, 10)}
    if begin + 10 < len(HELD):
        body["@odata.nextLink"] = f"http://{asked.headers['host']}/widgets?$skip={begin + 10}"
    return body


def spring(asked: Asked) -> Any:
    page, size = number(asked, "page", 0), number(asked, "size", 10)
    pages = -(-len(HELD) // size)
    found = sliced(page * size, size)
    return {
        "content": found,
        "number": page,
        "size": size,
        "totalElements": len(HELD),
        "totalPages": pages,
        "last": page + 1 >= pages,
    }


def quiet_page(asked: Asked) -> Any:
    return sliced((number(asked, "page", 1) - 1) * number(asked, "per_page", 10), number(asked, "per_page", 10))


def quiet_offset(asked: Asked) -> Any:
    return {"data": sliced(number(asked, "offset", 0), number(asked, "limit", 10))}


def next_cursor(asked: Asked) -> Any:
    query = dict(asked.query)
    begin = int(query["cursor"].removeprefix("c")) if "cursor" in query else 0
    more = begin + 10 < len(HELD)
    return {"data": {"items": sliced(begin, 10)}, "meta": {"next_cursor": f"c{begin + 10}" if more else None}}


def google(asked: Asked) -> Any:
    begin = int(dict(asked.query).get("pageToken", "t0")[1:])
    more = begin + 10 < len(HELD)
    return {"things": sliced(begin, 10), **({"nextPageToken": f"t{begin + 10}"} if more else {})}


def named_in_a_link(asked: Asked) -> Any:
    begin = int(dict(asked.query).get("weiter", "w0")[1:])
    more = begin + 10 < len(HELD)
    url = f"http://{asked.headers['host']}/widgets?weiter=w{begin + 10}"
    return {
        "data": sliced(begin, 10),
        "page": {"after": f"w{begin + 10}" if more else None, "more": url if more else None},
    }


def in_the_body(asked: Asked) -> Any:
    begin = int((asked.body or {}).get("cursor", 0))
    more = begin + 10 < len(HELD)
    return {"results": sliced(begin, 10), "next_cursor": str(begin + 10) if more else None, "has_more": more}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (relative_link, {"type": "next_link", "next_link_path": ".links.next"}),
        (absolute_link, {"type": "next_link", "next_link_path": '.["@odata.nextLink"]'}),
        (
            spring,
            {
                "type": "page", "page_param": "page", "start_page": 0, "size_param": "size", "page_size": 100,
                "total_pages_path": ".totalPages", "has_more_path": ".last | not",
            },
        ),
        (
            quiet_page,
            {"type": "page", "page_param": "page", "start_page": 1, "size_param": "per_page", "page_size": 100},
        ),
        (quiet_offset, {"type": "offset", "offset_param": "offset", "limit_param": "limit", "page_size": 100}),
        (next_cursor, {"type": "cursor", "cursor_path": ".meta.next_cursor", "cursor_param": "cursor"}),
        (google, {"type": "cursor", "cursor_path": ".nextPageToken", "cursor_param": "pageToken"}),
        (named_in_a_link, {"type": "cursor", "cursor_path": ".page.after", "cursor_param": "weiter"}),
    ],
)  # fmt: skip
def test_a_way_of_paging_is_found_tried_and_leads_to_every_record(
    answer: Callable[[Asked], Any],
    expected: dict[str, Any],
    source: Source,
    discover: Callable[..., Proposed],
    in_port: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    source.answer = answer
    proposed = discover(f"{source.url}/widgets", "--requests", "30")

    assert proposed.run.exit_code == 0, proposed.run.err
    pagination = proposed.resource["pagination"]
    assert (pagination["value"], pagination["confidence"]) == (expected, "sure"), pagination
    assert {int(name) for name in in_port(proposed, "widget")} == {record["id"] for record in HELD}


def test_a_post_pages_in_its_body(source: Source, discover: Callable[..., Proposed]) -> None:
    source.answer = in_the_body
    proposed = discover(f"{source.url}/widgets/search", "--method", "POST", "--body", '{"filter": "all"}')

    assert proposed.resource["pagination"]["value"] == {
        "type": "cursor",
        "cursor_path": ".next_cursor",
        "cursor_param": "cursor",
        "has_more_path": ".has_more",
        "into": "body",
    }
    assert {asked.method for asked in source.asked} == {"POST"}
    assert all(asked.body["filter"] == "all" for asked in source.asked)


@pytest.mark.parametrize(
    ("body", "confidence", "said"),
    [
        ({"data": HELD[:7]}, "likely", "nothing in the answer speaks of another page; asked with `page`, `offset`"),
        ({"data": HELD[:7], "total": 7}, "sure", "`.total` says 7, and as many came"),
        ({"data": HELD[:7], "total": 900}, "guess", "`.total` says 900, 7 came, and no way to the others was found"),
        ({"data": HELD[:20]}, "guess", "but 20 records may be just one page of them"),
    ],
)
def test_an_answer_without_other_pages_is_called_so_with_what_was_tried(
    body: Any, confidence: str, said: str, source: Source, discover: Callable[..., Proposed]
) -> None:
    source.answer = lambda _: body
    pagination = discover(f"{source.url}/widgets").resource["pagination"]

    assert pagination["value"] == {"type": "none"}
    assert pagination["confidence"] == confidence
    assert said in pagination["reason"]


def test_a_parameter_that_the_source_ignores_is_never_proposed(
    source: Source, discover: Callable[..., Proposed]
) -> None:
    """The body speaks of pages and of a cursor, but whatever is asked, the same comes."""
    source.answer = lambda _: {"data": HELD[:8], "page": 1, "pages": 4, "next_cursor": "abc", "next": "/widgets?page=2"}
    proposed = discover(f"{source.url}/widgets")

    assert proposed.resource["pagination"]["value"] == {"type": "none"}


def test_a_second_page_of_the_same_records_in_another_order_is_none(
    source: Source, discover: Callable[..., Proposed]
) -> None:
    def answer(asked: Asked) -> Any:
        is_second = dict(asked.query).get("again") == "1"
        return {"data": HELD[7::-1] if is_second else HELD[:8], "next": None if is_second else "/widgets?again=1"}

    source.answer = answer
    assert discover(f"{source.url}/widgets").resource["pagination"]["value"] == {"type": "none"}


def test_a_next_link_to_another_origin_is_not_followed(source: Source, discover: Callable[..., Proposed]) -> None:
    source.answer = lambda _: {"data": HELD[:8], "next": "https://elsewhere.example/widgets?page=2"}
    proposed = discover(f"{source.url}/widgets", "--auth-env", "KEY", env={"KEY": "a-secret-key"})

    assert proposed.resource["pagination"]["value"] == {"type": "none"}


def test_no_more_requests_are_sent_than_may_be(source: Source, discover: Callable[..., Proposed]) -> None:
    source.answer = lambda _: JSONResponse({"data": HELD[:10], "total": 900})
    proposed = discover(f"{source.url}/widgets", "--requests", "4")

    assert len(source.asked) <= 4
    assert proposed.found["requests"] == len(source.asked)
