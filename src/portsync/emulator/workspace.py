"""The parts that the handlers share, and one transaction's view of them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portsync.emulator.attached_titles import AttachedTitles
from portsync.emulator.blueprint_store import BlueprintCache, BlueprintStore
from portsync.emulator.catalog import Catalog
from portsync.emulator.computed.computing import Computing
from portsync.emulator.computed.kept import KeptAggregations
from portsync.emulator.computed.specs import computed_names
from portsync.emulator.drafts import DraftReader
from portsync.emulator.entities import Batch, UpsertOptions
from portsync.emulator.entity import Author
from portsync.emulator.entity_store import EntityStore
from portsync.emulator.history import HistoryStore
from portsync.emulator.instants import stamp
from portsync.emulator.intake import read_json
from portsync.emulator.integration_store import IntegrationStore
from portsync.emulator.page_store import PageStore
from portsync.emulator.printing import Printer
from portsync.emulator.query import compile_query
from portsync.emulator.reading import Reading
from portsync.emulator.relation_graph import RelationGraph
from portsync.emulator.rules import Basis
from portsync.emulator.run_store import RunStore
from portsync.emulator.searched import Searches
from portsync.emulator.telemetry_store import TelemetryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection
    from starlette.requests import Request

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.calculations.evaluation import CalculationCache
    from portsync.emulator.entity import Entity
    from portsync.emulator.guesses import Guesses
    from portsync.emulator.query import Query
    from portsync.emulator.store import Store
    from portsync.emulator.validation import ValidatorCache


@dataclass(frozen=True, slots=True)
class Session:
    """One transaction on the catalogue."""

    connection: Connection
    state: int | None
    """What the catalogue was at its beginning (Store.changes); None for one that may write."""
    blueprints: BlueprintStore
    entities: EntityStore
    graph: RelationGraph
    catalog: Catalog
    pages: PageStore
    integrations: IntegrationStore
    history: HistoryStore
    runs: RunStore
    telemetry: TelemetryStore


@dataclass(frozen=True, slots=True)
class Workspace:
    """An organisation's catalogue, with its clock and the guesses it is run under."""

    store: Store
    guesses: Guesses
    clock: Callable[[], float]
    client_id: str
    validators: ValidatorCache
    calculations: CalculationCache
    blueprints: BlueprintCache = field(default_factory=BlueprintCache)
    aggregations: KeptAggregations = field(default_factory=KeptAggregations)
    drafts: DraftReader = field(default_factory=DraftReader)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction; undone when the block raises."""
        with self.store.transaction() as connection:
            yield self._session(connection, None)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """The catalogue as it is now, for a block that writes nothing; no writer waits for it."""
        state = self.store.changes()
        with self.store.snapshot() as connection:
            yield self._session(connection, state)

    def _session(self, connection: Connection, state: int | None) -> Session:
        blueprints = BlueprintStore(connection, self.blueprints)
        entities = EntityStore(connection)
        graph = RelationGraph(connection, blueprints.all)
        return Session(
            connection,
            state,
            blueprints,
            entities,
            graph,
            Catalog(blueprints, entities, graph, self.guesses),
            PageStore(connection),
            IntegrationStore(connection),
            HistoryStore(connection),
            RunStore(connection),
            TelemetryStore(connection),
        )

    def moment(self) -> datetime:
        """What time it is."""
        return datetime.fromtimestamp(self.clock(), UTC)

    async def body(self, request: Request) -> object:
        """The request's JSON, as `read_json` says."""
        return await read_json(request, too_large_error=self.guesses.too_large_error)

    def author(self, request: Request) -> Author:
        """Who writes with this request, and when."""
        return Author(self.client_id, request.headers.get("user-agent", ""), stamp(self.clock()))

    def computing(self, session: Session) -> Computing:
        """Computes properties as this transaction sees them."""
        return Computing(
            session.connection,
            session.blueprints,
            session.entities,
            session.graph,
            self.calculations,
            self.aggregations.at(session.state, self.clock()),
            self.guesses,
            self.clock(),
        )

    def reading(
        self,
        session: Session,
        blueprint: Blueprint,
        entities: Sequence[Entity],
        *,
        computed: bool = True,
        shows: Callable[[str], bool] = lambda _: True,
        titled: bool = False,
    ) -> Reading:
        """These entities of the blueprint, with their computed values where `computed`, of which only those are made
        that `shows` holds of; and with the titles of what they relate to where `titled`."""
        printer = Printer(blueprint, self.guesses)
        titles = AttachedTitles.of(session.entities, blueprint, entities) if titled else None
        if not computed:
            return Reading(printer, entities, [], None, titles=titles)
        names = frozenset(filter(shows, computed_names(blueprint)))
        calculations = self.calculations.of(blueprint)
        # A calculation may read any of the others.
        every = not names.isdisjoint(calculations.names)
        related = self.computing(session).related(blueprint, entities, None if every else names)
        return Reading(printer, entities, related, calculations, names, titles)

    def searches(self, session: Session, blueprint: Blueprint) -> Searches:
        """Finds what drafts of this blueprint name by queries."""
        return Searches(session.entities, blueprint, lambda query, root: self.query(session, query, root=root))

    def query(self, session: Session, query: object, *, root: str, within_blueprint: bool = False) -> Query:
        """The search query, compiled for this session; ApiError 422 for a wrong one, which stands at `root`."""
        basis = Basis(self.moment(), session.graph, self.guesses, within_blueprint=within_blueprint)
        return compile_query(query, basis, root=root)

    def batch(self, session: Session, blueprint: Blueprint, options: UpsertOptions, author: Author) -> Batch:
        """An empty batch for this blueprint."""
        targets = {relation.target for relation in blueprint.relations.values()}
        return Batch(
            session.entities,
            blueprint,
            {target: session.blueprints.get(target).protected for target in targets},
            self.validators.of(blueprint),
            options=options,
            author=author,
            guesses=self.guesses,
        )
