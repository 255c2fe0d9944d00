"""What the environment names as a proxy is used, and the rules for origins hold there too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from portsync.auth.static import HeaderAuth
from portsync.errors import SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.tls import closed_context
from portsync.transport.trouble import Timeouts
from tests.transport.raw_server import Connection, answer, raw_server
from tests.transport.virtual_time import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "key-4711"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def through_proxy(
    monkeypatch: pytest.MonkeyPatch,
    say: Callable[[bytes], bytes],
    *,
    allow: tuple[str, ...] = (),
    use_proxies: bool = True,
    attempts: int = 1,
    scheme: str = "http://",
    source: str = "http://source.test",
) -> tuple[Answer | SendError, list[bytes]]:
    """What comes of a GET of the source's `/start`, and the heads of what the proxy was asked for."""

    async def talk(connection: Connection) -> None:
        while True:
            await connection.say(say(await connection.request()))

    async def run() -> tuple[Answer | SendError, list[bytes]]:
        policy = RetryPolicy(attempts, 60, lambda: NOW, asyncio.sleep, lambda: 0.0)
        async with raw_server(talk) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url.replace("http://", scheme))
            async with Client(
                policy=policy,
                timeouts=Timeouts(),
                user_agent="t",
                tls=closed_context(),
                use_proxies=use_proxies,
                auth=HeaderAuth("X-Token", KEY),
                origin=source,
                allow_origins=allow,
            ) as client:
                try:
                    found: Answer | SendError = await client.send(RequestSpec("GET", f"{source}/start"))
                except SendError as error:
                    found = error
                return found, proxy.requests

    return asyncio.run(run())


def leading(location: bytes) -> Callable[[bytes], bytes]:
    """Sends `/start` on to there, with a cookie, and answers everything else."""

    def say(head: bytes) -> bytes:
        if head.startswith(b"GET http://source.test/start "):
            return answer(b"", b"location: " + location, b"set-cookie: tracked=1", status=b"302 Found")
        return answer(b"[]")

    return say


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_gets_the_request_with_its_credentials(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, seen = through_proxy(monkeypatch, lambda _: answer(b"[]"), scheme=scheme)

    assert isinstance(found, Answer)
    assert seen[0].startswith(b"GET http://source.test/start HTTP/1.1")
    assert KEY.encode() in seen[0]


NOBODY = "http://localhost:1"


@pytest.mark.parametrize("name", ["*", "other.test, *", "localhost", "other.test, .localhost"])
def test_what_the_environment_excepts_is_asked_without_the_proxy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", name)

    found, seen = through_proxy(monkeypatch, lambda _: answer(b"[]"), source=NOBODY)

    assert isinstance(found, SendError)
    assert (found.reason, seen) == ("unreachable", [])


def test_a_client_may_go_without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    found, seen = through_proxy(monkeypatch, lambda _: answer(b"[]"), use_proxies=False, source=NOBODY)

    assert isinstance(found, SendError)
    assert seen == []


def test_a_redirect_within_the_origin_is_followed_with_credentials_and_without_cookies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, seen = through_proxy(monkeypatch, leading(b"/end"))

    assert isinstance(found, Answer)
    assert seen[1].startswith(b"GET http://source.test/end ")
    assert KEY.encode() in seen[1]
    assert b"cookie" not in seen[1].lower()


def test_a_redirect_to_an_allowed_origin_is_followed_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    found, seen = through_proxy(monkeypatch, leading(b"http://files.test/end"), allow=("http://files.test",))

    assert isinstance(found, Answer)
    assert seen[1].startswith(b"GET http://files.test/end ")
    assert KEY.encode() not in seen[1]
    assert b"cookie" not in seen[1].lower()


@pytest.mark.parametrize(
    ("location", "reason"),
    [(b"http://evil.test/", "origin"), (b"http://[::1", "status"), (b"http://u:p@source.test/", "status")],
)
def test_a_redirect_that_must_not_be_followed_is_not(
    location: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, seen = through_proxy(monkeypatch, leading(location), allow=("http://files.test",))

    assert isinstance(found, SendError)
    assert (found.reason, len(seen)) == (reason, 1)


def test_what_comes_after_an_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = through_proxy(monkeypatch, lambda _: answer(b"[]") + answer(b"forged"))

    assert isinstance(found, SendError)
    assert "goes on after its end" in found.problems[0].message
