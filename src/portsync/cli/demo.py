"""`portsync demo`."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime

import click

from portsync.catalog_files import read_catalog_files
from portsync.cli.provision import bring
from portsync.cli.render import print_report
from portsync.cli.running import run
from portsync.demo.dialects import SPOKEN, Dialect, Spoken
from portsync.demo.users import DEFAULT_USERS, sample_users
from portsync.emulator.app import create_app
from portsync.logs import Redactor, configure_logs
from portsync.loopback import serving
from portsync.running import Order
from portsync.runtime import Runtime
from portsync.settings import Settings
from portsync.shipped import shipped_folder
from portsync.surroundings import Surroundings
from portsync.wiring import load_all

_DAYS = 30
_SOURCE_TOKEN = "demo-source-token"  # noqa: S105 - it opens nothing but the sample source of this process
_PORT_SECRET = "demo-port-secret"  # noqa: S105 - likewise the local Port


@click.command(short_help="Run the main job on embedded parts; no network, no credentials.")
@click.option("--serve", "stays", is_flag=True, help="Leave the local Port running afterwards, until Ctrl-C.")
@click.option("--records", type=click.IntRange(1, 1_000_000), help="Let the sample source hold about so many records.")
@click.option(
    "--dialect",
    type=click.Choice([dialect.value for dialect in Dialect]),
    default=Dialect.DOCUMENT.value,
    help="How the sample API speaks: as mappings/claude.yaml, claude-admin.yaml or claude-analytics.yaml asks.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The report's form.")
@click.pass_obj
def demo(runtime: Runtime | None, stays: bool, records: int | None, dialect: str, form: str) -> None:
    """Bring 30 days of invented Claude usage from a sample API through a shipped mapping into a local Port.

    \b
    Example:
      portsync demo
    """
    runtime = runtime or Runtime()
    spoken = SPOKEN[Dialect(dialect)]
    users = DEFAULT_USERS if records is None else sample_users(spoken.users_for(records))
    today = datetime.fromtimestamp(runtime.clock(), UTC).date()
    emails = [user.email for user in users]
    port_app = create_app(client_id="demo", client_secret=_PORT_SECRET, users=emails)
    source_app = spoken.source(key=_SOURCE_TOKEN, today=today, users=users)
    with ExitStack() as servers:
        source_url = servers.enter_context(serving(source_app))
        port_url = servers.enter_context(serving(port_app))
        settings = Settings.model_validate(
            {"PORT_CLIENT_ID": "demo", "PORT_CLIENT_SECRET": _PORT_SECRET, "PORT_BASE_URL": port_url}
        )
        configure_logs(form=None, level=settings.log_level, redactor=Redactor())
        environment = {"ANTHROPIC_BASE_URL": source_url, spoken.variable: _SOURCE_TOKEN}
        loaded = load_all([shipped_folder() / "mappings" / spoken.mapping], environment, settings)
        if form == "text":
            click.echo(f"sample API  {source_url}  {_DAYS} days of Claude usage by {len(users)} invented users")
            click.echo(f"local Port  {port_url}  a catalog of its own, gone with this process")
        around = Surroundings(settings, runtime, Redactor())
        provisioned = ("blueprints/claude", f"dashboards/{spoken.dashboard}")
        files = read_catalog_files([shipped_folder() / path for path in provisioned])
        plan, _ = asyncio.run(bring(files, around))
        if form == "text":
            pages = ", ".join(page.identifier for page in plan.pages)
            click.echo(f"provisioned {len(plan.blueprints)} blueprints and the dashboard {pages}\n")
        (report,) = asyncio.run(run(loaded, around, Order(keeps_state=False)))
        if form == "json":
            click.echo(json.dumps(report.as_json(), indent=2))
        else:
            print_report(report, Redactor())
        held = spoken.entities(today=today, users=users)
        if (written := report.totals()["created"]) != held and report.exit_code == 0:
            click.echo(f"the sample source holds {held:,} entities, but {written:,} came", err=True)
            sys.exit(1)
        if stays and report.exit_code == 0:
            _stay(port_url, source_url, plan.pages[0].identifier, spoken)
    sys.exit(report.exit_code)


def _stay(port_url: str, source_url: str, dashboard: str, spoken: Spoken) -> None:
    click.echo(
        "\nThe local Port and the sample API stay up; Ctrl-C ends them. To sync once more from another terminal:\n"
    )
    click.echo(f"  export PORT_BASE_URL={port_url} PORT_CLIENT_ID=demo PORT_CLIENT_SECRET={_PORT_SECRET}")
    click.echo(f"  export ANTHROPIC_BASE_URL={source_url} {spoken.variable}={_SOURCE_TOKEN}")
    click.echo(f"  portsync sync mappings/{spoken.mapping}")
    click.echo(
        f"\nTo look at the catalog, open {port_url}/ and its dashboard at\n\n  {port_url}/dashboards/{dashboard}"
    )
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("")
