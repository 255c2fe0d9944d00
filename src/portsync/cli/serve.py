"""`portsync serve`."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from prometheus_client import disable_created_metrics

from portsync.auth import TokenStore
from portsync.cli.adoption import adopt_option, adopted
from portsync.cli.render import print_report
from portsync.logs import Redactor, configure_logs
from portsync.running import Order
from portsync.runtime import Runtime
from portsync.serve.history import RunHistory
from portsync.serve.metrics import Metrics
from portsync.serve.parts import Parts
from portsync.serve.service import Service
from portsync.settings import read_settings
from portsync.shipped import or_shipped, shipped_folder
from portsync.stop import Stop
from portsync.surroundings import Surroundings
from portsync.wiring import port_credentials

if TYPE_CHECKING:
    from portsync.report import Report
    from portsync.settings import Settings

_PATH = click.Path(path_type=Path)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command(short_help="Stay up: run on a schedule, and whenever Port or somebody asks.")
@click.argument("mappings", nargs=-1, type=_PATH, metavar="[MAPPING]...")
@click.option(
    "--interval", metavar="TIME", help="Between two runs: 30m, 2h, or a cron text. Without it only on request."
)
@click.option(
    "--listener", type=click.Choice(["once", "poll"]), help="once: a single run of each mapping, then the end."
)
@click.option("--listen", metavar="HOST:PORT", help="Where to answer /healthz, /metrics and the like.")
@adopt_option
@click.option("--strict", "is_strict", is_flag=True, help="Skipped resources and field errors count as failures.")
@click.pass_obj
def serve(
    runtime: Runtime | None,
    mappings: tuple[Path, ...],
    *,
    interval: str | None,
    listener: str | None,
    listen: str | None,
    adopt: str | None,
    is_strict: bool,
) -> None:
    """Run every MAPPING now, then on schedule and whenever Port's page, a new mapping or POST /resync asks for it.

    Without MAPPING, and without a file behind PORTSYNC_MAPPING, the resources come from the integration's page in Port.

    \b
    Example:
      PORT_CLIENT_ID=... PORT_CLIENT_SECRET=... ANTHROPIC_API_KEY=... portsync serve mappings/claude.yaml --interval 1h
    """
    runtime = runtime or Runtime()
    flags = {"PORTSYNC_INTERVAL": interval, "PORTSYNC_LISTENER": listener, "PORTSYNC_LISTEN": listen}
    environment = {
        **adopted(runtime.environment, adopt),
        **{name: value for name, value in flags.items() if value is not None},
    }
    settings = read_settings(environment)
    port_credentials(settings)
    redactor = Redactor(settings.secrets())
    # They say when the process first counted something, of which monitoring has its own idea.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    is_once = settings.listener == "once"
    # What a service does is seen in its log alone.
    level = settings.log_level if is_once or "log_level" in settings.model_fields_set else "INFO"
    configure_logs(form=settings.log_format, level=level, redactor=redactor)
    parts = Parts(
        Surroundings(settings, runtime, redactor),
        Order(is_strict=is_strict),
        TokenStore(settings.token_folder),
        RunHistory(redactor),
        Metrics(redactor.clean),
    )
    paths, default = _paths(mappings, settings), _default_mapping(settings)
    reports = asyncio.run(_run(paths, default, parts, is_once=is_once))
    for report in reports:
        print_report(report, redactor)
    sys.exit(max((report.exit_code for report in reports), default=0))


async def _run(paths: list[Path], default: Path | None, parts: Parts, *, is_once: bool) -> list[Report]:
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # `nohup` ignores that the terminal is gone.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop.request, number)
    service = Service(paths, default, parts, stop, time.monotonic)
    if is_once:
        return await service.run_once()
    await service.stay()
    return []


def _paths(mappings: tuple[Path, ...], settings: Settings) -> list[Path]:
    """The mapping files; the one of the environment need not be there, because a container names one always."""
    if mappings:
        return [or_shipped(path) for path in mappings]
    path = None if settings.mapping is None else or_shipped(Path(settings.mapping))
    return [path] if path is not None and path.exists() else []


def _default_mapping(settings: Settings) -> Path | None:
    """The mapping for an integration without one: Claude's, where the environment names Claude as the source, as the
    command in Port's guide does, or this machine."""
    host = urlsplit(settings.source_base_url or "").hostname or ""
    is_claude = host == "anthropic.com" or host.endswith(".anthropic.com") or host in _LOOPBACK
    return shipped_folder() / "mappings" / "claude.yaml" if is_claude else None
