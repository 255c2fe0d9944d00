"""`Link` headers are read in every form that RFC 8288 allows."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.flow import PageFacts, RequestSpec
from portsync.pagination import PaginationError
from portsync.pagination.links import linked
from tests.pagination.walking import Served, paginator, walk

HERE = RequestSpec("GET", "https://h/p", (("page", "1"),))


def next_url(headers: Any, **keys: Any) -> str | None:
    following = paginator(type="header_link", **keys).following(HERE, PageFacts(1, headers=headers))
    return None if following is None else following.url


@pytest.mark.parametrize(
    "link",
    [
        '<https://h/p?page=2>; rel="next"',
        "<https://h/p?page=2>;rel=next,<https://h/p?page=0>;rel=back",
        "<https://h/p?page=0>;rel=back,<https://h/p?page=2>;rel=next",
        '<https://h/p?page=2>; rel="prev next"',
        '<https://h/p?page=2>; rel="first   next"',
        '<https://h/p?page=2>; results="true"; cursor="0:100:0"; rel="next"',
        '<https://h/p?page=2>; title="a, b; c <d>; rel=\\"prev\\""; rel="next"',
        '<https://h/p?page=0>; title="x, <https://h/evil>; rel=next"; rel="prev", </p?page=2>; rel="next"',
        '</p?page=2>; rel="next"',
        '<?page=2>; rel="next"',
        '<p?page=2>; rel="next"',
        "<https://h/p?page=2>; rel=NEXT",
        '<https://h/p?page=2>; REL="Next"',
        '<https://h/p?page=2> ; rel = "next"',
        '  ,, <https://h/p?page=2>;;rel="next" ,, ',
        '<https://h/p?page=2>; rel="next"; rel="prev"',
        r'<https://h/p?page=2>; rel="n\ext"',
        "<https://h/p?page=2>; crossorigin; rel=next",
        "<https://h/p?page=2>; rel=next prev",
        '<https://h/p?page=2#end>; rel="next"',
        '< https://h/p?page=2 >; rel="next"',
        '<https://h/p?page=2>; rel="next", <https://h/p?page=3>; rel="next"',
        '<https://h/style.css>; rel=preload; as=style, <https://h/p?page=2>; rel="next"',
        'garbage, <https://h/p?page=2>; rel="next"',
    ],
)
def test_all_forms_of_the_header_mean_the_same_page(link: str) -> None:
    """C19."""
    assert next_url({"link": link}) == "https://h/p?page=2"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ('<https://h/p?ids=1,2,3&page=2>; rel="next"', "https://h/p?ids=1,2,3&page=2"),
        ('<https://h/p?a=1;b=2>; rel="next"', "https://h/p?a=1;b=2"),
        ('<https://h/p?q=%E3%81%82>; rel="next"', "https://h/p?q=%E3%81%82"),
        ('<https://h/p?q=">; rel="next"', 'https://h/p?q="'),
    ],
)
def test_what_stands_in_the_url_is_not_punctuation(link: str, url: str) -> None:
    assert next_url({"Link": link}) == url


@pytest.mark.parametrize("name", ["link", "Link", "LINK"])
def test_the_headers_name_matches_in_any_case(name: str) -> None:
    assert next_url({"content-type": "x", name: "</p?page=2>; rel=next"}) == "https://h/p?page=2"


def test_several_header_lines_are_one_header() -> None:
    """C19, with the headers that the transport gives."""
    lines = httpx.Headers([("Link", '</p?page=0>; rel="prev"'), ("x", "y"), ("Link", '</p?page=2>; rel="next"')])

    assert next_url(lines) == "https://h/p?page=2"
    assert next_url({"Link": "</p?page=0>; rel=prev", "link": "</p?page=2>; rel=next"}) == "https://h/p?page=2"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-link": '</p?page=2>; rel="next"'},
        {"link": ""},
        {"link": " , "},
        {"link": '</p?page=0>; rel="back"'},
        {"link": '</p?page=0>; rel="prev"; title="rel=next"'},
        {"link": '</p?page=0>; rel="prev"; rel="next"'},
        {"link": "</p?page=0>; title=next"},
        {"link": "</p?page=0>"},
        {"link": "</p?page=0>; rel"},
        {"link": '</p?page=0>; rel="next-archive"'},
        {"link": '<>; rel="next"'},
        {"link": '< >; rel="next"'},
    ],
)
def test_without_a_link_of_the_relation_the_run_ends(headers: dict[str, str]) -> None:
    assert next_url(headers) is None


def test_the_relation_can_be_chosen() -> None:
    link = '</p?page=9>; rel="next", </p?page=2>; rel="nextPage", </x>; rel="https://h/rels/more"'

    assert next_url({"link": link}, rel="nextPage") == "https://h/p?page=2"
    assert next_url({"link": link}, rel="https://h/rels/more") == "https://h/x"


@pytest.mark.parametrize("link", ["https://h/p?page=2; rel=next", "next", "<https://h/p?page=2; rel=next"])
def test_a_header_without_any_link_is_an_error_and_no_end(link: str) -> None:
    with pytest.raises(PaginationError, match="the `Link` header cannot be read"):
        next_url({"link": link})


@pytest.mark.parametrize(("link", "reason"), [("<ftp://h/x>; rel=next", "origin"), ("<#>; rel=next", "loop")])
def test_a_link_that_cannot_be_followed_is_an_error(link: str, reason: str) -> None:
    with pytest.raises(PaginationError) as error:
        next_url({"link": link})

    assert error.value.reason == reason


def test_a_chain_of_links_is_read_to_its_end() -> None:
    def serve(request: RequestSpec) -> Served:
        page = int(request.url.partition("page=")[2] or 1)
        link = f'</p?page={page + 1}>; rel="next", </p?page=3>; rel="last"' if page < 3 else '</p?page=1>; rel="first"'
        return Served([page], headers={"Link": link})

    walked = walk(paginator(type="header_link"), serve, HERE)

    assert (walked.records, walked.reason) == ([1, 2, 3], None)
    assert [request.params for request in walked.requests] == [(("page", "1"),), (), ()]


_TOKEN = st.from_regex(r"[A-Za-z0-9!#$&'*+.^_`|~-]+", fullmatch=True)
_TARGET = st.text(st.characters(codec="ascii", exclude_characters="<>", categories=("L", "N", "P", "S")), min_size=1)
_PARAMETER = st.tuples(
    _TOKEN.filter(lambda name: name.lower() != "rel"),
    st.one_of(st.none(), _TOKEN, st.text(st.characters(min_codepoint=32, max_codepoint=126))),
)


def written(target: str, parameters: list[tuple[str, str | None]], rel: str, spaces: str, *, quoted: bool) -> str:
    """A link as RFC 8288 lets it be written."""
    parts = [f"<{target}>"]
    for name, value in [*parameters, ("rel", rel)]:
        escaped = None if value is None else value.replace("\\", "\\\\").replace('"', '\\"')
        bare = value is not None and value.isalnum() and not quoted
        parts.append(name if value is None else f"{name}={value}" if bare else f'{name}="{escaped}"')
    return f"{spaces};{spaces}".join(parts)


_LINKS = st.lists(
    st.tuples(_TARGET, st.lists(_PARAMETER, max_size=3), st.sampled_from(["next", "prev", "last", "up next", "NEXT"])),
    max_size=5,
)


@given(_LINKS, st.sampled_from(["", " ", " \t "]), st.booleans())
def test_what_the_rfc_lets_be_written_is_read(links: list[Any], spaces: str, quoted: bool) -> None:
    header = f"{spaces},{spaces}".join(
        written(target, parameters, rel, spaces, quoted=quoted) for target, parameters, rel in links
    )
    wanted = [target.strip() for target, _, rel in links if "next" in rel.lower().split()]

    assert linked(header, "next") == (wanted[0] if wanted else None)


@given(st.text(st.sampled_from('<>;,="\\ nextrl/')))
def test_any_text_is_read_or_is_an_error_where_it_has_no_link(header: str) -> None:
    try:
        linked(header, "next")
    except PaginationError:
        assert re.match(r"\s*<[^<>]*>", header) is None


def test_a_long_header_takes_no_longer_than_it_should() -> None:
    for header in (",<" * 50_000, "<a>" + ';a="' * 50_000, "<a>;" * 30_000, "<a>" + "; " * 50_000, ", " * 50_000):
        with_next = f"{header}, <b>; rel=next"

        assert linked(with_next, "next") in ("b", None)
