"""What one resource of the text in the editor makes of the kept answers, as the page shows it."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from portsync.auth import TokenStore
from portsync.authoring.look import SeenPage, looking
from portsync.flow import End, Verdict
from portsync.masking import MASK, Masking, is_secret_name
from portsync.pieces import PieceSizes
from portsync.report import problem_as_json
from portsync.studio.tree import Slicer
from portsync.surroundings import SourceWire
from portsync.wiring import offline, source_tools

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.authoring.look import Look, SeenRecord
    from portsync.flow import Json
    from portsync.logs import Redactor
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan
    from portsync.settings import Settings
    from portsync.studio.answers import Playing, Request
    from portsync.studio.session import Session
    from portsync.transport.exchange import Exchange

MOST_RECORDS = 20
_MOST_PAGES = 3
_SIZES = PieceSizes(piece=2**17, smallest=2**18)
"""A keystroke maps no more than some hundred records, however large the answer is."""
LONGEST_TEXT = 400


@dataclass(frozen=True, slots=True)
class Viewed:
    """What was seen of a resource."""

    pages: tuple[SeenPage, ...]
    records: tuple[SeenRecord, ...]
    end: End | None
    """None where there is more to read."""


async def view(
    session: Session, settings: Settings, mapping: LoadedMapping, source: SourcePlan, index: int
) -> tuple[Viewed, Playing]:
    """The first records of a resource, from kept answers alone. Raises ConfigError."""
    playing = session.answers.playing()
    around = session.surroundings(settings, SourceWire(kept=playing.wire()))
    # Nobody waits: an answer that asks to be asked again later is shown as it is.
    calm = replace(offline(source), concurrency=1, retry=source.retry.model_copy(update={"attempts": 1}))
    async with (
        source_tools(mapping, calm, around, TokenStore(None), session.pool) as tools,
        looking(mapping, calm, tools, lambda: session.now, _SIZES) as look,
    ):
        return await _first(look, index), playing


async def ask(session: Session, settings: Settings, mapping: LoadedMapping, source: SourcePlan, index: int) -> Viewed:
    """The same from the source itself, whose answers are kept. Raises ConfigError."""
    session.renew_now()
    around = session.surroundings(settings, SourceWire(taken=session.answers.take))
    async with (
        source_tools(mapping, source, around, TokenStore(settings.token_folder), session.pool) as tools,
        looking(mapping, source, tools, lambda: session.now, _SIZES) as look,
    ):
        return await _first(look, index)


async def _first(look: Look, index: int) -> Viewed:
    """The first pages and records, and no more requests than they take."""
    pages: list[SeenPage] = []
    records: list[SeenRecord] = []
    end: End | None = None
    numbers: set[tuple[str, int]] = set()
    async with aclosing(look.pages(index)) as found:
        async for page in found:
            if isinstance(page, End):
                end = end if end is not None and end.verdict is Verdict.INCOMPLETE else page
                continue
            pages.append(page)
            numbers.add((page.page.chain, page.page.number))
            if (rest := MOST_RECORDS - len(records)) > 0:
                records += await look.records(index, page, rest)
            if len(numbers) >= _MOST_PAGES or len(records) >= MOST_RECORDS:
                return Viewed(tuple(pages), tuple(records), end)
    return Viewed(tuple(pages), tuple(records), end)


def shown(viewed: Viewed, playing: Playing, session: Session) -> dict[str, Any]:
    """The view for the page. What it holds of records and answers is kept in the session, to be asked for in slices."""
    redactor = session.redactor
    masking = Masking(redactor, LONGEST_TEXT)
    session.seen.clear()
    answers = [_answer(number, one, session, masking) for number, one in enumerate(playing.given)]
    end = viewed.end
    # The request after the last page that is in view is made early, and nobody misses its answer.
    is_unasked = bool(playing.missed) and not viewed.pages
    hides_end = end is None or (bool(playing.missed) and end.reason == "not-kept")
    return {
        "requests": [_request(one, redactor) for one in playing.missed[:1]],
        "is_unasked": is_unasked,
        "answers": answers,
        "pages": [
            {
                "number": page.page.number,
                "chain": redactor.clean(page.page.chain),
                "records": page.facts.records,
                "filtered": page.mapped.filtered,
                "entities": len(page.mapped.entities),
                "failures": len(page.mapped.failures),
            }
            for page in viewed.pages
        ],
        "records": [_record(number, record, session, masking) for number, record in enumerate(viewed.records)],
        "end": None
        if hides_end or end is None
        else {
            "verdict": str(end.verdict),
            "reason": end.reason,
            "problem": None if end.problem is None else redactor.clean_json(problem_as_json(end.problem)),
        },
    }


def _request(request: Request | Exchange, redactor: Redactor) -> dict[str, Any]:
    content = request.content or b""
    body: Json = None
    if content:
        try:
            body = Masking(redactor).of(orjson.loads(content))
        except orjson.JSONDecodeError:
            body = redactor.clean(content.decode(errors="replace"))
    return {
        "method": request.method,
        "url": redactor.clean(request.url),
        "headers": _headers(request.headers, redactor),
        "body": body,
    }


def _headers(headers: Mapping[str, str], redactor: Redactor) -> list[tuple[str, str]]:
    return [
        (name, MASK if is_secret_name(name) else redactor.clean(value))
        for name, value in headers.items()
        if name not in _OF_THE_CLIENT
    ]


_OF_THE_CLIENT = frozenset({"host", "accept-encoding", "connection", "user-agent", "content-length"})


def _answer(number: int, exchange: Exchange, session: Session, masking: Masking) -> dict[str, Any]:
    name = f"answer-{number}"
    shown = {
        "name": name,
        "request": _request(exchange, session.redactor),
        "status": exchange.status,
        "headers": _headers(exchange.answer_headers, session.redactor),
        "bytes": len(exchange.answer),
    }
    try:
        value = session.answers.value_of(exchange)
    except orjson.JSONDecodeError:
        text = exchange.answer[:LONGEST_TEXT].decode(errors="replace")
        return {**shown, "text": session.redactor.clean(text)}
    session.seen[name] = value
    return {**shown, "tree": Slicer(masking).slice(value)}


def _record(number: int, record: SeenRecord, session: Session, masking: Masking) -> dict[str, Any]:
    name = f"record-{number}"
    session.seen[name] = record.value
    clean = session.redactor.clean
    return {
        "name": name,
        "page": record.page.page.number,
        "number": record.number,
        "tree": Slicer(masking).slice(record.value),
        "is_filtered": record.is_filtered,
        "entities": [
            {"blueprint": entity.blueprint, "identifier": clean(entity.identifier), "body": masking.of(body)}
            for entity, body in zip(record.entities, record.bodies, strict=True)
        ],
        "failures": [
            {"code": one.code, "message": clean(one.message), "hint": one.hint and clean(one.hint)}
            for one in record.failures
        ],
        "field_errors": [{"field": clean(one.field), "message": clean(one.message)} for one in record.field_errors],
    }


def values_of(records: Sequence[SeenRecord]) -> list[Json]:
    """The records as the source gave them."""
    return [record.value for record in records]
