"""`portsync provision`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portsync.catalog_files import read_catalog_files
from portsync.cli.render import print_problems
from portsync.errors import PortSyncError
from portsync.logs import Redactor, configure_logs
from portsync.port.owner import owner_of
from portsync.provision import Change, apply_plan, plan_all
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.shipped import or_shipped
from portsync.surroundings import Surroundings
from portsync.wiring import port_client, port_credentials

if TYPE_CHECKING:
    from portsync.catalog_files import CatalogFiles
    from portsync.line_charts import LineCharts
    from portsync.provision import PageStep, Plan, Step


@click.command(short_help="Create or change blueprints and dashboards in Port.")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="DIR...")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--line-charts",
    type=click.Choice(["auto", "multi", "legacy"]),
    default="auto",
    help="The form of line charts; auto: the current one, and where Port refuses it, the legacy one.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The form of the result.")
@click.pass_obj
def provision(
    runtime: Runtime | None, paths: tuple[Path, ...], only_plan: bool, line_charts: LineCharts, form: str
) -> None:
    """Bring the blueprints and pages of DIR... into Port: missing ones are created, different ones changed.

    Each DIR is a folder of *.json, or such a file. What has `widgets` is a page, such as a dashboard; all else is a
    blueprint. What Port has beyond the files is kept. Running it again changes nothing.

    \b
    Example:
      PORT_CLIENT_ID=... PORT_CLIENT_SECRET=... portsync provision blueprints/claude dashboards/claude.json --plan
    """
    runtime = runtime or Runtime()
    settings = read_settings(runtime.environment)
    files = read_catalog_files([or_shipped(path) for path in paths])
    port_credentials(settings)
    redactor = Redactor(settings.secrets())
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    try:
        plan, legacy = asyncio.run(
            bring(files, Surroundings(settings, runtime, redactor), line_charts=line_charts, only_plan=only_plan)
        )
    except PortSyncError as error:
        # Here and not in main(): only here it is known what Port may repeat and nobody may see.
        print_problems(error.problems, redactor)
        sys.exit(error.exit_code)
    if form == "json":
        click.echo(json.dumps({"planned_only": only_plan, **_as_json(plan, legacy)}, indent=2))
    else:
        _print(plan, legacy)


async def bring(
    files: CatalogFiles,
    around: Surroundings,
    *,
    line_charts: LineCharts = "auto",
    only_plan: bool = False,
) -> tuple[Plan, frozenset[str]]:
    """What was to be done and, unless `only_plan`, was; and the pages whose line charts Port took in their legacy form
    only. Raises PortSyncError."""
    async with port_client(around.settings, owner_of(around.settings, "provision"), around) as port:
        await port.sign_in()
        plan = await plan_all(port, files, line_charts)
        return plan, frozenset() if only_plan else await apply_plan(port, plan)


def _as_json(plan: Plan, legacy: frozenset[str]) -> dict[str, list[dict[str, Any]]]:
    def shown(step: Step | PageStep) -> dict[str, Any]:
        return {"identifier": step.identifier, "change": step.change, "sections": sorted(step.sections)}

    pages = [{**shown(step), "legacy_line_charts": step.identifier in legacy} for step in plan.pages]
    return {"blueprints": [shown(step) for step in plan.blueprints], "pages": pages}


def _print(plan: Plan, legacy: frozenset[str]) -> None:
    for step in plan.blueprints:
        click.echo(_line(step))
    for page in plan.pages:
        click.echo(_line(page, "page", "legacy line charts" if page.identifier in legacy else ""))


def _line(step: Step | PageStep, *notes: str) -> str:
    sections = ", ".join(step.sections) if step.change is Change.UPDATE else ""
    shown = "; ".join(note for note in (*notes, sections) if note)
    return f"{step.change:<10} {step.identifier}{f' ({shown})' if shown else ''}"
