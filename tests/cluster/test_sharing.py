"""One sign-in to Port and one token of the source for all who do a run together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.auth import AuthTools, TokenStore
from portsync.cluster.gate import SharedGate
from portsync.cluster.sharing import answer_questions, of_coordinator, of_worker
from portsync.errors import PortRefusedError, PortUnreachableError, SendError
from portsync.flow import Answer, RequestSpec
from portsync.port.client import PortClient
from portsync.transport.client import Client
from portsync.transport.limiter import Budget
from portsync.transport.retry import RetryPolicy
from portsync.transport.trouble import Timeouts
from tests.auth.conftest import client_of
from tests.cluster.together import DirectLine, keeper, now, played

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from portsync.surroundings import Sharing

URL = "http://api.test"
OAUTH2 = {"type": "oauth2", "token_url": "/token", "client_id": "id", "client_secret": "s3cret-value"}
REFRESH = {**OAUTH2, "grant": "refresh_token", "refresh_token": "refresh-0"}
LOGIN = {
    "type": "login",
    "request": {"path": "/token", "body": {"user": "u"}},
    "template": {"headers": {"Authorization": "Bearer {{.access_token}}"}},
}
each_kind = pytest.mark.parametrize("config", [OAUTH2, REFRESH, LOGIN], ids=["oauth2", "refresh", "login"])
WORKERS = 3


@dataclass
class Wire:
    """A source and Port, behind all clients. Each token call gives the next token; data are given for those that are
    not refused."""

    life_s: float = 3600.0
    refused: set[str] = field(default_factory=set)
    fault: Callable[[httpx.Request], httpx.Response] | None = None
    """In place of the answer to a token call."""
    calls: list[str] = field(default_factory=list)
    """What token calls said."""
    used: list[str] = field(default_factory=list)
    """The credentials of data requests that were given something."""

    async def answer(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.05)
        if request.url.path in ("/token", "/v1/auth/access_token"):
            self.calls.append(request.content.decode())
            if self.fault is not None:
                return self.fault(request)
            token, life = f"token-{len(self.calls)}", self.life_s
            of_port = {"accessToken": token, "expiresIn": life}
            return httpx.Response(200, json={**of_port, "access_token": token, "expires_in": life, **self.more()})
        credentials = request.headers["authorization"].split()[-1]
        if credentials in self.refused:
            return httpx.Response(401, json={"ok": False})
        self.used.append(credentials)
        return httpx.Response(200, json={"ok": True})

    def more(self) -> dict[str, str]:
        return {"refresh_token": f"refresh-{len(self.calls)}"}


@dataclass
class Team:
    """A coordinator, and workers, each with clients of its own."""

    wire: Wire
    lines: list[DirectLine]
    sources: list[Client]
    """The coordinator's is the first."""
    ports: list[PortClient]
    learned: list[list[str]]

    async def get(self, who: int) -> Answer | SendError:
        try:
            return await self.sources[who].send(RequestSpec("GET", f"{URL}/things"))
        except SendError as error:
            return error

    async def together(self, times: int = 4) -> list[Answer | SendError]:
        """So many requests of each worker at once."""
        return await asyncio.gather(*(self.get(who) for who in range(1, WORKERS + 1) for _ in range(times)))


@asynccontextmanager
async def team(config: dict[str, Any], wire: Wire, store: TokenStore, attempts: int) -> AsyncIterator[Team]:
    kept = keeper()
    clock = asyncio.get_running_loop().time
    policy = RetryPolicy(attempts, 600.0, clock, asyncio.sleep, lambda: 1.0)
    made = Team(wire, [], [], [], [])
    async with AsyncExitStack() as stack:
        for number in range(WORKERS + 1):
            line = DirectLine(kept, f"w{number}", 0.001)
            shared = of_worker(line, "r") if number else of_coordinator(line)
            sharing = await stack.enter_async_context(shared)
            learned: list[str] = []
            own = TokenStore() if number else store
            tools = AuthTools(URL, clock, learned.append, own, sharing.source_token)
            transport = httpx.MockTransport(wire.answer)
            http = Client(policy=policy, timeouts=Timeouts(), user_agent="t", transport=transport)
            made.lines.append(line)
            made.sources.append(client_of(config, tools, policy, transport=transport))
            made.ports.append(PortClient(http, URL, "id", "s3cret", clock, learned.append, sharing.port_token))
            made.learned.append(learned)
        yield made


def play(
    act: Callable[[Team], Awaitable[None]],
    wire: Wire,
    config: dict[str, Any] | None = None,
    *,
    store: TokenStore | None = None,
    attempts: int = 1,
) -> None:
    """Let a team do something while its coordinator answers questions."""

    async def go() -> None:
        async with team(config or OAUTH2, wire, store or TokenStore(), attempts) as made:
            line = made.lines[0]
            await line.ask("begin", run="r", brief=b"")
            answering = asyncio.create_task(answer_questions(line, "r", made.ports[0].renewed, made.sources[0]))
            await act(made)
            await line.ask("end", run="r")
            await answering

    played(go())


# The source's tokens


@each_kind
def test_all_workers_sign_with_the_token_of_one_call(config: dict[str, Any]) -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        found = await team.together()
        assert [answer.status for answer in found if isinstance(answer, Answer)] == [200] * 12
        await team.get(0)
        assert all("token-1" in learned for learned in team.learned), "it would not be taken out of logs"

    play(act, wire, config)

    assert len(wire.calls) == 1
    assert wire.used == ["token-1"] * 13


@each_kind
def test_a_token_that_the_coordinator_has_already_is_given_to_workers(config: dict[str, Any]) -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        await team.get(0)
        await team.together()

    play(act, wire, config)

    assert len(wire.calls) == 1


@each_kind
def test_a_token_that_several_find_refused_is_renewed_once(config: dict[str, Any]) -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        await team.together()
        wire.refused.add("token-1")
        found = await asyncio.gather(team.together(), team.get(0))
        assert all(isinstance(one, Answer) and one.status == 200 for one in [*found[0], found[1]])

    play(act, wire, config)

    assert len(wire.calls) == 2
    assert wire.used == ["token-1"] * 12 + ["token-2"] * 13


def test_a_worker_that_learns_late_that_its_token_is_refused_gets_the_one_that_others_have() -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        await team.together()
        wire.refused.add("token-1")
        for who in (1, 2, 3, 0):
            await team.get(who)
            await asyncio.sleep(10)

    play(act, wire)

    assert len(wire.calls) == 2
    assert wire.used[12:] == ["token-2"] * 4


def test_a_token_is_used_by_a_worker_no_longer_than_by_who_fetched_it() -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        await team.get(0)
        await asyncio.sleep(3500)  # of 3540
        await team.get(1)
        assert len(wire.calls) == 1
        await asyncio.sleep(50)
        await team.get(1)
        await team.get(2)

    play(act, wire)

    assert wire.used == ["token-1", "token-1", "token-2", "token-2"]


def test_a_token_that_has_ended_for_all_is_renewed_once() -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        for _ in range(3):
            await team.together()
            await asyncio.sleep(3600)

    play(act, wire)

    assert len(wire.calls) == 3


def test_a_worker_that_comes_late_is_given_no_token_that_has_ended() -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        await team.get(0)
        await asyncio.sleep(3550)
        await team.get(1)

    play(act, wire)

    assert wire.used == ["token-1", "token-2"]


def test_a_refresh_token_that_the_server_replaces_is_kept_by_the_coordinator(tmp_path: Path) -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        for _ in range(3):
            await team.together()
            await asyncio.sleep(3600)

    play(act, wire, REFRESH, store=TokenStore(tmp_path))

    assert [call.partition("refresh_token=refresh")[2][:2] for call in wire.calls] == ["-0", "-1", "-2"]
    assert TokenStore(tmp_path).current(f"{URL}/token", "id", "refresh-0") == "refresh-3"


# Where there is none


def said(status: int, headers: dict[str, str] | None = None) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, headers=headers, json={"error": "no"})


def raising(kind: type[httpx.RequestError]) -> Callable[[httpx.Request], httpx.Response]:
    def fail(request: httpx.Request) -> httpx.Response:
        raise kind("gone", request=request)

    return fail


faults = [
    said(400),
    said(401),
    said(503),
    said(503, {"retry-after": "40"}),
    said(429, {"retry-after": "40"}),
    said(429, {"retry-after": "90000"}),
    raising(httpx.ConnectError),
    raising(httpx.ReadTimeout),
    raising(httpx.ReadError),
    raising(httpx.LocalProtocolError),
    lambda _: httpx.Response(200, content=b"no JSON"),
    lambda _: httpx.Response(200, content=b"x" * 300_000_000),
]


@pytest.mark.parametrize("fault", faults, ids=range(len(faults)))
@pytest.mark.parametrize("attempts", [1, 3])
def test_what_keeps_a_token_away_is_to_a_worker_what_it_is_to_who_calls_himself(
    fault: Callable[[httpx.Request], httpx.Response], attempts: int
) -> None:
    async def failed(who: int) -> dict[str, Any]:
        wire = Wire(fault=fault)
        async with team(OAUTH2, wire, TokenStore(), attempts) as made:
            await made.lines[0].ask("begin", run="r", brief=b"")
            answering = asyncio.create_task(
                answer_questions(made.lines[0], "r", made.ports[0].renewed, made.sources[0])
            )
            before = asyncio.get_running_loop().time()
            error = await made.get(who)
            assert isinstance(error, SendError)
            took_s = round(asyncio.get_running_loop().time() - before)
            await made.lines[0].ask("end", run="r")
            await answering
        spent = ("requests", "waited_s", "rate_limited")  # counted by who calls, for nobody's request in particular
        parts = {name: value for name, value in vars(error).items() if name not in spent}
        return {**parts, "took_s": took_s, "calls": len(wire.calls)}

    assert played(failed(1)) == played(failed(0))


def test_a_call_that_failed_is_made_again_when_the_next_one_asks() -> None:
    wire = Wire(fault=said(503))

    async def act(team: Team) -> None:
        assert isinstance(await team.get(1), SendError)
        wire.fault = None
        assert isinstance(await team.get(1), Answer)

    play(act, wire)


def test_nobody_waits_for_a_token_of_a_run_that_is_over() -> None:
    async def act(team: Team) -> None:
        await team.lines[0].ask("stop", run="r")
        error = await team.get(1)
        assert isinstance(error, SendError)
        assert (error.problems[0].code, error.may_pass) == ("interrupted", False)
        with pytest.raises(PortUnreachableError) as caught:
            await team.ports[1].token()
        assert caught.value.problems[0].code == "interrupted"

    play(act, Wire())


def test_nobody_waits_for_a_token_over_a_line_that_is_lost() -> None:
    async def act(team: Team) -> None:
        team.lines[1].cut()
        assert isinstance(await team.get(1), SendError)
        with pytest.raises(PortUnreachableError):
            await team.ports[1].token()

    play(act, Wire())


def test_nobody_waits_for_an_answer_that_a_bug_keeps_from_coming() -> None:
    async def broken(_refused: str) -> tuple[str, float]:
        raise KeyError("bug")

    async def go() -> None:
        async with team(OAUTH2, Wire(), TokenStore(), 1) as made:
            await made.lines[0].ask("begin", run="r", brief=b"")
            answering = asyncio.create_task(answer_questions(made.lines[0], "r", broken, made.sources[0]))
            with pytest.raises(PortUnreachableError):
                await asyncio.wait_for(made.ports[1].token(), 5.0)
            with pytest.raises(KeyError):
                await answering

    played(go())


# Port's tokens


def test_one_sign_in_to_port_is_for_all() -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        await team.ports[0].sign_in()
        for _ in range(2):
            found = await asyncio.gather(*(team.ports[who].send("GET", "/x") for who in range(4) for _ in range(4)))
            assert {answer.status for answer in found} == {200}
            wire.refused.add("token-1")
        assert all("token-2" in learned for learned in team.learned)

    play(act, wire)

    assert len(wire.calls) == 2
    assert wire.used == ["token-1"] * 16 + ["token-2"] * 16


def test_a_token_of_port_is_used_by_workers_no_longer_than_by_the_coordinator() -> None:
    wire = Wire()

    async def act(team: Team) -> None:
        await team.ports[0].sign_in()
        await asyncio.sleep(3500)
        assert await team.ports[1].token() == "token-1"
        await asyncio.sleep(50)
        assert await team.ports[1].token() == "token-2"
        assert await team.ports[0].token() == "token-2"

    play(act, wire)

    assert len(wire.calls) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (said(401), PortRefusedError),
        (said(503), PortUnreachableError),
        (raising(httpx.ConnectError), PortUnreachableError),
        (lambda _: httpx.Response(200, content=b"no JSON"), PortUnreachableError),
    ],
)
def test_what_keeps_ports_token_away_is_to_a_worker_what_it_is_to_the_coordinator(
    fault: Callable[[httpx.Request], httpx.Response], kind: type[Exception]
) -> None:
    async def act(team: Team) -> None:
        found = [await asyncio.gather(team.ports[who].token(), return_exceptions=True) for who in (0, 1)]
        (own,), (told,) = found
        assert type(own) is type(told) is kind
        assert isinstance(own, PortRefusedError | PortUnreachableError)
        assert isinstance(told, PortRefusedError | PortUnreachableError)
        assert own.problems == told.problems

    play(act, Wire(fault=fault))


# Gates


def test_whoever_takes_part_has_the_gate_of_the_same_name_and_limits() -> None:
    async def go() -> None:
        kept = keeper()
        shared = of_coordinator(DirectLine(kept, "a")), of_worker(DirectLine(kept, "b"), "r")
        async with shared[0] as coordinator, shared[1] as worker:
            first = coordinator.gate_of("server", 5.0, 1, Budget(9, 2.0))
            second = worker.gate_of("server", 5.0, 1, Budget(9, 2.0))
            assert isinstance(first, SharedGate)
            await first.enter()
            waiting = asyncio.create_task(second.enter())
            await worker.gate_of("another", 5.0, 1, Budget(9, 2.0)).enter()
            assert not waiting.done()
            first.leave()
            await asyncio.wait_for(waiting, 1.0)
            second.leave()
            begun = [asyncio.create_task(_through(second)) for _ in range(10)]
            await asyncio.sleep(1)
            assert sum(task.done() for task in begun) == 7, "the budget is that of both"
            await asyncio.wait(begun)

    played(go())


@pytest.mark.parametrize("shared_by", [of_coordinator, partial(of_worker, run="r")], ids=["coordinator", "worker"])
def test_whoever_goes_has_told_all_that_there_was_to_tell(
    shared_by: Callable[[DirectLine], AbstractAsyncContextManager[Sharing]],
) -> None:
    """What is left over would end with the event loop, in the middle of a word."""

    async def go() -> None:
        kept = keeper()
        line, other = DirectLine(kept, "a", 0.1), DirectLine(kept, "b")
        async with shared_by(line) as going, of_worker(other, "r") as staying:
            await _through(going.gate_of("server", 5.0, 1, None))
            await _through(going.gate_of("idle", 5.0, 1, None))
            await asyncio.sleep(1)
            last = going.gate_of("server", 5.0, 1, None)
            await last.enter()
            waiting = asyncio.create_task(_through(staying.gate_of("server", 5.0, 1, None)))
            await asyncio.sleep(1)
            last.leave()
        assert line.asked.count("tell") == 3
        assert waiting.done()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    played(go())


def test_whoever_goes_does_not_wait_for_a_keeper_that_says_nothing() -> None:
    async def go() -> None:
        line = DirectLine(keeper(), "a")
        async with of_coordinator(line) as sharing:
            gate = sharing.gate_of("server", 5.0, 1, None)
            await gate.enter()
            line.delay_s = 1e6
            gate.leave()
            began = now()
        assert now() - began == pytest.approx(5.0)
        assert not [task for task in asyncio.all_tasks() if "SharedGate" in repr(task)]

    played(go())


async def _through(gate: Any) -> None:
    await gate.enter()
    gate.leave()
