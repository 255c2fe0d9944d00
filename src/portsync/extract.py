"""Request chain -> pages, with a verdict at the end: either everything was read, or it is said where it stopped.

While a page is mapped and written, the next one is under way; where page numbers are known, several are. What is sent
early is only a guess: the chain is followed page by page, and a guess that does not come true is given up.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from portsync.errors import DecodeError, ExpressionError, Problem, SendError
from portsync.flow import Answer, End, Fetched, Page, PageFacts, RequestSpec, Spent, Verdict
from portsync.ledger import LOOP_HINT, Ledger
from portsync.lookahead import Lookahead, Step, fingerprint
from portsync.pagination import PaginationError, Paginator
from portsync.refusals import refusal, skipped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping


class Mapped(Protocol):
    """What a page, or a piece of a large one, becomes."""

    @property
    def facts(self) -> PageFacts: ...
    @property
    def content(self) -> bytes: ...


M = TypeVar("M", bound=Mapped)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the pages of a chain are fetched."""

    send: Callable[[RequestSpec], Awaitable[Answer]]
    """Raises SendError."""
    decode: Callable[[Answer], bytes]
    """The JSON value that an answer's body is. Raises DecodeError."""
    split: Callable[[bytes], Iterator[bytes] | None]
    """The pieces of a large page; None where it is not to be split."""
    glance: Callable[[bytes], PageFacts | None]
    """What can be told of a page before it is mapped."""
    clock: Callable[[], float]
    """Epoch seconds."""
    on_status: Mapping[int, str] = field(default_factory=dict)
    width: int = 1
    """How many pages may be under way where the source says how many there are."""


@dataclass(frozen=True, slots=True)
class _Read(Generic[M]):
    """What one answer came to: a page, or the pieces of a large one, or neither where there is nothing."""

    answer: Answer
    page: M | None = None
    pieces: Iterator[bytes] | None = None


class _EndedError(Exception):
    """This means that the chain ends here, and not as it should."""

    def __init__(self, end: End) -> None:
        super().__init__(end.reason)
        self.end = end


async def fetch_pages(
    first: RequestSpec,
    paginator: Paginator,
    reading: Reading,
    map_page: Callable[[Page], Awaitable[M]],
    name: str = "",
) -> AsyncGenerator[Fetched[M] | End]:
    """Read the chain of requests called `name` to its end, page by page; the last value is the End. `map_page` raises
    ExpressionError.

    A request that was sent before, and a page whose content repeats the page before it where no total speaks, end the
    chain as a loop. Nothing raises: what goes wrong is in the End.
    """
    walk = _Walk(paginator, reading, map_page, name)
    try:
        async with aclosing(walk.pages(first)) as pages:
            async for fetched in pages:
                yield fetched
    except _EndedError as error:
        yield replace(error.end, chain=name)
    else:
        yield End(Verdict.COMPLETE, chain=name)
    finally:
        await walk.ahead.close()


class _Walk(Generic[M]):
    """One walk along a chain. What it raises is an _EndedError."""

    def __init__(
        self, paginator: Paginator, reading: Reading, map_page: Callable[[Page], Awaitable[M]], name: str
    ) -> None:
        self._paginator = paginator
        self._reading = reading
        self._map_page = map_page
        self._name = name
        self._ledger = Ledger(paginator)
        self._seen: set[bytes] = set()
        self.ahead: Lookahead[_Read[M]] = Lookahead(self._read)

    async def pages(self, first: RequestSpec) -> AsyncGenerator[Fetched[M]]:
        """The pages in their order, up to the last one."""
        place = self._place(first, 1)
        number = 0
        try:
            request: RequestSpec | None = self._paginator.first(first)
            while request is not None:
                number += 1
                place = self._place(request, number)
                if (key := fingerprint(request)) in self._seen:
                    raise _loop(place, "the source leads back to a request that was made before")
                self._seen.add(key)
                step = self.ahead.take(request, number)
                async with aclosing(step), aclosing(self._turn(step)) as pages:
                    async for fetched in pages:
                        yield fetched
                request = self._paginator.following(request, self._ledger.last)
        except PaginationError as error:
            problem = Problem("pagination", error.message, place, _PAGING_HINT)
            raise _EndedError(End(Verdict.INCOMPLETE, error.reason, problem)) from error
        if (short := self._ledger.shortfall(place)) is not None:
            raise _EndedError(End(Verdict.INCOMPLETE, short.code, short))

    async def _turn(self, step: Step[_Read[M]]) -> AsyncGenerator[Fetched[M]]:
        """The page of `step`, or its pieces; enters it into the ledger."""
        early = await step.early_facts()
        if is_sure := early is not None and not self._ledger.may_repeat(early):
            await self._look_ahead(step.request, self._ledger.placed(early, step.number))
        read = await step.result
        spent, records = read.answer.spent, 0
        facts = self._ledger.of_nothing()
        if read.page is None and read.pieces is None:
            yield Fetched(None, spent)
        async with aclosing(self._pieces(read, step)) as pieces:
            async for piece in pieces:
                records += piece.facts.records
                facts = replace(piece.facts, records=records, headers=read.answer.headers)
                facts = self._ledger.placed(facts, step.number)
                is_first = piece.facts.records == records
                if is_first and self._ledger.repeats(piece.facts, piece.content):
                    raise _loop(self._place(step.request, step.number), "the page repeats the page before it", spent)
                if read.page is not None and not is_sure:
                    await self._look_ahead(step.request, facts)
                yield Fetched(piece, spent, int(is_first), _to_come(self._paginator, step.request, facts))
                spent = Spent()
        self._ledger.take(self._ledger.placed(facts, step.number))

    async def _look_ahead(self, request: RequestSpec, facts: PageFacts) -> None:
        """Begin what will follow `request`, which gave `facts`, unless it was there before."""
        try:
            following = self._paginator.following(request, facts)
        except PaginationError:
            return  # it is raised again, and said, when the page's turn is over
        expected = [following] if following is not None else []
        if expected and self._reading.width > 1:
            predicted = list(islice(self._paginator.ahead(request, facts), self._reading.width))
            expected = predicted if predicted[:1] == expected else expected
        fresh = takewhile(lambda request: fingerprint(request) not in self._seen, expected)
        await self.ahead.expect(list(fresh), facts.number + 1)

    async def _read(self, step: Step[_Read[M]]) -> _Read[M]:
        """Fetch the page of `step`, and map it unless it is large."""
        reading = self._reading
        place = self._place(step.request, step.number)
        answer = await self._answer(step, place)
        if answer.status == HTTPStatus.NO_CONTENT or not answer.is_success:
            return _Read(answer)

        try:
            body, pieces = await _opened(answer, reading)
            if pieces is not None:
                return _Read(answer, pieces=pieces)
            if (glimpse := reading.glance(body)) is not None:
                step.know(replace(glimpse, headers=answer.headers))
            mapped = await self._map_page(Page(step.request, step.number, body, self._name))
        except DecodeError as error:
            problem = replace(error.problems[0], place=place)
            raise _EndedError(End(Verdict.INCOMPLETE, error.reason, problem, answer.spent)) from error
        except ExpressionError as error:
            raise _unmappable(error, answer.spent) from error
        if (unread := _data_path_problem(mapped.facts, step.number, place)) is not None:
            raise _EndedError(End(Verdict.INCOMPLETE, "data_path", unread, answer.spent))
        return _Read(answer, mapped)

    async def _answer(self, step: Step[_Read[M]], place: str) -> Answer:
        """An answer that holds a page, or says that there is none."""
        try:
            answer = await self._reading.send(step.request)
        except SendError as error:
            problem = replace(error.problems[0], place=place)
            spent = Spent(error.requests, max(0, error.requests - 1), error.rate_limited, error.waited_s)
            raise _EndedError(End(Verdict.INCOMPLETE, error.reason, problem, spent)) from error
        # Partial content is not what was asked for, whatever it holds.
        is_whole = answer.is_success and answer.status != HTTPStatus.PARTIAL_CONTENT
        meaning = "success" if is_whole else self._reading.on_status.get(answer.status, "fail")
        if meaning in ("success", "empty"):
            return answer
        if meaning == "skip" and step.number == 1:
            raise _EndedError(End(Verdict.SKIPPED, "status", skipped(answer, place), answer.spent))
        reason = "rate_limit" if answer.status == HTTPStatus.TOO_MANY_REQUESTS else "status"
        refused = refusal(answer, place, self._reading.clock())
        raise _EndedError(End(Verdict.INCOMPLETE, reason, refused, answer.spent))

    async def _pieces(self, read: _Read[M], step: Step[_Read[M]]) -> AsyncGenerator[M]:
        """The page, or what the pieces of a large one become: one is mapped while the one before it is written."""
        if read.page is not None:
            yield read.page
        if read.pieces is not None:
            mapped = self._mapped_pieces(read.pieces, read.answer, step)
            async with aclosing(mapped), aclosing(one_ahead(mapped)) as ahead:
                async for piece in ahead:
                    yield piece

    async def _mapped_pieces(self, pieces: Iterator[bytes], answer: Answer, step: Step[_Read[M]]) -> AsyncGenerator[M]:
        records = 0
        for body in pieces:
            page = Page(step.request, step.number, body, self._name, first_record=records)
            try:
                mapped = await self._map_page(page)
            except ExpressionError as error:
                raise _unmappable(error, answer.spent if records == 0 else Spent()) from error
            records += mapped.facts.records
            yield mapped

    def _place(self, request: RequestSpec, number: int) -> str:
        return f"{self._name}: {request}, page {number}" if self._name else f"{request}, page {number}"


def _to_come(paginator: Paginator, request: RequestSpec, facts: PageFacts) -> int | None:
    try:
        return paginator.to_come(request, facts)
    except PaginationError:
        return None


async def one_ahead(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """`items`, with the next one already being made."""
    following = asyncio.ensure_future(anext(items, None))
    try:
        while (item := await following) is not None:
            following = asyncio.ensure_future(anext(items, None))
            yield item
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _opened(answer: Answer, reading: Reading) -> tuple[bytes, Iterator[bytes] | None]:
    """The JSON value that an answer's body is, and its pieces where it is large. Raises DecodeError."""

    def opened() -> tuple[bytes, Iterator[bytes] | None]:
        body = reading.decode(answer)
        return body, reading.split(body)

    # A large body would keep everything else waiting; for a small one, a thread costs more than the work.
    return await asyncio.to_thread(opened) if len(answer.body) > _LARGE else opened()


_LARGE = 2**20
"""Bytes."""


def _unmappable(error: ExpressionError, spent: Spent) -> _EndedError:
    reason = "decode" if error.problems[0].code in ("not-json", "html-answer") else "jq"
    return _EndedError(End(Verdict.INCOMPLETE, reason, error.problems[0], spent))


def _loop(place: str, message: str, spent: Spent | None = None) -> _EndedError:
    problem = Problem("loop", message, place, LOOP_HINT)
    return _EndedError(End(Verdict.INCOMPLETE, "loop", problem, spent or Spent()))


_PAGING_HINT = "check the paths in `pagination` against an answer of the source"


def _data_path_problem(facts: PageFacts, number: int, place: str) -> Problem | None:
    """A typo must not look like an empty source: null is nothing only on a later page."""
    hint = "check `selector.data_path` against the answer; `.` is the whole of it"
    if facts.data_path_error is not None:
        return Problem("data-path", f"`data_path` failed: {facts.data_path_error}", place, hint)
    if facts.missing and number == 1:
        return Problem("data-path", "`data_path` found nothing (null) in the answer", place, hint)
    return None
