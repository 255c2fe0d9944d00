"""A batch on its way to Port: in pieces that fit, and again where that may help."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from portsync.batch import bulk_body
from portsync.errors import Problem, SendError
from portsync.flow import Batch, BatchResult
from portsync.port.client import message_of, segment, unreachable
from portsync.port.entities import Said, is_trouble, rejected, said_by
from portsync.port.sizes import Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.flow import Answer, Outcome
    from portsync.port.client import PortClient
    from portsync.port.entities import UpsertSwitches

_ROUNDS = 4
"""How often an entity is sent that Port refuses for reasons that may pass."""


class TroubleError(Exception):
    """This means that Port took nothing of a batch, although all attempts were used up."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Course:
    """What has come of a batch so far."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.went_well = True
        self._said: dict[int, Said] = {}

    def note(self, indexes: Sequence[int], said: Sequence[Said]) -> None:
        self._said |= zip(indexes, said, strict=True)

    def waiting(self) -> list[int]:
        """The entities of which nothing was said yet, or nothing that has to be the last word."""
        return [i for i in range(len(self.batch.entities)) if i not in self._said or self._said[i].may_pass]

    def nothing_came(self) -> bool:
        """Whether Port has not spoken of any entity."""
        return not any(said.is_of_port for said in self._said.values())

    def result(self, trouble: Problem | None = None) -> BatchResult:
        """One outcome for each entity; `trouble` is that of those of which nothing was said."""
        outcomes: list[Outcome] = []
        for index, entity in enumerate(self.batch.entities):
            if index in self._said:
                outcomes.append(self._said[index].outcome)
            else:
                assert trouble is not None
                alone = Batch(self.batch.blueprint, (entity,))
                outcomes += rejected(alone, trouble.code, trouble.message, trouble.hint).outcomes
        return BatchResult(tuple(outcomes), went_well=self.went_well)


class BulkUpsert:
    """Sends the batches of a run."""

    def __init__(self, port: PortClient, switches: UpsertSwitches) -> None:
        self._port = port
        self._switches = switches
        self._sizes = Sizes()

    async def send(self, batch: Batch) -> BatchResult:
        """Write a batch. Raises TroubleError and PortRefusedError; all else is in the outcomes.

        A request without an answer may have been carried out all the same. It is sent again, because an upsert that
        is repeated changes nothing; but what it created, Port then calls updated.
        """
        course = _Course(batch)
        for attempt in range(_ROUNDS):
            if attempt:
                course.went_well = False
                await self._port.pause(attempt)
            try:
                await self._round(course)
            except TroubleError as trouble:
                course.went_well = False
                if course.nothing_came():
                    raise
                return course.result(trouble.problem)
            if not course.waiting():
                break
        result = course.result()
        if course.nothing_came():
            last = result.outcomes[-1]
            raise TroubleError(Problem(last.code or "port-unusable", last.message or "", hint=last.hint))
        return result

    async def _round(self, course: _Course) -> None:
        """Send what is waiting, once. Raises TroubleError and PortRefusedError."""
        path = f"/blueprints/{segment(course.batch.blueprint)}/entities/bulk"
        waiting = course.waiting()
        while waiting:
            entities = tuple(course.batch.entities[index] for index in waiting)
            piece = Batch(course.batch.blueprint, entities[: self._sizes.fitting(entities)])
            body, count = bulk_body(piece.entities), len(piece.entities)
            answer = await self._answer(path, body)
            course.went_well &= answer.requests == 1
            if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                self._sizes.refused(len(body))
                if count > 1:
                    continue
            else:
                self._sizes.took(len(body))
            course.note(waiting[:count], said_by(answer, piece))
            waiting = waiting[count:]

    async def _answer(self, path: str, body: bytes) -> Answer:
        """What Port says to a request. Raises TroubleError where it says nothing, or nothing but that it cannot."""
        try:
            answer = await self._port.send("POST", path, params=self._switches.params(), content=body)
        except SendError as error:
            raise TroubleError(unreachable(error)) from error
        if is_trouble(answer.status):
            message = f"Port answered {answer.status} after {answer.requests} tries: {message_of(answer)}"
            raise TroubleError(Problem("port-trouble", message, hint="run the sync again later"))
        return answer
