"""The naive reader's way to the wire: credentials, retries, waits, redirects, budget."""

from __future__ import annotations

import itertools
import json
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from tests.conformance.naive.ending import Gone
from tests.conformance.naive.faults import Fault
from tests.conformance.naive.sign_in import SignIn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.clock import VirtualClock

RETRIED = {408, 429, 500, 502, 503, 504, 521, 529}
_MOST_REDIRECTS = 10


@dataclass(frozen=True)
class Request:
    """One request, as data."""

    method: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    body_type: str = "json"
    retried: frozenset[int] = frozenset()
    """Statuses that are tried again beside the usual ones."""
    final: frozenset[int] = frozenset()
    """Statuses that are not tried again, usual or not."""

    def key(self) -> str:
        return json.dumps([self.method, self.url, sorted(self.params), dict(self.headers), self.body], sort_keys=True)


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    headers: httpx.Headers
    body: bytes


def origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port


class Wire:
    """Sends requests as `source` says."""

    def __init__(
        self, source: Mapping[str, Any], client: httpx.Client, clock: VirtualClock, faults: frozenset[Fault]
    ) -> None:
        self._source = source
        self._sign_in = SignIn(source, client, clock, faults)
        self._client = client
        self._clock = clock
        self._faults = faults
        self._begun: deque[float] = deque()
        self._not_before = 0.0
        self._was_away = False

    @property
    def base_url(self) -> str:
        return str(self._source["base_url"]).rstrip("/")

    def send(self, request: Request) -> Response:
        """The answer to `request`, with retries. Raises Gone where none comes, or where it leads elsewhere."""
        attempts = self._source["retry"]["attempts"] + (Fault.COUNTS_RETRIES_NOT_TRIES in self._faults)
        if Fault.NEVER_RETRIES in self._faults:
            attempts = 1
        number = 0
        while True:
            number += 1
            failure: Exception | None = None
            response = None
            try:
                response = self._once(request, number)
            except httpx.TransportError as error:
                if Fault.TAKES_HALF_AN_ANSWER in self._faults:
                    return Response(200, httpx.Headers(), b'{"data": []}')
                failure = error
            last = number >= attempts and Fault.RETRIES_FOR_EVER not in self._faults
            if response is not None and (last or not self._is_retried(request, response.status)):
                return response
            if last:
                if isinstance(failure, httpx.ConnectError):
                    raise Gone("unreachable", "unreachable", str(failure))
                raise Gone("connection", "broken-connection", str(failure))
            self._wait(response, number)

    def _is_retried(self, request: Request, status: int) -> bool:
        if status in request.final and Fault.RETRIES_WHAT_FAILS not in self._faults:
            return False
        every = Fault.RETRIES_EVERY_ERROR in self._faults and status >= 400
        return status in RETRIED or status in request.retried or every

    def _wait(self, response: Response | None, number: int) -> None:
        asked = None if response is None else self._asked_wait(response.headers)
        most = self._source["retry"]["max_wait"]
        if asked is not None and asked > most:
            if Fault.CLAMPS_RETRY_AFTER not in self._faults:
                back = datetime.fromtimestamp(self._clock.now + asked, UTC)
                raise Gone("rate_limit", "source-status", f"the source asks to come back at {back:%Y-%m-%d %H:%M:%S}")
            asked = most
        backoff = 0.5 if Fault.CONSTANT_BACKOFF in self._faults else 0.5 * min(most, 0.5 * 2**number)
        self._clock.skip(backoff if asked is None else asked)

    def _asked_wait(self, headers: httpx.Headers) -> float | None:
        value = headers.get("retry-after")
        if value is None or Fault.IGNORES_RETRY_AFTER in self._faults:
            return None
        try:
            seconds = int(value) if Fault.WHOLE_SECONDS_ONLY in self._faults else float(value)
        except ValueError:
            if Fault.IGNORES_RETRY_AFTER_DATES in self._faults:
                return None
            try:
                seconds = max(0.0, parsedate_to_datetime(value).timestamp() - self._clock.now)
            except ValueError:
                return None
        if seconds < 0:
            return 0.0 if Fault.TRUSTS_NEGATIVE_WAITS in self._faults else None
        least = 1.0 if Fault.WAITS_AT_LEAST_A_SECOND in self._faults else 0.0
        return max(least, seconds + (Fault.ADDS_A_SECOND in self._faults))

    def _once(self, request: Request, attempt: int) -> Response:
        """One attempt, with its redirects."""
        base = origin(self._source["base_url"])
        for hop in itertools.count():
            self._spend(free=attempt > 1 and Fault.RETRIES_ARE_FREE in self._faults)
            trusted = origin(request.url) == base or Fault.SENDS_CREDENTIALS_TO_ALLOWED in self._faults
            blind = Fault.FOLLOWS_REDIRECTS_BLINDLY in self._faults or Fault.FOLLOWS_FOREIGN_LINKS in self._faults
            response = self._exchange(request, trusted=trusted or blind)
            self._notice(response.headers)
            location = response.headers.get("location")
            if response.status not in (301, 302, 303, 307, 308) or location is None:
                return response
            if Fault.NEVER_FOLLOWS_REDIRECTS in self._faults:
                return response
            if hop == _MOST_REDIRECTS and Fault.NO_REDIRECT_LIMIT not in self._faults:
                raise Gone("loop", "loop", "redirects lead in a circle")
            target = urljoin(request.url, location)
            if not blind:
                self.check_origin(target)
            request = replace(request, url=target, params=())
            if Fault.REDIRECTS_LOSE_THE_BODY in self._faults:
                request = replace(request, method="GET", body=None)
        raise AssertionError("unreachable")

    def check_origin(self, url: str) -> None:
        """Raise Gone where `url` is of an origin that the mapping does not name."""
        own = self._source["base_url"]
        if Fault.COMPARES_HOSTS_AS_TEXT in self._faults:
            if not url.startswith(own):
                raise Gone("origin", "foreign-origin", url)
            return
        if origin(url) not in {origin(known) for known in (own, *self._source.get("allow_origins", ()))}:
            raise Gone("origin", "foreign-origin", url)

    def _exchange(self, request: Request, *, trusted: bool) -> Response:
        headers = dict(request.headers)
        own = {name.lower() for name in self._source.get("headers", {})}
        if not trusted:
            headers = {name: value for name, value in headers.items() if name.lower() not in own}
            self._was_away = True
        elif self._was_away and Fault.FORGETS_CREDENTIALS in self._faults:
            trusted = False
        content = None
        if request.body is not None:
            kind = "json" if Fault.EVERY_BODY_IS_JSON in self._faults else request.body_type
            content, headers["content-type"] = _content(request.body, kind)
        url = self._with_params(request)
        for refused in itertools.count():
            if trusted and (value := self._sign_in.header()) is not None:
                headers["authorization"] = value
            answer = self._client.request(request.method, url, headers=headers, content=content)
            may_renew = trusted and self._sign_in.is_renewable and Fault.NEVER_SIGNS_IN_AGAIN not in self._faults
            if answer.status_code != 401 or not may_renew or (refused and Fault.SIGNS_IN_FOR_EVER not in self._faults):
                return Response(answer.status_code, answer.headers, answer.content)
            self._sign_in.forget()
        raise AssertionError("unreachable")

    def _with_params(self, request: Request) -> httpx.URL:
        if Fault.PASTES_PARAMS in self._faults and request.params:
            return httpx.URL(request.url + "?" + "&".join(f"{name}={value}" for name, value in request.params))
        url = httpx.URL(request.url)
        if not request.params:
            return url
        names = set() if Fault.PARAMS_ARE_ADDED in self._faults else {name for name, _ in request.params}
        kept = [pair for pair in url.params.multi_items() if pair[0] not in names]
        if Fault.PARAMS_REPLACE_THE_QUERY in self._faults:
            kept = []
        return url.copy_with(params=[*kept, *request.params])

    def _spend(self, *, free: bool) -> None:
        """Wait until the budget, and what the server said, have room for one more request."""
        limit = self._source.get("rate_limit")
        if free:
            return
        self._clock.skip(max(0.0, self._not_before - self._clock.now))
        if limit is None:
            return
        if Fault.NO_BUDGET not in self._faults and len(self._begun) == limit["requests"]:
            room_at = self._begun.popleft() + limit["per"]
            self._clock.skip(max(0.0, room_at - self._clock.now))
        self._begun.append(self._clock.now)

    def _notice(self, headers: httpx.Headers) -> None:
        """Take what the server says of its limits."""
        left, reset = headers.get("x-ratelimit-remaining"), headers.get("x-ratelimit-reset")
        if left is None:
            return
        if Fault.HEADERS_RAISE_THE_BUDGET in self._faults and int(left) > 0:
            self._begun.clear()
        if left == "0" and reset is not None and Fault.IGNORES_REMAINING not in self._faults:
            moment = float(reset)
            self._not_before = moment if moment > 10_000 else self._clock.now + moment


def _content(body: Any, kind: str) -> tuple[bytes, str]:
    match kind:
        case "form":
            return urlencode(body, doseq=True).encode(), "application/x-www-form-urlencoded"
        case "text":
            return str(body).encode(), "text/plain"
        case _:
            return json.dumps(body).encode(), "application/json"
