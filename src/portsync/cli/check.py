"""`portsync check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portsync.blueprints import beside, read_blueprints
from portsync.cli.render import print_problems
from portsync.cli.runtime import Runtime
from portsync.errors import ConfigError, MappingError, Problem
from portsync.mapping.fit import fit_problems
from portsync.mapping.loader import needed_repairs, parse, read_text
from portsync.mapping.repair import apply_repairs
from portsync.plan import origin_problems
from portsync.report import problem_as_json
from portsync.shipped import or_shipped
from portsync.urls import Origins

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command(short_help="Find everything that is wrong with a mapping file, offline.")
@click.argument("mapping", type=click.Path(path_type=Path))
@click.option("--blueprints", type=click.Path(path_type=Path), help="A folder of blueprints that the mapping must fit.")
@click.option("--fix", is_flag=True, help="Write the repairs that change nothing but the quoting.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How problems are printed.")
@click.pass_obj
def check(runtime: Runtime | None, mapping: Path, blueprints: Path | None, fix: bool, form: str) -> None:
    """Find everything that is wrong with MAPPING, with its place, and send nothing.

    \b
    Example:
      ANTHROPIC_API_KEY=unused portsync check mappings/claude.yaml
    """
    environment = (runtime or Runtime()).environment
    mapping = or_shipped(mapping)
    text = read_text(mapping)
    if fix:
        text = _fixed(mapping, text)
    problems = _problems(mapping, text, blueprints, environment)
    if form == "json":
        click.echo(json.dumps({"mapping": str(mapping), "problems": [problem_as_json(p) for p in problems]}, indent=2))
    else:
        print_problems(problems)
        end = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        click.echo(f"{mapping}: {end if problems else 'no problems'}", err=bool(problems))
    sys.exit(ConfigError.exit_code if problems else 0)


def _fixed(mapping: Path, text: str) -> str:
    repairs = needed_repairs(text, mapping)
    if repairs:
        text = apply_repairs(text, repairs)
        try:
            mapping.write_text(text, encoding="utf-8")
        except OSError as error:
            raise MappingError(
                Problem("unwritable-file", f"cannot be written: {error.strerror}", place=str(mapping))
            ) from error
        for repair in repairs:
            what = "removed" if repair.fixed is None else repair.fixed.strip()
            click.echo(f"{mapping}:{repair.line}: {what}", err=True)
    return text


def _problems(mapping: Path, text: str, blueprints: Path | None, environment: Mapping[str, str]) -> list[Problem]:
    try:
        loaded = parse(text, mapping, environment)
        source = loaded.file.source
        problems = []
        if source.base_url is not None:
            problems = origin_problems(loaded, Origins.around(source.base_url, source.allow_origins))
        folder = blueprints or beside(mapping)
        return problems if folder is None else problems + fit_problems(loaded, read_blueprints(folder))
    except ConfigError as error:
        return list(error.problems)
