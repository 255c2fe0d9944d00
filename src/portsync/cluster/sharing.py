"""What those who do a run together have in common, over their line to the keeper."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from portsync.auth.fetched import FetchedAuth, TokenAnswer
from portsync.cluster.gate import SharedGate
from portsync.cluster.limits import Limits
from portsync.cluster.line import LineLostError
from portsync.errors import AuthError, PortError, PortRefusedError, PortUnreachableError, Problem
from portsync.surroundings import Sharing
from portsync.transport.connections import TooLargeError
from portsync.transport.limiter import ClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from portsync.cluster.line import Line
    from portsync.flow import Json
    from portsync.transport.client import Client
    from portsync.transport.limiter import Budget

    GateOf = Callable[[str, float, int | None, Budget | None], SharedGate]
    RenewsToken = Callable[[str], Awaitable[tuple[str, float]]]

_OVER = Problem("interrupted", "the run is over", hint="run it again")


@asynccontextmanager
async def of_coordinator(line: Line) -> AsyncIterator[Sharing]:
    """For whoever coordinates runs, and signs in for all, until they are over."""
    async with _gates(line) as gate_of:
        yield Sharing(gate_of)


@asynccontextmanager
async def of_worker(line: Line, run: str) -> AsyncIterator[Sharing]:
    """For whoever works for a run, and asks its coordinator for tokens, until it is over."""
    async with _gates(line) as gate_of:
        yield Sharing(gate_of, partial(_port_token, line, run), partial(_source_token, line, run))


async def answer_questions(line: Line, run: str, port: RenewsToken, source: Client) -> None:
    """Answer what the workers of a run ask, one question after the other, until the run is over. Raises
    LineLostError."""
    answers: dict[str, Callable[[Json], Awaitable[Json]]] = {
        "port-token": partial(_give_port_token, port),
        "source-token": partial(_give_source_token, source),
    }
    try:
        while (question := await line.ask("questions", run=run)) is not None:
            reply = await answers[question["about"]](question["details"])
            await line.ask("reply", run=run, number=question["number"], reply=reply)
    finally:
        with suppress(LineLostError):
            await line.ask("stop", run=run)  # nobody shall wait for an answer that a bug keeps from coming


@asynccontextmanager
async def _gates(line: Line) -> AsyncIterator[GateOf]:
    """Makes gates, which have told all that they have to tell when the block has ended."""
    made: list[SharedGate] = []

    def gate_of(name: str, max_wait: float, concurrency: int | None, budget: Budget | None) -> SharedGate:
        requests, per = (None, 0.0) if budget is None else (budget.requests, budget.per)
        made.append(SharedGate(Limits(name, max_wait, concurrency, requests, per), line))
        return made[-1]

    try:
        yield gate_of
    finally:
        await asyncio.gather(*(gate.settle() for gate in made))


async def _port_token(line: Line, run: str, refused: str) -> tuple[str, float]:
    reply = await _asked(line, run, "port-token", refused)
    if reply is None:
        raise PortUnreachableError(_OVER)
    if "fault" in reply:
        kind = PortRefusedError if reply["is_refusal"] else PortUnreachableError
        raise kind(Problem(**reply["fault"]))
    return reply["token"], reply["life_s"]


async def _give_port_token(renewed: RenewsToken, refused: Json) -> Json:
    try:
        token, life_s = await renewed(refused)
    except PortError as error:
        return {"fault": _said(error.problems[0]), "is_refusal": isinstance(error, PortRefusedError)}
    return {"token": token, "life_s": life_s}


async def _source_token(line: Line, run: str, number: int) -> TokenAnswer:
    reply = await _asked(line, run, "source-token", number)
    if reply is None:
        raise AuthError(_OVER)
    if "closed_s" in reply:
        raise ClosedError(reply["closed_s"], reply["waited_s"])
    if "too_large" in reply:
        raise TooLargeError
    if "fault" in reply:
        raise AuthError(Problem(**reply.pop("fault")), **reply)
    return TokenAnswer(**reply)


async def _give_source_token(source: Client, number: Json) -> Json:
    assert isinstance(source.auth, FetchedAuth), "nobody else asks for tokens"
    try:
        answer = await source.auth.renewed(number, source.answer_once)
    except AuthError as error:
        more = {"reason": error.reason, "may_pass": error.may_pass, "status": error.status}
        return {"fault": _said(error.problems[0]), **more, "headers": dict(error.headers)}
    except ClosedError as error:
        return {"closed_s": error.wait_s, "waited_s": error.waited_s}
    except TooLargeError:
        return {"too_large": True}
    return {name: getattr(answer, name) for name in ("number", "status", "headers", "content", "age_s")}


async def _asked(line: Line, run: str, about: str, details: Json) -> Json:
    """The coordinator's reply; None where nobody replies any more."""
    try:
        reply = await line.ask("question", run=run, about=about, details=details)
    except LineLostError:
        return None
    return None if "over" in reply else reply


def _said(problem: Problem) -> Json:
    return {name: getattr(problem, name) for name in ("code", "message", "place", "hint", "status")}
