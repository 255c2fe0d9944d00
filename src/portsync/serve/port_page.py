"""The integration's page in Port, watched: somebody asks there for a run, or writes another mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from portsync.errors import PortError, PortUnreachableError, SendError
from portsync.port.client import unreachable
from portsync.port.integration import fetch_integration, fetch_resync_request
from portsync.schedule import with_jitter
from portsync.serve.supply import PortSupply
from portsync.serve.watched import attempted, bug_of, raised

if TYPE_CHECKING:
    from portsync.port.client import PortClient
    from portsync.serve.job import Job
    from portsync.serve.parts import Parts
    from portsync.serve.supply import PortConfig


class PortPage:
    """What Port says of one integration."""

    def __init__(self, port: PortClient, identifier: str) -> None:
        self._port = port
        self._identifier = identifier

    async def config(self) -> PortConfig | None:
        """The mapping that is written there; None where there is no integration, or nothing in it. Raises PortError."""
        try:
            integration = await fetch_integration(self._port, self._identifier)
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error
        config = (integration or {}).get("config")
        return config if isinstance(config, dict) else None

    async def asked_at(self) -> str | None:
        """When somebody last asked for a run, in Port's words. Raises PortError."""
        try:
            return await fetch_resync_request(self._port, self._identifier)
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error


class PortWatch:
    """Asks Port again and again, and passes on what it hears."""

    def __init__(self, page: PortPage, job: Job, parts: Parts) -> None:
        self._page = page
        self._job = job
        self._parts = parts
        self._asked_at: str | None = None
        self._is_first = True
        self._is_silent = False

    async def work(self) -> None:
        """Watch until cancelled. A Port that cannot be asked is asked again later."""
        runtime = self._parts.runtime
        every_s = self._parts.settings.poll_every
        while True:
            looking = await attempted(self.look())
            if (error := raised(looking)) is not None:
                problem = bug_of(error, "please report it; Port is asked again")
                structlog.get_logger().error("port.not_asked", message=problem.message, hint=problem.hint)
            await runtime.sleep(with_jitter(every_s, 0.0, runtime.random()))

    async def look(self) -> None:
        """Ask once."""
        log = structlog.get_logger().bind(mapping=self._job.supply.name)
        try:
            await self._look()
        except PortError as error:
            if not self._is_silent:
                problem = error.problems[0]
                log.warning("port.not_asked", message=problem.message, place=problem.place)
            self._is_silent = True
        else:
            if self._is_silent:
                log.info("port.asked_again")
            self._is_silent = False

    async def _look(self) -> None:
        asked_at = await self._page.asked_at()
        if asked_at != self._asked_at:
            # What was asked for before the service came up is answered by its first run. Where Port could not be asked
            # then, nobody knows, and one run too many does no harm.
            if asked_at is not None and (self._is_silent or not self._is_first):
                self._job.asks.add("port")
            self._asked_at = asked_at
        self._is_first = False
        supply = self._job.supply
        if isinstance(supply, PortSupply) and not supply.seen(await self._page.config()) and await self._job.reload():
            self._job.asks.add("mapping")
