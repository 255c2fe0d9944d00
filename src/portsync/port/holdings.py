"""What Port holds: its entities as it has them, those that are ours, and the definitions of blueprints."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.errors import PortError, PortTroubleError, PortUnreachableError, Problem, SendError
from portsync.port.blueprints import fetch_blueprint, fetch_blueprints
from portsync.port.client import PortClient, json_of, message_of, segment, unreachable
from portsync.port.entities import is_trouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from portsync.flow import Answer, Json
    from portsync.port.owner import Owner

_PAGE = 1000
"""Entities in one answer, the most that Port gives (Port's API reference, search a blueprint's entities)."""
_AT_ONCE = 200
"""Identifiers in one question; how many Port takes is written nowhere."""
_NOT_AS_DOCUMENTED = "this Port does not answer as its documentation says; nothing is deleted by such an answer"
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})


@dataclass(frozen=True, slots=True)
class Relation:
    """What a blueprint says of one of its relations."""

    target: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search."""

    entities: tuple[dict[str, Json], ...]
    next: str | None


class Holdings:
    """Reads what is in Port. Gives nothing where Port does not know the blueprint.

    Every method raises PortUnreachableError and PortRefusedError where Port cannot be used, and PortError, the class
    above them, where it does not answer this one question.
    """

    def __init__(self, port: PortClient, owner: Owner) -> None:
        self._port = port
        self._owner = owner
        self._checked: set[str] = set()

    async def has_blueprint(self, blueprint: str) -> bool:
        """Whether Port has the blueprint."""
        return await self._definition(blueprint) is not None

    async def relations(self, blueprint: str) -> dict[str, Relation]:
        """The blueprint's relations."""
        return _relations(await self._definition(blueprint))

    async def _definition(self, blueprint: str) -> dict[str, Any] | None:
        try:
            return await fetch_blueprint(self._port, blueprint)
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error

    async def dependents(self, blueprint: str) -> dict[str, list[str]]:
        """The blueprints that relate to this one, and by which relations."""
        try:
            definitions = await fetch_blueprints(self._port)
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error
        found = {
            str(definition.get("identifier")): [
                name for name, relation in _relations(definition).items() if relation.target == blueprint
            ]
            for definition in definitions
        }
        return {name: relations for name, relations in found.items() if relations}

    async def find(self, blueprint: str, identifiers: Sequence[str]) -> dict[str, dict[str, Json]]:
        """Those of the entities that Port has, by identifier, as it has them."""
        return {str(entity.get("identifier")): entity async for entity in self._among(blueprint, identifiers, ())}

    async def is_empty(self, blueprint: str) -> bool:
        """Whether Port has no entity of the blueprint, whoever wrote it."""
        return not (await self._search(blueprint, {"include": ["$identifier"], "limit": 1})).entities

    async def find_by_search(self, blueprint: str, query: Json) -> list[dict[str, Json]]:
        """The first entities that a search of the mapping's matches, two at most: more than one is one too many."""
        page = await self._search(blueprint, {"query": query, "limit": 2})
        return list(page.entities[:2])

    async def owned(self, blueprint: str, identifiers: Sequence[str]) -> list[str]:
        """Those of the entities that Port has and that this integration wrote."""
        await self._check_that_port_asks_who(blueprint)
        found: set[str] = set()
        async for entity in self._among(blueprint, identifiers, self._ours(), include=["$identifier"]):
            found.add(str(entity.get("identifier")))
        return [identifier for identifier in identifiers if identifier in found]

    async def ours(self, blueprint: str) -> AsyncIterator[list[str]]:
        """All of the blueprint's entities that this integration wrote, page by page."""
        await self._check_that_port_asks_who(blueprint)
        query = _all_of(self._ours())
        async for page in self._pages(blueprint, {"query": query, "include": ["$identifier"]}):
            yield [str(entity.get("identifier")) for entity in page.entities]

    async def identifiers(self, blueprint: str) -> AsyncIterator[list[str]]:
        """All of the blueprint's entities, whoever wrote them, page by page."""
        async for page in self._pages(blueprint, {"include": ["$identifier"]}):
            yield [str(entity.get("identifier")) for entity in page.entities]

    async def pointing(self, blueprint: str, relation: str, targets: Sequence[str]) -> AsyncIterator[Json]:
        """The entities of `blueprint` whose relation holds one of the targets."""
        rule = {"relation": relation, "operator": "in", "value": list(targets)}
        body = {"query": _all_of([rule]), "include": ["$identifier", relation]}
        async for page in self._pages(blueprint, body):
            for entity in page.entities:
                yield entity

    async def _check_that_port_asks_who(self, blueprint: str) -> None:
        """Raise PortError where a search for what nobody wrote finds something: then no answer says what is ours, and
        deleting by it would delete what belongs to others."""
        if blueprint not in self._checked:
            nobody = {"property": "$datasource", "operator": "beginsWith", "value": f"nobody{self._owner.suffix}"}
            page = await self._search(blueprint, {"query": _all_of([nobody]), "include": ["$identifier"], "limit": 1})
            if page.entities:
                message = f"Port found entities of `{blueprint}` by a search that nothing can match"
                raise PortError(Problem("port-trouble", message, f"blueprint `{blueprint}`", _NOT_AS_DOCUMENTED))
            self._checked.add(blueprint)

    async def _among(
        self, blueprint: str, identifiers: Sequence[str], rules: Sequence[Json], include: Sequence[str] = ()
    ) -> AsyncIterator[dict[str, Json]]:
        size = _AT_ONCE
        start = 0
        while start < len(identifiers):
            asked = identifiers[start : start + size]
            rule = {"property": "$identifier", "operator": "in", "value": list(asked)}
            body = {"query": _all_of([rule, *rules]), **({"include": list(include)} if include else {})}
            try:
                pages = [page async for page in self._pages(blueprint, body)]
            except _TooMuchError:
                if len(asked) == 1:
                    raise
                size = len(asked) // 2
                continue
            for page in pages:
                for entity in page.entities:
                    yield entity
            start += len(asked)

    async def _pages(self, blueprint: str, body: dict[str, Json]) -> AsyncIterator[Found]:
        mark: str | None = None
        begun: set[str] = set()
        while True:
            page = await self._search(blueprint, {**body, "limit": _PAGE, **({} if mark is None else {"from": mark})})
            yield page
            if page.next is None:
                return
            # Every page begins with another entity, so this comes to an end whatever `next` says.
            first = str(page.entities[0].get("identifier")) if page.entities else ""
            if first in begun:
                message = f"the pages of a search of `{blueprint}` in Port repeat themselves"
                raise PortError(Problem("port-trouble", message, f"blueprint `{blueprint}`", _NOT_AS_DOCUMENTED))
            begun.add(first)
            mark = page.next

    async def _search(self, blueprint: str, body: dict[str, Json]) -> Found:
        path = f"/blueprints/{segment(blueprint)}/entities/search"
        try:
            answer = await self._port.send("POST", path, params=(("exclude_calculated_properties", "true"),), body=body)
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error
        value = json_of(answer)
        if answer.status == HTTPStatus.NOT_FOUND and isinstance(value, dict) and value.get("error") == "not_found":
            return Found((), None)
        entities = value.get("entities") if isinstance(value, dict) else None
        if not answer.is_success or not isinstance(entities, list):
            raise _refusal(blueprint, answer)
        mark = value.get("next")
        of_it = (e for e in entities if isinstance(e, dict) and e.get("blueprint", blueprint) == blueprint)
        return Found(tuple(of_it), mark if isinstance(mark, str) else None)

    def _ours(self) -> list[Json]:
        return [
            {"property": "$datasource", "operator": "beginsWith", "value": self._owner.prefix},
            {"property": "$datasource", "operator": "endsWith", "value": self._owner.suffix},
        ]


class _TooMuchError(PortError):
    """This means that Port did not take a question as it was; a smaller one may do."""


def _refusal(blueprint: str, answer: Answer) -> PortError:
    message = f"Port answered {answer.status} to a search of `{blueprint}`: {message_of(answer)}"
    problem = Problem("port-trouble", message, f"blueprint `{blueprint}`", "run it again later")
    if is_trouble(answer.status):
        return PortTroubleError(problem)
    return _TooMuchError(problem) if answer.status in _REFUSED else PortError(problem)


def _all_of(rules: Sequence[Json]) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules)}


def _relations(definition: dict[str, Any] | None) -> dict[str, Relation]:
    given = (definition or {}).get("relations")
    if not isinstance(given, dict):
        return {}
    return {
        name: Relation(str(value.get("target")), bool(value.get("required")))
        for name, value in given.items()
        if isinstance(value, dict)
    }
