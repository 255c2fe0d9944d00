"""The runs that go on in the cluster: what their workers have to know, whether they are over, and what workers ask
those who coordinate them."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portsync.flow import Json

OVER: Json = {"over": True}
"""The answer to a question that a run left unanswered."""


@dataclass
class _Run:
    """What is known of one run while it goes on."""

    owner: str
    """Who coordinates it."""
    brief: bytes
    """What its workers have to know. It holds secrets, and is never shown."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    questions: asyncio.Queue[Json] = field(default_factory=asyncio.Queue)
    """For the coordinator."""
    waiting: dict[int, asyncio.Future[Json]] = field(default_factory=dict)

    def finish(self) -> None:
        """Tell all who wait for anything of this run."""
        self.over.set()
        self.questions.put_nowait(None)
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_result(OVER)


class Runs:
    """Each question takes who asks, and what he says."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self._numbers = itertools.count()

    async def begin(self, who: str, said: Json) -> Json:
        """A run begins, which `who` coordinates."""
        self._runs[said["run"]] = _Run(who, said["brief"])

    async def stop(self, _who: str, said: Json) -> Json:
        """Nothing new is to be begun in a run."""
        if (run := self._runs.get(said["run"])) is not None:
            run.finish()

    async def end(self, _who: str, said: Json) -> Json:
        """Forget a run, and all that it had to tell."""
        if (run := self._runs.pop(said["run"], None)) is not None:
            run.finish()

    def lost(self, who: str) -> None:
        """Somebody is gone: his runs are over."""
        for name in [name for name, run in self._runs.items() if run.owner == who]:
            self._runs.pop(name).finish()

    async def brief(self, _who: str, said: Json) -> Json:
        """What workers of a run have to know; None where it is over."""
        run = self._runs.get(said["run"])
        return None if run is None or run.over.is_set() else run.brief

    async def over(self, _who: str, said: Json) -> Json:
        """Return when the run is over."""
        if (run := self._runs.get(said["run"])) is not None:
            await run.over.wait()

    async def question(self, _who: str, said: Json) -> Json:
        """What the coordinator of a run answers to somebody who takes part in it."""
        run = self._runs.get(said["run"])
        if run is None or run.over.is_set():
            return OVER
        number = next(self._numbers)
        run.waiting[number] = waiting = asyncio.get_running_loop().create_future()
        run.questions.put_nowait({"number": number, "about": said["about"], "details": said["details"]})
        try:
            return await waiting
        finally:
            del run.waiting[number]

    async def questions(self, _who: str, said: Json) -> Json:
        """The next question to the coordinator of a run; None where there will be none."""
        run = self._runs.get(said["run"])
        if run is None or (run.over.is_set() and run.questions.empty()):
            return None
        return await run.questions.get()

    async def reply(self, _who: str, said: Json) -> Json:
        """The coordinator's answer to a question."""
        run = self._runs.get(said["run"])
        waiting = None if run is None else run.waiting.get(said["number"])
        if waiting is not None and not waiting.done():
            waiting.set_result(said["reply"])
