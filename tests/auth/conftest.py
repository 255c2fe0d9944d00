"""An API with a token endpoint, scripted by a test, on loopback; and the source's client in front of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from pydantic import ConfigDict, TypeAdapter
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from portsync.auth import AnyAuth, AuthTools, TokenStore
from portsync.errors import SendError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.tls import closed_context
from portsync.transport.trouble import Timeouts
from tests.conftest import NOW, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import httpx
    from starlette.requests import Request

    from portsync.auth.base import Auth


@dataclass(frozen=True)
class Asked:
    """One request that the API got."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    content: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: ",".join(values) for name, values in parse_qs(self.content.decode()).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def credentials(self) -> str:
        return self.headers.get("authorization", "")


@dataclass
class Api:
    """`token` answers the token endpoint (`/token`), `data` everything else; each with a JSON value or a Response."""

    url: str
    token: Callable[[Asked], Any] = lambda _: {"access_token": "t1", "expires_in": 3600}
    data: Callable[[Asked], Any] = lambda _: []
    asked: list[Asked] = field(default_factory=list)

    async def handle(self, request: Request) -> Response:
        query = parse_qs(request.url.query, keep_blank_values=True)
        asked = Asked(request.method, request.url.path, query, dict(request.headers), await request.body())
        self.asked.append(asked)
        answer = (self.token if asked.path.endswith("/token") else self.data)(asked)
        return answer if isinstance(answer, Response) else Response(json.dumps(answer), media_type="application/json")

    @property
    def token_calls(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.endswith("/token")]

    @property
    def data_requests(self) -> list[Asked]:
        return [asked for asked in self.asked if not asked.path.endswith("/token")]


@pytest.fixture
def api(source_stage: tuple[Stage, str]) -> Api:
    stage, url = source_stage
    scripted = Api(url)
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    stage.app = Starlette(routes=[Route("/{path:path}", scripted.handle, methods=methods)])
    return scripted


@dataclass
class Clock:
    """Epoch seconds that pass when a test says so."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Session:
    """The client of a source with the given authentication, and what happened outside of its answers."""

    send: Callable[..., Awaitable[Answer | SendError]]
    clock: Clock
    learned: list[str]
    slept: list[float]

    async def together(self, requests: Sequence[RequestSpec]) -> list[Answer | SendError]:
        return list(await asyncio.gather(*map(self.send, requests)))


Config = dict[str, Any]


def auth_of(config: Config) -> Auth:
    """The model of a configuration."""
    model: Auth = TypeAdapter(AnyAuth, config=ConfigDict(hide_input_in_errors=True)).validate_python(config)
    return model


def client_of(
    config: Config,
    tools: AuthTools,
    policy: RetryPolicy | None = None,
    timeouts: Timeouts | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Client:
    """A client with an authentication; one attempt, and no TLS unless `transport` says otherwise."""
    return Client(
        policy=policy or RetryPolicy(1, 60.0, tools.clock, asyncio.sleep, lambda: 1.0),
        timeouts=timeouts or Timeouts(),
        user_agent="portsync/test",
        auth=auth_of(config).build(tools),
        has_one_quota=auth_of(config).has_one_quota,
        tls=closed_context(),
        transport=transport,
    )


@pytest.fixture
def play(api: Api) -> Callable[..., Any]:
    """Let `act(session)` speak to the API with an authentication, and give what it gives."""

    def run(
        config: Config,
        act: Callable[[Session], Awaitable[Any]],
        *,
        attempts: int = 1,
        store: TokenStore | None = None,
        clock: Clock | None = None,
    ) -> Any:
        async def go() -> Any:
            learned: list[str] = []
            slept: list[float] = []

            async def sleep(seconds: float) -> None:
                slept.append(seconds)

            time = clock or Clock()
            tools = AuthTools(api.url, time, learned.append, store or TokenStore())
            policy = RetryPolicy(attempts, 60.0, time, sleep, lambda: 1.0)
            async with client_of(config, tools, policy) as client:

                async def send(request: RequestSpec) -> Answer | SendError:
                    try:
                        return await client.send(request)
                    except SendError as error:
                        return error

                return await act(Session(send, time, learned, slept))

        return asyncio.run(go())

    return run


@pytest.fixture
def send(play: Callable[..., Any], api: Api) -> Callable[..., Any]:
    """The outcome of one request, `GET /things` unless said otherwise."""

    def run(config: Config, request: RequestSpec | None = None, **more: Any) -> Any:
        return play(config, lambda session: session.send(request or RequestSpec("GET", f"{api.url}/things")), **more)

    return run
