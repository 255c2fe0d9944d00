"""The `*_path` keys take JQ and Ocean's dotted form, and what they give cannot be mistaken for something else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from portsync.flow import MappedPage, Page, PageFacts
from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.jq.program import EntityExpressions, PageProgram
from portsync.jq.variables import NO_VARIABLES
from portsync.pagination import PaginationError
from portsync.pagination.claims import value_of
from portsync.pagination.paths import as_jq
from portsync.transform import Mapper, map_page
from tests.pagination.walking import REQUEST, facts_of, output_of, paginator, unhurried

PAGE = {
    "next": "top",
    "last": "the key",
    "meta": {"next": "inside", "after_cursor": "c2", "next-page": 7, "@link": "at"},
    "@odata.nextLink": "https://h/2",
    "odata": {"nextLink": "dotted"},
    "literal.key": "literal",
    "literal": {"key": "nested"},
    "items": [{"id": 1}, {"id": 2}],
    "пагинация": {"след": "unicode"},
}


@pytest.mark.parametrize(
    ("path", "gives"),
    [
        # Ocean's form
        ("next", "top"),
        ("meta.next", "inside"),
        ("meta.after_cursor", "c2"),
        ("meta.next-page", 7),
        ("meta.@link", "at"),
        ("@odata.nextLink", "https://h/2"),
        ("odata.nextLink", "dotted"),
        ("literal.key", "literal"),
        (" meta.next ", "inside"),
        ("пагинация.след", "unicode"),
        ("missing", None),
        ("meta.missing.deeper", None),
        # a key that is also the name of a function of JQ
        ("last", "the key"),
        # JQ
        (".meta.next", "inside"),
        (".literal.key", "nested"),
        (".items | last | .id", 2),
        ('.["@odata.nextLink"]', "https://h/2"),
        (".['@odata.nextLink']", "https://h/2"),
        (".items[0].id", 1),
        (".items[] | select(.id == 2) | .id # the second", 2),
        (".items[] | select(.id == 3)", None),
        ("[.items[].id] | max", 2),
        ('"a" + .next', "atop"),
        ("null", None),
        ("true", True),
        ("false", False),
    ],
)
def test_a_path_is_jq_or_a_dotted_path_as_ocean_writes_it(path: str, gives: Any) -> None:
    paging = paginator(type="cursor", cursor_path=path)

    assert value_of(facts_of(paging, PAGE), "cursor") == gives


@unhurried
@given(
    st.lists(st.from_regex(r"[A-Za-z_@][\w@:$-]*", fullmatch=True), min_size=1, max_size=4).filter(
        lambda parts: parts not in (["true"], ["false"], ["null"])
    )
)
def test_every_dotted_path_finds_its_place_and_the_literal_key_goes_first(parts: list[str]) -> None:
    path = ".".join(parts)
    nested: Any = "nested"
    for part in reversed(parts):
        nested = {part: nested}
    paging = paginator(type="cursor", cursor_path=path)

    assert value_of(facts_of(paging, nested), "cursor") == "nested"
    assert value_of(facts_of(paging, {**nested, path: "literal"}), "cursor") == "literal"


def test_a_translated_path_is_not_translated_again() -> None:
    assert as_jq(as_jq("meta.next")) == as_jq("meta.next")


@pytest.mark.parametrize("path", ["meta.next[0]", "next page", ".meta.", ""])
def test_what_is_neither_is_refused_when_the_mapping_is_loaded(path: str) -> None:
    with pytest.raises(ValidationError):
        paginator(type="cursor", cursor_path=path)


def test_functions_without_a_meaning_here_are_refused_in_paths_too_but_keys_may_have_their_names() -> None:
    with pytest.raises(ValidationError, match="not available"):
        paginator(type="cursor", cursor_path="[inputs] | length")
    paging = paginator(type="cursor", cursor_path="input")
    assert value_of(facts_of(paging, {"input": "a key"}), "cursor") == "a key"


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        (".meta.next", [1, 2], "Cannot index array"),
        ("meta.next", [1, 2], "Cannot index array"),
        ("meta.next", {"meta": "text"}, "Cannot index string"),
        (".a | error({b: 1})", {}, '{"b":1}'),
        (".a | error(null)", {}, "null"),
    ],
)
def test_an_expression_that_fails_is_no_end(path: str, body: Any, says: str) -> None:
    """Null ends a chain of cursors or links: a typing mistake would end it after its first page."""
    for paging, name in (
        (paginator(type="cursor", cursor_path=path), "cursor"),
        (paginator(type="next_link", next_link_path=path), "next_link"),
        (paginator(type="page", total_pages_path=path), "total_pages"),
        (paginator(type="offset", has_more_path=path), "has_more"),
    ):
        facts = facts_of(paging, body, records=2)
        with pytest.raises(PaginationError) as error:
            paging.following(paging.first(REQUEST), facts)

        assert f"`{name}_path` failed: " in error.value.message
        assert says in error.value.message


@pytest.mark.parametrize("digits", ["9007199254740993", "1234567890123456789", "-1234567890123456789", "1" + "0" * 28])
def test_an_integer_keeps_all_its_digits(digits: str) -> None:
    (program,) = paginator(type="cursor", cursor_path=".id").facts().values()
    given_by_jq = output_of(program, f'{{"id": {digits}}}')

    assert value_of(PageFacts(0, {"cursor": given_by_jq}), "cursor") == int(digits)


def test_of_an_object_only_its_type_leaves_the_page() -> None:
    paging = paginator(type="cursor", cursor_path=".")

    for body, kind in (({"a": "x" * 100_000}, "object"), (["x" * 100_000], "array")):
        assert len(json.dumps(dict(facts_of(paging, body).values))) < 100
        with pytest.raises(PaginationError, match=f"an {kind}, which is neither a text nor a number"):
            paging.following(REQUEST, facts_of(paging, body))


@pytest.mark.parametrize("title", [".name", ".name | error"], ids=["fast", "guarded"])
def test_a_page_of_a_run_gives_these_values_whichever_of_its_programs_maps_it(title: str) -> None:
    keys = {"total_path": "meta.count", "total_pages_path": ".pages.of", "has_more_path": ".more"}
    paging = paginator(type="page", **keys, last_page_path=".big")
    body = b'{"data": [{"name": "a"}], "meta": {"count": "7"}, "pages": [], "more": {}, "big": 1234567890123456789}'
    program = PageProgram(".data", "true", (EntityExpressions('"id"', '"bp"', title=title),), paging.facts())

    async def run() -> MappedPage:
        async with JqPool(Limits()) as pool:
            mapper = Mapper(program, 0.0, pool)
            return await map_page(Page(REQUEST, 1, body), mapper, mapper.programs(), NO_VARIABLES)

    page = asyncio.run(run())

    assert len(page.field_errors) == (0 if title == ".name" else 1)
    assert page.facts.values["total"] == "7"
    assert page.facts.values["has_more"] == {"__type": "object"}
    assert page.facts.values["last_page"] == {"__digits": "1234567890123456789"}
    assert "Cannot index array" in page.facts.values["total_pages"]["__failed"]
