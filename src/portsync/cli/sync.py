"""`portsync sync`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from portsync.cli.adoption import adopt_option, adopted
from portsync.cli.executing import executor_options, mapping_files, opened_cluster
from portsync.cli.output import check_output, opened_sink
from portsync.cli.render import print_in_lines, print_report
from portsync.cli.running import run
from portsync.logs import Redactor, configure_logs
from portsync.running import Order
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.shipped import or_shipped
from portsync.stop import unhurried
from portsync.surroundings import Surroundings
from portsync.wiring import load_all

if TYPE_CHECKING:
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan
    from portsync.report import Report
    from portsync.settings import Settings

_PATH = click.Path(path_type=Path)


@click.command(short_help="Bring a mapping's resources into Port.")
@click.argument("mappings", nargs=-1, type=_PATH, metavar="MAPPING...")
@click.option("--kind", "kinds", multiple=True, help="Only resources of this kind; may be repeated.")
@click.option("--strict", "is_strict", is_flag=True, help="Exit code 1 also for skipped resources and field errors.")
@click.option("--full", "is_full", is_flag=True, help="Send everything, not only what changed.")
@click.option("--no-delete", is_flag=True, help="Delete nothing.")
@click.option("--max-delete", type=click.FloatRange(0, 1), metavar="RATIO", help="In place of entityDeletionThreshold.")
@click.option("--allow-empty", is_flag=True, help="An empty source may delete what it gave before.")
@click.option("--dead-letters", type=_PATH, metavar="FILE", help="Where what Port refused is kept, to be sent again.")
@adopt_option
@executor_options
@click.option("--sink", "to", type=click.Choice(["port", "jsonl"]), default="port", help="Where the entities go.")
@click.option("--output", type=_PATH, help="With --sink jsonl: write to this file, not to standard output.")
@click.option("--report", "report_file", type=_PATH, help="Write the report to this file, as JSON.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The report's form.")
@click.pass_obj
def sync(
    runtime: Runtime | None,
    mappings: tuple[Path, ...],
    kinds: tuple[str, ...],
    *,
    is_strict: bool,
    is_full: bool,
    no_delete: bool,
    max_delete: float | None,
    allow_empty: bool,
    dead_letters: Path | None,
    adopt: str | None,
    executor: str | None,
    scheduler: str | None,
    to: str,
    output: Path | None,
    report_file: Path | None,
    form: str,
) -> None:
    """Read every resource of MAPPING, or of all mappings in a folder, from its API and upsert the entities into Port.

    Credentials come from the environment: PORT_CLIENT_ID, PORT_CLIENT_SECRET, and what the mapping names as ${NAME}.

    \b
    Example:
      PORT_CLIENT_ID=... PORT_CLIENT_SECRET=... ANTHROPIC_API_KEY=... portsync sync mappings/claude.yaml
    """
    runtime = runtime or Runtime()
    environment = adopted(runtime.environment, adopt)
    settings = read_settings(environment)
    paths = [or_shipped(path) for path in mapping_files(mappings)] or (
        [Path(settings.mapping)] if settings.mapping else []
    )
    if not paths:
        raise click.UsageError("name a mapping file, or set PORTSYNC_MAPPING")
    check_output(to, output, form)
    opened = opened_cluster(settings, runtime, executor, scheduler)
    if opened is not None and to != "port":
        raise click.UsageError("a cluster writes to Port alone: leave out --sink, or --executor dask")
    loaded = load_all(paths, environment, settings, needs_port=to == "port")
    print_in_lines([warning for mapping, _ in loaded for warning in mapping.warnings])
    check_kinds(loaded, kinds)
    if report_file is not None:
        _check_writable(report_file)
    redactor = redactor_of(settings, loaded)
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    with opened_sink(to, output) as sink:
        order = Order(
            frozenset(kinds),
            is_strict=is_strict,
            is_full=is_full,
            no_delete=no_delete,
            max_delete=max_delete,
            allow_empty=allow_empty,
            dead_letters=dead_letters,
            sink=sink,
        )
        reports = asyncio.run(run(loaded, Surroundings(settings, runtime, redactor), order, opened))
    with unhurried():
        _deliver(reports, redactor, report_file, form, sys.stderr if to == "jsonl" and output is None else sys.stdout)
    sys.exit(max((report.exit_code for report in reports), default=0))


def _check_writable(report_file: Path) -> None:
    """Find out before the run, and not after it, that its report has nowhere to go."""
    try:
        report_file.open("a", encoding="utf-8").close()
    except OSError as error:
        raise click.BadParameter(f"--report {report_file}: {error.strerror}") from error


def redactor_of(settings: Settings, loaded: list[tuple[LoadedMapping, SourcePlan]]) -> Redactor:
    """What knows every secret of these mappings and of the environment."""
    return Redactor({*settings.secrets(), *(s for m, p in loaded for s in {*m.secrets, *p.auth.secrets()})})


def check_kinds(loaded: list[tuple[LoadedMapping, SourcePlan]], kinds: tuple[str, ...]) -> None:
    """Raise click's error where no resource has one of the kinds."""
    known = {resource.kind for mapping, _ in loaded for resource in mapping.file.resources}
    for kind in kinds:
        if kind not in known:
            raise click.BadParameter(f"no resource has the kind {kind}; there are {', '.join(sorted(known))}")


def _deliver(reports: list[Report], redactor: Redactor, report_file: Path | None, form: str, out: TextIO) -> None:
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
        print_report(report, redactor, out)
