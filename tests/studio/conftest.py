"""A studio on loopback, and a client that its page could be."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.logs import Redactor
from portsync.loopback import serving
from portsync.runtime import Runtime
from portsync.studio.app import create_app
from portsync.studio.files import MappingFileOnDisk
from portsync.studio.guard import ENTRY, Keys
from portsync.studio.session import Session
from tests.conftest import NOW, TOKEN, Stage, StandingTime
from tests.studio.browser import browsing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Source
    from tests.studio.browser import Browser

PATIENCE_S = 0.4


@dataclass
class Studio:
    """A studio, and a client of it that has come in."""

    url: str
    keys: Keys
    session: Session
    folder: Path
    client: httpx.Client = field(repr=False)

    @property
    def entry(self) -> str:
        """The address that the command prints."""
        return f"{self.url}{ENTRY}?token={self.keys.token}"

    def post(self, address: str, /, **asked: Any) -> httpx.Response:
        return self.client.post(address, json=asked)

    def ask(self, address: str, /, **asked: Any) -> Any:
        """What a request that goes well gives."""
        answer = self.post(address, **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, text: str, **asked: Any) -> Any:
        return self.ask("/api/look", text=text, **asked)

    def ask_source(self, text: str, **asked: Any) -> Any:
        return self.ask("/api/ask", text=text, **asked)


@dataclass(frozen=True)
class Served:
    """A server whose studio a test puts in, with JQ workers that are warm for all of them."""

    url: str
    stage: Stage
    pool: JqPool

    @contextmanager
    def studio(self, folder: Path, environment: Mapping[str, str], file: Path | None = None) -> Iterator[Studio]:
        """A studio that is up; nobody has come in."""
        on_disk = MappingFileOnDisk(file)
        on_disk.read()
        time = StandingTime(NOW)
        # Nothing sleeps: what waits for a second attempt has it at once.
        runtime = Runtime(environment, time.time, time.sleep, lambda: 0.5)
        keys, session = Keys(), Session(runtime, Redactor(), self.pool, on_disk, folder)
        with (
            ExitStack() as closing,
            httpx.Client(base_url=self.url, trust_env=False, headers={"origin": self.url}, timeout=60) as client,
        ):
            self.stage.app = create_app(session, keys, closing)
            yield Studio(self.url, keys, session, folder, client)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    stage, pool = Stage(), JqPool(Limits(PATIENCE_S, 512), 2, has_spare=True)
    with serving(stage, around=lambda: pool) as url:
        yield Served(url, stage, pool)


@pytest.fixture
def closed(served: Served, tmp_path: Path) -> Iterator[Studio]:
    """A studio that nobody has entered yet."""
    with served.studio(tmp_path, {"SRC_TOKEN": TOKEN}) as studio:
        yield studio


@pytest.fixture
def studio(closed: Studio) -> Studio:
    closed.client.get(closed.entry).raise_for_status()
    return closed


@pytest.fixture
def things(source: Source) -> Callable[..., str]:
    """A mapping of the source's things, whose parts a test replaces."""

    def text(*, properties: str = "size: .size", selector: str = "data_path: .data", identifier: str = ".id") -> str:
        return f"""source:
  base_url: {source.url}
  auth: {{type: bearer, token: "${{SRC_TOKEN}}"}}
resources:
  - kind: /things
    selector:
      {selector}
    port:
      entity:
        mappings:
          identifier: {identifier}
          title: .name
          blueprint: '"thing"'
          properties:
            {properties}
"""

    return text


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser) -> Iterator[Browser]:
    with browser.tab() as tab:
        yield tab
