"""What a token endpoint said: its JSON, or the problem that it is no token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.errors import AuthError, Problem
from portsync.excerpts import cut, first_words, is_html

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

    from portsync.flow import Json

_EXCERPT = 300
_MOST_KEYS = 20
_LATER = (408, 425, 429)
_HINTS = {
    404: "check the address in `source.auth`: nobody answers to it there",
    405: "check the address in `source.auth`: it takes no such request",
}
_REFUSED_HINT = "check the credentials in `source.auth`, and which form the server wants them in"


def json_of(answer: httpx.Response) -> Json:
    """The value that a token endpoint answered with. Raises AuthError where it refused, or answered anything else."""
    if not answer.is_success:
        raise refusal(answer)
    try:
        # Not orjson: it makes floats of integers beyond 64 bits, and one of them may be somebody's key.
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        what = "an HTML page" if is_html(answer.content) else "no JSON" if answer.content.strip() else "nothing"
        words = first_words(answer.content, _EXCERPT)
        message = f"{_who(answer)} answered {answer.status_code} with {what}{f': {words}' if words else ''}"
        raise _no_token(answer, message, "check the address in `source.auth`") from None


def refusal(answer: httpx.Response, value: Json = None) -> AuthError:
    """The error that an answer is which is no success, or says `error` in spite of its status."""
    said = _said(value, answer.content)
    message = f"{_who(answer)} answered {answer.status_code}{f': {said}' if said else ''}"
    if answer.is_server_error or answer.status_code in _LATER:
        return AuthError(
            Problem("no-token", message, _place(answer), "the server has a problem of its own; run it again later"),
            may_pass=True,
            status=answer.status_code,
            headers=answer.headers,
        )
    if answer.is_redirect:
        target = answer.headers.get("location", "nowhere").partition("?")[0]
        return _no_token(answer, f"{message} (a redirect to {target})", "put the final address into `source.auth`")
    if answer.status_code in _HINTS:
        return _no_token(answer, message, _HINTS[answer.status_code])
    hint = _REFUSED_HINT
    if "invalid_grant" in said:
        hint = "the token or code in `source.auth` is used up, withdrawn or expired: get a new one"
    return AuthError(Problem("token-refused", message, _place(answer), hint))


def without(answer: httpx.Response, what: str, value: Json, hint: str) -> AuthError:
    """The error of an answer that lacks what was wanted. Some servers refuse with status 200."""
    if isinstance(value, dict) and value.get("error"):
        return refusal(answer, value)
    return _no_token(answer, f"{_who(answer)} answered {answer.status_code} without {what}", hint)


def keys_of(value: Json) -> str:
    """What a value is made of, as a clause that holds no values."""
    match value:
        case dict() if value:
            return f"its keys are {_listed(value)}"
        case dict() | list() | str() | None if not value:
            return "it is empty"
        case list():
            return f"it is a list of {len(value)}"
        case _:
            return "it is a single value"


def _listed(keys: Iterable[Any]) -> str:
    names = [str(key) for key in keys]
    more = ", ..." if len(names) > _MOST_KEYS else ""
    return ", ".join(f"`{cut(name, 60)}`" for name in names[:_MOST_KEYS]) + more


def _no_token(answer: httpx.Response, message: str, hint: str) -> AuthError:
    return AuthError(Problem("no-token", message, _place(answer), hint))


def shown(request: httpx.Request) -> str:
    """A request's URL without its query, which may hold credentials."""
    return str(request.url.copy_with(query=None))


def _who(answer: httpx.Response) -> str:
    return shown(answer.request)


def _place(answer: httpx.Response) -> str:
    return f"{answer.request.method} {shown(answer.request)}"


def _said(value: Json, body: bytes) -> str:
    """What an error answer says: `error: error_description` of RFC 6749 (5.2), the usual names of others, else its
    first words."""
    if value is None:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return first_words(body, _EXCERPT)
    if not isinstance(value, dict):
        return first_words(body, _EXCERPT)
    names = ("error", "error_description", "message", "detail", "errorSummary", "errorMessage")
    parts = [value[name] for name in names if name in value]
    inner = [part["message"] if isinstance(part, dict) and "message" in part else part for part in parts]
    texts = [part for part in inner if isinstance(part, str) and part]
    return cut(": ".join(dict.fromkeys(texts)), _EXCERPT) if texts else first_words(body, _EXCERPT)
