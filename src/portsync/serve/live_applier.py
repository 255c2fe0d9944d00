"""What applies the live events of one mapping as it is now: its programs, its lookups, Port."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from portsync.chains.access import Access
from portsync.chains.lookups import look_up
from portsync.dead_letters import Header
from portsync.errors import Problem, SourceError
from portsync.jq.variables import lookups_in
from portsync.logs import log_of
from portsync.port.owner import owner_of
from portsync.serve.live_changes import Change, Fault, Portion, changes_of, listeners, portions_of, texts_of_live
from portsync.serve.live_letters import LiveLetters
from portsync.serve.live_port import LivePort
from portsync.wiring import catalog_name, port_client, source_tools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from portsync.mapping.models import MappingFile
    from portsync.port.owner import Owner
    from portsync.running import Loaded
    from portsync.serve.live_changes import Listener
    from portsync.serve.parts import Parts
    from portsync.state.hook_queue import Event
    from portsync.state.hook_store import HookStore
    from portsync.state.touched import Named
    from portsync.under_way import UnderWay

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What events came to."""

    faults: tuple[Fault, ...]
    touched: tuple[Named, ...]
    """The entities that were written or deleted."""


class Applier:
    """Knows what events do to which entities, and has what brings them into Port."""

    def __init__(
        self, file: MappingFile, access: Access, port: LivePort, catalog: str, letters: LiveLetters | None
    ) -> None:
        """`catalog` is the name by which the state knows what the mapping gave to this Port."""
        self.port = port
        self.catalog = catalog
        self._file = file
        self._access = access
        self._letters = letters
        self._minute = -1.0
        self._listeners: tuple[Listener, ...] = ()

    async def portions(self, events: Sequence[Event]) -> tuple[list[Portion], list[Fault]]:
        """What goes to Port for these events, in its order, and what never will."""
        changes: list[Change] = []
        faults: list[Fault] = []
        listening = self._listening()
        for event in events:
            for found in await changes_of(event, listening):
                if isinstance(found, Change):
                    changes.append(found)
                else:
                    faults.append(found)
        is_merge = self._file.enable_merge_entity
        keeps_order = not self._file.create_missing_related_entities
        return portions_of(changes, is_merge=is_merge, keeps_order=keeps_order), faults

    def _listening(self) -> tuple[Listener, ...]:
        """`now` is that of the minute: every other instant is another program, which a worker would keep too."""
        minute = self._access.clock() // _MINUTE_S * _MINUTE_S
        if minute != self._minute:
            access = self._access
            self._listeners = listeners(self._file, access.source, access.pool, access.context, minute)
            self._minute = minute
        return self._listeners

    def keep(self, faults: Sequence[Fault]) -> None:
        """Write dead letters. What cannot be written is in the log alone: the events behind it have to go on."""
        if self._letters is None or not faults:
            return
        try:
            self._letters.add(faults)
        except OSError as error:
            reason = error.strerror or str(error)
            structlog.get_logger().error("hook.no_letters", path=str(self._letters.path), message=reason)


@asynccontextmanager
async def opened_applier(
    loaded: Loaded, parts: Parts, store: HookStore, under_way: UnderWay[Named]
) -> AsyncIterator[Applier]:
    """Raises PortError, and SourceError where a lookup fails that the mappings need."""
    (mapping, source), around, runtime = loaded, parts.around, parts.runtime
    file, owner = mapping.file, owner_of(parts.settings, mapping.name)
    name = catalog_name(parts.settings, owner, mapping.name)
    async with (
        port_client(parts.settings, owner, around) as port,
        source_tools(mapping, source, around, parts.store) as tools,
    ):
        access = Access(source, tools.client.send, tools.pool, runtime.clock, runtime.clock())
        access = await _with_lookups(file, access)
        letters = _letters(loaded, parts, owner)
        log = log_of(mapping=mapping.name)
        yield Applier(file, access, LivePort(port, owner, file, store, name, under_way, log), name, letters)


async def _with_lookups(file: MappingFile, access: Access) -> Access:
    """`access` with what the lookups gave, where live expressions see them. Raises SourceError."""
    names = lookups_in(texts_of_live(file, access.source))
    if names == set() or not file.context:
        return access
    found = await look_up(file.context, access)
    for name, end in found.failed.items():
        if names is None or name in names:
            raise SourceError(end.problem or Problem("lookup", f"the lookup `{name}` came to nothing"))
    return found.access


def _letters(loaded: Loaded, parts: Parts, owner: Owner) -> LiveLetters | None:
    """None where there is no place for a file."""
    mapping, folder = loaded[0], parts.settings.state_folder
    if folder is None:
        return None
    file = mapping.file
    is_shared = parts.settings.own_identifier or parts.settings.ocean_identifier
    name = owner.identifier if not is_shared else f"{owner.identifier}-{mapping.name}"
    header = Header(
        run_id="live",
        mapping=str(mapping.path),
        product=owner.product,
        identifier=owner.identifier,
        type=owner.type,
        merge=file.enable_merge_entity,
        create_missing_related_entities=file.create_missing_related_entities,
        written_at=datetime.fromtimestamp(parts.runtime.clock(), UTC),
    )
    kinds = tuple(resource.kind for resource in file.resources)
    return LiveLetters(folder / "dead-letters" / f"{name}.live.jsonl", header, parts.redactor, kinds)
