"""Request chain -> pages, with a verdict at the end: either everything was read, or it is said where it stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from portsync.errors import ExpressionError, Problem, SendError
from portsync.excerpts import cut, first_words
from portsync.flow import Answer, End, MappedPage, Page, PageFacts, RequestSpec, Verdict
from portsync.pagination import PaginationError, Paginator
from portsync.transport.moments import back_at
from portsync.transport.retry import asked_wait

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

T = TypeVar("T")

_EXCERPT = 300
_HINTS = {
    400: "check `selector.body` and `selector.query_params` against the API's documentation",
    401: "check `source.auth`: the key may be wrong, expired, or of the wrong kind",
    403: "the credentials are known but may not read this: give them the right, or remove the resource",
    404: "check `kind` and `base_url`: the API knows no such path",
    405: "check `selector.method`",
    410: "what was asked for is gone; run it again",
    422: "check `selector.body` and `selector.query_params` against the API's documentation",
    429: "lower the request rate, or come back later",
}


async def fetch_pages(
    first: RequestSpec,
    paginator: Paginator,
    send: Callable[[RequestSpec], Awaitable[Answer]],
    map_page: Callable[[Page], Awaitable[MappedPage]],
    clock: Callable[[], float],
) -> AsyncGenerator[MappedPage | End]:
    """Read a chain of requests to its end, page by page; the last value is the End.

    A request that was sent before, and a page whose content repeats the page before it where no total speaks, end the
    chain as a loop. Nothing raises: what goes wrong is in the End.
    """
    seen: set[bytes] = set()
    before: MappedPage | None = None
    number = fresh = 0
    repeated = False
    place = str(first)
    try:
        request: RequestSpec | None = paginator.first(first)
        while request is not None:
            number += 1
            place = f"{request}, page {number}"
            if (fingerprint := _fingerprint(request)) in seen:
                yield _loop(place, "the source leads back to a request that was made before")
                return
            seen.add(fingerprint)
            answer = await _fetch(request, place, send, clock)
            if isinstance(answer, End):
                yield answer
                return
            mapped = await _map(Page(request, number, answer.body), answer, place, before, map_page)
            if isinstance(mapped, End):
                yield mapped
                return
            total = paginator.total(mapped.facts)
            repeats = before is not None and mapped.facts.records > 0 and mapped.content == before.content
            if repeats and total is None:
                yield replace(_loop(place, "the page repeats the page before it"), **_spent(answer))
                return
            repeated = repeated or repeats
            fresh += 0 if repeats else mapped.facts.records
            yield mapped
            before = mapped
            request = paginator.next(request, mapped.facts)
            if request is None and repeated and total is not None and fresh < total:
                yield _loop(place, f"pages repeat, and only {fresh} of the {total} records that there are came")
                return
    except PaginationError as error:
        yield End(Verdict.INCOMPLETE, error.reason, Problem("pagination", error.message, place, _PAGING_HINT))
        return
    yield End(Verdict.COMPLETE)


async def one_ahead(pages: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """`pages`, with the next one already being read: it is fetched and mapped while a page is written."""
    following = asyncio.ensure_future(anext(pages, None))
    try:
        while (page := await following) is not None:
            following = asyncio.ensure_future(anext(pages, None))
            yield page
    finally:
        following.cancel()
        await asyncio.wait({following})


async def _fetch(
    request: RequestSpec, place: str, send: Callable[[RequestSpec], Awaitable[Answer]], clock: Callable[[], float]
) -> Answer | End:
    """The answer that holds a page, or the End that it is."""
    try:
        answer = await send(request)
    except SendError as error:
        problem = replace(error.problems[0], place=place)
        return End(Verdict.INCOMPLETE, error.reason, problem, error.requests, error.waited_s)
    if (refused := _status_problem(answer, place, clock())) is not None:
        reason = "rate_limit" if answer.status == HTTPStatus.TOO_MANY_REQUESTS else "status"
        return End(Verdict.INCOMPLETE, reason, refused, **_spent(answer))
    if answer.body.strip() or answer.status == HTTPStatus.NO_CONTENT:
        return replace(answer, body=answer.body.removeprefix(b"\xef\xbb\xbf"))
    empty = Problem("not-json", "the answer is empty", place, "check `selector.method` and the path")
    return End(Verdict.INCOMPLETE, "decode", empty, **_spent(answer))


async def _map(
    page: Page,
    answer: Answer,
    place: str,
    before: MappedPage | None,
    map_page: Callable[[Page], Awaitable[MappedPage]],
) -> MappedPage | End:
    """The mapped page, or the End where it cannot be mapped as a whole."""
    if answer.status == HTTPStatus.NO_CONTENT:
        # An empty page; what the page before it said of the whole still holds.
        facts = PageFacts(0) if before is None else replace(before.facts, records=0)
        return MappedPage(page.number, facts, filtered=0, entities=(), **_spent(answer))
    try:
        mapped = replace(await map_page(page), **_spent(answer))
    except ExpressionError as error:
        reason = "decode" if error.problems[0].code in ("not-json", "html-answer") else "jq"
        return End(Verdict.INCOMPLETE, reason, error.problems[0], **_spent(answer))
    if (unread := _data_path_problem(mapped, place)) is not None:
        return End(Verdict.INCOMPLETE, "data_path", unread, **_spent(answer))
    return mapped


def _spent(answer: Answer) -> dict[str, Any]:
    return {"requests": answer.requests, "waited_s": answer.waited_s}


def _loop(place: str, message: str) -> End:
    return End(Verdict.INCOMPLETE, "loop", Problem("loop", message, place, _LOOP_HINT))


_LOOP_HINT = "check the names in `pagination`: the source seems to ignore one of them"
_PAGING_HINT = "check the paths in `pagination` against an answer of the source"


def _fingerprint(request: RequestSpec) -> bytes:
    said = [request.method, request.url, request.params, request.headers, request.body]
    return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _data_path_problem(mapped: MappedPage, place: str) -> Problem | None:
    """A typo must not look like an empty source: null is nothing only on a later page."""
    hint = "check `selector.data_path` against the answer; `.` is the whole of it"
    if mapped.facts.data_path_error is not None:
        return Problem("data-path", f"`data_path` failed: {mapped.facts.data_path_error}", place, hint)
    if mapped.facts.missing and mapped.number == 1:
        return Problem("data-path", "`data_path` found nothing (null) in the answer", place, hint)
    return None


def _status_problem(answer: Answer, place: str, now: float) -> Problem | None:
    if answer.is_success:
        return None
    tries = "" if answer.requests == 1 else f" after {answer.requests} tries"
    message = f"the source answered {answer.status}{tries}"
    if said := _error_text(answer.body):
        message += f": {said}"
    hint = _HINTS.get(answer.status)
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        hint = "put the address that answers into `base_url` or `kind`"
    elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        hint = "the source has a problem of its own; run it again later"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS and (wait := asked_wait(answer.headers, now)) is not None:
        hint = f"the source asks to come back at {back_at(now, wait)}"
    return Problem(
        "source-refused" if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) else "source-status",
        message,
        place,
        hint,
    )


def _error_text(body: bytes) -> str:
    """What an error answer says, in one line: the message of the usual JSON forms, else its first words."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return first_words(body, _EXCERPT)
    for key in ("error", "message", "detail", "errors"):
        if isinstance(value, dict) and key in value:
            found = value[key]
            inner = found.get("message") if isinstance(found, dict) else found
            if isinstance(inner, str):
                return cut(inner, _EXCERPT)
    return cut(orjson.dumps(value).decode(), _EXCERPT)
