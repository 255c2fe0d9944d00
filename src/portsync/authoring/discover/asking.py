"""Requests to a source that is being found out about: few, none of them twice, and each answer looked at with care."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from portsync.decode import decoded, not_json
from portsync.errors import DecodeError, Problem, SendError
from portsync.jq.page_text import with_whole_characters
from portsync.lookahead import fingerprint
from portsync.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portsync.flow import Answer, Json, RequestSpec

LARGEST_LOOK = 32 * 2**20
"""Bytes of an answer that are looked at, after decompression; all of it becomes values of Python."""
_MOST_KEPT = 4 * LARGEST_LOOK


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one request."""

    request: RequestSpec
    answer: Answer | None = None
    value: Json = None
    """The body, where it is JSON and the request went well."""
    problem: Problem | None = None
    """Why there is no value."""
    reason: str | None = None
    """`budget`, or what the transport says, such as `unreachable`; None where an answer came."""

    @property
    def status(self) -> int | None:
        return None if self.answer is None else self.answer.status


class Asker:
    """Sends what has not been asked before, until `most` requests are used up."""

    def __init__(self, send: Callable[[RequestSpec], Awaitable[Answer]], most: int, clock: Callable[[], float]) -> None:
        """`send` raises SendError; `clock` gives epoch seconds."""
        self._send = send
        self._clock = clock
        self._kept: dict[bytes, Answer] = {}
        self._bytes = 0
        self.most = most
        self.sent = 0

    async def send(self, request: RequestSpec) -> Answer:
        """The answer, also one that came before. Raises SendError; its reason is `budget` where no more may be sent."""
        key = fingerprint(request)
        if (known := self._kept.get(key)) is not None:
            return known
        if self.sent >= self.most:
            message = f"the {self.most} requests that may be sent are used up"
            problem = Problem("discover-budget", message, str(request), "allow more with --requests")
            raise SendError(problem, reason="budget", requests=0, waited_s=0.0, may_pass=False)
        self.sent += 1  # also of one that is given up while it is under way
        try:
            answer = await self._send(request)
        except SendError as error:
            self.sent += error.requests - 1
            raise
        self.sent += answer.requests - 1
        if self._bytes + len(answer.body) <= _MOST_KEPT:
            self._kept[key] = answer
            self._bytes += len(answer.body)
        return answer

    async def ask(self, request: RequestSpec) -> Heard:
        """What comes of `request`. Nothing raises."""
        try:
            answer = await self.send(request)
        except SendError as error:
            return Heard(request, problem=error.problems[0], reason=error.reason)
        place = str(request)
        if not answer.is_success:
            return Heard(request, answer, problem=refusal(answer, place, self._clock()))
        if answer.status == HTTPStatus.NO_CONTENT:
            problem = Problem("nothing-found", "the source answered 204: there is nothing there", place)
            return Heard(request, answer, problem=problem)
        try:
            return Heard(request, answer, value=parsed(answer))
        except DecodeError as error:
            problem = error.problems[0]
            return Heard(request, answer, problem=Problem(problem.code, problem.message, place, problem.hint))


def text_of(answer: Answer) -> bytes:
    """The body in UTF-8, unpacked. Raises DecodeError."""
    return decoded(answer.body, answer.headers, "json", delimiter=",", largest=LARGEST_LOOK)


def parsed(answer: Answer) -> Json:
    """The JSON value that an answer is. Raises DecodeError where it is none, or nests deeper than anybody reads."""
    body = with_whole_characters(text_of(answer))
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(not_json(body, str(error))) from error
