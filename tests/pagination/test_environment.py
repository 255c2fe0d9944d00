"""Ocean's variables for the pagination, which name no expressions: the pages decide, as they do in Ocean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portsync.errors import SettingsError
from portsync.settings import read_settings
from tests.pagination.walking import REQUEST, Served, Walk, facts_of, paginator, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.flow import RequestSpec
    from portsync.pagination import Paginator


def ocean(kind: str, **variables: str) -> Paginator:
    names = {f"OCEAN__INTEGRATION__CONFIG__{name}": value for name, value in variables.items()}
    found = read_settings({"OCEAN__INTEGRATION__CONFIG__PAGINATION_TYPE": kind, **names}).source_pagination
    assert found is not None
    return found


def read(paging: Paginator, *bodies: dict[str, Any]) -> Walk:
    """Walk over these pages; those after them are empty and say nothing."""
    turn = iter(bodies)

    def serve(_: RequestSpec) -> Served:
        body = next(turn, {})
        return Served(body.get("data", []), body)

    return walk(paging, serve)


def test_none_and_no_variable_at_all() -> None:
    assert ocean("none").type == "none"  # type: ignore[attr-defined]
    assert read_settings({}).source_pagination is None


def test_the_names_are_those_that_ocean_means_where_none_is_given() -> None:
    assert ocean("offset").first(REQUEST).params == (("status", "open"), ("offset", "0"), ("limit", "100"))
    assert ocean("page").first(REQUEST).params == (("status", "open"), ("page", "1"), ("size", "100"))
    assert ocean("cursor").first(REQUEST).params == (("status", "open"), ("limit", "100"))
    assert ocean("next_link").first(REQUEST) == ocean("header_link").first(REQUEST) == REQUEST


def test_names_sizes_and_the_first_page_can_be_given() -> None:
    names = {"PAGINATION_PARAM": "from", "SIZE_PARAM": "many", "PAGE_SIZE": "7"}

    assert ocean("offset", **names).first(REQUEST).params[1:] == (("from", "0"), ("many", "7"))
    assert ocean("page", **names, START_PAGE="0").first(REQUEST).params[1:] == (("from", "0"), ("many", "7"))
    cursor = ocean("cursor", **names)
    assert cursor.first(REQUEST).params[1:] == (("many", "7"),)
    assert read(cursor, {"data": [1], "cursor": "c"}, {"data": [2]}).sent("from") == [None, "c"]


@pytest.mark.parametrize("kind", ["offset", "page"])
@pytest.mark.parametrize("flag", [{"has_more": True}, {"hasMore": True}, {"meta": {"has_more": True}}, {}])
def test_pages_are_read_to_the_flag_that_ends_them_or_to_an_empty_one(kind: str, flag: dict[str, Any]) -> None:
    def ended(value: Any) -> Any:
        return {name: ended(inner) if isinstance(inner, dict) else False for name, inner in value.items()}

    walked = read(ocean(kind), {"data": [1], **flag}, {"data": [2], **flag}, {"data": [3], **ended(flag)})

    assert (walked.records, walked.reason) == ([1, 2, 3], None)
    assert len(walked.requests) == (3 if flag else 4)


@pytest.mark.parametrize("kind", ["offset", "page", "cursor"])
def test_pages_that_are_lists_end_with_an_empty_one(kind: str) -> None:
    """A server that gives fewer than asked for ended Ocean's run after its first page."""
    paging = ocean(kind)
    first = paging.first(REQUEST)

    following = paging.following(first, facts_of(paging, [1, 2], records=2, received=2))

    assert (following is None) == (kind == "cursor")
    assert paging.following(first, facts_of(paging, [])) is None


@pytest.mark.parametrize("key", ["next_page", "next"])
def test_pages_with_numbers_end_where_no_next_one_is_named(key: str) -> None:
    walked = read(ocean("page"), {"data": [1], key: 2}, {"data": [2], key: "?page=3"}, {"data": [3], key: None})

    assert (walked.sent("page"), walked.reason) == (["1", "2", "3"], None)


def test_the_last_page_may_be_flagged_as_spring_does() -> None:
    """7.2: page=0.., size=10, lastPagePath data.last."""
    paging = ocean("page", START_PAGE="0", PAGE_SIZE="10", LAST_PAGE_PATH="data.last")
    flags = [facts_of(paging, {"data": {"last": last}}, records=10) for last in (False, False, True)]
    request: RequestSpec | None = paging.first(REQUEST)
    sent = []
    for facts in flags:
        assert request is not None
        sent.append(dict(request.params))
        request = paging.following(request, facts)

    assert sent == [{"status": "open", "page": str(n), "size": "10"} for n in range(3)]
    assert request is None


def test_the_path_of_has_more_wins_over_that_of_the_last_page_and_what_is_missing_over_neither() -> None:
    paging = ocean("page", HAS_MORE_PATH="data.has_more", LAST_PAGE_PATH="data.last")

    def more(**said: Any) -> bool:
        return paging.following(paging.first(REQUEST), facts_of(paging, said, records=1)) is not None

    assert more(data={"has_more": True, "last": True})
    assert not more(data={"has_more": False, "last": False})
    assert not more(data={"last": True})
    assert more(data={"last": False}, hasMore=False)
    assert not more(data={}, hasMore=False)
    assert more(data=None)
    assert more(data=[1, 2])


@pytest.mark.parametrize(
    "body", [{"next_cursor": "c"}, {"cursor": "c"}, {"meta": {"after_cursor": "c"}}, {"links": {"next": "c"}}]
)
def test_a_cursor_is_looked_for_where_ocean_does_and_needs_no_flag(body: dict[str, Any]) -> None:
    walked = read(ocean("cursor"), {"data": [1], **body}, {"data": [2]})

    assert (walked.sent("cursor"), walked.records, walked.reason) == ([None, "c"], [1, 2], None)


def test_a_cursor_that_is_empty_is_none() -> None:
    walked = read(
        ocean("cursor"),
        {"data": [1], "next_cursor": None, "cursor": "", "meta": None, "links": {"next": "c"}},
        {"data": [2], "next_cursor": "", "meta": {"after_cursor": ""}, "links": None},
    )

    assert (walked.records, walked.reason) == ([1, 2], None)


@pytest.mark.parametrize("flag", [{"has_more": False}, {"hasMore": False}, {"meta": {"has_more": False}}])
def test_a_flag_ends_a_run_of_cursors(flag: dict[str, Any]) -> None:
    assert len(read(ocean("cursor"), {"data": [1], "cursor": "c", **flag}).requests) == 1


def test_a_flag_without_a_cursor_is_truncated() -> None:
    walked = read(ocean("cursor"), {"data": [1], "has_more": True, "next_page": "p2"})

    assert (walked.records, walked.reason) == ([1], "truncated")


@pytest.mark.parametrize("end", [{}, {"paging": {}}, {"paging": {"next": {"after": ""}}}, {"paging": None}])
def test_both_paths_may_point_at_the_cursor_as_oceans_examples_do(end: dict[str, Any]) -> None:
    paging = ocean("cursor", CURSOR_PATH="paging.next.after", HAS_MORE_PATH="paging.next.after")
    walked = read(paging, {"data": [1], "paging": {"next": {"after": "c"}}}, {"data": [2], **end})

    assert (walked.sent("cursor"), walked.records, walked.reason) == ([None, "c"], [1, 2], None)


@pytest.mark.parametrize("value", [False, "", 0, [], {}, "false"])
def test_a_flag_counts_as_it_does_in_ocean(value: Any) -> None:
    paging = ocean("offset", HAS_MORE_PATH="more")

    assert paging.following(paging.first(REQUEST), facts_of(paging, {"more": value}, records=1)) is None
    assert paging.following(paging.first(REQUEST), facts_of(paging, {"more": "yes"}, records=1)) is not None


@pytest.mark.parametrize(
    ("variables", "bodies"),
    [
        ({}, [{"@odata.nextLink": "?p=2"}, {"@odata.nextLink": "?p=3"}, {}]),
        ({"NEXT_LINK_PATH": "links.next"}, [{"links": {"next": "?p=2"}}, {"links": {"next": "?p=3"}}, {"links": {}}]),
        ({"NEXT_LINK_PATH": ".next[0]"}, [{"next": ["?p=2"]}, {"next": ["?p=3"]}, {"next": []}]),
    ],
)
def test_links_are_where_the_path_says_or_where_odata_has_them(
    variables: dict[str, str], bodies: Sequence[dict[str, Any]]
) -> None:
    walked = read(ocean("next_link", **variables), *bodies)

    assert [request.url for request in walked.requests[1:]] == ["http://h/things?p=2", "http://h/things?p=3"]
    assert walked.reason is None


def test_a_page_that_is_a_list_has_no_link() -> None:
    paging = ocean("next_link")

    assert paging.following(REQUEST, facts_of(paging, [1, 2], records=2)) is None


def test_the_relation_of_header_links_can_be_given() -> None:
    def serve(request: RequestSpec) -> Served:
        return Served([request.url], headers={} if request.is_link else {"Link": '<?p=2>; rel="nextPage"'})

    assert len(walk(ocean("header_link", HEADER_LINK_REL="nextPage"), serve).requests) == 2
    assert len(walk(ocean("header_link"), serve).requests) == 1


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"PAGINATION_TYPE": "pages"}, "pages"),
        ({"PAGINATION_TYPE": "page", "START_PAGE": "-1"}, "start_page"),
        ({"PAGINATION_TYPE": "page", "PAGE_SIZE": "many"}, "page_size"),
        ({"PAGINATION_TYPE": "cursor", "CURSOR_PATH": ".a["}, "cursor_path"),
        ({"PAGINATION_TYPE": "offset", "HAS_MORE_PATH": "a b"}, "has_more_path"),
        ({"PAGINATION_TYPE": "next_link", "NEXT_LINK_PATH": "input | .x"}, "next_link_path"),
    ],
)
def test_what_cannot_be_used_is_an_error_before_anything_is_sent(variables: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({f"OCEAN__INTEGRATION__CONFIG__{name}": value for name, value in variables.items()})

    (problem,) = error.value.problems
    assert problem.message.startswith("the environment variable OCEAN__INTEGRATION__CONFIG__*:")
    assert says in problem.message


def test_the_variable_of_portsync_takes_both_forms_of_paths() -> None:
    text = '{"type": "cursor", "cursor_path": "meta.next", "has_more_path": ".more", "max_pages": 3}'
    found = read_settings(
        {"PORTSYNC_SOURCE_PAGINATION": text, "OCEAN__INTEGRATION__CONFIG__PAGINATION_TYPE": "offset"}
    ).source_pagination

    assert found == paginator(type="cursor", cursor_path="meta.next", has_more_path=".more", max_pages=3)
