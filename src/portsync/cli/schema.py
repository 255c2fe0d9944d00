"""`portsync schema`."""

from __future__ import annotations

import json

import click

from portsync.mapping.schema import editor_schema


@click.command(short_help="Print the JSON Schema of the mapping file, for editors.")
def schema() -> None:
    """Print the JSON Schema of the mapping file. Editors use it for completion and for marking mistakes.

    \b
    Example:
      portsync schema > mapping.schema.json
      # then, as the first line of a mapping:
      # yaml-language-server: $schema=mapping.schema.json
    """
    click.echo(json.dumps(editor_schema(), indent=2))
