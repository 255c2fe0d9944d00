"""The local Port in process: a plain httpx client whose transport is the application."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.emulator.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

NOON = 1_735_732_800.0  # 2025-01-01T12:00:00Z


class InProcess(httpx.BaseTransport):
    """Calls an ASGI application without a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app)
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._exchange(request))

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@pytest.fixture
def clock() -> SimpleNamespace:
    """The time of the local Port: set `now` to move it."""
    return SimpleNamespace(now=NOON)


@pytest.fixture
def local_port(clock: SimpleNamespace) -> Iterator[Callable[..., httpx.Client]]:
    """Make a local Port with these options of `create_app`; gives a client that holds a token."""
    clients: list[httpx.Client] = []

    def make(**options: Any) -> httpx.Client:
        users = options.pop("users", ("ann@example.com",))
        app = create_app(client_id="id", client_secret="secret", users=users, clock=lambda: clock.now, **options)
        client = httpx.Client(
            transport=InProcess(app),
            base_url="http://port.test/v1",
            trust_env=False,
            headers={"user-agent": "portsync/claude/1.0/main/exporter"},
        )
        clients.append(client)
        token = client.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"})
        client.headers["authorization"] = f"Bearer {token.json()['accessToken']}"
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def port(local_port: Callable[..., httpx.Client]) -> httpx.Client:
    """A local Port with one user and nothing else."""
    return local_port()


@pytest.fixture
def with_records() -> Callable[[httpx.Client], httpx.Client]:
    """Create the blueprints `workspace` and `record`, where a record relates to users and workspaces."""

    def create(client: httpx.Client) -> httpx.Client:
        workspace = {"identifier": "workspace", "title": "Workspace", "schema": {"properties": {}}}
        record = {
            "identifier": "record",
            "title": "Record",
            "schema": {
                "properties": {
                    "day": {"type": "string", "format": "date-time"},
                    "cost": {"type": "number", "minimum": 0},
                    "model": {"type": "string"},
                    "level": {"type": "string", "enum": ["low", "high"]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "extra": {"type": "object"},
                    "done": {"type": "boolean"},
                },
                "required": ["day"],
            },
            "relations": {
                "user": {"target": "_user"},
                "workspace": {"target": "workspace"},
                "seen_in": {"target": "workspace", "many": True},
                "parent": {"target": "record"},
            },
        }
        for body in (workspace, record):
            client.post("/blueprints", json=body).raise_for_status()
        return client

    return create


@pytest.fixture
def records(port: httpx.Client, with_records: Callable[[httpx.Client], httpx.Client]) -> httpx.Client:
    """The local Port with these two blueprints."""
    return with_records(port)
