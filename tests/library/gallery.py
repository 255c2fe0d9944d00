"""`./dev gallery`: what each mapping of the library makes of its first case, as a picture for its page.

Each mapping is synced from a server on loopback into a local Port, whose page Chromium takes a picture of.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from portsync.authoring.standstill import Standstill
from portsync.cli.main import main as portsync
from portsync.emulator.app import create_app
from portsync.loopback import serving
from portsync.runtime import Runtime
from tests.library.picture import shrunk
from tests.library.shelf import APIS, ROOT, Api, Replay, users_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURES = ROOT / "docs" / "images" / "library"
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-lcd-text",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--virtual-time-budget=2000", "--window-size=1500,1750", "--force-device-scale-factor=0.8",
)  # fmt: skip
_CLIENT, _SECRET = "gallery", "gallery-secret"


@dataclass(frozen=True)
class Table:
    """A blueprint's entities, in these columns."""

    blueprint: str
    columns: tuple[str, ...]

    @property
    def path(self) -> str:
        return f"/blueprints/{self.blueprint}?{urlencode([('col', column) for column in self.columns])}"


@dataclass(frozen=True)
class One:
    """One entity, with its relations in both directions."""

    blueprint: str
    identifier: str

    @property
    def path(self) -> str:
        return f"/entity?{urlencode({'blueprint': self.blueprint, 'identifier': self.identifier})}"


VIEWS: dict[str, Table | One] = {
    "canny": One("canny_board", "553c3ef8b8cdcd1501ba1234"),
    "cursor": Table(
        "cursor_daily_usage",
        ("$title", "active", "lines_added", "accepted_lines_added", "tab_acceptance", "chat_requests",
         "most_used_model"),
    ),
    "github": Table(
        "github_workflow_run",
        ("$title", "result", "workflow", "event", "branch", "actor", "minutes", "relation.repository"),
    ),
    "gitlab": Table(
        "gitlab_merge_request",
        ("$title", "state", "merge_status", "author", "reviewers", "days_to_merge", "relation.project"),
    ),
    "grafana": One("grafana_folder", "fpay"),
    "hubspot": Table(
        "hubspot_company",
        ("$title", "url", "lifecycle_stage", "employees", "annual_revenue", "contacts", "relation.owner"),
    ),
    "jira": Table(
        "jira_issue",
        ("$title", "type", "status", "status_category", "priority", "relation.parent", "relation.assigned_to"),
    ),
    "microsoft-graph": One("entra_user", "87d349ed-44d7-43e1-9a83-5f2406dee5bd"),
    "openai": Table(
        "openai_model_usage",
        ("$title", "requests", "input_tokens", "cached_input_tokens", "output_tokens", "total_tokens",
         "relation.project"),
    ),
    "pagerduty": One("pagerduty_service", "PCHECK1"),
    "slack": Table("slack_user", ("$title", "kind", "name", "email", "job_title", "timezone", "relation.user")),
    "zendesk": Table(
        "zendesk_ticket",
        ("$title", "status", "priority", "type", "channel", "group", "relation.organization", "relation.assignee"),
    ),
}  # fmt: skip
"""For each API what says most."""


class Turn:
    """An ASGI app that becomes another one: the address has to be known before the answers are, which name it."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Named:
    """The local Port, in whose pages an API has its own address in place of that on loopback."""

    def __init__(self, app: ASGIApp, replay: Replay) -> None:
        self._app = app
        self._replay = replay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours, theirs = (url.partition("//")[2] for url in (self._replay.base_url, self._replay.api_url))
        head: list[Message] = []

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                head.append({**message, "headers": headers})
                return
            if head:
                await send(head.pop())
            body = message["body"].replace(ours.encode(), theirs.encode()) if self._is_page(scope) else message["body"]
            await send({**message, "body": body})

        await self._app(scope, receive, sent)

    @staticmethod
    def _is_page(scope: Scope) -> bool:
        return str(scope["path"]).startswith(("/entity", "/blueprints/"))


def take(api: Api) -> Path:
    """Write the picture of an API, and say where it is."""
    suite = api.suite()
    case = suite.cases.file.cases[0]
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        turn = Turn()
        replay = Replay(api, case, suite, stack.enter_context(serving(turn)))
        turn.app = replay.app()
        clock = Standstill(replay.now.timestamp())
        port_app = create_app(client_id=_CLIENT, client_secret=_SECRET, users=users_of(case), clock=clock.now)
        port = stack.enter_context(serving(Named(port_app, replay)))
        _sync(api, replay, clock, {"PORT_BASE_URL": port, "XDG_STATE_HOME": folder})
        shot = Path(folder) / "shot.png"
        command = [str(_CHROMIUM), *_FLAGS, f"--user-data-dir={folder}/profile", f"--screenshot={shot}"]
        subprocess.run([*command, f"{port}{VIEWS[api.name].path}"], capture_output=True, timeout=90, check=True)
        content = shrunk(shot.read_bytes())
    PICTURES.mkdir(parents=True, exist_ok=True)
    target = PICTURES / f"{api.name}.png"
    target.write_bytes(content)
    return target


def _sync(api: Api, replay: Replay, clock: Standstill, port: dict[str, str]) -> None:
    credentials = {"PORT_CLIENT_ID": _CLIENT, "PORT_CLIENT_SECRET": _SECRET}
    runtime = Runtime({**replay.environment(), **credentials, **port}, clock.now, clock.sleep, lambda: 0.5)
    try:
        portsync(["sync", str(api.path)], runtime)
    except SystemExit as end:
        if end.code:
            raise


def main() -> None:
    """Take the pictures of the APIs that are named, or of all."""
    if _CHROMIUM is None:
        sys.exit("gallery: there is no Chromium here (Debian: apt-get install chromium)")
    for api in APIS:
        if not sys.argv[1:] or api.name in sys.argv[1:]:
            path = take(api)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB")  # noqa: T201


if __name__ == "__main__":
    main()
