"""Any request whatever: the local Port answers it, in Port's envelope, and a refused one leaves no trace."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest

from portsync.emulator.app import create_app
from tests.conftest import NOW
from tests.emulator.odd_requests import INTEGRATION, PAGE, RUN, THING, A, Asking, asking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Message

# Python finds some patterns odd that are none the worse for it.
pytestmark = pytest.mark.filterwarnings("ignore:Possible (nested set|set):FutureWarning")
SECONDS = 5
"""The most processor time that one request may take."""
SEEDS = (2, 11, 31, 42, 48)
"""Each of them once led to a failure of another kind."""
_STAMPED = frozenset({"widgets", "createdAt", "createdBy", "updatedAt", "updatedBy"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
RATE = {"x-ratelimit-limit", "x-ratelimit-period", "x-ratelimit-remaining", "x-ratelimit-reset"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


class LocalPort:
    """A local Port whose database can be looked at from outside."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._pristine, self._file = folder / "pristine.db", folder / "port.db"
        self._app: ASGIApp = self._on(self._pristine)
        self._token = b""
        self._take_token()
        for path, body in (
            ("/v1/blueprints", THING),
            ("/v1/blueprints/thing/entities/bulk", {"entities": [{"identifier": "b"}, A]}),
            ("/v1/pages", PAGE),
            ("/v1/integration", INTEGRATION),
            ("/_runs", RUN),
        ):
            answer = self.ask(Asking("POST", path, body=json.dumps(body).encode()))
            assert answer.status in (200, 201), answer.body
        self.refresh()

    def refresh(self) -> None:
        """Begin anew."""
        shutil.copy(self._pristine, self._file)
        self._app = self._on(self._file)
        self._take_token()

    def ask(self, asked: Asking) -> Answer:
        """The answer; AssertionError where it takes too long. What the application raises comes out here."""
        with _no_longer_than(SECONDS, asked):
            return self._runner.run(self._exchange(asked))

    def dump(self) -> str:
        """All that is stored."""
        with closing(sqlite3.connect(self._file)) as connection:
            return "\n".join(connection.iterdump())

    def close(self) -> None:
        self._runner.close()

    def _on(self, file: Path) -> ASGIApp:
        return create_app(
            database=f"sqlite:///{file}", client_id="id", client_secret="secret", users=["ann@example.com"],
            clock=lambda: NOW,
        )  # fmt: skip

    def _take_token(self) -> None:
        keys = b'{"clientId": "id", "clientSecret": "secret"}'
        token = self.ask(Asking("POST", "/v1/auth/access_token", body=keys)).value["accessToken"]
        self._token = f"Bearer {token}".encode()

    async def _exchange(self, asked: Asking) -> Answer:
        head = {b"host": b"localhost", b"authorization": self._token, **dict(asked.headers)}
        raw = asked.path.encode("latin-1", "replace")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": asked.method,
            "scheme": "http",
            "path": _decoded(raw),
            "raw_path": raw,
            "root_path": "",
            "query_string": asked.query.encode("latin-1", "replace"),
            "headers": list(head.items()),
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
        }
        waiting = [asked.body]
        start: dict[str, Any] = {}
        body = bytearray()

        async def receive() -> Message:
            if waiting:
                return {"type": "http.request", "body": waiting.pop(), "more_body": False}
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            start.update(message if message["type"] == "http.response.start" else {})
            body.extend(message.get("body", b""))

        await self._app(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], headers, bytes(body))


def _decoded(raw: bytes) -> str:
    """The path as a server hands it on."""
    return unquote(raw.decode("latin-1"))


@contextmanager
def _no_longer_than(seconds: float, asked: Asking) -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError(f"no answer within {seconds} s: {asked}")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[LocalPort]:
    made = LocalPort(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_request_has_an_answer_and_a_refused_one_no_effect(port: LocalPort, seed: int) -> None:
    random = Random(seed)
    for _ in range(4):
        port.refresh()
        for _ in range(25):
            assert_served(port, asking(random))


def assert_served(port: LocalPort, asked: Asking) -> None:
    """Everything that holds of every request."""
    before = port.dump()
    answer = port.ask(asked)
    assert_well_formed(asked, answer)
    if asked.method in READING or answer.status >= 400:
        assert port.dump() == before, asked
    elif answer.status < 300 and asked.body and asked.method != "DELETE":
        assert_kept(port, asked, answer)
    port.ask(Asking("DELETE", "/_faults"))


def assert_well_formed(asked: Asking, answer: Answer) -> None:
    """No failure of the local Port's own, and Port's envelope."""
    assert answer.status < 500, answer.body
    if asked.path.startswith("/v1/"):
        assert answer.headers["x-trace-id"]
        assert answer.headers.keys() >= RATE
    if asked.method == "HEAD" or "text/plain" in answer.headers.get("content-type", ""):
        assert answer.status != 200 or asked.method == "HEAD"
        return
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    if answer.status >= 400:
        assert answer.value["ok"] is False
        assert answer.value["error"]
        assert answer.value["message"]
    else:
        assert isinstance(answer.value["ok"], bool)


def assert_kept(port: LocalPort, asked: Asking, answer: Answer) -> None:
    """What a write was answered with is what a read gives."""
    said, sent = answer.value, asked.value
    blueprint = asked.path.split("/")[3] if asked.path.count("/") > 2 else ""
    if "blueprint" in said:
        assert _read(port, "/v1/blueprints", said["blueprint"]["identifier"])["blueprint"] == said["blueprint"]
        assert said["blueprint"]["title"] == sent.get("title", said["blueprint"]["title"])
    elif asked.path.startswith("/v1/pages"):
        page = _read(port, "/v1/pages", said["identifier"])["page"]
        _assert_holds(page, {name: value for name, value in sent.items() if name not in _STAMPED})
    elif "integration" in said:
        assert _read(port, "/v1/integration", said["integration"]["installationId"]) == said
    elif "numbers" in said:
        reports = sent.get("runs", [sent])
        assert _read(port, "/_runs")["runs"][-len(reports) :] == reports
    elif "faults" in said:
        _assert_faults(port, sent, said["faults"])
    elif "validation_only=true" not in asked.query:
        _assert_entities(port, f"/v1/blueprints/{blueprint}/entities", sent, said)


def _assert_entities(port: LocalPort, path: str, sent: dict[str, Any], said: dict[str, Any]) -> None:
    if "entity" in said:
        assert _read(port, path, said["entity"]["identifier"]) == {"ok": True, "entity": said["entity"]}
        _assert_holds(said["entity"]["properties"], sent.get("properties", {}))
    elif "entities" in said and "errors" in said:
        # Of several items for one entity the last one counts, as far as it goes.
        last = {each["identifier"]: sent["entities"][each["index"]] for each in said["entities"]}
        for identifier, item in last.items():
            held = _read(port, path, identifier)["entity"]["properties"]
            _assert_holds(held, item.get("properties", {}))


def _assert_faults(port: LocalPort, sent: list[dict[str, Any]], held: list[dict[str, Any]]) -> None:
    assert len(held) == len(sent)
    for rule, each in zip(sent, held, strict=True):
        _assert_holds(each, rule)
    if not any("hang" in rule for rule in sent):
        # A strike is whatever it was scripted to be, but never an error of the local Port itself.
        port.ask(Asking("POST", "/v1/blueprints/thing/entities/bulk", body=b'{"entities": [{"identifier": "a"}]}'))


def _read(port: LocalPort, path: str, *identifier: str) -> Any:
    return port.ask(Asking("GET", "/".join([path, *(quote(each, safe="") for each in identifier)]))).value


def _assert_holds(held: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    for name, value in sent.items():
        assert value is None or held[name] == value
