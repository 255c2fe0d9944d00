"""`portsync check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portsync.blueprints import beside, read_blueprints
from portsync.cli.render import print_problems
from portsync.errors import ConfigError, MappingError, Problem
from portsync.mapping.advice import texts_like_jq
from portsync.mapping.fit import fit_problems
from portsync.mapping.loader import needed_repairs, parse, read_text
from portsync.mapping.repair import apply_repairs
from portsync.mapping.wrap import Wrap, apply_wraps, find_wrap
from portsync.plan import origin_problems
from portsync.report import problem_as_json
from portsync.runtime import Runtime
from portsync.shipped import or_shipped
from portsync.urls import Origins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@click.command(short_help="Find everything that is wrong with a mapping file, offline.")
@click.argument("mapping", type=click.Path(path_type=Path))
@click.option("--blueprints", type=click.Path(path_type=Path), help="A folder of blueprints that the mapping must fit.")
@click.option("--fix", is_flag=True, help="Write the repairs that are safe into the file.")
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
        text = _fixed(mapping, text, environment)
    problems, warnings = _found(mapping, text, blueprints, environment)
    if form == "json":
        found = {"problems": problems, "warnings": warnings}
        shown = {name: [problem_as_json(problem) for problem in listed] for name, listed in found.items()}
        click.echo(json.dumps({"mapping": str(mapping), **shown}, indent=2))
    else:
        print_problems(problems)
        print_problems(warnings, word="warning")
        end = f", {_counted(warnings, 'warning')}" if warnings else ""
        click.echo(f"{mapping}: {_counted(problems, 'problem')}{end}", err=bool(problems))
    sys.exit(ConfigError.exit_code if problems else 0)


def _counted(found: Sequence[Problem], word: str) -> str:
    return f"{len(found) or 'no'} {word}{'' if len(found) == 1 else 's'}"


def _fixed(mapping: Path, text: str, environment: Mapping[str, str]) -> str:
    """The text after all repairs, which are written to the file and named on standard error."""
    repairs = needed_repairs(text, mapping)
    done = [(repair.line, "removed" if repair.fixed is None else repair.fixed) for repair in repairs]
    fixed = apply_repairs(text, repairs)
    wraps = _wraps(mapping, fixed, environment)
    fixed = apply_wraps(fixed, wraps)
    done += [(wrap.line, wrap.fixed) for wrap in wraps]
    if done:
        _write(mapping, fixed)
    for line, what in done:
        click.echo(f"{mapping}:{line}: {what.strip()}", err=True)
    return fixed


def _wraps(mapping: Path, text: str, environment: Mapping[str, str]) -> list[Wrap]:
    """What makes expressions of the texts that look like some; nothing for a file with problems, which come first."""
    try:
        loaded = parse(text, mapping, environment)
    except MappingError:
        return []
    # A set, for an alias leads to the same text a second time.
    found = {find_wrap(loaded.document, path) for path in texts_like_jq(loaded.file)}
    return sorted((wrap for wrap in found if wrap is not None), key=lambda wrap: wrap.start)


def _write(mapping: Path, text: str) -> None:
    try:
        mapping.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MappingError(
            Problem("unwritable-file", f"cannot be written: {error.strerror}", place=str(mapping))
        ) from error


def _found(
    mapping: Path, text: str, blueprints: Path | None, environment: Mapping[str, str]
) -> tuple[list[Problem], tuple[Problem, ...]]:
    """The problems and, where the file as such has none, the warnings."""
    try:
        loaded = parse(text, mapping, environment)
        source = loaded.file.source
        problems = []
        if source.base_url is not None:
            problems = origin_problems(loaded, Origins.around(source.base_url, source.allow_origins))
        folder = blueprints or beside(mapping)
        fit = [] if folder is None else fit_problems(loaded, read_blueprints(folder))
    except ConfigError as error:
        return list(error.problems), ()
    return problems + fit, loaded.warnings
