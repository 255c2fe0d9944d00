"""Bodies as sources send them, and the one JSON value that each of them says."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx
import jq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.decode import decoded
from portsync.errors import DecodeError, Problem

if TYPE_CHECKING:
    from portsync.mapping.requests import Decoder

LARGEST = 2**20
HTML = b"\r\n<!DOCTYPE html><html><head><style>x{}</style></head><body><h1>Please sign in</h1></body></html>"


def decode(body: bytes, decoder: Decoder = "json", *, content_type: str = "", delimiter: str = ",") -> bytes:
    headers = httpx.Headers({"Content-Type": content_type} if content_type else {})
    return decoded(body, headers, decoder, delimiter=delimiter, largest=LARGEST)


def value(body: bytes, decoder: Decoder, *, delimiter: str = ",") -> Any:
    return json.loads(decode(body, decoder, delimiter=delimiter))


def refused(body: bytes, decoder: Decoder = "json", *, delimiter: str = ",", largest: int = LARGEST) -> Problem:
    with pytest.raises(DecodeError) as caught:
        decoded(body, {}, decoder, delimiter=delimiter, largest=largest)
    (problem,) = caught.value.problems
    assert problem.hint
    return problem


# JSON


def test_json_is_given_through_untouched_and_not_copied() -> None:
    body = b' {"n": 12345678901234567890123, "n": 1e5, "broken": '

    assert decode(body) is body


@pytest.mark.parametrize("body", [b"", b" \r\n", codecs.BOM_UTF8, gzip.compress(b"", mtime=0)])
def test_json_of_no_bytes_is_an_empty_answer(body: bytes) -> None:
    problem = refused(body)

    assert (problem.code, problem.message) == ("not-json", "the answer is empty")


# The character set

TEXT = '{"name": "Zoë — 日本"}'


@pytest.mark.parametrize("charset", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_is_taken_away_and_says_what_follows(charset: str) -> None:
    body = "\ufeff".encode(charset) + TEXT.encode(charset)

    assert decode(body) == TEXT.encode()
    assert decode(body, content_type="application/json; charset=iso-8859-1") == TEXT.encode()


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", '{"name": "Zoë"}'),
        ('"windows-1252"', '{"name": "Zoë — €"}'),
        ("UTF-16", TEXT),
        ("utf-16be", TEXT),
        ("Shift_JIS", '{"name": "日本"}'),
        ("gb18030", TEXT),
        ("iso-2022-jp", '{"name": "日本"}'),
        ("koi8-r", '{"name": "Анна"}'),
        ("utf8", TEXT),
    ],
)
def test_the_content_type_says_what_a_body_without_a_mark_is_in(charset: str, text: str) -> None:
    body = text.encode(charset.strip('"')).removeprefix(codecs.BOM_UTF16_LE)

    assert decode(body, content_type=f"text/plain; Charset = {charset}; x=y") == text.encode()


@pytest.mark.parametrize("text", [TEXT, "[1, 2]"])
@pytest.mark.parametrize("charset", ["iso-8859-1", "us-ascii", "windows-1252", "utf-16", "klingon", "punycode", "zlib"])
def test_utf8_stays_what_it_is_under_a_name_that_is_not_its_own(charset: str, text: str) -> None:
    body = text.encode()

    assert decode(body, content_type=f"application/json; charset={charset}") is body


@pytest.mark.parametrize(
    ("charset", "body"),
    [("windows-1252", b'"\x81"'), ("shift_jis", b'"\xff"'), ("shift_jis", '"日'.encode("shift_jis")[:-1])],
)
def test_a_body_that_is_not_in_the_character_set_that_it_names_is_left_to_whoever_reads_it(
    charset: str, body: bytes
) -> None:
    assert decode(body, content_type=f"application/json; charset={charset}") is body


def test_a_character_that_lies_across_two_steps_stays_whole() -> None:
    text = json.dumps(["é" * 70_001 + "日" * 70_001], ensure_ascii=False)

    assert decode(text.encode("gb18030"), content_type="application/json;charset=gb18030") == text.encode()
    assert decode(text.encode(), content_type="application/json;charset=latin1") == text.encode()


# gzip


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_gzip_is_unpacked_though_no_header_says_so(layers: int) -> None:
    body = b'{"a": 1}'
    for _ in range(layers):
        body = gzip.compress(body)

    assert decode(body, content_type="application/json") == b'{"a": 1}'


def test_what_is_packed_may_be_anything_that_a_body_may_be() -> None:
    assert decode(gzip.compress("\ufeffid\n1\n".encode("utf-16-le")), "csv") == b'[{"id":"1"}]'


@pytest.mark.parametrize("size", [1, 2**16 - 1, 2**16, 2**16 + 1, 2**17, 5 * 2**16 + 7, LARGEST])
def test_any_size_is_unpacked_to_its_last_byte(size: int) -> None:
    body = b"x" * size

    assert decode(gzip.compress(body)) == body
    assert decode(gzip.compress(body, 0)) == body


@given(st.lists(st.binary(max_size=70_000), min_size=1, max_size=4), st.integers(0, 9), st.integers(0, 3))
def test_members_in_a_row_are_one_body(parts: list[bytes], level: int, zeros: int) -> None:
    packed = b"".join(gzip.compress(part, level) for part in parts) + b"\0" * zeros

    assert decode(gzip.compress(b"[") + packed) == b"[" + b"".join(parts)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (gzip.compress(b"[1]")[:-9], "ends too early"),
        (gzip.compress(b"[1]")[:-1], "ends too early"),
        (gzip.compress(b"[1]")[:10] + b"\xff" * 9, "cannot be unpacked"),
        (gzip.compress(b"[1]")[:-8] + bytes(8), "cannot be unpacked"),
        (gzip.compress(b"[1]") + b"[2]", "goes on with something else"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"[1]")))), "more than 3 times"),
    ],
    ids=["in the checksum", "in the size", "in the data", "wrong checksum", "text behind", "four layers"],
)
def test_a_broken_gzip_file_is_named_as_such(body: bytes, says: str) -> None:
    problem = refused(body)

    assert problem.code == "broken-gzip"
    assert says in problem.message


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_is_given_up_before_it_takes_the_memory(layers: int) -> None:
    bomb = bytes(256 * 2**20)
    for _ in range(layers):
        bomb = gzip.compress(bomb)
    tracemalloc.start()
    try:
        problem = refused(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (problem.code, problem.message) == ("answer-too-large", "the answer has more than 1 MiB")
    assert peak < 4 * LARGEST


def test_a_body_that_is_too_large_has_a_reason_of_its_own() -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(gzip.compress(b"123"), {}, "json", delimiter=",", largest=2)

    assert caught.value.reason == "too-large"
    assert decoded(gzip.compress(b"12"), {}, "json", delimiter=",", largest=2) == b"12"


# JSON Lines

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values), st.sampled_from(["\n", "\r\n", "\n\n", " \n\t"]), st.booleans())
def test_lines_become_one_array(values: list[Any], ending: str, is_ended: bool) -> None:
    body = ending.join(json.dumps(item) for item in values) + (ending if is_ended else "")

    assert value(body.encode(), "jsonl") == values


def test_lines_keep_their_own_bytes() -> None:
    body = '{"n": 123456789012345678901234567890, "f": 1.10, "é": "\\u00e9"}\n{"half": "\\ud83d"}'

    assert decode(body.encode(), "jsonl") == ("[" + body.replace("\n", ",") + "]").encode()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            b'{"a": 1}\n\n{"a": \n',
            'line 3 of the answer is not JSON (unexpected end of data, column 6); it begins: {"a":',
        ),
        (b'{"a": 1}\r\nAn error occurred', "line 2 of the answer"),
        (b"1 2", "line 1 of the answer"),
        (b"1\n\xff", "line 2 of the answer"),
        (b"1\nNaN", "line 2 of the answer"),
        (b'1\n"\\ud83d', "line 2 of the answer"),
        (b"1\n\x0b2", "line 2 of the answer"),
        (b"1\n" + b"[" * 100_000, "line 2 of the answer"),
    ],
)
def test_a_line_that_is_no_json_is_named(body: bytes, says: str) -> None:
    problem = refused(body, "jsonl")

    assert problem.code == "not-json"
    assert says in problem.message
    assert len(problem.message) < 400


@pytest.mark.parametrize("body", [b"", b"\n \r\n", codecs.BOM_UTF8])
def test_no_lines_are_an_empty_array(body: bytes) -> None:
    assert decode(body, "jsonl") == b"[]"
    assert decode(body, "csv") == b"[]"


# CSV

fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
names = st.lists(fields.filter(lambda name: bool(name.strip())), min_size=2, max_size=4, unique=True)


@given(names.flatmap(lambda n: st.tuples(st.just(n), st.lists(st.lists(fields, min_size=len(n), max_size=len(n))))))
def test_a_table_becomes_an_array_of_objects(table: tuple[list[str], list[list[str]]]) -> None:
    header, rows = table
    for delimiter in ",;\t|":
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([header, *rows])

        assert value(text.getvalue().encode(), "csv", delimiter=delimiter) == [
            dict(zip(header, row, strict=True)) for row in rows
        ]


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (b"id,name\r\n1,Ada\r\n", [{"id": "1", "name": "Ada"}]),
        (b"id,name\n1,Ada", [{"id": "1", "name": "Ada"}]),
        (b"\n\nid,name\n\n1,\n\n", [{"id": "1", "name": ""}]),
        (b'id,name\n1,"a ""b"",\nc\r\nd"\n', [{"id": "1", "name": 'a "b",\nc\r\nd'}]),
        (
            b"id,name,mail\n1\n2,Bo\n",
            [{"id": "1", "name": None, "mail": None}, {"id": "2", "name": "Bo", "mail": None}],
        ),
        (codecs.BOM_UTF8 + "id\né\n".encode(), [{"id": "é"}]),
        (b"id,name\n", []),
        (b"[id,name\n1,2\n", [{"[id": "1", "name": "2"}]),
        (b'id\n"012"\n', [{"id": "012"}]),
    ],
)
def test_what_csv_says(body: bytes, records: list[dict[str, str]]) -> None:
    assert value(body, "csv") == records


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"id,name\n1,Ada\n2,Bo,x\n", "line 3 of the answer has 3 fields, but the first line names 2"),
        (b'id,name\n1,"a\nb"\n2,"c\nd",x\n', "line 4 of the answer has 3 fields"),
        (b"id,name,id\n", "names 2 fields `id`"),
        (b"id,,name\n", "leaves a field without a name"),
        (b"id, \n", "leaves a field without a name"),
        (b'id,name\n1,"Ada\n2,Bo\n', "line 2 of the answer is not CSV: unexpected end of data"),
        (b'id,name\n1,"Ada"x\n', "line 2 of the answer is not CSV"),
        (b"id,name\n1,Ada\n2,Zo\xeb\n", "line 3 of the answer is not UTF-8"),
        (b"id\n" + b"x" * 200_000 + b"\n", "line 2 of the answer is not CSV: field larger than field limit"),
        (b' [{"id": 1}]', "the answer is JSON, not CSV"),
    ],
)
def test_what_is_no_table_is_named_with_its_line(body: bytes, says: str) -> None:
    problem = refused(body, "csv")

    assert problem.code == "not-csv"
    assert says in problem.message


def test_a_table_that_grows_beyond_all_measure_is_given_up() -> None:
    body = b"n" * 100_000 + b"\n" + b"1\n" * 100

    assert refused(body, "csv").code == "answer-too-large"


# Pages for people


@pytest.mark.parametrize("decoder", ["jsonl", "csv"])
def test_an_html_page_is_named_as_such_with_its_first_words(decoder: Decoder) -> None:
    problem = refused(HTML, decoder)

    assert problem.code == "html-answer"
    assert "Please sign in" in problem.message


def test_what_is_decoded_is_json_to_jq_too() -> None:
    body = decode(b"id,n\n1,\x00\n", "csv")

    assert jq.compile(".[0].n").input_text(body.decode()).first() == "\0"
