"""What `portsync preview` shows: requests, and each record beside what becomes of it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import orjson
from rich.table import Table

from portsync.cli.render import console, print_problems, printable
from portsync.masking import Masking
from portsync.report import problem_as_json
from portsync.transport.outgoing import url_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from portsync.authoring.look import SeenRecord
    from portsync.authoring.preview import Previewed, PreviewedPage
    from portsync.flow import End, Json, RequestSpec
    from portsync.logs import Redactor
    from portsync.mapping.loader import LoadedMapping
    from portsync.transport.exchange import Exchange

_SIDE_BY_SIDE = 100
"""In a narrower terminal, record and entity stand one below the other."""
_LONGEST_TEXT, _LONGEST_LIST = 200, 5
_MOST_LINES = 15


def show(found: Previewed, mapping: LoadedMapping, taken: Sequence[Exchange], redactor: Redactor) -> None:
    """Print what was seen of a resource."""
    out = console(sys.stdout)
    place = mapping.document.place(("resources", found.index, "kind"))
    _say(out, f"{found.kind}  ({place})", redactor, "bold")
    before: RequestSpec | None = None
    for page in found.pages:
        if page.request != before:
            _show_request(out, page, taken, redactor)
            before = page.request
        filtered = f", {page.filtered:,} left out by `query`" if page.filtered else ""
        name = f"{page.chain}, page {page.number}" if page.chain else f"page {page.number}"
        records = "1 record" if page.records == 1 else f"{page.records:,} records"
        _say(out, f"  {name}: {records}{filtered}", redactor)
        for record in page.shown:
            _show_record(out, record, redactor)
    if found.end is not None:
        _show_end(out, found, found.end, taken, redactor)
    out.print()


def _say(out: Console, text: str, redactor: Redactor, style: str | None = None) -> None:
    out.print(printable(redactor.clean(text)), style=style, markup=False)


def _show_request(out: Console, page: PreviewedPage, taken: Sequence[Exchange], redactor: Redactor) -> None:
    url = url_of(page.request)
    status = next((f" -> {one.status}" for one in taken if one.url == url), "")
    _say(out, f"  {page.request.method} {url}{status}", redactor, "blue")
    for name, value in page.request.headers:
        _say(out, f"    {name}: {value}", redactor)
    if page.request.body is not None:
        _say(out, f"    {_json(page.request.body)}", redactor)


def _show_record(out: Console, record: SeenRecord, redactor: Redactor) -> None:
    masking = Masking(redactor, _LONGEST_TEXT, _LONGEST_LIST)
    left = (f"record {record.number}", _json(masking.of(record.value), indent=2))
    rights = list(_outcomes(record, masking))
    if out.width >= _SIDE_BY_SIDE and out.is_terminal:
        table = Table(box=None, padding=(0, 3, 0, 2), expand=False, show_header=False)
        half = (out.width - 10) // 2
        table.add_column(max_width=half, overflow="fold")
        table.add_column(max_width=half, overflow="fold")
        table.add_row(_styled(*left), _styled(*rights[0]))
        for right in rights[1:]:
            table.add_row("", _styled(*right))
        out.print(table)
        return
    for title, text in [left, *rights]:
        _say(out, f"    {title}", redactor, "bold")
        for line in text.splitlines():
            _say(out, f"      {line}", redactor)


def _styled(title: str, text: str) -> Any:
    from rich.text import Text  # noqa: PLC0415 - only on terminals

    return Text.assemble((printable(title), "bold"), "\n", printable(text))


def _outcomes(record: SeenRecord, masking: Masking) -> Iterable[tuple[str, str]]:
    """Title and text of everything that became of a record."""
    clean = masking.redactor.clean
    if record.is_filtered:
        yield "no entity", "left out: `selector.query` is not true for it"
    for entity, body in zip(record.entities, record.bodies, strict=True):
        rest = {name: value for name, value in body.items() if name not in ("identifier", "blueprint")}
        shown = _json(masking.of(rest), indent=2)
        yield clean(f"{entity.blueprint}  {entity.identifier}"), shown
    for failure in record.failures:
        hint = f"\nhint: {failure.hint}" if failure.hint else ""
        yield "no entity", clean(f"{failure.message}{hint}")
    for error in record.field_errors:
        yield f"left out: {error.field}", clean(error.message)


def _show_end(out: Console, found: Previewed, end: End, taken: Sequence[Exchange], redactor: Redactor) -> None:
    if end.problem is None:
        if not found.pages:
            out.print(f"  {end.verdict}: no records", markup=False)
        return
    if not found.pages and taken and end.reason not in ("status", "parameter", "context"):
        beginning = _beginning(taken[-1].answer, redactor).splitlines()[:_MOST_LINES]
        if beginning:
            out.print("  the last answer begins:", markup=False)
        for line in beginning:
            _say(out, f"    {line}", redactor)
    print_problems([end.problem], redactor)


def _beginning(answer: bytes, redactor: Redactor) -> str:
    """The beginning of a JSON answer; of any other the problem says enough."""
    try:
        value = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return ""
    return _json(Masking(redactor, _LONGEST_TEXT, 2).of(value), indent=2)


def _json(value: Json, *, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def as_json(found: Sequence[Previewed], redactor: Redactor) -> Json:
    """The same for programs. Records are masked, and entities as they would be sent."""
    return {"version": 1, "resources": [_resource(one, Masking(redactor)) for one in found]}


def _resource(found: Previewed, masking: Masking) -> Json:
    end = found.end
    return {
        "index": found.index,
        "kind": found.kind,
        "verdict": None if end is None else str(end.verdict),
        "reason": None if end is None else end.reason,
        "problem": None if end is None or end.problem is None else problem_as_json(end.problem),
        "pages": [_page(page, masking) for page in found.pages],
    }


def _page(page: PreviewedPage, masking: Masking) -> Json:
    request = page.request
    return {
        "number": page.number,
        "chain": page.chain or None,
        "request": {
            "method": request.method,
            "url": url_of(request),
            "headers": dict(request.headers),
            "body": request.body,
        },
        "records": page.records,
        "filtered": page.filtered,
        "shown": [
            {
                "record": record.number,
                "value": masking.of(record.value),
                "filtered": record.is_filtered,
                "entities": record.bodies,
                "failures": [{"code": f.code, "message": f.message, "hint": f.hint} for f in record.failures],
                "field_errors": [{"field": e.field, "message": e.message} for e in record.field_errors],
            }
            for record in page.shown
        ],
    }
