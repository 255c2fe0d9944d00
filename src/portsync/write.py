"""Entities -> batches -> outcomes, for all resources of a run: what did not change is left out, what points to others
of the run comes after them, and every entity that goes in comes out in its resource's report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING

from portsync.batch import Batcher
from portsync.errors import PortError, StateLostError
from portsync.flow import BatchResult, Entity, Failure, Fate, Outcome
from portsync.relations import Pointing, Target, without
from portsync.state.catalog import Accepted
from portsync.upsert import not_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from portsync.flow import Batch
    from portsync.held import HeldEntities
    from portsync.recheck import Recheck
    from portsync.relations import Relations
    from portsync.report import ResourceReport
    from portsync.state.catalog import Catalog
    from portsync.state.seen import Sorted
    from portsync.upsert import Upserter

_AT_ONCE = 1000
"""Entities of a circle that are looked at together."""
_blueprint = attrgetter("blueprint")
_ACCEPTED = frozenset({Fate.CREATED, Fate.UPDATED, Fate.UNCHANGED})


@dataclass(frozen=True, slots=True)
class Giver:
    """A resource, as the writer knows it."""

    name: str
    """By which the state knows it."""
    report: ResourceReport


class Writer:
    """Writes what resources give. Where nothing more can be written, `upserter.down` says why."""

    def __init__(
        self,
        upserter: Upserter,
        catalog: Catalog,
        recheck: Recheck,
        relations: Relations | None,
        held: HeldEntities,
        *,
        told: Callable[[ResourceReport], None],
    ) -> None:
        """Without `relations` nothing is known of Port, and everything is sent as it comes. `told` hears of a report
        whenever it changes."""
        self.upserter = upserter
        self._catalog = catalog
        self._recheck = recheck
        self._relations = relations
        self._held = held
        self._told = told
        self._givers: dict[int, Giver] = {}
        self._batchers: dict[int, Batcher] = {}
        self._made_bare: set[Target] = set()
        self.fates: dict[str, Counter[Fate]] = {}
        """What became of the entities of each blueprint."""

    def begin(self, giver: Giver) -> None:
        """Expect entities of this resource."""
        self._givers[giver.report.index] = giver
        self._batchers[giver.report.index] = Batcher(self.upserter.at_once)

    async def write(self, index: int, found: Sorted, is_to_come: Callable[[str], bool]) -> None:
        """Send what a page of the resource brought that is new. `is_to_come` says of which blueprints more entities
        may come in this run."""
        giver = self._givers[index]
        giver.report.add_sorted(found)
        if found.overtakes:
            # The later of two conflicting entities has to arrive last.
            await self.settle(index)
        for blueprint, some in groupby(sorted(found.to_send, key=_blueprint), key=_blueprint):
            entities = list(some)
            try:
                chosen = await self._chosen(giver, blueprint, entities, is_to_come)
            except (PortError, StateLostError) as error:
                self.upserter.fail(error)
                self._done(index, not_sent(entities, error.problems[0]))
                continue
            for entity in chosen:
                await self._put(index, self._batchers[index].add(entity))
        self._told(giver.report)

    @property
    def waiting(self) -> frozenset[str]:
        """The blueprints of which entities wait for others."""
        return frozenset(self._held.blueprints)

    def hold(self, index: int, entity: Entity, targets: Sequence[Target]) -> None:
        """Let an entity wait that somebody else chose."""
        self._held.add(index, entity, targets)

    def count(self, fates: Mapping[str, Counter[Fate]]) -> None:
        """Count what became of the entities that somebody else sent."""
        for blueprint, counts in fates.items():
            self.fates.setdefault(blueprint, Counter()).update(counts)

    async def settle(self, index: int) -> None:
        """Send what is left of the resource, and wait for all that is under way."""
        await self._put(index, self._batchers[index].flush())
        await self.upserter.settle()

    async def release(self) -> None:
        """Send what had to wait for other entities, in their order."""
        if not self._held.count:
            return
        for some in self._held.rounds():
            await self._send_all(some)
        circles = self._held.circles()
        while self.upserter.writes and (circle := [entity for _, entity in islice(circles, _AT_ONCE)]):
            await self._send_bare(circle)
        await self._send_all(self._held.circles())

    async def _send_all(self, some: Iterable[tuple[int, Entity]]) -> None:
        for index, entity in some:
            await self._put(index, self._batchers[index].add(entity))
        for index in self._batchers:
            await self._put(index, self._batchers[index].flush())
        await self.upserter.settle()

    async def _send_bare(self, entities: Sequence[Entity]) -> None:
        """Let entities that point to each other come to be, without what they point to."""
        if self._relations is None or self.upserter.down is not None:
            return
        batcher = Batcher(self.upserter.at_once)
        batches: list[Batch] = []
        for entity in entities:
            relations = await self._relations.of(entity.blueprint)
            batches += batcher.add(without(entity, self._held.is_held, relations))
        for batch in (*batches, *batcher.flush()):
            await self.upserter.put(batch, self._note_bare)
        await self.upserter.settle()

    def _note_bare(self, result: BatchResult) -> None:
        # What Port refuses here it refuses again, and then it is counted.
        for outcome in result.outcomes:
            if outcome.fate is Fate.CREATED:
                self._made_bare.add(Target(outcome.entity.blueprint, outcome.entity.identifier))

    async def _chosen(
        self, giver: Giver, blueprint: str, entities: Sequence[Entity], is_to_come: Callable[[str], bool]
    ) -> list[Entity]:
        """Which of one blueprint's entities are sent now. The others are unchanged, failures, or have to wait."""
        await self._recheck.begin(blueprint)
        pointing = await self._looked_at(giver, entities)
        by_search = [one.entity for one in pointing if one.entity.is_search]
        named = [one.entity for one in pointing if not one.entity.is_search]
        sends_all = self._recheck.looks_at(blueprint)
        changed = self._catalog.changed(giver.name, blueprint, named, all_count=sends_all)
        giver.report.add_unchanged(named, changed)
        self.fates.setdefault(blueprint, Counter())[Fate.UNCHANGED] += len(named) - len(changed)
        targets = {one.entity.identifier: one.targets for one in pointing if one.targets}
        if not targets:
            return [*changed, *by_search]
        self._note_targets(targets.values())
        return self._ready(giver, [*changed, *by_search], targets, is_to_come)

    async def _looked_at(self, giver: Giver, entities: Sequence[Entity]) -> list[Pointing]:
        if self._relations is None or not await self._relations.mattering(entities[0].blueprint):
            return [Pointing(entity) for entity in entities]
        found: list[Pointing] = []
        failures: list[Failure] = []
        for entity in entities:
            looked_at = await self._relations.looked_at(entity)
            if isinstance(looked_at, Failure):
                failures.append(looked_at)
            else:
                found.append(looked_at)
        for failure in failures:
            giver.report.add_failure(failure)
        giver.report.counts["missing_users"] += sum(one.missing_users for one in found)
        return found

    def _note_targets(self, targets: Iterable[Sequence[Target]]) -> None:
        """What entities point to is not stale, though no resource gave it: Port may have made it on our behalf."""
        for blueprint, identifiers in _by_blueprint(chain.from_iterable(targets)).items():
            self._catalog.related(blueprint, identifiers)

    def _ready(
        self,
        giver: Giver,
        changed: Sequence[Entity],
        targets: dict[str, tuple[Target, ...]],
        is_to_come: Callable[[str], bool],
    ) -> list[Entity]:
        """Those that wait for nothing; the others are held."""
        awaited = {
            entity.identifier: [
                target
                for target in targets.get(entity.identifier, ())
                if is_to_come(target.blueprint) or self._held.is_held(target)
            ]
            for entity in changed
        }
        there = self._there({target for some in awaited.values() for target in some})
        ready = []
        for entity in changed:
            missing = [target for target in awaited[entity.identifier] if target not in there]
            if missing:
                self._held.add(giver.report.index, entity, missing)
            else:
                ready.append(entity)
        return ready

    def _there(self, targets: set[Target]) -> set[Target]:
        return {
            Target(blueprint, identifier)
            for blueprint, identifiers in _by_blueprint(targets).items()
            for identifier in self._catalog.known(blueprint, identifiers)
        }

    async def _put(self, index: int, batches: Iterable[Batch]) -> None:
        for batch in batches:
            await self.upserter.put(batch, partial(self._done, index))

    def _done(self, index: int, result: BatchResult) -> None:
        giver = self._givers[index]
        result = BatchResult(tuple(map(self._as_first_made, result.outcomes)))
        giver.report.add_result(result)
        for outcome in result.outcomes:
            self.fates.setdefault(outcome.entity.blueprint, Counter())[outcome.fate] += 1
        try:
            self._remember(giver, [outcome for outcome in result.outcomes if outcome.fate in _ACCEPTED])
        except StateLostError as error:
            self.upserter.fail(error)
        self._told(giver.report)

    def _as_first_made(self, outcome: Outcome) -> Outcome:
        """An entity that was made bare in this run, to end a circle, was created in it."""
        key = Target(outcome.entity.blueprint, outcome.entity.identifier)
        if outcome.fate is Fate.UPDATED and key in self._made_bare:
            return replace(outcome, fate=Fate.CREATED)
        return outcome

    def _remember(self, giver: Giver, accepted: Sequence[Outcome]) -> None:
        for outcome in accepted:
            if outcome.entity.is_search and outcome.identifier is not None:
                self._catalog.given(outcome.entity.blueprint, giver.name, [outcome.identifier])
        self._catalog.accept(
            Accepted(giver.name, one.entity.blueprint, one.entity.identifier, one.entity.digest, one.fate)
            for one in accepted
            if not one.entity.is_search
        )


def _by_blueprint(targets: Iterable[Target]) -> dict[str, list[str]]:
    """The identifiers of the targets."""
    found: dict[str, list[str]] = {}
    for target in targets:
        found.setdefault(target.blueprint, []).append(target.identifier)
    return found
