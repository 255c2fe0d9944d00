"""What an answer that holds no page means: its status, in words, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from portsync.errors import Problem
from portsync.excerpts import cut, first_words
from portsync.transport.moments import back_at
from portsync.transport.retry import asked_wait

if TYPE_CHECKING:
    from portsync.flow import Answer

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


def refusal(answer: Answer, place: str, now: float) -> Problem:
    """The problem that an answer without success is. `now` is in epoch seconds."""
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
        status=answer.status,
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


def skipped(answer: Answer, place: str) -> Problem:
    """What `on_status: skip` leaves out is said all the same."""
    message = f"the source answered {answer.status}, which `on_status` says to skip"
    return Problem("skipped", message, place, "what stands here is not read, and nothing of it is deleted")
