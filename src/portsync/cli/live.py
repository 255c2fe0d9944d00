"""`portsync check --live`: the first page of each resource, asked for real."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from portsync.authoring.preview import Wanted
from portsync.cli.preview import exit_code_of, previews
from portsync.cli.render import print_problems, printable
from portsync.cli.sync import redactor_of
from portsync.errors import Problem
from portsync.logs import configure_logs
from portsync.settings import read_settings
from portsync.surroundings import Surroundings
from portsync.wiring import load_all

if TYPE_CHECKING:
    from pathlib import Path

    from portsync.authoring.preview import Previewed
    from portsync.logs import Redactor
    from portsync.runtime import Runtime


def look_live(path: Path, runtime: Runtime) -> int:
    """Ask the source of a mapping for the first record of each resource, say what came, and give the exit code that
    `sync` would have ended with so far. Raises ConfigError."""
    settings = read_settings(runtime.environment)
    loaded = load_all([path], runtime.environment, settings, needs_port=False)
    ((mapping, source),) = loaded
    redactor = redactor_of(settings, loaded)
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    around = Surroundings(settings, runtime, redactor)
    found = asyncio.run(previews(mapping, source, around, (), Wanted(limit=1)))
    for one in found:
        _show(one, redactor)
    return exit_code_of(found)


def _show(found: Previewed, redactor: Redactor) -> None:
    problems = [] if found.end is None or found.end.problem is None else [found.end.problem]
    for page in found.pages:
        for record in page.shown:
            problems += [Problem(f.code, f.message, f.place, f.hint, kind=found.kind) for f in record.failures]
            problems += [
                Problem("field-error", f"`{e.field}` is left out: {e.message}", e.place, kind=found.kind)
                for e in record.field_errors
            ]
    click.echo(printable(redactor.clean(f"{found.kind}: {_said(found)}")), err=bool(problems))
    print_problems(problems, redactor)


def _said(found: Previewed) -> str:
    """What came, in words."""
    if not found.pages:
        return "no records" if found.end is None or found.end.problem is None else "not read"
    first = found.pages[0]
    entities = [f"{e.blueprint} {e.identifier}" for record in first.shown for e in record.entities]
    end = f", the first becomes {', '.join(entities)}" if entities else ""
    return f"{first.records:,} record{'' if first.records == 1 else 's'} on the first page{end}"
