"""`portsync provision`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portsync.blueprints import read_blueprints
from portsync.cli.render import print_problems
from portsync.cli.runtime import Runtime
from portsync.cli.wiring import Surroundings, port_client, port_credentials
from portsync.errors import PortSyncError
from portsync.logs import Redactor
from portsync.port.owner import owner_of
from portsync.provision import apply_steps, plan_blueprints
from portsync.settings import read_settings
from portsync.shipped import or_shipped

if TYPE_CHECKING:
    from portsync.provision import Step
    from portsync.settings import Settings


@click.command(short_help="Create or change blueprints in Port.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The form of the result.")
@click.pass_obj
def provision(runtime: Runtime | None, folder: Path, only_plan: bool, form: str) -> None:
    """Bring the blueprints of DIR (*.json) into Port: missing ones are created, different ones changed.

    What Port has beyond the files is kept. Running it again changes nothing.

    \b
    Example:
      PORT_CLIENT_ID=... PORT_CLIENT_SECRET=... portsync provision blueprints/claude --plan
    """
    runtime = runtime or Runtime()
    settings = read_settings(runtime.environment)
    blueprints = read_blueprints(or_shipped(folder))
    port_credentials(settings)
    redactor = Redactor(settings.secrets())
    try:
        steps = asyncio.run(_run(settings, blueprints, runtime, redactor, only_plan=only_plan))
    except PortSyncError as error:
        # Here and not in main(): only here it is known what Port may repeat and nobody may see.
        print_problems(error.problems, redactor)
        sys.exit(error.exit_code)
    if form == "json":
        value = [
            {"identifier": step.identifier, "change": step.change, "sections": sorted(step.sections)} for step in steps
        ]
        click.echo(json.dumps({"planned_only": only_plan, "blueprints": value}, indent=2))
        return
    for step in steps:
        sections = f" ({', '.join(step.sections)})" if step.sections else ""
        click.echo(f"{step.change:<10} {step.identifier}{sections}")


async def _run(
    settings: Settings, blueprints: list[dict[str, object]], runtime: Runtime, redactor: Redactor, *, only_plan: bool
) -> list[Step]:
    async with port_client(
        settings, owner_of(settings, "provision"), Surroundings(settings, runtime, redactor)
    ) as port:
        await port.sign_in()
        steps = await plan_blueprints(port, blueprints)
        if not only_plan:
            await apply_steps(port, steps)
    return steps
