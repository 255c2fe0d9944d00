"""Where a request may go, and where an answer may send it: same origin freely, another one bare, or not at all.

The rules are those of RFC 9110, 15.4, and of browsers, less what they do for people: a request with a body is never
turned into one without, but for 303, which says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx

from portsync.errors import Problem
from portsync.transport.outgoing import Outgoing, RefusedError
from portsync.urls import Origins, origin_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""The statuses that send a request on."""
MOST_REDIRECTS = 10
_MOVED = (301, 302)
_SEE_OTHER = 303
_HARMLESS = frozenset({b"accept", b"accept-language", b"content-type"})
"""The headers that may go to another origin. Any other one of the user's may be a key."""
_BODY_HINT = "give the other API a mapping of its own"


def origin_of_url(url: httpx.URL) -> str:
    """The origin that a request to `url` goes to, in the form of `origin_of`: that of the URL as httpx reads it, so
    that no other reading of an odd one can tell a different tale."""
    return origin_from(url.scheme, url.raw_host.decode("ascii"), url.port)


def origins_of(own: str, allowed: Iterable[str]) -> Origins:
    """These origins as httpx reads them: a name beyond ASCII has another form on the wire."""
    return Origins(_as_sent(own), frozenset(_as_sent(origin) for origin in allowed))


def _as_sent(origin: str) -> str:
    try:
        return origin_of_url(httpx.URL(origin))
    except httpx.InvalidURL:
        return origin  # no request can go there, and each will say why


def admitted(request: Outgoing, origins: Origins, place: str, *, is_link: bool) -> Outgoing:
    """`request` as it may go out: without credentials where it leads to another origin. Raises RefusedError."""
    if request.url.userinfo:
        raise _foreign("the URL holds a name or password of its own", place, "put credentials into `source.auth`")
    origin = origin_of_url(request.url)
    if origin == origins.own:
        return request
    _check(origin, origins, place)
    if is_link and request.content is not None:
        raise _foreign(f"the next link leads to {origin}, and a body never goes to another origin", place, _BODY_HINT)
    return _bare(request)


def redirected(
    request: Outgoing, status: int, location: str | None, origins: Origins, trail: Sequence[str], place: str
) -> Outgoing:
    """The request that follows `request`, which was answered with `status`, one of REDIRECTS.

    `trail` holds what went before in this attempt, as `step_of` writes it. Raises RefusedError where the redirect must
    not be followed, or leads nowhere.
    """
    following = replace(request, url=_target(request.url, location, status, place))
    if status == _SEE_OTHER:
        headers = tuple(pair for pair in request.headers if pair[0] != b"content-type")
        following = replace(following, method="GET", content=None, headers=headers)
    elif status in _MOVED and request.method != "GET":
        message = f"the server answers {status} to a {request.method}, which would have to become a GET"
        raise _unfollowed(f"{message} at {_shown(following.url)}", place)
    _check_trail(following, trail, place)
    origin = origin_of_url(following.url)
    if request.url.scheme == "https" and following.url.scheme != "https":
        message = f"the server leads from https to {_shown(following.url)}, which is not encrypted"
        raise _foreign(message, place, "put the address that answers into `base_url` or `kind`")
    if origin == origin_of_url(request.url):
        return following
    _check(origin, origins, place)
    if following.content is not None:
        raise _foreign(f"the server leads to {origin}, and a body never goes to another origin", place, _BODY_HINT)
    return _bare(following)


def step_of(request: Outgoing) -> str:
    """What tells one step of a chain of redirects from another."""
    return f"{request.method} {request.url}"


def _target(url: httpx.URL, location: str | None, status: int, place: str) -> httpx.URL:
    if not location or not location.strip():
        raise _unfollowed(f"the server answers {status} without saying where to go", place)
    try:
        target = httpx.URL(location.strip())
        target = target if target.is_absolute_url else url.join(target)
    except (httpx.InvalidURL, ValueError) as error:
        raise _unfollowed(f"the server answers {status}, and where it leads is no URL", place) from error
    if target.scheme not in ("http", "https") or not target.host:
        raise _unfollowed(f"the server answers {status} and leads to something that is no http or https URL", place)
    if target.userinfo:
        raise _unfollowed(f"the server leads to {_shown(target)} with a user's name and password of its own", place)
    return target.copy_with(fragment=None) if target.fragment else target


def _check_trail(following: Outgoing, trail: Sequence[str], place: str) -> None:
    message = None
    if step_of(following) in trail:
        message = "the redirects of the server lead in a circle"
    elif len(trail) > MOST_REDIRECTS:
        message = f"the server redirects more than {MOST_REDIRECTS} times"
    if message is not None:
        steps = [_shown(httpx.URL(step.partition(" ")[2])) for step in trail]
        way = " -> ".join([*steps, _shown(following.url)])
        hint = "open the first address in a browser; a login page or a wall of cookies cannot be read"
        raise RefusedError(Problem("redirect-loop", f"{message}: {way}", place, hint), "loop")


def _check(origin: str, origins: Origins, place: str) -> None:
    if (refusal := origins.refusal(origin)) is not None:
        hint = f"add {origin} to `source.allow_origins` if requests without credentials may go there, over https"
        raise _foreign(f"{origin} {refusal}", place, hint)


def _bare(request: Outgoing) -> Outgoing:
    """`request` as another origin may see it. Once bare, it stays so, wherever it is sent on."""
    kept = tuple(pair for pair in request.headers if pair[0] in _HARMLESS)
    return replace(request, headers=kept, is_signed=False)


def _shown(url: httpx.URL) -> str:
    """A URL that a server made up, for people. Its query may be a key, and its path not even printable once decoded."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    return f"{origin_of_url(url)}{path}{'?...' if query else ''}"


def _foreign(message: str, place: str, hint: str) -> RefusedError:
    return RefusedError(Problem("foreign-origin", message, place, hint), "origin")


def _unfollowed(message: str, place: str) -> RefusedError:
    hint = "put the final address into `base_url` or `kind`"
    return RefusedError(Problem("redirect", message, place, hint), "status")
