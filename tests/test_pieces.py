"""Large documents in pieces: to the programs of a resource the pieces are what the whole is, and memory stays small."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import jq
import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portsync.jq.page_text import with_whole_characters
from portsync.jq.program import EntityExpressions, PageProgram
from portsync.jq.records import encoded_variables
from portsync.jq.worker import run
from portsync.pieces import pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD = EntityExpressions('"constant"', '"thing"', properties={"record": "."})


def split(
    document: Any, data_path: str, facts: Mapping[str, str] | None = None, piece_bytes: int = 1
) -> list[bytes] | None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    found = pieces(body, data_path, facts or {}, piece_bytes=piece_bytes, smallest=0)
    return None if found is None else list(found)


class Mapped:
    """What the program of a resource makes of a page: the facts, and the entities, which hold the records."""

    def __init__(self, data_path: str, facts: Mapping[str, str]) -> None:
        program = PageProgram(data_path, "true", (RECORD,), facts)
        self._program = jq.compile(program.guarded(0.0, exact=True))

    def __call__(self, body: bytes) -> tuple[dict[str, Any], list[bytes]]:
        header, output = run([self._program], encoded_variables() + b"\n" + with_whole_characters(body))
        assert "error" not in header, header
        head, *lines = output.split(b"\n")
        return orjson.loads(head), [line for line in lines if line.startswith(b"{")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
records = st.fixed_dictionaries(
    {"id": st.text("abc", min_size=1)}, optional={"x": json_values, "n": st.integers(-(10**30), 10**30)}
)
names = st.sampled_from(["data", "a", "B_2", "b-c", "größe", "x y", "total"])
others = st.dictionaries(names, json_values, max_size=2)


@st.composite
def documents(draw: st.DrawFn) -> tuple[Any, str, dict[str, str]]:
    """A document, the path of its records, and the paths of everything else in it."""
    path = draw(st.lists(names, max_size=3))
    document: Any = draw(st.lists(records | st.lists(json_values, max_size=2), min_size=4, max_size=8))
    ways = ["".join(draw(step(name, is_first=i == 0)) for i, name in enumerate(path[:end])) for end in range(4)]
    facts: dict[str, str] = {}
    for level, name in reversed(list(enumerate(path))):
        around = {other: member for other, member in draw(others).items() if other != name}
        facts |= {f"{level} {other}": ways[level] + draw(step(other, is_first=level == 0)) for other in around}
        document = dict(draw(st.permutations([*around.items(), (name, document)])))
    return document, (ways[len(path)] or ".") + draw(st.sampled_from(["", "[]"])), facts


@st.composite
def step(draw: st.DrawFn, name: str, *, is_first: bool) -> str:
    """One of the ways in which JQ names a member."""
    quoted = json.dumps(name, ensure_ascii=False)
    is_plain = name.isascii() and name.isidentifier()
    ways = [f".{quoted}", f".[{quoted}]", *([f".{name}"] if is_plain else ()), *(() if is_first else (f"[{quoted}]",))]
    way: str = draw(st.sampled_from(ways))
    return way


@given(documents(), st.integers(1, 200), st.sampled_from([None, 1]), st.booleans())
def test_the_pieces_hold_the_records_of_the_whole_and_what_is_around_them(
    drawn: tuple[Any, str, dict[str, str]], piece_bytes: int, indent: int | None, is_ascii: bool
) -> None:
    document, data_path, facts = drawn
    body = json.dumps(document, indent=indent, ensure_ascii=is_ascii).encode()
    mapped = Mapped(data_path, facts)
    head, entities = mapped(body)

    parts = split(body, data_path, facts, piece_bytes)

    assume(parts is not None)
    assert parts is not None
    assert len(parts) > 1
    results = [mapped(part) for part in parts]
    assert [entity for _, found in results for entity in found] == entities
    assert sum(said["records"] for said, _ in results) == head["records"]
    assert [said["values"] for said, _ in results] == [head["values"]] * len(parts)
    assert [said["missing"] for said, _ in results] == [False] * len(parts)


def test_records_keep_their_own_bytes() -> None:
    body = (
        b'{"data": [ {"n": 123456789012345678901234567890, "n":1.10} ,\n{"\\u0061":"\\ud83d\\ude00"}\t], "data2": 1.0}'
    )

    assert split(body, ".data", piece_bytes=8) == [
        b'{"data":[{"n": 123456789012345678901234567890, "n":1.10}],"data2":1.0}',
        b'{"data":[{"\\u0061":"\\ud83d\\ude00"}],"data2":1.0}',
    ]


def test_a_piece_holds_as_many_records_as_go_into_its_size_and_one_that_overruns_it() -> None:
    parts = split(["x" * 18] * 100, ".", piece_bytes=100)

    assert parts is not None
    assert [len(json.loads(part)) for part in parts] == [5] * 20
    assert split(["x" * 18] * 5, ".", piece_bytes=100) is None
    assert split(["x" * 18] * 6, ".", piece_bytes=100) is not None


@pytest.mark.parametrize("nulls", [1, 2, 3])
@pytest.mark.parametrize("data_path", [".data", ".data[]"])
def test_a_null_among_the_records_is_never_alone_in_a_piece(data_path: str, nulls: int) -> None:
    document = {"data": [None] * nulls + [{"id": "a"}, {"id": "b"}] + [None] * nulls}

    parts = split(document, data_path)

    assert parts is not None
    mapped = Mapped(data_path, {})
    said = [mapped(part)[0] for part in parts]
    assert sum(head["records"] for head in said) == 2 + 2 * nulls
    assert not any(head["missing"] for head in said)


def test_half_a_surrogate_pair_does_not_keep_a_document_whole() -> None:
    parts = split(b'{"data": ["\\ud83d", "\\uD83D\\uDE00", "\\\\ud83d"]}', ".data")

    assert parts == [rb'{"data":["\ufffd"]}', rb'{"data":["\uD83D\uDE00"]}', rb'{"data":["\\ud83d"]}']


@pytest.mark.parametrize(
    ("data_path", "facts"),
    [
        (".data", {"next": ".data[-1].id"}),
        (".data", {"next": ".data"}),
        (".data[]", {"next": ".data.next"}),
        (".meta.items", {"next": ".meta"}),
        (".data", {"next": "."}),
        (".data", {"more": ".more", "count": ".data | length"}),
        (".data", {"next": ".next // .data[-1].id"}),
        (".data", {"next": ".[]"}),
        (".", {"total": ".total"}),
        (".data // []", {}),
        (".data?", {}),
        (".data[0:2]", {}),
        (".data, .meta.items", {}),
        ("[.data[]]", {}),
        ('["data"]', {}),
        ('."\\(1)"', {}),
        ("..", {}),
        (".data.items", {}),
        (".absent", {}),
        (".absent.items", {}),
        (".meta", {}),
        (".meta[]", {}),
    ],
)
def test_a_document_stays_whole_where_its_pieces_could_say_something_else(
    data_path: str, facts: dict[str, str]
) -> None:
    assert split(SPLITTABLE, data_path, facts, piece_bytes=100) is None


SPLITTABLE = {
    "data": [{"id": number} for number in range(100)],
    "meta": {"items": [1, 2], "next": 3},
    "more": True,
    "data2": 1,
}


@pytest.mark.parametrize("data_path", [".data", ".data[]", ".data.[]", '.["data"]', " .data ", ".'data'"])
def test_that_document_is_split_where_they_do_not(data_path: str) -> None:
    assert split(SPLITTABLE, data_path, {"next": ".meta.next", "more": ".more", "near": ".data2"}, 100) is not None
    assert split(SPLITTABLE["data"], ".", {}, 100) is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1, 2",
        b"[1, 2] [3]",
        b"[1, nan]",
        b'[1, "\\ud83d", nan]',
        b"[1, 2]\xff",
        b"null",
        b"[" * 100_000 + b"]" * 100_000,
        b"[]",
        b"[[1, 2]]",
    ],
)
def test_what_cannot_be_split_is_left_to_be_mapped_as_a_whole(body: bytes) -> None:
    assert split(body, ".") is None


def test_a_key_that_is_no_text_is_left_to_be_reported_as_usual() -> None:
    assert split(b'{"\xff": 1, "data": [1, 2]}', ".data") is None


def test_of_a_member_that_stands_twice_the_last_counts() -> None:
    assert split(b'{"data": [1, 2], "a": 1, "data": [3, 4], "a": 2}', ".data") == [
        b'{"data":[3],"a":2}',
        b'{"data":[4],"a":2}',
    ]


def test_what_is_around_the_records_is_not_repeated_where_it_is_large() -> None:
    document = {"data": list(range(1000)), "included": {"x": "y" * 200}}

    assert split(document, ".data", piece_bytes=100) is None
    assert split(document, ".data", piece_bytes=220) is not None


def test_a_small_document_is_not_split() -> None:
    body = json.dumps(list(range(10))).encode()

    assert pieces(body, ".", {}, piece_bytes=1, smallest=len(body) + 1) is None
    assert pieces(body, ".", {}, piece_bytes=1, smallest=len(body)) is not None
    assert pieces(body, ".", {}) is None


def test_the_memory_is_a_fraction_of_the_document() -> None:
    body = b'{"data":{"users":[' + b",".join(b'{"id":%d,"pad":"%b"}' % (i, b"x" * 180) for i in range(80_000)) + b"]}}"
    tracemalloc.start()
    try:
        found = pieces(body, ".data.users", {})
        assert found is not None
        total = sum(len(piece) for piece in found)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert total > len(body)
    assert peak < 0.6 * len(body)
