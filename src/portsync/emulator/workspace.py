"""The parts that the handlers share, and one transaction's view of them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portsync.emulator.blueprint_store import BlueprintCache, BlueprintStore
from portsync.emulator.calculations import CalculationCache
from portsync.emulator.catalog import Catalog
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
from portsync.emulator.run_store import RunStore
from portsync.emulator.searched import Searches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection
    from starlette.requests import Request

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.guesses import Guesses
    from portsync.emulator.store import Store
    from portsync.emulator.validation import ValidatorCache


@dataclass(frozen=True, slots=True)
class Session:
    """One transaction on the catalogue."""

    connection: Connection
    blueprints: BlueprintStore
    entities: EntityStore
    catalog: Catalog
    pages: PageStore
    integrations: IntegrationStore
    history: HistoryStore
    runs: RunStore


@dataclass(frozen=True, slots=True)
class Workspace:
    """An organisation's catalogue, with its clock and the guesses it is run under."""

    store: Store
    guesses: Guesses
    clock: Callable[[], float]
    client_id: str
    validators: ValidatorCache
    blueprints: BlueprintCache = field(default_factory=BlueprintCache)
    calculations: CalculationCache = field(default_factory=CalculationCache)
    drafts: DraftReader = field(default_factory=DraftReader)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction; undone when the block raises."""
        with self.store.transaction() as connection:
            yield self._session(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """The catalogue as it is now, for a block that writes nothing; no writer waits for it."""
        with self.store.snapshot() as connection:
            yield self._session(connection)

    def _session(self, connection: Connection) -> Session:
        blueprints = BlueprintStore(connection, self.blueprints)
        entities = EntityStore(connection)
        return Session(
            connection,
            blueprints,
            entities,
            Catalog(blueprints, entities, self.guesses),
            PageStore(connection),
            IntegrationStore(connection),
            HistoryStore(connection),
            RunStore(connection),
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

    def printer(
        self, blueprint: Blueprint, *, calculated: bool = True, shows: Callable[[str], bool] = lambda _: True
    ) -> Printer:
        """Prints the blueprint's entities, with or without calculated values; of these only the ones that `shows`
        holds of, because they take longer than all the rest."""
        calculations = self.calculations.of(blueprint) if calculated else {}
        return Printer(blueprint, self.guesses, {name: each for name, each in calculations.items() if shows(name)})

    def searches(self, session: Session, blueprint: Blueprint) -> Searches:
        """Finds what drafts of this blueprint name by queries."""
        return Searches(session.entities, blueprint, self.clock())

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
