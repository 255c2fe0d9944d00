"""The entities that live events wrote or deleted since the last run began.

They are written down before anything of them goes to Port. So a run that is under way can leave them alone, whatever
it read of them before, and the next run knows that Port has something else than the state says.
"""

from __future__ import annotations

from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, select, tuple_, update

from portsync.state.hook_store import HookStore, hooks_path
from portsync.state.hook_tables import TOUCHED
from portsync.state.place import StatePlace
from portsync.state.rows import dialect_of, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from portsync.state.catalog import Catalog
    from portsync.under_way import UnderWay

Named = tuple[str, str]
"""Blueprint and identifier of an entity."""


def touch(store: HookStore, catalog: str, entities: Iterable[Named]) -> None:
    """Write down that these entities are about to be written or deleted. Raises StateLostError."""
    rows = [
        {"catalog": catalog, "blueprint": blueprint, "identifier": identifier, "is_settled": False}
        for blueprint, identifier in dict.fromkeys(entities)
    ]
    if not rows:
        return
    with store.writing() as connection:
        given = dialect_of(connection).insert(TOUCHED)
        key = ["catalog", "blueprint", "identifier"]
        connection.execute(given.on_conflict_do_update(index_elements=key, set_={"is_settled": False}), rows)


def settle(connection: Connection, catalog: str, entities: Iterable[Named]) -> None:
    """Write down that nothing of these entities is on its way to Port any more."""
    for some in pieces(dict.fromkeys(entities)):
        is_meant = tuple_(TOUCHED.c.blueprint, TOUCHED.c.identifier).in_(some)
        connection.execute(update(TOUCHED).where(TOUCHED.c.catalog == catalog).where(is_meant).values(is_settled=True))


class LeftAlone:
    """What a run leaves to live events. Its methods raise StateLostError."""

    def __init__(self, store: HookStore | None, catalog: str, under_way: UnderWay[Named]) -> None:
        """Without `store` there are no live events."""
        self._store = store
        self._catalog = catalog
        self._under_way = under_way

    def begin(self, catalog: Catalog, *, is_dry: bool) -> None:
        """Tell the state, before the source is asked for anything, what live events did: Port has these entities, and
        nobody knows as what. From here on they are the run's again, but for those that are still on their way. A plan
        leaves the records as they are."""
        if self._store is None:
            return
        is_ours = (TOUCHED.c.catalog == self._catalog) & TOUCHED.c.is_settled
        with self._store.reading() as connection:
            rows = connection.execute(select(TOUCHED.c.blueprint, TOUCHED.c.identifier).where(is_ours)).all()
        by_blueprint: dict[str, list[str]] = {}
        for blueprint, identifier in rows:
            by_blueprint.setdefault(blueprint, []).append(identifier)
        for blueprint, identifiers in by_blueprint.items():
            catalog.found(blueprint, identifiers)
            catalog.doubt(blueprint, identifiers)
        if is_dry:
            self._store = None
            return
        with self._store.writing() as connection:
            for some in pieces((row.blueprint, row.identifier) for row in rows):
                is_meant = tuple_(TOUCHED.c.blueprint, TOUCHED.c.identifier).in_(some)
                connection.execute(delete(TOUCHED).where(is_ours, is_meant))

    def among(self, blueprint: str, identifiers: Sequence[str]) -> set[str]:
        """Those that a live event touched since the run began."""
        if self._store is None or not identifiers:
            return set()
        found: set[str] = set()
        with self._store.reading() as connection:
            for some in pieces(identifiers):
                is_meant = (TOUCHED.c.catalog == self._catalog) & (TOUCHED.c.blueprint == blueprint)
                chosen = select(TOUCHED.c.identifier).where(is_meant, TOUCHED.c.identifier.in_(some))
                found.update(connection.execute(chosen).scalars())
        return found

    def sending(self, blueprint: str, identifiers: Iterable[str]) -> AbstractContextManager[None]:
        """Says, for as long as the block lasts, that the run has these on their way to Port."""
        if self._store is None:
            return nullcontext()
        return self._under_way.with_these((blueprint, identifier) for identifier in identifiers)


@contextmanager
def left_alone_in(
    place: StatePlace, catalog: str, under_way: UnderWay[Named], *, has_hooks: bool
) -> Iterator[LeftAlone]:
    """What a run on this state leaves to live events. Raises StateError."""
    path = hooks_path(place)
    # A mapping that has no hooks any more may have had some.
    if place == StatePlace() or not (has_hooks or (path is not None and path.exists())):
        yield LeftAlone(None, catalog, under_way)
        return
    with closing(HookStore(place)) as store:
        yield LeftAlone(store, catalog, under_way)
