"""What entities point to: users whom Port does not know, and entities of the same run that have to be there first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from portsync.errors import PortError
from portsync.flow import Entity, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portsync.flow import Json
    from portsync.port.holdings import Holdings, Relation

MissingUsers = Literal["null", "fail"]

_SYSTEM = frozenset({"_user", "_team"})
"""Blueprints of Port's own: it never creates their entities for a relation (Port's API reference, entities)."""


@dataclass(frozen=True, slots=True)
class Target:
    """An entity that a relation points to."""

    blueprint: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Pointing:
    """An entity, with what it points to."""

    entity: Entity
    targets: tuple[Target, ...] = ()
    """Those that this run may give, too."""
    missing_users: int = 0
    """How many users and teams were left out, because Port does not have them."""


class Relations:
    """Looks at the relations of entities. Blueprints without any that matter cost nothing."""

    def __init__(
        self, holdings: Holdings, may_give: Callable[[str], bool], missing_users: MissingUsers, log: Any
    ) -> None:
        """`may_give` says whether the run can give entities of a blueprint, and `log` which run it is."""
        self._holdings = holdings
        self._may_give = may_give
        self._missing_users = missing_users
        self._log = log
        self._known: dict[str, dict[str, Relation]] = {}
        self._mattering: dict[str, dict[str, Relation]] = {}
        self._members: dict[str, frozenset[str] | None] = {}

    async def of(self, blueprint: str) -> Mapping[str, Relation]:
        """The relations of a blueprint, as Port has it; none where it does not say. Raises PortError where Port cannot
        be used."""
        if blueprint not in self._known:
            try:
                self._known[blueprint] = await self._holdings.relations(blueprint)
            except PortError as error:
                self._known[blueprint] = {}
                _pass_over(error, self._log)
        return self._known[blueprint]

    async def mattering(self, blueprint: str) -> Mapping[str, Relation]:
        """Those of its relations that lead to users and teams, or to what this run may give. Raises PortError."""
        if blueprint not in self._mattering:
            self._mattering[blueprint] = {
                name: relation
                for name, relation in (await self.of(blueprint)).items()
                if relation.target in _SYSTEM or self._may_give(relation.target)
            }
        return self._mattering[blueprint]

    async def looked_at(self, entity: Entity) -> Pointing | Failure:
        """The entity as it can be sent, or why it cannot. Raises PortError."""
        mattering = await self.mattering(entity.blueprint)
        if not mattering:
            return Pointing(entity)
        parts = msgspec.json.decode(entity.body, type=dict[str, msgspec.Raw])
        given = msgspec.json.decode(parts.get("relations", b"{}"), type=dict[str, msgspec.Raw])
        targets: list[Target] = []
        missing: dict[str, tuple[str, ...]] = {}
        for name, relation in mattering.items():
            value = msgspec.json.decode(given[name]) if name in given else None
            named = _named(value)
            if relation.target in _SYSTEM:
                members = await self._members_of(relation.target)
                if members is not None and (unknown := tuple(one for one in named if one not in members)):
                    missing[name] = unknown
                    left = [one for one in named if one in members]
                    given[name] = msgspec.Raw(msgspec.json.encode(left if isinstance(value, list) else None))
            else:
                targets += (Target(relation.target, one) for one in named)
        if not missing:
            return Pointing(entity, tuple(targets))
        if self._missing_users == "fail" or any(mattering[name].is_required for name in missing):
            return _failure(entity, missing, mattering)
        changed = _with_relations(entity, parts, given)
        return Pointing(changed, tuple(targets), sum(map(len, missing.values())))

    async def _members_of(self, blueprint: str) -> frozenset[str] | None:
        """The users or teams that Port has; None where it does not say."""
        if blueprint not in self._members:
            try:
                pages = [page async for page in self._holdings.identifiers(blueprint)]
                self._members[blueprint] = frozenset(identifier for page in pages for identifier in page)
            except PortError as error:
                self._members[blueprint] = None
                _pass_over(error, self._log)
        return self._members[blueprint]


def _pass_over(error: PortError, log: Any) -> None:
    """Go on without what Port does not say: it says so again where it matters. Raises `error` where that befalls every
    request."""
    if error.is_of_all:
        raise error
    problem = error.problems[0]
    log.warning("port.unknown", reason=problem.message, place=problem.place)


def without(entity: Entity, is_left_out: Callable[[Target], bool], relations: Mapping[str, Relation]) -> Entity:
    """The entity without the relations that point to such targets."""
    parts = msgspec.json.decode(entity.body, type=dict[str, msgspec.Raw])
    given = msgspec.json.decode(parts.get("relations", b"{}"), type=dict[str, msgspec.Raw])
    kept = {
        name: value
        for name, value in given.items()
        if name not in relations
        or not any(is_left_out(Target(relations[name].target, one)) for one in _named(msgspec.json.decode(value)))
    }
    return _with_relations(entity, parts, kept)


def _named(value: Json) -> list[str]:
    """The identifiers in a relation's value; a search names none."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _with_relations(entity: Entity, parts: dict[str, msgspec.Raw], relations: dict[str, msgspec.Raw]) -> Entity:
    # The other parts are carried over as they are written, so that long numbers keep their digits.
    body = msgspec.json.encode({**parts, "relations": relations})
    return replace(entity, body=body, digest=blake2b(body, digest_size=16).digest())


def _failure(entity: Entity, missing: Mapping[str, tuple[str, ...]], relations: Mapping[str, Relation]) -> Failure:
    name, unknown = next(iter(missing.items()))
    what = {"_user": "user", "_team": "team"}[relations[name].target]
    required = ", and the blueprint requires the relation" if relations[name].is_required else ""
    return Failure(
        "missing-user",
        f"the relation `{name}` points to the {what} `{unknown[0]}`, whom Port does not have{required}",
        entity.page,
        entity.record,
        entity.identifier,
        hint="invite them to Port, or leave the relation out with `missing_users: null` where it is not required",
        chain=entity.chain,
    )
