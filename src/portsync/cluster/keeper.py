"""What all who take part in the cluster's runs share, kept in one place: who may ask which server, and what a run has
to tell. It lives beside the cluster's scheduler, which everybody can reach, and knows nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.cluster.gates import Gates
from portsync.cluster.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portsync.flow import Json


class Keeper:
    """Answers the questions that come over a `Line`."""

    def __init__(
        self, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]], random: Callable[[], float]
    ) -> None:
        """`clock` is in epoch seconds."""
        self._gates = gates = Gates(clock, sleep, random)
        self._runs = runs = Runs()
        asked = (gates.enter, gates.tell, gates.opened, runs.begin, runs.stop, runs.end, runs.brief, runs.over)
        self._answers: dict[str, Callable[[str, Json], Awaitable[Json]]] = {
            answer.__name__: answer for answer in (*asked, runs.question, runs.questions, runs.reply)
        }

    async def answer(self, who: str, what: str, said: Json) -> Json:
        """The answer to a question of `who`, named after a method of `Gates` or `Runs`."""
        return await self._answers[what](who, said)

    def met(self, who: str) -> None:
        """Somebody takes part from now on, be it a worker or a coordinator."""
        self._gates.met(who)

    def lost(self, who: str) -> None:
        """Somebody is gone, be it a worker or a coordinator."""
        self._gates.lost(who)
        self._runs.lost(who)
