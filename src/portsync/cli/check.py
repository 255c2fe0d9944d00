"""`portsync check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portsync.cli.annotations import as_github, as_json, as_sarif
from portsync.cli.checking import checked, files_of
from portsync.cli.render import print_problems
from portsync.errors import ConfigError
from portsync.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.cli.checking import Checked

_PATH = click.Path(path_type=Path)


@click.command(short_help="Find everything that is wrong with mapping files, offline.")
@click.argument("mappings", nargs=-1, type=_PATH, metavar="MAPPING...")
@click.option("--blueprints", type=_PATH, help="A folder of blueprints that the mappings must fit.")
@click.option("--fix", is_flag=True, help="Write the repairs that are safe into the files.")
@click.option("--strict", is_flag=True, help="Exit code 2 also where there are only warnings.")
@click.option("--live", is_flag=True, help="Then ask the source for the first record of each resource.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="How problems are printed.",
)
@click.pass_obj
def check(
    runtime: Runtime | None,
    mappings: tuple[Path, ...],
    blueprints: Path | None,
    fix: bool,
    strict: bool,
    live: bool,
    form: str,
) -> None:
    """Find everything that is wrong with each MAPPING, with its place, and send nothing without --live.

    A MAPPING is a file, a page in Markdown whose blocks of YAML are looked at, or a folder of such.

    \b
    Example:
      ANTHROPIC_API_KEY=unused portsync check mappings/claude.yaml
    """
    runtime = runtime or Runtime()
    environment = runtime.environment
    if live and form != "text":
        raise click.UsageError("--live says what it sees as text")
    named = environment.get("PORTSYNC_MAPPING")
    paths = list(mappings) or ([Path(named)] if named else [])
    if not paths:
        raise click.UsageError("name a mapping file, or set PORTSYNC_MAPPING")
    is_one = len(paths) == 1 and not paths[0].is_dir()
    found = []
    for path in files_of(paths):
        found.append(checked(path, blueprints, environment, fix=fix))
        for line, what in found[-1].fixed:
            click.echo(f"{path}:{line}: {what.strip()}", err=True)
    _show(found, form, is_one=is_one)
    is_wrong = any(each.problems or (strict and each.warnings) for each in found)
    if live and not is_wrong:
        from portsync.cli.live import look_live  # noqa: PLC0415 - what runs JQ is not needed offline

        sys.exit(max(look_live(each.path, runtime) for each in found))
    sys.exit(ConfigError.exit_code if is_wrong else 0)


def _show(found: Sequence[Checked], form: str, *, is_one: bool) -> None:
    match form:
        case "json":
            click.echo(json.dumps(as_json(found, is_one=is_one), indent=2))
        case "sarif":
            click.echo(json.dumps(as_sarif(found), indent=2))
        case "github":
            for line_of in as_github(found):
                click.echo(line_of)
        case _:
            _print(found)


def _print(found: Sequence[Checked]) -> None:
    for each in found:
        print_problems(each.problems)
        print_problems(each.warnings, word="warning")
        click.echo(f"{each.path}: {_counts([each])}", err=bool(each.problems))
    if len(found) > 1:
        click.echo(f"{len(found)} files: {_counts(found)}", err=any(each.problems for each in found))


def _counts(found: Sequence[Checked]) -> str:
    problems, warnings = sum(len(each.problems) for each in found), sum(len(each.warnings) for each in found)
    end = f", {_counted(warnings, 'warning')}" if warnings else ""
    return f"{_counted(problems, 'problem')}{end}"


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
