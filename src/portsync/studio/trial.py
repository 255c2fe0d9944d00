"""A try: the whole run of a mapping into a local Port that lives as long as the studio. Nothing of it goes to Port."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from signal import SIGINT
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from portsync.auth import TokenStore
from portsync.catalog_files import CatalogFiles, Described
from portsync.emulator.app import create_app
from portsync.emulator.page.links import blueprint_href
from portsync.errors import ConfigError, PortSyncError
from portsync.loopback import serving
from portsync.port.owner import owner_of
from portsync.provision import apply_plan, plan_all
from portsync.report import problem_as_json
from portsync.running import MappingRun, Order
from portsync.stop import Stop
from portsync.studio.work import prepared
from portsync.surroundings import Surroundings
from portsync.wiring import port_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portsync.mapping.source import RateLimit
    from portsync.report import Report, ResourceReport
    from portsync.settings import Settings
    from portsync.studio.asked import Text
    from portsync.studio.session import Session
    from portsync.studio.work import Ready


@dataclass(frozen=True, slots=True)
class LocalPort:
    """Where the local Port is, and what opens it."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass
class Trial:
    """The one try that is under way, or was the last."""

    session: Session
    closing: ExitStack
    """Ends the local Port with the studio."""
    _port: LocalPort | None = None
    _task: asyncio.Task[None] | None = None
    _stop: Stop | None = None
    _report: dict[str, Any] | None = None
    _problems: list[dict[str, Any]] = field(default_factory=list)
    _progress: dict[int, dict[str, Any]] = field(default_factory=dict)

    async def begin(self, asked: Text) -> dict[str, Any]:
        """Begin to sync the text into the local Port, where nothing is under way. Raises ConfigError."""
        if self._task is None or self._task.done():
            ready = prepared(self.session, asked)
            if ready.found.mapping is None or ready.found.source is None:
                raise ConfigError(*ready.found.problems)
            if ready.blueprint_problems:
                raise ConfigError(*ready.blueprint_problems.values())
            self._report, self._problems, self._progress = None, [], {}
            self._stop = Stop()
            self._task = asyncio.create_task(self._run(ready, self._stop))
        return self.state()

    def end(self) -> dict[str, Any]:
        """Let the try come to its end at once; what was written stays in the local Port."""
        if self._stop is not None and self._task is not None and not self._task.done():
            self._stop.request(SIGINT)
        return self.state()

    def state(self) -> dict[str, Any]:
        """How it goes, or went."""
        return {
            "is_running": self._task is not None and not self._task.done(),
            "url": None if self._port is None else f"{self._port.url}/",
            "report": self._report,
            "problems": self._problems,
            "resources": list(self._progress.values()),
            "pages": self._pages(),
        }

    def _pages(self) -> list[dict[str, str]]:
        if self._port is None or self._report is None:
            return []
        names = {name for resource in self._report["resources"] for name in resource["blueprints"]}
        return [{"blueprint": name, "url": f"{self._port.url}{blueprint_href(name)}"} for name in sorted(names)]

    async def _run(self, ready: Ready, stop: Stop) -> None:
        with self.session.knowing(ready.found.secrets) as redactor:
            try:
                report = await self._synced(ready, stop)
            except PortSyncError as error:
                self._problems = [redactor.clean_json(problem_as_json(problem)) for problem in error.problems]
            else:
                self._report = redactor.clean_json(report.as_json())

    async def _synced(self, ready: Ready, stop: Stop) -> Report:
        """Raises PortSyncError."""
        mapping, source = ready.found.mapping, ready.found.source
        assert mapping is not None
        assert source is not None
        if self._port is None:
            self._port = await asyncio.to_thread(self._started)
        settings = _into(self._port, ready.settings)
        around = Surroundings(settings, self.session.runtime, self.session.redactor)
        if ready.blueprints:
            described = tuple(Described(value, f"{name}.json") for name, value in ready.blueprints.items())
            async with port_client(settings, owner_of(settings, "studio"), around) as port:
                await port.sign_in()
                await apply_plan(port, await plan_all(port, CatalogFiles(described), "auto"))
        order = Order(keeps_state=False)
        # A token that the source gives in place of an older one counts from now on, here as in any other run.
        store = TokenStore(ready.settings.token_folder)
        return await MappingRun(mapping, source, around, order, stop, store, shown=self._shown).run()

    def _started(self) -> LocalPort:
        keys = secrets.token_urlsafe(12), secrets.token_urlsafe(32)
        self.session.redactor.add(keys[1])
        app = create_app(client_id=keys[0], client_secret=keys[1])
        return LocalPort(self.closing.enter_context(serving(app)), *keys)

    @contextmanager
    def _shown(self, _rate_limit: RateLimit | None) -> Iterator[Callable[[ResourceReport], None]]:
        def show(resource: ResourceReport) -> None:
            names = ("pages", "records", "created", "updated", "unchanged", "rejected", "failures")
            counts = {name: resource.counts[name] for name in names}
            self._progress[resource.index] = {"kind": self.session.redactor.clean(resource.kind), **counts}

        yield show


def _into(port: LocalPort, settings: Settings) -> Settings:
    """The settings with the local Port in place of any other, and with nothing that is kept on disk."""
    return settings.model_copy(
        update={
            "client_id": port.client_id,
            "client_secret": SecretStr(port.client_secret),
            "port_base_url": port.url,
            "state": "none",
            "state_home": None,
            "home": None,
        }
    )
