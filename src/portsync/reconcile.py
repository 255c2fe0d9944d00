"""The deletion rule: which entities a run deletes, and why it keeps the others. All of it is here.

An entity is deleted only when all of this holds:

- this integration wrote it, by what Port says;
- no resource of its blueprint keeps what is gone (`delete_stale: false`);
- every resource that can give its blueprint was read to its end in this run;
- none of the blueprint's entities was rejected, and no record of those resources failed;
- the run gave at least one entity of the blueprint (or `--allow-empty`);
- the stale share of the blueprint is within the threshold;
- nobody depends on it, unless `deleteDependentEntities` is true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from portsync.errors import PortError, Problem
from portsync.port.deletion import MOST_AT_ONCE, Deleted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from portsync.port.holdings import Holdings, Relation
    from portsync.state.catalog import Catalog


class Refused(StrEnum):
    """Why stale entities were kept."""

    NO_DELETE = "no-delete"
    INCOMPLETE = "incomplete"
    REJECTED = "rejected"
    EMPTY = "empty"
    THRESHOLD = "threshold"
    DEPENDENTS = "dependents"
    PORT = "port"


@dataclass(frozen=True, slots=True)
class DeletionRule:
    """What the user allows."""

    threshold: float
    """The largest share of a blueprint's entities that one run may delete."""
    allows_empty: bool = False
    """Whether a run that gave nothing of a blueprint may delete all of it, as far as the threshold goes."""
    is_off: bool = False
    """Whether nothing is deleted at all."""


@dataclass(frozen=True, slots=True)
class BlueprintRun:
    """What a run came to, as far as the rule asks for it."""

    blueprint: str
    is_complete: bool
    """Whether every resource that can give it was read to its end."""
    faults: int
    """How many of its entities were rejected, or may be among the records that failed."""
    given: int
    """How many entities the run gave."""
    created: int
    """How many of them Port did not have before."""
    keeps_history: bool = False
    """Whether a resource of it says that what is gone is kept."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of one blueprint's stale entities."""

    blueprint: str
    stale: int
    deleted: int
    refused: Refused | None
    share: float = 0.0
    """The stale share of what Port had before the run."""
    kept: tuple[str, ...] = ()
    """Entities that others depend on."""
    trouble: Problem | None = None
    """Why Port did not do it."""

    @property
    def is_partial(self) -> bool:
        """Whether something was kept that the user did not ask to keep."""
        return self.refused not in (None, Refused.NO_DELETE)


class Deletes(Protocol):
    """Deletes entities, or says what would become of them."""

    async def delete(self, blueprint: str, identifiers: Sequence[str]) -> Deleted:
        """Delete at most MOST_AT_ONCE entities. Raises PortError."""
        ...


def stale_share(run: BlueprintRun, stale: int) -> float:
    """The stale share of the entities that Port had before the run; those that it created do not dilute it."""
    before = stale + run.given - run.created
    return stale / before if before > 0 else 0.0


def refusal(run: BlueprintRun, stale: int, rule: DeletionRule) -> Refused | None:
    """Why none of the stale entities may be deleted, or None where the rule allows it."""
    if rule.is_off:
        return Refused.NO_DELETE
    if not run.is_complete:
        return Refused.INCOMPLETE
    if run.faults:
        return Refused.REJECTED
    if not run.given and not rule.allows_empty:
        return Refused.EMPTY
    if stale_share(run, stale) > rule.threshold:
        return Refused.THRESHOLD
    return None


class Reconciler:
    """Finds stale entities, and deletes them where the rule allows it."""

    def __init__(
        self,
        catalog: Catalog,
        holdings: Holdings,
        deletes: Deletes,
        rule: DeletionRule,
        left_alone: Callable[[str, Sequence[str]], set[str]] = lambda _blueprint, _identifiers: set(),
    ) -> None:
        """`left_alone` says which of a blueprint's entities live events touched since the run began."""
        self._catalog = catalog
        self._holdings = holdings
        self._deletes = deletes
        self._rule = rule
        self._left_alone = left_alone

    async def reconcile(self, runs: Iterable[BlueprintRun], is_listed: Callable[[str], bool]) -> list[Deletion]:
        """What became of the stale entities of these blueprints, each of which comes before those that it points to.

        Where `is_listed`, all that Port has from us is looked at, otherwise what the state knows. Raises
        StateLostError.
        """
        deletions: list[Deletion] = []
        for run in runs:
            if run.keeps_history:
                continue
            try:
                stale = await self._stale(run.blueprint, is_listed=is_listed(run.blueprint))
                if stale:
                    deletions.append(await self._reconciled(run, stale))
            except PortError as error:
                stale = self._catalog.unseen_count(run.blueprint)
                deletions.append(Deletion(run.blueprint, stale, 0, Refused.PORT, trouble=error.problems[0]))
        return await self._settled(deletions)

    async def _stale(self, blueprint: str, *, is_listed: bool) -> int:
        """How many entities of ours Port has that this run did not give. What the state knows beyond it is
        forgotten."""
        if is_listed:
            async for some in self._holdings.ours(blueprint):
                self._catalog.found(blueprint, some)
        stale = 0
        for unseen in self._catalog.unseen(blueprint):
            touched = self._left_alone(blueprint, unseen)
            owned = await self._holdings.owned(blueprint, unseen)
            stale += len(set(owned) - touched)
            self._catalog.forget(blueprint, set(unseen) - set(owned) - touched)
        return stale

    async def _reconciled(self, run: BlueprintRun, stale: int) -> Deletion:
        deletion = Deletion(run.blueprint, stale, 0, refusal(run, stale, self._rule), stale_share(run, stale))
        if deletion.refused is not None:
            return deletion
        return await self._without(deletion, _in_hundreds(self._catalog.unseen(run.blueprint)))

    async def _settled(self, deletions: list[Deletion]) -> list[Deletion]:
        """The deletions after what others depended on was tried again, as long as that helps: they may be gone by now,
        and they may be of another blueprint."""
        while (again := [await self._tried_again(one) for one in deletions]) != deletions:
            deletions = again
        return deletions

    async def _tried_again(self, deletion: Deletion) -> Deletion:
        if deletion.refused is not Refused.DEPENDENTS:
            return deletion
        again = await self._without(replace(deletion, kept=(), refused=None), _in_hundreds([deletion.kept]))
        return deletion if len(again.kept) == len(deletion.kept) else again

    async def _without(self, deletion: Deletion, hundreds: Iterable[Sequence[str]]) -> Deletion:
        """What it has come to when these entities are deleted too."""
        for some in hundreds:
            try:
                result, left = await self._deleted(deletion.blueprint, some)
            except PortError as error:
                return replace(deletion, refused=Refused.PORT, trouble=error.problems[0])
            gone = [one for one in some if one not in {*left, *result.kept, *result.spared}]
            self._catalog.forget(deletion.blueprint, gone)
            deletion = replace(
                deletion,
                deleted=deletion.deleted + len(gone),
                kept=(*deletion.kept, *result.kept),
                refused=Refused.DEPENDENTS if deletion.kept or result.kept else None,
            )
            if left:
                message = f"Port did not delete {len(left):,} entities, such as `{left[0]}`, and does not say why"
                return replace(deletion, refused=Refused.PORT, trouble=Problem("port-trouble", message))
        return deletion

    async def _deleted(self, blueprint: str, some: Sequence[str]) -> tuple[Deleted, list[str]]:
        """What Port said became of the entities, and those of which it said nothing and that are still there. Raises
        PortError."""
        # Whatever becomes of the answer, and of this process: an entity that comes back has to be sent again.
        self._catalog.doubt(blueprint, some)
        result = await self._deletes.delete(blueprint, some)
        # An answer that was lost on the way leaves nothing to say for the second one.
        unsaid = sorted(set(some) - set(result.gone) - set(result.kept) - set(result.spared))
        return result, await self._holdings.owned(blueprint, unsaid) if unsaid else []


def dependents_first(blueprints: Iterable[str], relations: Mapping[str, Mapping[str, Relation]]) -> list[str]:
    """The blueprints in an order in which each comes before those that it points to, as far as there is one."""
    order: dict[str, None] = {}
    visiting: set[str] = set()
    names = sorted(blueprints)
    pointing = {
        name: [other for other in names if any(r.target == name for r in relations.get(other, {}).values())]
        for name in names
    }

    def visit(name: str) -> None:
        if name in order or name in visiting:
            return
        visiting.add(name)
        for other in pointing[name]:
            visit(other)
        order[name] = None

    for name in names:
        visit(name)
    return list(order)


def _in_hundreds(pieces: Iterable[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for piece in pieces:
        for start in range(0, len(piece), MOST_AT_ONCE):
            yield tuple(piece[start : start + MOST_AT_ONCE])


def problems_of(deletion: Deletion, rule: DeletionRule) -> Iterator[Problem]:
    """What a report says of stale entities that were kept; other problems of the run say the rest."""
    what = f"{deletion.stale:,} entities of `{deletion.blueprint}` were not in the source any more"
    match deletion.refused:
        case Refused.PORT if deletion.trouble is not None:
            message = (
                f"not all stale entities of `{deletion.blueprint}` were found and deleted ({deletion.deleted:,} were)"
            )
            yield Problem("deletion-failed", f"{message}: {deletion.trouble.message}", hint="a later run does it")
        case Refused.THRESHOLD:
            message = f"{what}, {deletion.share:.0%} of them all: none was deleted, as {rule.threshold:.0%} is the most"
            yield Problem("deletion-refused", message, hint="check the source; `--max-delete 1` deletes them")
        case Refused.EMPTY:
            message = f"{what}, and no other was: none was deleted"
            yield Problem("deletion-refused", message, hint="check the source; `--allow-empty` deletes them")
        case Refused.DEPENDENTS:
            for identifier in deletion.kept:
                yield Problem(
                    "dependents",
                    f"`{identifier}` of `{deletion.blueprint}` is not in the source any more, but others relate to it",
                    hint="`deleteDependentEntities: true` deletes those along with it",
                    identifier=identifier,
                )
