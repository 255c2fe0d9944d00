"""Where requests may go: redirects and links to the same origin, to another one, and to where nobody should follow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.auth.static import HeaderAuth, QueryAuth
from portsync.errors import SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.trouble import Timeouts
from tests.transport.virtual_time import NOW

SOURCE = "https://api.test"
FILES = "https://files.test"
PLAIN = "http://plain.test"
KEY = "key-4711"
HEADERS = (
    ("X-Api-Key", KEY),
    ("Cookie", f"session={KEY}"),
    ("Authorization", f"Basic {KEY}"),
    ("User-Agent", KEY),
    ("Accept", "text/csv"),
    ("Accept-Language", "de"),
    ("Content-Type", "application/x-own"),
)
REQUEST = RequestSpec("GET", f"{SOURCE}/start", (("a", "1"),), HEADERS)
Handler = Callable[[httpx.Request], httpx.Response]


def sent(
    handler: Handler,
    request: RequestSpec = REQUEST,
    *,
    allow: tuple[str, ...] = (),
    origin: str | None = SOURCE,
    auth: httpx.Auth | None = None,
) -> tuple[Answer | SendError, list[httpx.Request]]:
    """What comes of `request`, and what was sent for it."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return handler(request)

    async def no_sleep(_seconds: float) -> None:
        return

    async def run() -> Answer | SendError:
        async with Client(
            policy=RetryPolicy(3, 60, lambda: NOW, no_sleep, lambda: 1.0),
            timeouts=Timeouts(),
            user_agent="portsync",
            transport=httpx.MockTransport(handle),
            auth=auth or HeaderAuth("X-Token", KEY),
            origin=origin,
            allow_origins=allow,
        ) as client:
            try:
                return await client.send(request)
            except SendError as error:
                return error

    return asyncio.run(run()), seen


def leading(*locations: str | None, status: int = 302) -> Handler:
    """Each request is sent on to the next of these, and the one after the last is answered."""
    left = list(locations)

    def handler(_request: httpx.Request) -> httpx.Response:
        if not left:
            return httpx.Response(200, json=[])
        location = left.pop(0)
        headers = [(b"set-cookie", b"tracked=1")]
        headers += [] if location is None else [(b"location", location.encode())]
        return httpx.Response(status, headers=headers)

    return handler


def steps(seen: list[httpx.Request]) -> list[str]:
    return [f"{request.method} {request.url}" for request in seen]


def refusal(outcome: Answer | SendError) -> tuple[str, str, str]:
    """Reason, code and message; a refusal is final, and leads somewhere."""
    assert isinstance(outcome, SendError)
    assert not outcome.may_pass
    (problem,) = outcome.problems
    assert problem.hint
    assert KEY not in f"{problem.message}{problem.hint}"
    return outcome.reason, problem.code, problem.message


# Methods and bodies


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        *[(status, "GET", "GET") for status in (301, 302, 303, 307, 308)],
        *[(status, method, method) for status in (307, 308) for method in ("POST", "PUT", "PATCH", "DELETE")],
        *[(303, method, "GET") for method in ("POST", "PUT", "PATCH", "DELETE")],
    ],
)
def test_a_redirect_is_followed_with_the_method_that_its_status_says(status: int, method: str, then: str) -> None:
    body = None if method == "GET" else {"x": 1}
    outcome, seen = sent(leading("/end", status=status), replace(REQUEST, method=method, body=body))

    assert isinstance(outcome, Answer)
    assert steps(seen) == [f"{method} {SOURCE}/start?a=1", f"{then} {SOURCE}/end"]
    assert seen[1].content == (b"" if body is None or then == "GET" else b'{"x":1}')
    assert ("content-type" in seen[1].headers) == (status != 303)
    assert (outcome.status, outcome.requests, outcome.url) == (200, 1, f"{SOURCE}/end")


@pytest.mark.parametrize("status", [301, 302])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_would_have_to_lose_its_body_is_not_sent_on(status: int, method: str) -> None:
    outcome, seen = sent(leading("/end?token=x", status=status), replace(REQUEST, method=method, body={"x": 1}))

    assert refusal(outcome) == (
        "status",
        "redirect",
        f"the server answers {status} to a {method}, which would have to become a GET at {SOURCE}/end?...",
    )
    assert len(seen) == 1


@pytest.mark.parametrize("status", [300, 304, 305, 306])
def test_other_statuses_of_the_three_hundreds_are_answers(status: int) -> None:
    outcome, seen = sent(leading("/end", status=status))

    assert isinstance(outcome, Answer)
    assert (outcome.status, len(seen)) == (status, 1)


# Where to


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/end", f"{SOURCE}/end"),
        ("end?x=%2F+%20", f"{SOURCE}/a/end?x=%2F+%20"),
        ("../end", f"{SOURCE}/end"),
        ("?b=2", f"{SOURCE}/a/b?b=2"),
        ("//api.test/end", f"{SOURCE}/end"),
        (f"{SOURCE}/end#part", f"{SOURCE}/end"),
        ("HTTPS://API.TEST/end", f"{SOURCE}/end"),
        ("https://api.test:443/end", f"{SOURCE}/end"),
        ("  /end ", f"{SOURCE}/end"),
        (f"{SOURCE}/end?", f"{SOURCE}/end?"),
        ("/%E3%81%82?a=&a=&c", f"{SOURCE}/%E3%81%82?a=&a=&c"),
    ],
)
def test_where_a_redirect_leads_may_be_said_in_every_form(location: str, target: str) -> None:
    outcome, seen = sent(leading(location), replace(REQUEST, url=f"{SOURCE}/a/b?q=1", params=()))

    assert isinstance(outcome, Answer)
    assert str(seen[1].url) == target == outcome.url


@pytest.mark.parametrize(
    ("location", "says"),
    [
        (None, "without saying where to go"),
        ("", "without saying where to go"),
        ("  ", "without saying where to go"),
        ("http://[::1", "is no URL"),
        ("/a\tb", "is no URL"),
        ("/" + "a" * 70_000, "is no URL"),
        ("https://api.test:port/", "is no URL"),
        ("mailto:admin@api.test", "no http or https URL"),
        ("ftp://api.test/end", "no http or https URL"),
        ("javascript:alert(1)", "no http or https URL"),
        ("http:end", "no http or https URL"),
        ("https://user:pass@api.test/end", "a user's name and password"),
        ("https://user@api.test/end", "a user's name and password"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_a_clear_problem(location: str | None, says: str) -> None:
    outcome, seen = sent(leading(location))

    reason, code, message = refusal(outcome)
    assert (reason, code) == ("status", "redirect")
    assert says in message
    assert "pass@" not in message
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("locations", "requests", "says"),
    [
        (["/start?a=1"], 1, "in a circle: https://api.test/start?... -> https://api.test/start?..."),
        (["/b", "/start?a=1"], 2, "in a circle: https://api.test/start?... -> https://api.test/b -> https://"),
        (["/b", "/c?token=x", "/d", "/c?token=x"], 4, "/b -> https://api.test/c?... -> https://api.test/d -> https"),
        ([f"/{number}" for number in range(11)], 11, "more than 10 times"),
    ],
)
def test_redirects_that_do_not_end_are_a_loop_that_names_the_way(
    locations: list[str], requests: int, says: str
) -> None:
    outcome, seen = sent(leading(*locations))

    reason, code, message = refusal(outcome)
    assert (reason, code) == ("loop", "redirect-loop")
    assert says in message
    assert "token" not in message
    assert len(seen) == requests


def test_ten_redirects_are_followed() -> None:
    outcome, seen = sent(leading(*[f"/{number}" for number in range(10)]))

    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.url, len(seen)) == (200, f"{SOURCE}/9", 11)


def test_a_see_other_may_lead_back_to_the_address_of_the_post() -> None:
    outcome, seen = sent(leading("/start?a=1", status=303), replace(REQUEST, method="POST", body={}))

    assert isinstance(outcome, Answer)
    assert steps(seen) == [f"POST {SOURCE}/start?a=1", f"GET {SOURCE}/start?a=1"]


def test_after_an_error_behind_a_redirect_the_way_is_begun_again() -> None:
    """The address in a redirect is often good for a few seconds only."""
    answers = {"/start": httpx.Response(302, headers={"location": "/end"}), "/end": httpx.Response(503)}

    outcome, seen = sent(lambda request: answers[request.url.path])

    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.requests) == (503, 3)
    assert [request.url.path for request in seen] == ["/start", "/end"] * 3


# Origins


def test_within_an_origin_everything_goes_along_and_cookies_are_not_kept() -> None:
    _, seen = sent(leading("/end"))

    assert (seen[1].headers["x-token"], seen[1].headers["x-api-key"]) == (KEY, KEY)
    assert seen[1].headers["cookie"] == f"session={KEY}"


@pytest.mark.parametrize("auth", [HeaderAuth("X-Token", KEY), QueryAuth("key", KEY)])
def test_another_origin_that_is_allowed_sees_nothing_that_may_be_a_key(auth: httpx.Auth) -> None:
    outcome, seen = sent(leading(f"{FILES}/end?signed=1"), allow=(FILES,), auth=auth)

    assert isinstance(outcome, Answer)
    assert outcome.url == f"{FILES}/end?signed=1"
    assert KEY in f"{seen[0].url}{seen[0].headers.raw!r}"
    assert dict(seen[1].headers) == {
        "host": "files.test",
        "user-agent": "portsync",
        "accept": "text/csv",
        "accept-language": "de",
        "accept-encoding": "gzip, deflate",
        "content-type": "application/x-own",
    }
    assert KEY not in str(seen[1].url)


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("https://evil.test/", "https://evil.test is neither the source's own, https://api.test, nor in"),
        ("//evil.test/", "https://evil.test is neither"),
        ("https://api.test:8443/", "https://api.test:8443 is neither"),
        ("https://api.test.evil.test/", "https://api.test.evil.test is neither"),
        ("https://files.test.evil.test/", "is neither"),
        (r"https://evil.test\@api.test/", "a user's name and password"),
        (r"\\evil.test/", ""),
        ("http://api.test/end?token=x", "leads from https to http://api.test/end?..., which is not encrypted"),
        ("http://plain.test/end", "leads from https to http://plain.test/end, which is not encrypted"),
    ],
)
def test_a_redirect_to_an_origin_that_the_mapping_does_not_name_is_not_followed(location: str, says: str) -> None:
    outcome, seen = sent(leading(location), allow=(FILES, PLAIN))

    if says:
        reason, code, message = refusal(outcome)
        assert (reason, code) in {("origin", "foreign-origin"), ("status", "redirect")}
        assert says in message
        assert len(seen) == 1
    else:
        assert {request.url.host for request in seen} == {"api.test"}


def test_the_hint_names_the_origin_to_allow() -> None:
    outcome, _ = sent(leading("https://evil.test:8443/x"))

    assert isinstance(outcome, SendError)
    assert "https://evil.test:8443 to `source.allow_origins`" in (outcome.problems[0].hint or "")


def test_who_comes_back_from_another_origin_comes_without_credentials() -> None:
    """Otherwise the other origin could have us ask the source for what it likes, in our name."""
    _, seen = sent(leading(f"{FILES}/x", f"{SOURCE}/admin"), allow=(FILES,))

    assert steps(seen)[2] == f"GET {SOURCE}/admin"
    assert "x-token" not in seen[2].headers
    assert "x-api-key" not in seen[2].headers


def test_an_encrypted_origin_that_is_allowed_does_not_lead_back_to_a_plain_source() -> None:
    request = replace(REQUEST, url="http://api.test/start")
    outcome, seen = sent(
        leading(f"{FILES}/x", "http://api.test/end"), request, allow=(FILES,), origin="http://api.test"
    )

    assert refusal(outcome)[:2] == ("origin", "foreign-origin")
    assert len(seen) == 2


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_goes_to_no_other_origin(status: int) -> None:
    request = replace(REQUEST, method="POST", body={"x": 1})
    outcome, seen = sent(leading(f"{FILES}/end", status=status), request, allow=(FILES,))

    assert refusal(outcome) == (
        "origin",
        "foreign-origin",
        "the server leads to https://files.test, and a body never goes to another origin",
    )
    assert len(seen) == 1


def test_a_see_other_leaves_the_body_behind_and_may_go_to_another_origin() -> None:
    request = replace(REQUEST, method="POST", body={"x": 1})
    outcome, seen = sent(leading(f"{FILES}/end", status=303), request, allow=(FILES,))

    assert isinstance(outcome, Answer)
    assert (seen[1].method, seen[1].content) == ("GET", b"")


# Requests themselves


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/x",
        "https://api.test:8443/x",
        "http://api.test/x",
        "http://plain.test/x",
        "https://user:pass@api.test/x",
        "https://user@files.test/x",
    ],
)
@pytest.mark.parametrize("is_link", [True, False])
def test_a_request_to_an_origin_that_the_mapping_does_not_name_is_not_sent(url: str, is_link: bool) -> None:
    outcome, seen = sent(leading(), replace(REQUEST, url=url, is_link=is_link), allow=(FILES, PLAIN))

    assert refusal(outcome)[:2] == ("origin", "foreign-origin")
    assert isinstance(outcome, SendError)
    assert (outcome.requests, seen) == (0, [])


@pytest.mark.parametrize("url", ["https://API.test/x", "https://api.test:443/x", "HTTPS://api.test./x"])
def test_an_origin_in_other_letters_is_the_same_and_gets_the_credentials(url: str) -> None:
    outcome, seen = sent(leading(), replace(REQUEST, url=url, is_link=True))

    assert isinstance(outcome, Answer)
    assert seen[0].headers["x-token"] == KEY


def test_an_origin_beyond_ascii_is_the_same_in_the_form_of_the_wire() -> None:
    request = replace(REQUEST, url="https://xn--bcher-kva.test/x")
    outcome, seen = sent(leading("https://bücher.test/end"), request, origin="https://bücher.test")

    assert isinstance(outcome, Answer)
    assert seen[1].headers["x-token"] == KEY


def test_a_link_to_another_origin_that_is_allowed_is_sent_without_credentials() -> None:
    outcome, seen = sent(leading(), replace(REQUEST, url=f"{FILES}/page2", is_link=True), allow=(FILES,))

    assert isinstance(outcome, Answer)
    assert steps(seen) == [f"GET {FILES}/page2"]
    assert KEY not in repr(seen[0].headers.raw)


def test_a_link_takes_no_body_to_another_origin_but_a_kind_may() -> None:
    request = replace(REQUEST, method="POST", url=f"{FILES}/x", body={"x": 1})

    link, asked = sent(leading(), replace(request, is_link=True), allow=(FILES,))
    kind, _ = sent(leading(), request, allow=(FILES,))

    assert refusal(link)[:2] == ("origin", "foreign-origin")
    assert asked == []
    assert isinstance(kind, Answer)


def test_without_an_origin_of_its_own_each_request_has_its_own_and_redirects_stay_there() -> None:
    inside, _ = sent(leading("/end"), origin=None)
    outside, seen = sent(leading(f"{FILES}/end"), origin=None)

    assert isinstance(inside, Answer)
    assert refusal(outside)[:2] == ("origin", "foreign-origin")
    assert len(seen) == 1


class TokenFlow(httpx.Auth):
    """Fetches a token from an origin of its own, which the mapping names."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        answer = yield httpx.Request("POST", "https://login.test/token", headers={"x-secret": KEY})
        request.headers["authorization"] = f"Bearer {answer.status_code}"
        yield request


def test_the_token_is_fetched_where_the_mapping_says_and_a_redirect_of_that_is_not_followed() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        headers = {"location": "https://evil.test/token"} if request.url.host == "login.test" else {}
        return httpx.Response(307 if headers else 200, headers=headers)

    _, seen = sent(handler, auth=TokenFlow())

    assert steps(seen) == ["POST https://login.test/token", f"GET {SOURCE}/start?a=1"]
    assert seen[1].headers["authorization"] == "Bearer 307"


hosts = st.sampled_from(
    ["api.test", "files.test", "evil.test", "api.test:443", "api.test:81", "API.test.", "[::1]", ""]
)
parts = st.sampled_from(
    ["https://", "http://", "//", "/", "\\", "@", "#", "?", ":", "..", "%2e", "%00", "key=1", "evil.test", "user:pw@"]
)
locations = st.lists(st.one_of(hosts, parts, st.text(max_size=3)), max_size=8).map("".join)


@given(st.lists(locations, min_size=1, max_size=3))
def test_wherever_a_server_leads_credentials_stay_at_home_and_requests_within_the_origins(ways: list[str]) -> None:
    printable = ["".join(letter for letter in way if letter.isprintable()) for way in ways]

    _, seen = sent(leading(*printable), allow=(FILES,))

    for request in seen:
        assert request.url.scheme == "https"
        assert (request.url.host.rstrip("."), request.url.port or 443) in {("api.test", 443), ("files.test", 443)}
        assert not request.url.userinfo
        if request.url.host == "files.test":
            assert KEY not in repr(request.headers.raw)
