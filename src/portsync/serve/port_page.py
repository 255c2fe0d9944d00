"""The integration's page in Port, watched: somebody asks there for a run, or writes another mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from portsync.errors import PortError, PortUnreachableError, SendError
from portsync.port.client import unreachable
from portsync.port.integration import fetch_integration, fetch_resync_request
from portsync.schedule import with_jitter
from portsync.serve.supply import PortSupply
from portsync.serve.watched import attempted, bug_of, raised

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        return await self._part("config")

    async def last_resync(self) -> Mapping[str, Any] | None:
        """What Port was told of the last run; None where it was told of none. Raises PortError."""
        return await self._part("resyncState")

    async def _part(self, name: str) -> dict[str, Any] | None:
        try:
            integration = await fetch_integration(self._port, self._identifier)
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error
        part = (integration or {}).get(name)
        return part if isinstance(part, dict) else None

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
            if asked_at is not None and await self._is_open(asked_at):
                self._job.asks.add("port")
            self._asked_at = asked_at
        self._is_first = False
        await self._look_at_config()

    async def _is_open(self, asked_at: str) -> bool:
        """Whether somebody who asked at this moment still waits for a run. Raises PortError."""
        if not self._is_first:
            return True
        if self._parts.settings.runs_at_start:
            # What was asked for before the service came up is answered by its first run. Where Port could not be asked
            # then, nobody knows, and one run too many does no harm.
            return self._is_silent
        return is_unanswered(asked_at, await self._page.last_resync() or {})

    async def _look_at_config(self) -> None:
        supply = self._job.supply
        if isinstance(supply, PortSupply) and not supply.seen(await self._page.config()) and await self._job.reload():
            self._job.asks.add("mapping")


def is_unanswered(asked_at: str, last: Mapping[str, Any]) -> bool:
    """Whether somebody asked for a run after the last one had begun, of which Port was told `last`. False where Port
    does not say: an old question shall not be answered again and again."""
    asked, began = _moment(asked_at), _moment(last.get("lastResyncStart"))
    ended, told = _moment(last.get("lastResyncEnd")), _moment(last.get("updatedAt"))
    if asked is None or began is None:
        return False
    if told is not None:
        # Began and ended are moments of the clock of whoever ran; Port's own says when it was told of the last of them.
        began = told - (0.0 if ended is None else max(0.0, ended - began))
    return asked > began


def _moment(text: object) -> float | None:
    """Epoch seconds of a moment in RFC 3339; None where it is none."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
