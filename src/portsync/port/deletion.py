"""Deleting entities in bulk (Port's API reference, delete multiple entities)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from portsync.errors import PortError, PortTroubleError, PortUnreachableError, Problem, SendError
from portsync.port.client import PortClient, json_of, message_of, segment, unreachable
from portsync.port.entities import is_trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.flow import Answer

MOST_AT_ONCE = 100
"""Identifiers in one call."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What became of entities that were to be deleted. Those in no list were not there any more."""

    gone: tuple[str, ...]
    kept: tuple[str, ...] = ()
    """Others depend on them."""
    spared: tuple[str, ...] = ()
    """They were left alone, because a live event has to do with them."""

    def __add__(self, other: Deleted) -> Deleted:
        return Deleted(self.gone + other.gone, self.kept + other.kept, self.spared + other.spared)


class Deletion:
    """Deletes entities in Port."""

    def __init__(self, port: PortClient, *, with_dependents: bool) -> None:
        """`with_dependents`: whether those that relate to a deleted entity are deleted along."""
        self._port = port
        self._with_dependents = with_dependents

    async def delete(self, blueprint: str, identifiers: Sequence[str]) -> Deleted:
        """Delete at most MOST_AT_ONCE entities. Raises PortError.

        Port refuses the whole call where others depend on one of them: halving finds that one.
        """
        if not identifiers:
            return Deleted(())
        answer = await self._send(blueprint, identifiers)
        if answer.is_success:
            value = json_of(answer)
            gone = value.get("deletedEntities") if isinstance(value, dict) else None
            if not isinstance(gone, list):
                raise _refusal(blueprint, answer)
            wanted = set(identifiers)
            return Deleted(tuple(i for i in gone if isinstance(i, str) and i in wanted))
        if not _is_for_dependents(answer):
            raise _refusal(blueprint, answer)
        if len(identifiers) == 1:
            return Deleted((), tuple(identifiers))
        middle = len(identifiers) // 2
        first = await self.delete(blueprint, identifiers[:middle])
        return first + await self.delete(blueprint, identifiers[middle:])

    async def _send(self, blueprint: str, identifiers: Sequence[str]) -> Answer:
        path = f"/blueprints/{segment(blueprint)}/bulk/entities/delete"
        params = (("delete_dependents", str(self._with_dependents).lower()),)
        try:
            return await self._port.send("POST", path, params=params, body={"entities": list(identifiers)})
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error


def _is_for_dependents(answer: Answer) -> bool:
    if answer.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
        return False
    value = json_of(answer)
    return isinstance(value, dict) and value.get("error") in ("has_dependents", "required_relation")


def _refusal(blueprint: str, answer: Answer) -> PortError:
    message = f"Port answered {answer.status} to a deletion in `{blueprint}`: {message_of(answer)}"
    problem = Problem("port-trouble", message, f"blueprint `{blueprint}`", "run it again later")
    return PortTroubleError(problem) if is_trouble(answer.status) else PortError(problem)
