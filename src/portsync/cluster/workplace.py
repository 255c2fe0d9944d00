"""Where a worker does the slices of one run: the clients, JQ workers and database connection that they share."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portsync.auth import TokenStore
from portsync.chains.access import Access
from portsync.chains.lookups import LookedUp
from portsync.cluster.sharing import of_worker
from portsync.jq.variables import Context
from portsync.logs import Redactor, own_log
from portsync.mapping.hooks import hooks_of
from portsync.port.holdings import Holdings
from portsync.port.owner import owner_of
from portsync.producers import Producers, resource_names
from portsync.relations import Relations
from portsync.settings import read_settings
from portsync.state.place import state_place
from portsync.state.store import joined_state
from portsync.state.touched import left_alone_in
from portsync.surroundings import Surroundings
from portsync.tools import Tools
from portsync.under_way import UnderWay
from portsync.wiring import planned, port_client, source_tools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Connection

    from portsync.cluster.brief import Brief
    from portsync.cluster.line import Line
    from portsync.mapping.loader import LoadedMapping
    from portsync.port.client import PortClient
    from portsync.runtime import Runtime
    from portsync.settings import Settings
    from portsync.state.touched import LeftAlone
    from portsync.stop import Stop
    from portsync.tools import Destination
    from portsync.wiring import FromSource


@dataclass(frozen=True)
class Workplace:
    """What the slices of a run share on one worker."""

    brief: Brief
    settings: Settings
    mapping: LoadedMapping
    names: list[str]
    """Of the resources, as the state knows them."""
    producers: Producers
    looked_up: LookedUp
    source: FromSource
    port: PortClient
    holdings: Holdings
    relations: Relations
    connection: Connection
    left_alone: LeftAlone
    runtime: Runtime
    stop: Stop
    log: Any

    def tools(self, into: Destination) -> Tools:
        """What the line needs from outside."""
        client, pool, patience_s = self.source.client, self.source.pool, self.source.patience_s
        return Tools(client, pool, into, self.stop, self.runtime.clock, lambda _: None, patience_s, self.log)


@asynccontextmanager
async def workplace(brief: Brief, line: Line, runtime: Runtime, stop: Stop) -> AsyncIterator[Workplace]:
    """Everything ready for slices. `stop` ends what is under way. Raises ConfigError where the worker lacks what the
    coordinator has, and what opening the state raises."""
    settings = read_settings(brief.environment)
    path = Path(brief.mapping_path)
    mapping, plan = planned(
        brief.mapping_text, path, brief.environment, settings, brief.mapping_name, is_from_port=False
    )
    redactor = Redactor({*settings.secrets(), *mapping.secrets, *plan.auth.secrets()})
    log = own_log(redactor, settings.log_level, run_id=brief.run, mapping=mapping.name)
    owner = owner_of(settings, mapping.name)
    place = state_place(settings, owner.identifier)
    producers = Producers(mapping.file.resources)
    async with AsyncExitStack() as stack:
        connection = stack.enter_context(joined_state(place))
        has_hooks = bool(hooks_of(mapping.file))
        left_alone = stack.enter_context(left_alone_in(place, brief.catalog, UnderWay(), has_hooks=has_hooks))
        sharing = await stack.enter_async_context(of_worker(line, brief.run))
        around = Surroundings(settings, runtime, redactor, sharing=sharing)
        port = await stack.enter_async_context(port_client(settings, owner, around))
        source = await stack.enter_async_context(source_tools(mapping, plan, around, TokenStore()))
        holdings = Holdings(port, owner)
        access = Access(plan, source.client.send, source.pool, runtime.clock, brief.now, Context(dict(brief.context)))
        yield Workplace(
            brief,
            settings,
            mapping,
            resource_names(mapping.file.resources),
            producers,
            LookedUp(access),
            source,
            port,
            holdings,
            Relations(holdings, producers.may_give, mapping.file.missing_users, log),
            connection,
            left_alone,
            runtime,
            stop,
            log,
        )
