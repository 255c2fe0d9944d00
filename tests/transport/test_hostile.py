"""Servers that break off, flood, drip, lie or speak no HTTP: each ends soon, with a problem that says what it was."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portsync.errors import SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.trouble import Timeouts
from tests.transport.raw_server import Connection, RawServer, answer, raw_server
from tests.transport.virtual_time import NOW

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Talk = Callable[[Connection], Awaitable[None]]

CERTIFICATE = Path(__file__).parent / "self_signed.pem"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def asked(
    talk: Talk, *, times: int = 1, attempts: int = 2, total: float = 30.0, tls: ssl.SSLContext | None = None
) -> tuple[list[Answer | SendError], RawServer]:
    """What comes of so many requests, one after the other; nobody sleeps."""

    async def no_sleep(_seconds: float) -> None:
        return

    async def run() -> tuple[list[Answer | SendError], RawServer]:
        policy = RetryPolicy(attempts, 60, lambda: NOW, no_sleep, lambda: 1.0)
        timeouts = Timeouts(connect=5, read=5, total=total)
        found: list[Answer | SendError] = []
        async with (
            raw_server(talk, tls) as server,
            Client(policy=policy, timeouts=timeouts, user_agent="t", use_proxies=False) as client,
        ):
            for number in range(times):
                try:
                    found.append(await client.send(RequestSpec("GET", f"{server.url}/{number}")))
                except SendError as error:
                    found.append(error)
        return found, server

    return asyncio.run(asyncio.wait_for(run(), 60))


def saying(*parts: bytes) -> Talk:
    """Answers every request with these bytes, and closes the connection."""

    async def talk(connection: Connection) -> None:
        await connection.request()
        await connection.say(*parts)

    return talk


async def break_off_in_the_body(connection: Connection) -> None:
    await connection.request()
    await connection.say(HEAD + b"content-length: 100\r\n\r\n[1,")
    connection.reset()


async def break_off_before_the_answer(connection: Connection) -> None:
    await connection.request()
    connection.reset()


async def flood_of_headers(connection: Connection) -> None:
    await connection.request()
    await connection.say(HEAD)
    for number in itertools.count():
        await connection.say(b"x-%d: %s\r\n" % (number, b"y" * 50))


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        (saying(HEAD + b"content-length: 100\r\n\r\n[1, 2]"), "received 6 bytes, expected 100"),
        (saying(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n[1, 2\r\n64\r\n, 3"), "incomplete chunked read"),
        (saying(HEAD + b"transfer-encoding: chunked\r\n\r\nnonsense\r\n"), "illegal chunk"),
        (saying(HEAD + b"content-length: many\r\n\r\n[]"), "Content-Length"),
        (saying(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n[]]"), "Content-Length"),
        (saying(HEAD + b"content-length: 2\r\n\r\n[], and more"), "goes on after its end"),
        (saying(HEAD + b"content-length: 2\r\nconnection: close\r\n\r\n[], and more"), "goes on after its end"),
        (saying(HEAD + b"content-encoding: gzip\r\ncontent-length: 9\r\n\r\nnot gzip!"), "incorrect header check"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "Server disconnected"),
        (saying(b"220 mail.test ESMTP\r\n\r\n"), "illegal status line"),
        (saying(b"\x1b[2J" * 10_000 + b"\r\n\r\n"), "illegal status line"),
        (saying(b"{}"), "Server disconnected"),
        (saying(b"HTTP/1.1 2OO OK\r\n\r\n"), "illegal status line"),
        (saying(b""), "Server disconnected"),
        (saying(HEAD + b"x: " + b"y" * 1_000_000 + b"\r\n\r\n"), "Receive buffer too long"),
        (flood_of_headers, "Receive buffer too long"),
        (break_off_in_the_body, "the connection broke"),
        (break_off_before_the_answer, "the connection broke"),
    ],
)
def test_an_answer_that_breaks_off_or_is_none_is_tried_again_and_then_a_problem(talk: Talk, says: str) -> None:
    (error,), server = asked(talk)

    assert isinstance(error, SendError)
    (problem,) = error.problems
    assert (error.reason, error.requests, problem.code) == ("connection", 2, "broken-connection")
    assert says in problem.message
    assert len(problem.message) < 400
    assert problem.message.isprintable()
    assert problem.place == f"GET {server.url}/0"
    assert server.connections == 2


def test_a_thousand_headers_are_no_problem() -> None:
    headers = b"".join(b"x-%d: y\r\n" % number for number in range(1000))

    (found,), _ = asked(saying(HEAD + headers + b"content-length: 2\r\n\r\n[]"))

    assert isinstance(found, Answer)
    assert (found.body, found.headers["x-999"]) == (b"[]", "y")


async def drip(connection: Connection) -> None:
    await connection.request()
    await connection.say(HEAD + b"content-length: 1000000000\r\n\r\n")
    while True:
        await connection.say(b" ")
        await asyncio.sleep(0)


async def drip_of_the_head(connection: Connection) -> None:
    await connection.request()
    await connection.say(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        await connection.say(b"y")
        await asyncio.sleep(0)


async def flood_of_continues(connection: Connection) -> None:
    await connection.request()
    while True:
        await connection.say(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


async def silence(connection: Connection) -> None:
    await connection.request()
    await asyncio.Event().wait()


@pytest.mark.parametrize("talk", [drip, drip_of_the_head, flood_of_continues, silence])
def test_an_answer_that_never_ends_does_so_at_the_total_time_out(talk: Talk) -> None:
    (error,), server = asked(talk, total=0.2)

    assert isinstance(error, SendError)
    assert (error.reason, error.requests, error.problems[0].code) == ("timeout", 2, "timeout")
    assert error.problems[0].message == "no whole answer within 0.2 s"
    assert server.connections == 2


def test_a_certificate_that_does_not_verify_is_named_at_once_and_nothing_is_sent() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)

    (error,), server = asked(saying(answer(b"[]")), tls=tls)

    assert isinstance(error, SendError)
    assert (error.reason, error.requests, error.may_pass) == ("unreachable", 1, False)
    assert "CERTIFICATE_VERIFY_FAILED" in error.problems[0].message
    assert "certificate" in (error.problems[0].hint or "")
    assert server.requests == []


def test_a_connection_that_the_server_closes_while_nobody_uses_it_costs_nothing() -> None:
    async def one_answer(connection: Connection) -> None:
        await connection.request()
        await connection.say(answer(b"[]"))

    found, server = asked(one_answer, times=5, attempts=1)

    assert [one.requests for one in found if isinstance(one, Answer)] == [1] * 5
    assert server.connections == 5


def test_a_connection_that_the_server_closes_at_the_moment_of_its_next_use_costs_an_attempt_and_no_failure() -> None:
    async def one_answer_and_a_look_at_the_next_request(connection: Connection) -> None:
        await connection.request()
        await connection.say(answer(b"[]"))
        await connection.request()

    found, server = asked(one_answer_and_a_look_at_the_next_request, times=3)

    assert [one.requests for one in found if isinstance(one, Answer)] == [1, 2, 2]
    assert server.connections == 3


async def answers_with(connection: Connection, surplus: bytes) -> None:
    """Keeps the connection open; every answer says which request it is for."""
    while True:
        head = await connection.request()
        await connection.say(answer(head.split()[1]) + surplus)


@pytest.mark.parametrize("surplus", [b"\r\n", b"\n", b" "])
def test_white_space_after_an_answer_is_overlooked(surplus: bytes) -> None:
    found, server = asked(lambda connection: answers_with(connection, surplus), times=3, attempts=1)

    assert [one.body for one in found if isinstance(one, Answer)] == [b"/0", b"/1", b"/2"]
    assert server.connections == 3, "the next answer would begin with it"


@pytest.mark.parametrize("surplus", [b"garbage", answer(b"forged")])
def test_what_comes_after_an_answer_is_not_taken_for_the_next_one(surplus: bytes) -> None:
    found, _ = asked(lambda connection: answers_with(connection, surplus), times=2)

    for one in found:
        assert isinstance(one, SendError)
        assert "goes on after its end" in one.problems[0].message


def test_what_comes_after_an_answer_once_nobody_listens_is_not_taken_for_the_next_one() -> None:
    over, said = asyncio.Event(), asyncio.Event()

    async def late(connection: Connection) -> None:
        while True:
            head = await connection.request()
            await connection.say(answer(head.split()[1]))
            await over.wait()
            if not said.is_set():
                await connection.say(answer(b"forged"))
            said.set()

    async def run() -> list[bytes]:
        policy = RetryPolicy(3, 60, lambda: NOW, asyncio.sleep, lambda: 0.0)
        async with (
            raw_server(late) as server,
            Client(policy=policy, timeouts=Timeouts(), user_agent="t", use_proxies=False) as client,
        ):
            first = await client.send(RequestSpec("GET", f"{server.url}/0"))
            over.set()
            await said.wait()
            return [first.body, (await client.send(RequestSpec("GET", f"{server.url}/1"))).body]

    assert asyncio.run(run()) == [b"/0", b"/1"]
