"""`portsync plan`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portsync.changes import CREATE, DELETE, UPDATE, PlannedChanges
from portsync.cli.adoption import adopt_option, adopted
from portsync.cli.render import console, print_in_lines, print_report_problems
from portsync.cli.running import run
from portsync.cli.sync import check_kinds, redactor_of
from portsync.excerpts import cut_json
from portsync.logs import configure_logs
from portsync.running import Order
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.shipped import or_shipped
from portsync.surroundings import Surroundings
from portsync.wiring import load_all

if TYPE_CHECKING:
    from rich.console import Console

    from portsync.logs import Redactor
    from portsync.report import Report

_PATH = click.Path(path_type=Path)
_CHANGES = 10
"""Exit code of --detailed-exitcode where there is something to do."""
_SHOWN = 20
_LONGEST_VALUE = 60
_SIGNS = {CREATE: ("green", "+"), UPDATE: ("yellow", "~"), DELETE: ("red", "-")}


@click.command(short_help="Say what a sync would change in Port, and change nothing.")
@click.argument("mapping_file", required=False, type=_PATH, metavar="MAPPING")
@click.option("--kind", "kinds", multiple=True, help="Only resources of this kind; may be repeated.")
@click.option("--full", "is_full", is_flag=True, help="Plan for `sync --full`.")
@click.option("--no-delete", is_flag=True, help="Plan for `sync --no-delete`.")
@click.option("--max-delete", type=click.FloatRange(0, 1), metavar="RATIO", help="In place of entityDeletionThreshold.")
@click.option("--allow-empty", is_flag=True, help="An empty source may delete what it gave before.")
@adopt_option
@click.option("--all", "is_all", is_flag=True, help=f"Show every change, not only the first {_SHOWN} of each kind.")
@click.option("--detailed-exitcode", is_flag=True, help=f"Exit code {_CHANGES} where there is something to change.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The form of the result.")
@click.pass_obj
def plan(
    runtime: Runtime | None,
    mapping_file: Path | None,
    kinds: tuple[str, ...],
    *,
    is_full: bool,
    no_delete: bool,
    max_delete: float | None,
    allow_empty: bool,
    adopt: str | None,
    is_all: bool,
    detailed_exitcode: bool,
    form: str,
) -> None:
    """Read the source of MAPPING and what Port holds, and show what a sync would create, update and delete.

    Nothing is written, neither to Port nor to the state.

    \b
    Example:
      PORT_CLIENT_ID=... PORT_CLIENT_SECRET=... ANTHROPIC_API_KEY=... portsync plan mappings/claude.yaml
    """
    runtime = runtime or Runtime()
    environment = adopted(runtime.environment, adopt)
    settings = read_settings(environment)
    if mapping_file is None and settings.mapping is None:
        raise click.UsageError("name a mapping file, or set PORTSYNC_MAPPING")
    path = or_shipped(mapping_file or Path(settings.mapping or ""))
    loaded = load_all([path], environment, settings)
    print_in_lines([warning for mapping, _ in loaded for warning in mapping.warnings])
    check_kinds(loaded, kinds)
    redactor = redactor_of(settings, loaded)
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    with PlannedChanges() as planned:
        order = Order(
            frozenset(kinds),
            is_full=is_full,
            no_delete=no_delete,
            max_delete=max_delete,
            allow_empty=allow_empty,
            planned=planned,
        )
        (report,) = asyncio.run(run(loaded, Surroundings(settings, runtime, redactor), order))
        if form == "json":
            click.echo(json.dumps(redactor.clean_json(_as_json(report, planned)), indent=2, ensure_ascii=False))
        else:
            _show(report, planned, redactor, is_all=is_all)
        has_changes = planned.total > 0
    sys.exit(_CHANGES if report.exit_code == 0 and has_changes and detailed_exitcode else report.exit_code)


def _as_json(report: Report, planned: PlannedChanges) -> dict[str, Any]:
    return {
        "version": 1,
        "blueprints": {
            name: {action: counts[action] for action in _SIGNS} for name, counts in sorted(planned.counts.items())
        },
        "changes": list(planned.read()),
        "report": report.as_json(),
    }


def _show(report: Report, planned: PlannedChanges, redactor: Redactor, *, is_all: bool) -> None:
    out = console(sys.stdout)
    for blueprint in sorted(planned.counts):
        for action in _SIGNS:
            _show_some(out, planned, blueprint, action, redactor, is_all=is_all)
    print_report_problems(report, redactor)
    totals = report.totals()
    counts = [
        f"{totals['created']:,} to create",
        f"{totals['updated']:,} to update",
        f"{totals['deleted']:,} to delete",
        f"{totals['unchanged']:,} unchanged",
    ]
    kept = [f"{d.stale - d.deleted:,} kept ({d.blueprint}: {d.refused})" for d in report.deletions if d.refused]
    words = "plan" if report.exit_code == 0 else f"plan ({report.status})"
    out.print(redactor.clean(f"{words}: {', '.join([*counts, *kept])}"), markup=False)


def _show_some(
    out: Console, planned: PlannedChanges, blueprint: str, action: str, redactor: Redactor, *, is_all: bool
) -> None:
    """The changes of one kind in one blueprint."""
    number = planned.counts[blueprint][action]
    if not number:
        return
    colour, sign = _SIGNS[action]
    out.print(f"{blueprint}: {action} {number:,}", style="bold", markup=False)
    some = (c for c in planned.read() if c["blueprint"] == blueprint and c["action"] == action)
    for shown, change in enumerate(some):
        if shown == _SHOWN and not is_all:
            out.print(f"  ... and {number - shown:,} more; --all shows them", markup=False)
            break
        out.print(redactor.clean(f"  {sign} {change['identifier']}"), style=colour, markup=False)
        for difference in change["differences"]:
            old, new = (cut_json(difference[key], _LONGEST_VALUE) for key in ("old", "new"))
            out.print(redactor.clean(f"      {difference['name']}: {old} -> {new}"), markup=False)
