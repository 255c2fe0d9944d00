"""Links in bodies are followed as RFC 3986 joins them, and only to where the web is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.flow import PageFacts, RequestSpec
from portsync.pagination import PaginationError
from portsync.pagination.links import follow
from tests.pagination.walking import Served, facts_of, paginator, walk

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = RequestSpec(
    "POST", "http://h:8080/api/resource", (("param1", "value1"),), (("a", "b"),), {"q": 1}, "form", retried=frozenset()
)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("http://h:8080/api/resource?page=2", "http://h:8080/api/resource?page=2"),
        ("/api/resource?page=2", "http://h:8080/api/resource?page=2"),
        ("?page=2", "http://h:8080/api/resource?page=2"),
        ("resource?page=2", "http://h:8080/api/resource?page=2"),
        ("../v2/resource", "http://h:8080/v2/resource"),
        ("//other/x", "http://other/x"),
        ("https://elsewhere.example/x", "https://elsewhere.example/x"),
        ("HTTP://H:8080/x", "http://H:8080/x"),
        (" /x?page=2 \n", "http://h:8080/x?page=2"),
        ("/x?page=2#top", "http://h:8080/x?page=2"),
        ("/x?q=%E3%81%82&r=a%2Fb%20c", "http://h:8080/x?q=%E3%81%82&r=a%2Fb%20c"),
        ("/a%2Fb/c", "http://h:8080/a%2Fb/c"),
        ("/x?a=1&a=2&b=&c", "http://h:8080/x?a=1&a=2&b=&c"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_a_link_is_joined_to_the_url_of_its_page(link: str, url: str) -> None:
    """C20. The parameters of the page's own request are not sent again: those that are to be are in the link."""
    followed = follow(HERE, link)

    assert followed == RequestSpec("POST", url, (), (("a", "b"),), {"q": 1}, "form", is_link=True, retried=frozenset())


@pytest.mark.parametrize(
    ("link", "says", "reason"),
    [
        ("javascript:alert(1)", "leads to `javascript:`", "origin"),
        ("ftp://h/x", "leads to `ftp:`", "origin"),
        ("file:///etc/passwd", "leads to `file:`", "origin"),
        ("data:application/json,[]", "leads to `data:`", "origin"),
        ("mailto:a@b", "leads to `mailto:`", "origin"),
        ("h:8080/x", "leads to `h:`", "origin"),
        ("http://user:secret@h:8080/x", "holds credentials", "origin"),
        ("http://h:8080@evil.example/x", "holds credentials", "origin"),
        ("http://[::1", "is not a URL", "pagination"),
        ("http://h:99999/x", "is not a URL", "pagination"),
        ("http://h:0/x", "is not a URL", "pagination"),
        ("https:///x", "is not a URL", "pagination"),
        ("#", "leads to the page itself", "loop"),
        ("#page-2", "leads to the page itself", "loop"),
    ],
)
def test_what_cannot_be_followed_is_an_error_that_does_not_repeat_the_link(link: str, says: str, reason: str) -> None:
    with pytest.raises(PaginationError, match=says) as error:
        follow(HERE, link)

    assert error.value.reason == reason
    assert "secret" not in error.value.message


@given(st.text())
def test_any_text_is_followed_to_the_web_or_is_an_error(link: str) -> None:
    try:
        followed = follow(HERE, link)
    except PaginationError:
        return
    parts = urlsplit(followed.url)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert (parts.fragment, parts.username) == ("", None)
    assert (followed.params, followed.is_link) == ((), True)


@pytest.mark.parametrize("end", [{}, {"next": None}, {"next": ""}, {"next": "  "}, {"next": False}])
def test_no_link_is_the_end(end: dict[str, Any]) -> None:
    paging = paginator(type="next_link", next_link_path=".next")

    assert paging.following(HERE, facts_of(paging, end, records=1)) is None


@pytest.mark.parametrize(
    ("link", "shown"), [(2, "2"), (True, "true"), ({"href": "/x"}, "an object"), (["/x"], "an array")]
)
def test_a_link_that_is_no_text_is_an_error(link: Any, shown: str) -> None:
    paging = paginator(type="next_link", next_link_path=".next")

    with pytest.raises(PaginationError, match=f"`next_link_path` gave {shown}, which is not a text"):
        paging.following(HERE, facts_of(paging, {"next": link}, records=1))


def test_an_answer_without_a_body_has_no_link() -> None:
    assert paginator(type="next_link", next_link_path=".next").following(HERE, PageFacts(0)) is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("@odata.nextLink", lambda link: {"@odata.nextLink": link} if link else {}),
        ("links.next", lambda link: {"links": {"next": link}}),
        (
            '.links[] | select(.rel == "next") | .href',
            lambda link: {"links": [{"rel": "self", "href": "."}, *([{"rel": "next", "href": link}] if link else [])]},
        ),
    ],
)
def test_a_chain_of_links_is_read_to_its_end(path: str, said: Callable[[str | None], dict[str, Any]]) -> None:
    links = {"http://h/p": "/p?skip=2", "http://h/p?skip=2": "?skip=4", "http://h/p?skip=4": None}
    first = RequestSpec("GET", "http://h/p", (("top", "2"),))

    walked = walk(
        paginator(type="next_link", next_link_path=path),
        lambda request: Served([request.url], said(links[request.url])),
        first,
    )

    assert (walked.records, walked.reason) == (list(links), None)
    assert [request.params for request in walked.requests] == [(("top", "2"),), (), ()]


def test_links_in_a_circle_end_as_a_loop() -> None:
    paging = paginator(type="next_link", next_link_path=".next")
    walked = walk(paging, lambda request: Served([1], {"next": "?p=b" if request.url.endswith("a") else "?p=a"}), HERE)

    assert (len(walked.requests), walked.reason) == (3, "loop")
