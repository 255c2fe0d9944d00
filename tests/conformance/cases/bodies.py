"""Answers that are broken, hostile, or merely unusual."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from tests.conformance.case import Case
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, get, table, things, turns
from tests.conformance.wire import Reply

if TYPE_CHECKING:
    from tests.conformance.wire import Asked

_DONE = {"data": things(1, 2)}
_TEXT = json.dumps(_DONE).encode()
_HALF = Reply(_TEXT, cut=len(_TEXT) // 2)
_CHUNKED = Reply(b"8\r\n" + _TEXT[:8] + b"\r\n8\r\n", headers=(("Transfer-Encoding", "chunked"),), cut=20)
_RESET = Reply(_TEXT, cut=len(_TEXT) // 2, reset=True)
_HUNG_UP = Reply(silent=True)
_NUMBERS = "{type: page, page_size: 2}"
_ONE, _TWO = "/things?page=1&size=2", "/things?page=2&size=2"
_LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in</body></html>"


def _typed(body: bytes, kind: str, **more: Any) -> Reply:
    return Reply(body, headers=(("Content-Type", kind),), **more)


def _lost_case(name: str, reply: Reply) -> Case:
    """A connection that breaks, every time."""
    return Case(
        "hostile",
        f"{name}, every time",
        always(reply),
        broken("connection", [get("/things")] * 3, [], exit_code=3, codes=("broken-connection",)),
        (Fault.TAKES_HALF_AN_ANSWER, Fault.NEVER_RETRIES),
    )


def _unread_case(
    name: str, answer: Any, *faults: Fault, code: str | None = "not-json", says: tuple[str, ...] = ()
) -> Case:
    """An answer that is no JSON."""
    codes = None if code is None else (code,)
    return Case("hostile", name, always(answer), broken("decode", [get("/things")], [], codes=codes, says=says), faults)


def _nothing_case(name: str, answer: Any, fault: Fault = Fault.NULL_IS_NO_RECORDS) -> Case:
    """An answer in which `data_path` finds nothing."""
    return Case(
        "hostile",
        name,
        always(answer),
        broken("data_path", [get("/things")], [], codes=("data-path",)),
        (fault,),
    )


def _read_case(name: str, answer: Any, called: str, *faults: Fault, selector: str = "data_path: .data") -> Case:
    """An unusual answer that holds two records, 1 and 2; the first is called `called`."""
    return Case(
        "decoding",
        name,
        always(answer),
        complete([get("/things")], [1, 2], properties={"1": {"name": called}}),
        faults,
        selector=selector,
        entity="properties: {name: .name}",
    )


def _empty_case(name: str, answer: Any, fault: Fault) -> Case:
    return Case("hostile", name, always(answer), complete([get("/things")], []), (fault,))


_NAMED = [{"id": 1, "name": "café"}, {"id": 2, "name": "x"}]
_NAMED_TEXT = json.dumps({"data": _NAMED}, ensure_ascii=False)
_LINES = '{"id": 1, "name": "café"}\n\n{"id": 2, "name": "x"}'
_ROWS = 'id,name\r\n1,"a, ""b"""\r\n2,x\r\n'
_CUT_ARCHIVE = Reply(gzip.compress(_TEXT, mtime=0)[:-12])
_USERS, _KEPT = 10_000, 2_500


def _large(asked: Asked) -> Any:
    """Ten megabytes of users, and the way to the next page behind them; then one user more."""
    if asked.query:
        return {"data": {"users": things(_USERS)}, "next": None}
    users = [{"id": number, "name": "x" * 1000} for number in range(_USERS)]
    return {"data": {"users": users}, "next": "b"}


_BIG = 9007199254740993

CASES = [
    _lost_case("an answer that breaks off", _HALF),
    _lost_case("an answer in pieces that breaks off", _CHUNKED),
    _lost_case("an answer that ends with a reset", _RESET),
    _lost_case("a connection that ends without an answer", _HUNG_UP),
    Case(
        "hostile",
        "an answer that breaks off once",
        always(turns(_HALF, _DONE)),
        complete([get("/things"), get("/things")], [1, 2]),
        (Fault.TAKES_HALF_AN_ANSWER, Fault.NEVER_RETRIES),
    ),
    Case(
        "hostile",
        "an answer that ends with a reset on the second page",
        table({f"GET {_ONE}": _DONE, f"GET {_TWO}": _RESET}),
        broken("connection", [get(_ONE), *[get(_TWO)] * 3], [1, 2], codes=("broken-connection",), says=("page 2",)),
        (Fault.TAKES_HALF_AN_ANSWER,),
        pagination=_NUMBERS,
    ),
    _unread_case(
        "a page for people with status 200",
        _typed(_LOGIN, "text/html"),
        Fault.HTML_IS_NO_RECORDS,
        code="html-answer",
        says=("Sign in",),
    ),
    _unread_case(
        "a page for people that says that it is JSON",
        Reply(b"\n  " + _LOGIN),
        Fault.HTML_IS_NO_RECORDS,
        code="html-answer",
    ),
    _unread_case("an empty body", Reply(b""), Fault.NO_BODY_IS_NO_RECORDS),
    _unread_case("a body of white space", Reply(b" \n"), Fault.NO_BODY_IS_NO_RECORDS),
    _unread_case("JSON that ends too early, as long as it says", Reply(_TEXT[:20]), Fault.TAKES_HALF_AN_ANSWER),
    _empty_case("204", Reply(b"", 204), Fault.NO_CONTENT_IS_AN_ERROR),
    _empty_case("an empty list", {"data": []}, Fault.EMPTY_LIST_IS_AN_ERROR),
    _nothing_case("records that are null", {"data": None}),
    _nothing_case("records under another name", {"items": [1]}),
    _nothing_case("records looked for in a list", [{"id": 1}], fault=Fault.FAILING_PATH_IS_EMPTY),
    Case(
        "hostile",
        "records that are null on a later page",
        table({f"GET {_ONE}": _DONE, f"GET {_TWO}": {"data": None}}),
        complete([get(_ONE), get(_TWO)], [1, 2]),
        (Fault.NULL_IS_ALWAYS_AN_ERROR,),
        pagination=_NUMBERS,
    ),
    Case(
        "hostile",
        "records that become something else on a later page",
        table({f"GET {_ONE}": _DONE, f"GET {_TWO}": {"data": "maintenance"}}),
        broken("data_path", [get(_ONE), get(_TWO)], [1, 2], codes=("data-path",), says=("page 2",)),
        (Fault.FAILING_PATH_IS_EMPTY,),
        pagination=_NUMBERS,
        selector='data_path: ".data[]"',
    ),
    Case(
        "decoding",
        "every output of data_path is a record",
        always({"data": [{"results": things(1, 2)}, {"results": things(3)}, {"results": []}]}),
        complete([get("/things")], [1, 2, 3]),
        (Fault.FIRST_OUTPUT_ONLY,),
        selector='data_path: ".data[].results[]"',
    ),
    _read_case(
        "a byte order mark",
        Reply(b"\xef\xbb\xbf" + _NAMED_TEXT.encode()),
        "café",
        Fault.CHOKES_ON_A_BOM,
    ),
    _read_case(
        "latin-1, as the content type says",
        _typed(_NAMED_TEXT.encode("latin-1"), "application/json; charset=ISO-8859-1"),
        "café",
        Fault.ALL_TEXT_IS_UTF8,
    ),
    _read_case(
        "gzip that no header names",
        Reply(gzip.compress(_NAMED_TEXT.encode(), mtime=0)),
        "café",
        Fault.GZIP_ONLY_WHERE_NAMED,
    ),
    _read_case(
        "gzip in gzip",
        Reply(gzip.compress(gzip.compress(_NAMED_TEXT.encode(), mtime=0), mtime=0)),
        "café",
        Fault.GZIP_ONLY_WHERE_NAMED,
    ),
    _read_case(
        "gzip that a header names",
        Reply(gzip.compress(_NAMED_TEXT.encode(), mtime=0), headers=(("Content-Encoding", "gzip"),)),
        "café",
        Fault.FIRST_OUTPUT_ONLY,
        selector='data_path: ".data[]"',
    ),
    _unread_case("gzip that ends too early", _CUT_ARCHIVE, Fault.TAKES_HALF_AN_ANSWER, code=None),
    _read_case(
        "a JSON value on each line, the last without a line break",
        _typed(_LINES.encode(), "application/x-ndjson"),
        "café",
        Fault.LAST_LINE_LOST,
        selector="{data_path: ., decode: jsonl}",
    ),
    Case(
        "hostile",
        "a JSON value on each line, and one of them is broken",
        always(_typed(b'{"id": 1}\n{"id": \n{"id": 3}\n', "application/x-ndjson")),
        broken("decode", [get("/things")], [], codes=("not-json",)),
        (Fault.TAKES_HALF_AN_ANSWER,),
        selector="{data_path: ., decode: jsonl}",
    ),
    _read_case(
        "CSV with quotes",
        _typed(_ROWS.encode(), "text/csv"),
        'a, "b"',
        Fault.SPLITS_CSV_AT_EVERY_COMMA,
        selector="{data_path: ., decode: csv}",
    ),
    _read_case(
        "CSV with semicolons",
        _typed(b'id;name\n1;"a; b"\n2;x\n', "text/csv"),
        "a; b",
        Fault.SPLITS_CSV_AT_EVERY_COMMA,
        selector='{data_path: ., decode: csv, csv_delimiter: ";"}',
    ),
    Case(
        "C36",
        "a large answer is read to its last record, and what stands behind the records is heard",
        _large,
        complete([get("/things"), get("/things?cursor=b")], range(0, _USERS + 1, _KEPT), read=(_USERS + 1,)),
        (Fault.FIRST_PIECE_ONLY,),
        pagination="{type: cursor, cursor_path: .next}",
        selector=f"{{data_path: .data.users, query: .id % {_KEPT} == 0}}",
    ),
    Case(
        "decoding",
        "an integer that a double cannot hold keeps its digits",
        always(Reply(f'{{"data": [{{"id": {_BIG}}}]}}'.encode())),
        complete([get("/things")], [_BIG]),
        (Fault.NUMBERS_ARE_DOUBLES,),
    ),
]
