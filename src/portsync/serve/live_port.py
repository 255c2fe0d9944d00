"""Changes of entities -> Port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.errors import PortTroubleError, Problem
from portsync.flow import Batch, Failure, Fate
from portsync.port.bulk import BulkUpsert, TroubleError
from portsync.port.deletion import Deletion
from portsync.port.entities import UpsertSwitches
from portsync.port.holdings import Holdings
from portsync.relations import Relations
from portsync.serve.live_changes import Change, Fault
from portsync.state.touched import Named, touch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.mapping.models import MappingFile
    from portsync.port.client import PortClient
    from portsync.port.owner import Owner
    from portsync.serve.live_changes import Portion
    from portsync.state.hook_store import HookStore
    from portsync.under_way import UnderWay

_MAY_PASS = frozenset({"port-trouble", "port-unreachable", "port-unusable"})
"""The codes of refusals that are none of Port's."""


class LivePort:
    """Writes and deletes what live events say."""

    def __init__(
        self,
        port: PortClient,
        owner: Owner,
        file: MappingFile,
        store: HookStore,
        catalog: str,
        under_way: UnderWay[Named],
        log: Any,
    ) -> None:
        """`under_way` is what a run has on its way to Port; `log` says which mapping it is."""
        self._bulk = BulkUpsert(port, UpsertSwitches(file.enable_merge_entity, file.create_missing_related_entities))
        self._deletion = Deletion(port, with_dependents=file.delete_dependent_entities)
        self._holdings = Holdings(port, owner)
        # No entity waits for another one here, so only users and teams matter.
        self._relations = Relations(self._holdings, lambda _: False, file.missing_users, log)
        self._store = store
        self._catalog = catalog
        self._under_way = under_way

    async def apply(self, portion: Portion) -> list[Fault]:
        """Bring a portion into Port; gives what Port will never take of it. To do it again changes nothing.

        Raises PortError where it could not be done as a whole (PortTroubleError where it may be later), and
        StateLostError.
        """
        named = [(portion.blueprint, change.entity.identifier) for change in portion.changes]
        # First it is written down: from now on no run begins to send these entities, or to delete them. What one sent
        # before has to arrive before.
        touch(self._store, self._catalog, named)
        await self._under_way.without(named)
        if portion.is_deletion:
            return await self._delete(portion)
        return await self._upsert(portion)

    async def _upsert(self, portion: Portion) -> list[Fault]:
        faults: list[Fault] = []
        sent: list[Change] = []
        entities = []
        for change in portion.changes:
            looked_at = await self._relations.looked_at(change.entity)
            if isinstance(looked_at, Failure):
                name = looked_at.identifier
                problem = Problem(looked_at.code, looked_at.message, looked_at.place, looked_at.hint, identifier=name)
                faults.append(Fault(change.event, change.resource, problem))
            else:
                sent.append(change)
                entities.append(looked_at.entity)
        if not sent:
            return faults
        try:
            result = await self._bulk.send(Batch(portion.blueprint, tuple(entities)))
        except TroubleError as trouble:
            raise PortTroubleError(trouble.problem) from trouble
        for change, outcome in zip(sent, result.outcomes, strict=True):
            if outcome.fate is not Fate.REJECTED:
                continue
            entity, code = outcome.entity, outcome.code or "port-rejected"
            problem = Problem(code, outcome.message or "", entity.place, outcome.hint, identifier=entity.identifier)
            if code in _MAY_PASS:
                raise PortTroubleError(problem)
            faults.append(Fault(change.event, change.resource, problem, entity))
        return faults

    async def _delete(self, portion: Portion) -> list[Fault]:
        by_name = {change.entity.identifier: change for change in portion.changes}
        # As in a sync: what others wrote is theirs.
        owned = await self._holdings.owned(portion.blueprint, list(by_name))
        result = await self._deletion.delete(portion.blueprint, owned)
        return [_kept(by_name[name]) for name in result.kept]


def _kept(change: Change) -> Fault:
    entity = change.entity
    message = f"`{entity.identifier}` of `{entity.blueprint}` was to be deleted, but others relate to it"
    hint = "`deleteDependentEntities: true` deletes those along with it"
    problem = Problem("dependents", message, entity.place, hint, identifier=entity.identifier)
    return Fault(change.event, change.resource, problem)


def refused(changes: Sequence[Change], problem: Problem) -> list[Fault]:
    """What it means that Port never takes these changes, for this reason."""
    return [Fault(change.event, change.resource, problem, change.entity) for change in changes]
