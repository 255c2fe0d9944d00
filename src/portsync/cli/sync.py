"""`portsync sync`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import structlog

from portsync.auth import TokenStore
from portsync.blueprints import beside, read_blueprints
from portsync.cli.progress import SyncProgress
from portsync.cli.render import print_in_lines, print_report
from portsync.cli.runtime import Runtime
from portsync.cli.wiring import load_all, owner_of, port_client, sync_tools
from portsync.errors import PortSyncError
from portsync.logs import Redactor, configure_logs
from portsync.provision import Change, apply_steps, plan_blueprints
from portsync.report import Report
from portsync.settings import Settings, read_settings
from portsync.shipped import or_shipped
from portsync.stop import Stop
from portsync.sync import RunOptions
from portsync.sync import sync as run_sync

if TYPE_CHECKING:
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan
    from portsync.port.client import PortClient

_PATH = click.Path(path_type=Path)


@click.command(short_help="Bring a mapping's resources into Port.")
@click.argument("mappings", nargs=-1, type=_PATH, metavar="MAPPING...")
@click.option("--kind", "kinds", multiple=True, help="Only resources of this kind; may be repeated.")
@click.option("--strict", "is_strict", is_flag=True, help="Exit code 1 also for skipped resources and field errors.")
@click.option("--report", "report_file", type=_PATH, help="Write the report to this file, as JSON.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The report's form.")
@click.pass_obj
def sync(
    runtime: Runtime | None,
    mappings: tuple[Path, ...],
    kinds: tuple[str, ...],
    *,
    is_strict: bool,
    report_file: Path | None,
    form: str,
) -> None:
    """Read every resource of MAPPING from its API and upsert the entities into Port.

    Credentials come from the environment: PORT_CLIENT_ID, PORT_CLIENT_SECRET, and what the mapping names as ${NAME}.

    \b
    Example:
      PORT_CLIENT_ID=... PORT_CLIENT_SECRET=... ANTHROPIC_API_KEY=... portsync sync mappings/claude.yaml
    """
    runtime = runtime or Runtime()
    settings = read_settings(runtime.environment)
    paths = [or_shipped(path) for path in mappings] or ([Path(settings.mapping)] if settings.mapping else [])
    if not paths:
        raise click.UsageError("name a mapping file, or set PORTSYNC_MAPPING")
    loaded = load_all(paths, runtime.environment, settings)
    print_in_lines([warning for mapping, _ in loaded for warning in mapping.warnings])
    _check_kinds(loaded, kinds)
    if report_file is not None:
        _check_writable(report_file)
    redactor = Redactor({*settings.secrets(), *(s for m, p in loaded for s in {*m.secrets, *p.auth.secrets()})})
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    reports = asyncio.run(run(loaded, settings, runtime, redactor, RunOptions(frozenset(kinds), is_strict)))
    _deliver(reports, redactor, report_file, form)
    sys.exit(max((report.exit_code for report in reports), default=0))


def _check_writable(report_file: Path) -> None:
    """Find out before the run, and not after it, that its report has nowhere to go."""
    try:
        report_file.open("a", encoding="utf-8").close()
    except OSError as error:
        raise click.BadParameter(f"--report {report_file}: {error.strerror}") from error


def _check_kinds(loaded: list[tuple[LoadedMapping, SourcePlan]], kinds: tuple[str, ...]) -> None:
    known = {resource.kind for mapping, _ in loaded for resource in mapping.file.resources}
    for kind in kinds:
        if kind not in known:
            raise click.BadParameter(f"no resource has the kind {kind}; there are {', '.join(sorted(known))}")


async def run(
    loaded: list[tuple[LoadedMapping, SourcePlan]],
    settings: Settings,
    runtime: Runtime,
    redactor: Redactor,
    options: RunOptions | None = None,
) -> list[Report]:
    """Sync each mapping in turn; one that Port cannot be reached for has a report that says so."""
    stop = Stop()
    # One for all mappings: what a server gave in place of a token counts for all that name the token.
    store = TokenStore(settings.token_folder)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request, number)
    reports: list[Report] = []
    for mapping, source in loaded:
        if stop.is_requested and reports:
            break
        run_id, started_at = str(uuid.uuid4()), runtime.clock()
        try:
            reports.append(
                await _run_one(
                    mapping, source, settings, runtime, redactor, stop, store, run_id, options or RunOptions()
                )
            )
        except PortSyncError as error:
            code = error.exit_code
            end = runtime.clock()
            reports.append(Report(run_id, str(mapping.path), started_at, end, code, (), error.problems))
    return reports


async def _run_one(
    mapping: LoadedMapping,
    source: SourcePlan,
    settings: Settings,
    runtime: Runtime,
    redactor: Redactor,
    stop: Stop,
    store: TokenStore,
    run_id: str,
    options: RunOptions,
) -> Report:
    log = structlog.get_logger().bind(run_id=run_id, mapping=str(mapping.path))
    async with port_client(settings, owner_of(settings, mapping.name), runtime, redactor.add) as port:
        await stop.race(port.sign_in())
        if settings.initialize_resources:
            await stop.race(create_missing_blueprints(port, mapping))
        with SyncProgress(source.rate_limit) as progress:
            async with sync_tools(
                mapping, source, settings, port, stop, progress.show, runtime, redactor.add, store
            ) as tools:
                report = await run_sync(mapping, source, tools, run_id=run_id, options=options)
    for resource in report.resources:
        log.info("resource.ended", **resource.as_json())
    log.info("run.ended", exit_code=report.exit_code, **report.totals())
    return report


async def create_missing_blueprints(port: PortClient, mapping: LoadedMapping) -> None:
    """Create the blueprints at hand that Port does not have. Existing ones are never changed by a sync."""
    if (folder := beside(mapping.path)) is None:
        return
    steps = await plan_blueprints(port, read_blueprints(folder))
    await apply_steps(port, [step for step in steps if step.change is Change.CREATE])


def _deliver(reports: list[Report], redactor: Redactor, report_file: Path | None, form: str) -> None:
    value: dict[str, Any] = reports[0].as_json()
    if len(reports) > 1:
        value = {"version": 1, "runs": [report.as_json() for report in reports]}
    text = json.dumps(redactor.clean_json(value), indent=2, ensure_ascii=False)
    if report_file is not None:
        # A surrogate, from a file name that is not UTF-8, becomes its JSON escape.
        report_file.write_bytes((text + "\n").encode("utf-8", errors="backslashreplace"))
    if form == "json":
        click.echo(text)
        return
    for report in reports:
        print_report(report, redactor)
