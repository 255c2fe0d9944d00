"""`portsync import`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portsync.cli.render import print_problems
from portsync.errors import ConfigError, Problem
from portsync.importing import LOST, System, TextFile, imported
from portsync.report import problem_as_json

if TYPE_CHECKING:
    from portsync.importing import Imported


@click.command(name="import", short_help="Make a mapping of another system's configuration.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "system",
    type=click.Choice(["ocean", "airbyte", "dlt"]),
    required=True,
    help="The system whose configuration FILE is.",
)
@click.option("--env", "env", type=click.Path(path_type=Path), help="A file with the variables of an Ocean container.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the mapping to this file.")
@click.option(
    "--blueprints", type=click.Path(path_type=Path), help="Write proposals for its blueprints into this folder."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How the result is printed."
)
def import_(file: Path, system: System, env: Path | None, out: Path | None, blueprints: Path | None, form: str) -> None:
    """Make a mapping of another system's configuration. What a mapping cannot say is listed with its place, and at the
    top of the mapping. Secrets do not go into it.

    \b
    Example:
      portsync import port-app-config.yml --from ocean --env ocean.env --out mapping.yaml
    """
    if env is not None and system != "ocean":
        raise click.UsageError("--env goes with --from ocean")
    result = imported(system, _read(file), None if env is None else _read(env))
    if out is not None:
        _write(out, result.text)
    if blueprints is not None:
        _write_blueprints(blueprints, result)
    if form == "json":
        click.echo(json.dumps(_as_json(result), indent=2, ensure_ascii=False))
    elif out is None:
        click.echo(result.text, nl=False)
    lost = [note for note in result.notes if note.code == LOST]
    if form == "text":
        print_problems(lost, word="warning")
        print_problems([note for note in result.notes if note.code != LOST], word="note")
        click.echo(_last_line(file, result, len(lost), out), err=True)
    sys.exit(0 if result.is_whole else 1)


def _read(path: Path) -> TextFile:
    """The file's name and text. Raises ConfigError."""
    try:
        return str(path), path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text: byte {error.start}"
    raise ConfigError(Problem("not-importable", reason, str(path), "check the path"))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(Problem("unwritable-file", f"cannot be written: {error.strerror}", str(path))) from error


def _write_blueprints(folder: Path, result: Imported) -> None:
    """Each blueprint into a file of its own; one that is there already may have been worked on, and stays."""
    for blueprint in result.blueprints:
        path = folder / f"{blueprint['identifier']}.json"
        if path.exists():
            click.echo(f"{path}: is there already, and stays as it is", err=True)
        else:
            _write(path, json.dumps(blueprint, indent=2, ensure_ascii=False) + "\n")


def _as_json(result: Imported) -> dict[str, object]:
    return {
        "mapping": result.text,
        "document": result.document,
        "whole": result.is_whole,
        "variables": dict(result.variables),
        "blueprints": list(result.blueprints),
        "notes": [problem_as_json(note) for note in result.notes],
    }


def _last_line(file: Path, result: Imported, lost: int, out: Path | None) -> str:
    count = len(result.document["resources"])
    resources = f"{count} resource{'' if count == 1 else 's'}"
    end = "all of it is in the mapping" if lost == 0 else f"{lost} thing{'' if lost == 1 else 's'} not in the mapping"
    return f"{file}: {resources}{'' if out is None else f' in {out}'}; {end}"
