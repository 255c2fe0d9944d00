"""What of a request reaches the server: the URL to the letter, and the body in the form that is wanted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portsync.errors import SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client
from portsync.transport.outgoing import outgoing
from portsync.transport.retry import RetryPolicy
from portsync.transport.trouble import Timeouts
from tests.transport.raw_server import Connection, answer, raw_server
from tests.transport.virtual_time import NOW

REQUEST = RequestSpec("POST", "http://source.test/x")


def sent(request: RequestSpec, content: bytes | None = None) -> httpx.Request:
    """What goes out. Raises SendError."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    async def run() -> None:
        policy = RetryPolicy(1, 1, lambda: NOW, asyncio.sleep, lambda: 0.0)
        transport = httpx.MockTransport(handle)
        async with Client(policy=policy, timeouts=Timeouts(), user_agent="t", transport=transport) as client:
            await client.send(request, content)

    asyncio.run(run())
    return seen[0]


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ({"a": "b"}, b"a=b"),
        ({"a": "x y&z=\u00e9+/"}, b"a=x+y%26z%3D%C3%A9%2B%2F"),
        ({"a": ["x", 1, True], "b": "y"}, b"a=x&a=1&a=true&b=y"),
        ({"a[]": ["x", "y"]}, b"a%5B%5D=x&a%5B%5D=y"),
        ({"a": True, "b": False, "c": 12345678901234567890, "d": 1.5}, b"a=true&b=false&c=12345678901234567890&d=1.5"),
        ({"a": "", "b": []}, b"a="),
        ({}, b""),
    ],
)
def test_a_form_is_written_as_browsers_do(body: Any, written: bytes) -> None:
    request = sent(replace(REQUEST, body=body, body_type="form"))

    assert request.content == written
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["content-length"] == str(len(written))


def test_a_text_goes_out_as_it_is() -> None:
    request = sent(replace(REQUEST, body="a\nb \u00e9", body_type="text"))

    assert request.content == "a\nb \u00e9".encode()
    assert request.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(("body_type", "body"), [("text", "<x/>"), ("form", {"a": "b"}), ("json", {"a": "b"})])
def test_the_mapping_may_say_another_content_type(body_type: Literal["json", "form", "text"], body: Any) -> None:
    request = sent(replace(REQUEST, body=body, body_type=body_type, headers=(("Content-Type", "application/xml"),)))

    assert request.headers.get_list("content-type") == ["application/xml"]


@pytest.mark.parametrize("body_type", ["json", "form", "text"])
def test_no_body_is_no_body_whatever_its_type(body_type: Literal["json", "form", "text"]) -> None:
    request = sent(replace(REQUEST, body_type=body_type))

    assert request.content == b""
    assert "content-type" not in request.headers


def test_a_ready_body_is_json() -> None:
    assert sent(REQUEST, b"[1]").headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body_type", "body", "says"),
    [
        ("form", ["s3cret"], "`body_type: form` needs an object, and `body` gave a list"),
        ("form", "s3cret", "needs an object, and `body` gave a text"),
        ("form", {"a": None}, "`a` in `body` is null, which a form cannot hold"),
        ("form", {"a": {"b": "s3cret"}}, "`a` in `body` is an object"),
        ("form", {"a": ["s3cret", None]}, "`a` in `body` is null"),
        ("form", {"a": [["s3cret"]]}, "`a` in `body` is a list"),
        ("text", {"a": "s3cret"}, "`body_type: text` needs a text, and `body` gave an object"),
        ("text", 5, "`body` gave a number"),
        ("text", True, "`body` gave a boolean"),
    ],
)
def test_a_body_that_its_type_cannot_hold_is_a_problem_and_not_sent(
    body_type: Literal["form", "text"], body: Any, says: str
) -> None:
    with pytest.raises(SendError) as error:
        sent(replace(REQUEST, body=body, body_type=body_type))

    (problem,) = error.value.problems
    assert (problem.code, error.value.reason, error.value.requests) == ("request-value", "jq", 0)
    assert not error.value.may_pass
    assert says in problem.message
    assert "s3cret" not in f"{problem.message}{problem.hint}"


@pytest.mark.parametrize(
    "target",
    [
        "/p%E3%81%82/a%2Fb/c+d/e%20f",
        "/x?a=&b=1&b=2&a=3",
        "/x?c=%2f%2F+%20%E3%81%82&d",
        "/x?sig=a%2Bb/c==&e=2026-01-01T00:00:00Z",
        "/x?filter[name]='y'|z,{1}&f=$g;h",
        "/x?",
        "/x?&&=",
        "//x///y",
        "/x%",
    ],
)
def test_every_character_of_a_link_stays_as_it_is(target: str) -> None:
    async def talk(connection: Connection) -> None:
        await connection.request()
        await connection.say(answer(b"[]"))

    async def run() -> tuple[bytes, Answer, str]:
        policy = RetryPolicy(1, 1, lambda: NOW, asyncio.sleep, lambda: 0.0)
        async with (
            raw_server(talk) as server,
            Client(policy=policy, timeouts=Timeouts(), user_agent="t", use_proxies=False) as client,
        ):
            request = RequestSpec("GET", f"{server.url}{target}", (("b", "1"), ("page", "9")), is_link=True)
            found = await client.send(request)
            return server.requests[0], found, server.url

    head, found, url = asyncio.run(run())

    assert head.split(b" ")[1] == target.encode()
    assert found.url == f"{url}{target}"


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), min_size=1, max_size=4).map(tuple))
@example((("a b", "x&y=z+/?#"), ("c", ""), ("a b", "é\n")))
def test_parameters_arrive_in_their_order_whatever_they_hold(params: tuple[tuple[str, str], ...]) -> None:
    url = outgoing(replace(REQUEST, params=params), None).url

    assert tuple(parse_qsl(url.query.decode(), keep_blank_values=True)) == params


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("/x", "page=2&g%5B%5D=a&g%5B%5D=b"),
        ("/x?keep=%2f+%20&page=1&k=", "keep=%2f+%20&k=&page=2&g%5B%5D=a&g%5B%5D=b"),
        ("/x?g%5B%5D=z&g[]=y&page", "page=2&g%5B%5D=a&g%5B%5D=b"),
        ("/x?#part", "page=2&g%5B%5D=a&g%5B%5D=b"),
    ],
)
def test_parameters_replace_those_of_their_name_in_the_url_and_leave_the_others_as_they_are(
    url: str, query: str
) -> None:
    params = (("page", "2"), ("g[]", "a"), ("g[]", "b"))

    request = outgoing(replace(REQUEST, url=f"http://source.test{url}", params=params), None)

    assert request.url.query.decode() == query
