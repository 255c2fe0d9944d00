"""What a run tells Port's page of data sources: who it is, that it runs, a few raw records, and how it ended.

Nothing here may cost a run anything. What Port refuses is a warning in the log; after a refusal that part is not tried
again in this run, no request is repeated, and none may take long.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from portsync import __version__
from portsync.errors import PortError, SendError
from portsync.examples import examples_of
from portsync.mapping.shown import shown_config
from portsync.port.integration import (
    change_integration,
    create_integration,
    fetch_integration,
    report_resync,
    send_examples,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from portsync.flow import Json
    from portsync.logs import Redactor
    from portsync.mapping.loader import LoadedMapping
    from portsync.port.client import PortClient
    from portsync.port.integration import ResyncStatus

_PATIENCE_S = 10.0
"""Longer than any usual answer takes, and no run is much longer for it."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Who writes, as Port's page of data sources shows it."""

    identifier: str
    type: str
    title: str
    config: Mapping[str, Json] | None
    """Seen by everybody who may see the page: it must hold no secret. None where Port's own is left as it is."""
    version: str = __version__

    def as_json(self) -> dict[str, Json]:
        """The body of a new integration."""
        return {
            "installationId": self.identifier,
            "title": self.title,
            "changelogDestination": {},
            **self.changeable(),
        }

    def changeable(self) -> dict[str, Json]:
        """What is brought up to date where Port has something else."""
        config = {} if self.config is None else {"config": dict(self.config)}
        return {"installationAppType": self.type, "version": self.version, **config}


def installation_of(mapping: LoadedMapping, identifier: str, type_: str, redactor: Redactor) -> Installation:
    """The installation that runs `mapping`. Its config is what the file says, without anything that can be secret."""
    # The name of a file need not be text.
    title = mapping.name.encode(errors="replace").decode()
    config = None if mapping.is_from_port else shown_config(mapping, redactor)
    return Installation(identifier, type_, title, config)


def status_of(exit_code: int) -> ResyncStatus:
    """How a run with this exit code ended, in Port's words: what is not whole has failed."""
    if exit_code in (130, 143):
        return "aborted"
    return "completed" if exit_code == 0 else "failed"


class Integration:
    """The integration object of a run: `begin`, any number of `example`, `end`. None of them raises a PortError or
    SendError, and each ends within `patience_s` seconds."""

    def __init__(
        self,
        port: PortClient,
        installation: Installation,
        redactor: Redactor,
        clock: Callable[[], float],
        log: Any,
        *,
        sends_examples: bool = True,
        interval_min: float | None = None,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """`clock` gives epoch seconds; `log` says which run it is. `interval_min` is how many minutes after its end the
        next run begins; None where nobody knows."""
        self._port = port
        self._installation = installation
        self._redactor = redactor
        self._clock = clock
        self._log = log
        self._sends_examples = sends_examples
        self._interval_min = interval_min
        self._patience_s = patience_s
        self._is_there = False
        self.held: Mapping[str, Any] = {}
        """The integration as Port had it when the run began; empty where Port did not say."""

    async def begin(self) -> None:
        """Let Port have the integration as it is now, and say that it runs. Without it nothing else is sent."""
        self._is_there = await self._taken("begin", self._begin)

    async def example(self, kind: str, records: Sequence[Json]) -> None:
        """Give Port the first of `records`, which are as the source gave them, as examples of `kind`."""
        if not (self._is_there and self._sends_examples):
            return
        if examples := examples_of(records, self._redactor):
            name = self._installation.identifier
            kind = self._redactor.clean(kind.encode(errors="replace").decode())
            self._sends_examples = await self._taken("example", lambda: send_examples(self._port, name, kind, examples))

    async def end(self, status: ResyncStatus) -> None:
        """Say how it ended. Nothing is sent after it."""
        if self._is_there:
            self._is_there = False
            now = self._clock()
            state = {"status": status, "lastResyncEnd": _moment(now), **self._next(now)}
            await self._taken("end", lambda: report_resync(self._port, self._installation.identifier, state))

    async def _begin(self) -> None:
        installation = self._installation
        existing = await fetch_integration(self._port, installation.identifier)
        if existing is None:
            self.held = await create_integration(self._port, installation.as_json())
        else:
            self.held = existing
            wanted = installation.changeable()
            changes = {key: value for key, value in wanted.items() if existing.get(key) != value}
            if changes:
                await change_integration(self._port, installation.identifier, changes)
        now = self._clock()
        state = {"status": "running", "lastResyncStart": _moment(now), "lastResyncEnd": None, **self._next(None)}
        await report_resync(self._port, installation.identifier, state)

    def _next(self, ended: float | None) -> dict[str, Any]:
        interval = self._interval_min
        moment = None if ended is None or interval is None else _moment(ended + interval * 60)
        # Spelled so by Port.
        return {"nextResync": moment, "intervalInMinuets": interval}

    async def _taken(self, part: str, act: Callable[[], Awaitable[None]]) -> bool:
        """Whether Port took what `act` sends. What it says otherwise goes into the log."""
        try:
            async with asyncio.timeout(self._patience_s):
                await act()
        except (PortError, SendError) as error:
            problem = error.problems[0]
            reason, place = problem.message, problem.place
        except TimeoutError:
            reason, place = f"no answer within {self._patience_s:g} s", None
        else:
            return True
        self._log.warning(
            "integration.refused", part=part, integration=self._installation.identifier, reason=reason, place=place
        )
        return False


def _moment(seconds: float) -> str:
    """Epoch seconds in RFC 3339, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
